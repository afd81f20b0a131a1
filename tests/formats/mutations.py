"""Damage done to files of the corpus, each a function of a seed and a number."""

import struct
import zlib

import numpy as np

from tests.formats.corpus import cases

_EXTREMES = (b"\0" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\1", b"\1\0\0\0")


def mutated(seed: int, number: int) -> tuple[str, bytes]:
    """Return the name of a case and its file with damage *number* of *seed*."""
    random = np.random.default_rng([seed, number])
    names = list(cases())
    name = names[number % len(names)]
    data = bytearray(cases()[name].data)
    for _ in range(int(random.integers(1, 4))):
        _DAMAGES[int(random.integers(len(_DAMAGES)))](data, random)
    if name.startswith("png") and random.integers(2):
        _correct_checksums(data)
    return name, bytes(data)


def _flip(data: bytearray, random: np.random.Generator) -> None:
    for _ in range(int(random.integers(1, 9))):
        data[int(random.integers(len(data)))] = int(random.integers(256))


def _flip_in_header(data: bytearray, random: np.random.Generator) -> None:
    for _ in range(int(random.integers(1, 5))):
        data[int(random.integers(min(400, len(data))))] = int(random.integers(256))


def _flip_near_end(data: bytearray, random: np.random.Generator) -> None:
    """Directories of TIFFs lie there too."""
    for _ in range(int(random.integers(1, 5))):
        data[len(data) - 1 - int(random.integers(min(400, len(data))))] = int(random.integers(256))


def _put_extreme(data: bytearray, random: np.random.Generator) -> None:
    within = min(400, len(data)) if random.integers(2) else len(data)
    at = int(random.integers(max(1, within - 4)))
    data[at : at + 4] = _EXTREMES[int(random.integers(len(_EXTREMES)))]


def _truncate(data: bytearray, random: np.random.Generator) -> None:
    del data[max(1, int(random.integers(len(data)))) :]


def _delete(data: bytearray, random: np.random.Generator) -> None:
    at = int(random.integers(len(data)))
    if at:
        del data[at : at + int(random.integers(1, 200))]


def _repeat(data: bytearray, random: np.random.Generator) -> None:
    at = int(random.integers(len(data)))
    data[at:at] = data[at : at + int(random.integers(1, 2000))]


def _blank(data: bytearray, random: np.random.Generator) -> None:
    at, count = int(random.integers(len(data))), int(random.integers(1, 500))
    count = min(count, len(data) - at)
    data[at : at + count] = bytes((int(random.choice([0, 255])),)) * count


_DAMAGES = (_flip, _flip, _flip_in_header, _flip_near_end, _put_extreme, _truncate, _delete, _repeat, _blank)


def _correct_checksums(data: bytearray) -> None:
    """Make the checksums of a PNG's chunks right again, so that the damage gets to the decoder."""
    offset = 8
    while offset + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, offset)
        end = offset + 8 + length
        if end + 4 > len(data):
            return
        struct.pack_into(">I", data, end, zlib.crc32(data[offset + 4 : end]))
        offset = end + 4
