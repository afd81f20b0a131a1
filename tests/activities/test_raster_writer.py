"""What is written of a raster row by row is what any box of it reads."""

import tracemalloc
from threading import Event

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.raster_writer import RasterWriter
from tessera import blockraster, naming
from tessera.geometry import Rect
from tessera.plan import Raster
from tessera.rasters import PUT_BYTES, put_count, rows_at_once, rows_of_blocks_held, writing_memory
from tests.support.memory_store import MemoryStore

JOB = "5" * 32
NAME = naming.work(JOB, "source")


def raster_of(
    width: int, height: int, block: tuple[int, int], channels: int = 3, dtype: str = "u1"
) -> Raster:
    frame = Rect(0, 0, width, height)
    return Raster.model_validate(
        {
            "name": "source",
            "frame": frame,
            "box": frame,
            "channels": channels,
            "dtype": dtype,
            "block_width": block[0],
            "block_height": block[1],
        }
    )


def write(raster: Raster, pixels: np.ndarray, rows: int, store: MemoryStore) -> int:
    with RasterWriter(JOB, raster, store) as writer:
        for top in range(0, raster.box.height, rows):
            writer.write(pixels[top : top + rows])
        return writer.commit()


@given(st.data())
def test_any_box_is_read_as_it_was_written(data: st.DataObject) -> None:
    width, height = data.draw(st.integers(1, 90)), data.draw(st.integers(1, 70))
    rows = data.draw(st.integers(1, 20))
    block = data.draw(st.integers(1, width)), min(height, rows * data.draw(st.integers(1, 4)))
    channels, dtype = data.draw(st.sampled_from([1, 3, 4])), data.draw(st.sampled_from(["u1", "u2"]))
    raster, store = raster_of(width, height, block, channels, dtype), MemoryStore()
    random = np.random.default_rng(data.draw(st.integers(0, 99)))
    pixels = random.integers(0, 256, (height, width, channels)).astype(dtype)
    size = write(raster, pixels, rows, store)
    assert size == store.stat(naming.WORK, NAME).size
    x0, y0 = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    box = Rect(x0, y0, data.draw(st.integers(x0 + 1, width)), data.draw(st.integers(y0 + 1, height)))
    read = blockraster.read(raster, box, lambda offset, length: store.read(naming.WORK, NAME, offset, length))
    np.testing.assert_array_equal(read, pixels[box.slices])


def test_a_row_of_blocks_larger_than_a_put_is_sent_in_several() -> None:
    raster, store = raster_of(6000, 1000, (64, 512)), MemoryStore()
    pixels = np.random.default_rng(7).integers(0, 256, (1000, 6000, 3), np.uint8)
    write(raster, pixels, rows_at_once(raster), store)
    sizes = list(store.blocks(naming.WORK, NAME).values())
    assert max(sizes) == PUT_BYTES
    assert len(sizes) == 1 + put_count(raster) == 1 + 2 + 2
    read = blockraster.read(
        raster, raster.box, lambda start, length: store.read(naming.WORK, NAME, start, length)
    )
    np.testing.assert_array_equal(read, pixels)


@pytest.mark.parametrize("block_width", [64, 4096])
def test_no_more_rows_of_blocks_are_held_than_are_planned(block_width: int) -> None:
    class Forgetful(MemoryStore):
        def put_block(self, container: str, name: str, block: str, data: bytes) -> None:
            super().put_block(container, name, block, data[:1])

    raster = raster_of(4096, 64 * 128, (block_width, 128))
    rows = np.zeros((128, 4096, 3), np.uint8)
    tracemalloc.start()
    try:
        with RasterWriter(JOB, raster, Forgetful()) as writer:
            for _ in range(64):
                writer.write(rows)
            writer.commit()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < writing_memory(raster, raster.row_bytes) + (1 << 20)


def test_a_put_that_fails_fails_the_writing_and_no_raster_is_there() -> None:
    class Full(MemoryStore):
        def put_block(self, container: str, name: str, block: str, data: bytes) -> None:
            if block == naming.tile_block(2):
                raise OSError("no space")
            super().put_block(container, name, block, data)

    raster, store = raster_of(100, 100, (64, 10)), Full()
    with pytest.raises(OSError, match="no space"):
        write(raster, np.zeros((100, 100, 3), np.uint8), 10, store)
    assert not store.exists(naming.WORK, NAME)


@pytest.mark.parametrize("block_width", [64, 100])
def test_the_next_row_of_blocks_is_filled_while_others_are_sent(block_width: int) -> None:
    filled = Event()

    class Slow(MemoryStore):
        def put_block(self, container: str, name: str, block: str, data: bytes) -> None:
            if block != naming.HEAD_BLOCK and not filled.wait(10):
                raise TimeoutError("nothing was filled meanwhile")
            super().put_block(container, name, block, data)

    raster, rows = raster_of(100, 100, (block_width, 10)), np.zeros((10, 100, 3), np.uint8)
    with RasterWriter(JOB, raster, Slow()) as writer:
        for _ in range(rows_of_blocks_held(raster)):
            writer.write(rows)
        filled.set()
        for _ in range(10 - rows_of_blocks_held(raster)):
            writer.write(rows)
        assert writer.commit() == blockraster.HEADER_BYTES + 100 * 100 * 3
