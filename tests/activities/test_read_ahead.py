"""What is read ahead is what the blob holds, by fewer calls."""

from hypothesis import given
from hypothesis import strategies as st

from activities.read_ahead import ReadAhead

BLOB = bytes(range(256)) * 1024
PIECES = st.lists(st.tuples(st.integers(0, len(BLOB)), st.integers(0, 100_000)), max_size=20)


@given(PIECES)
def test_every_piece_is_that_of_the_blob(pieces: list[tuple[int, int]]) -> None:
    read = ReadAhead(lambda offset, length: BLOB[offset : offset + length])
    for offset, length in pieces:
        assert read(offset, length) == BLOB[offset : offset + length]


def test_pieces_that_follow_one_another_take_one_call() -> None:
    calls: list[tuple[int, int]] = []

    def fetch(offset: int, length: int) -> bytes:
        calls.append((offset, length))
        return BLOB[offset : offset + length]

    read = ReadAhead(fetch)
    assert [read(offset, 8) for offset in range(0, 8000, 8)] == [BLOB[i : i + 8] for i in range(0, 8000, 8)]
    assert len(calls) == 1
    assert read(0, 1 << 17) == BLOB[: 1 << 17]
    assert calls[1:] == [(0, 1 << 17)]
