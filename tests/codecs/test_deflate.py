"""Small is smaller than fast, whatever the pixels are like."""

import zlib

import numpy as np
import pytest

from tessera.codecs.deflate import FINISH, RAW, SYNC, ZLIB, deflated
from tests.support.images import Image, textured


def noisy() -> Image:
    return np.random.default_rng(0).normal(128, 20, (256, 3000)).astype(np.uint8)


def repeated() -> Image:
    return np.tile(textured(64, 100, 1)[:, :, 0], (4, 30))


@pytest.mark.parametrize(
    "rows", [noisy(), repeated(), np.zeros((1, 1), np.uint8)], ids=["noisy", "repeated", "one"]
)
def test_small_is_never_larger_than_fast(rows: Image) -> None:
    fast, small = (deflated(rows, compression, form=ZLIB, end=FINISH) for compression in ("fast", "small"))
    assert zlib.decompress(fast) == zlib.decompress(small) == rows.tobytes()
    assert len(small) <= len(fast)


@pytest.mark.parametrize("compression", ["fast", "small"])
def test_streams_that_end_at_a_byte_can_be_joined(compression: str) -> None:
    rows = noisy()
    half = deflated(rows, "small" if compression == "small" else "fast", form=RAW, end=SYNC)
    assert zlib.decompress(half + half + b"\x03\x00", wbits=RAW) == 2 * rows.tobytes()
