"""Reading by ranges: few requests, nothing beyond what was asked, and never less."""

import threading
from threading import Event

import cv2
import numpy as np
import pytest

from tessera.errors import CorruptImage
from tessera.formats import ImageFile, open_image
from tessera.formats.ranges import Ranges, in_memory, overlap
from tessera.geometry import Rect
from tests.formats.files import tiff
from tests.support.images import encode, textured

DATA = np.random.default_rng(0).bytes(1 << 20)


class Requests:
    """An upload that notes what is asked of it."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.seen: list[tuple[int, int]] = []

    def __call__(self, offset: int, length: int) -> bytes:
        """Return a range."""
        self.seen.append((offset, length))
        return self.data[offset : offset + length]

    def open(self) -> ImageFile:
        """Open the image, and forget what that asked for."""
        image = open_image(self, len(self.data))
        self.seen.clear()
        return image


def test_neighbours_come_with_one_request_and_distant_ones_do_not() -> None:
    requests = Requests(DATA)
    spans = [(500_000, 100), (10, 20), (30, 50), (200, 5), (600_000, 7)]
    found = Ranges(requests, len(DATA)).many(spans)
    assert found == [DATA[offset : offset + length] for offset, length in spans]
    assert requests.seen == [(10, 195), (500_000, 100), (600_000, 7)]


def test_small_reads_near_each_other_are_one_request() -> None:
    requests = Requests(DATA)
    ranges = Ranges(requests, len(DATA))
    for offset in range(0, 60_000, 1000):
        assert ranges.at(offset, 12) == DATA[offset : offset + 12]
    assert len(requests.seen) == 1


@pytest.mark.parametrize(("offset", "length"), [(0, len(DATA) + 1), (len(DATA), 1), (-1, 2), (1 << 60, 1)])
def test_what_is_not_there_is_never_given_short(offset: int, length: int) -> None:
    with pytest.raises(CorruptImage, match=f"of {len(DATA):,}"):
        in_memory(DATA).at(offset, length)


def test_a_part_ends_where_it_ends() -> None:
    part = in_memory(DATA).part(100, 50)
    assert b"".join(part.stream(0)) == DATA[100:150]
    with pytest.raises(CorruptImage):
        part.at(40, 11)


LONG = bytes(64 << 10) + b"".join(bytes([piece]) * (4 << 20) for piece in range(4))


def test_a_stream_reads_the_next_piece_while_one_is_used_and_none_for_a_header() -> None:
    asked = {offset: Event() for offset in range(64 << 10, len(LONG), 4 << 20)}

    def read(offset: int, length: int) -> bytes:
        if offset:
            asked[offset].set()
        return LONG[offset : offset + length]

    stream, offsets = Ranges(read, len(LONG)).stream(0), list(asked)
    pieces = [next(stream), next(stream)]
    assert [asked[offset].is_set() for offset in offsets] == [True, False, False, False]
    for following in offsets[2:]:
        pieces.append(next(stream))
        assert asked[following].wait(20)
    assert b"".join([*pieces, *stream]) == LONG


@pytest.mark.parametrize("broken", [0, 1, 2, 3])
def test_a_read_that_fails_is_raised_where_its_piece_would_have_come(broken: int) -> None:
    def read(offset: int, length: int) -> bytes:
        if offset == (64 << 10) + broken * (4 << 20):
            raise ConnectionError("gone")
        return LONG[offset : offset + length]

    stream = Ranges(read, len(LONG)).stream(0)
    pieces = [next(stream) for _ in range(1 + broken)]
    with pytest.raises(ConnectionError, match="gone"):
        next(stream)
    assert b"".join(pieces) == LONG[: (64 << 10) + broken * (4 << 20)]


@pytest.mark.parametrize("end", [1, 64 << 10, (64 << 10) + 1, (4 << 20) + (64 << 10), 9 << 20, len(LONG)])
def test_a_stream_ends_where_the_upload_or_what_was_asked_for_does(end: int) -> None:
    assert b"".join(in_memory(LONG[:end]).stream(0)) == LONG[:end]
    assert b"".join(in_memory(LONG).stream(7, end)) == LONG[7:end]
    shorter_than_said = Ranges(Requests(LONG[:end]), len(LONG))
    assert b"".join(shorter_than_said.stream(0)) == LONG[:end]


def test_a_stream_that_is_dropped_leaves_no_thread() -> None:
    stream = in_memory(LONG).stream(0)
    for _ in range(3):
        next(stream)
    assert any(thread.name.startswith("ahead") for thread in threading.enumerate())
    del stream
    assert not any(thread.name.startswith("ahead") for thread in threading.enumerate())


def test_overlapping_spans_are_found() -> None:
    assert overlap(np.array([30, 0, 10]), np.array([5, 10, 20])) is None
    assert overlap(np.array([29, 0, 10]), np.array([5, 10, 20])) == 0


def test_a_row_of_tiles_is_one_request_and_a_tile_alone_no_more_than_itself() -> None:
    data = tiff(textured(640, 640), tile=(64, 64), compression="zlib", photometric="rgb")
    requests = Requests(data)
    image = requests.open()
    assert image.block == (64, 64)
    image.read(Rect(0, 64, 640, 128))
    assert len(requests.seen) == 1
    requests.seen.clear()
    image.read(Rect(70, 70, 100, 100))
    assert len(requests.seen) == 1
    assert requests.seen[0][1] < len(data) / 50


def test_uncompressed_rows_are_read_alone_though_they_are_one_strip() -> None:
    data = tiff(textured(3000, 400), rowsperstrip=3000, photometric="rgb")
    requests = Requests(data)
    image = requests.open()
    assert image.random
    image.read(Rect(0, 10, 400, 20))
    assert sum(length for _, length in requests.seen) <= 1 << 20 < len(data)


def test_a_rect_that_is_not_inside_is_refused() -> None:
    image = Requests(tiff(textured(64, 64), rowsperstrip=64, photometric="rgb")).open()
    for rect in (Rect(0, 0, 65, 64), Rect(-1, 0, 5, 5), Rect(5, 5, 5, 9)):
        with pytest.raises(ValueError, match="not inside 64 x 64"):
            image.read(rect)


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_streamed_image_gives_boxes_downwards_and_keeps_nothing_of_what_is_between(suffix: str) -> None:
    data = encode(textured(400, 300), suffix)
    whole = np.concatenate(list(Requests(data).open().bands(400)))
    image = Requests(data).open()
    assert image.skips
    assert not image.random
    for box in (Rect(5, 40, 90, 60), Rect(0, 60, 300, 61), Rect(7, 311, 300, 400)):
        np.testing.assert_array_equal(image.read(box), whole[box.slices], strict=True)


def test_a_streamed_image_that_is_cut_off_is_noticed_by_who_gets_there() -> None:
    data = encode(textured(400, 300))
    image = Requests(data[: len(data) // 2]).open()
    image.read(Rect(0, 20, 300, 40))
    with pytest.raises(CorruptImage, match="truncated or damaged"):
        image.read(Rect(0, 380, 300, 400))


def test_an_image_that_the_decoder_holds_is_not_read_by_boxes() -> None:
    data = cv2.imencode(".jpg", textured(64, 64), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    image = Requests(data).open()
    assert not image.random
    with pytest.raises(ValueError, match="this jpeg is read from top to bottom only"):
        image.read(image.frame)
