"""The name of a tile's block: it says which tile, and what a reader of the block list wants to know of it.

A block list is one call, however many tiles there are. So what the status, the result's checksum and taking a
job up again need of each tile stands in the ids of the blocks, and no tile makes a call to leave it.
"""

import hashlib
from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from tessera.checksum import Adler
from tessera.naming import HEAD_BLOCK, TAIL_BLOCK, tile_block

_LENGTH: Final = 64
"""Bytes of a block id: the most that the Blob service takes."""

_MOST_MILLISECONDS: Final = 10**7 - 1
_DIGEST_AT: Final = 32
_COUNT: Final = 4
_FRAME: Final = {"head": HEAD_BLOCK, "tail": TAIL_BLOCK}


class Part(NamedTuple):
    """A block of a tile: its id and size, the attempt and the seconds that made it, and its digests.

    *checksum* is that of the bytes before compression, *md5* that of the block in hexadecimal digits.
    """

    block: str
    size: int
    tile: int
    attempt: int
    seconds: float
    checksum: Adler
    md5: str


def part_block(tile: int, attempt: int, seconds: float, checksum: Adler, data: bytes, level: int = 0) -> str:
    """Return the id of the block *data*, which is the part of *tile*; all ids have the same length.

    *level* is 0 for the image itself, and 1 and up for its overviews.

    >>> part_block(12, 1, 0.25, Adler(), b"")
    't00000121000025000000001000000000d41d8cd98f00b204e9800998ecf8427'
    """
    milliseconds = min(round(seconds * 1000), _MOST_MILLISECONDS)
    effort = f"{min(attempt, 9)}{milliseconds:07d}"
    return (
        f"{_letter(level)}{tile_block(tile)[1:]}{effort}{checksum.value:08x}{checksum.length:08x}{_md5(data)}"
    )


def frame_block(which: Literal["head", "tail"], data: bytes) -> str:
    """Return the id of the block *data* that stands before or after all tiles."""
    return f"{_FRAME[which].ljust(_DIGEST_AT, '0')}{_md5(data)}"


def md5_of(block: str) -> str:
    """Return the MD5 of a block, in hexadecimal digits, from its id."""
    return block[_DIGEST_AT:]


def digest_in(block: str) -> bytes | None:
    """Return the MD5 of a block from its id, if it is an id that has one.

    >>> digest_in(part_block(12, 1, 0.25, Adler(), b"")).hex()
    'd41d8cd98f00b204e9800998ecf8427e'
    >>> digest_in("t0000012") is None
    True
    """
    return bytes.fromhex(md5_of(block)) if len(block) == _LENGTH else None


def read_parts(blocks: Mapping[str, int], level: int = 0) -> dict[int, Part]:
    """Return the part of each tile that *blocks* (bytes by id) has; two of one tile are alike."""
    found, letter = {}, _letter(level)
    for block, size in blocks.items():
        if len(block) == _LENGTH and block[0] == letter:
            part = _read(block, size)
            found[part.tile] = part
    return found


def is_overview(block: str) -> bool:
    """Return whether a block is of a part of an overview, by its id."""
    return "A" <= block[0] <= "Z"


def joined_indexes(indexes: Mapping[str, bytes]) -> bytes:
    """Return what the head must know of each part, by the ids of their blocks, as bytes.

    >>> read_indexes(joined_indexes({"a" * 64: b"one"}) + joined_indexes({"b" * 64: b""})).values()
    dict_values([b'one', b''])
    """
    return b"".join(
        block.encode() + len(index).to_bytes(_COUNT, "little") + index for block, index in indexes.items()
    )


def read_indexes(data: bytes) -> dict[str, bytes]:
    """Return what was joined, by the ids of the blocks; any number of joined bytes after one another."""
    indexes, offset = dict[str, bytes](), 0
    while offset < len(data):
        start = offset + _LENGTH + _COUNT
        end = start + int.from_bytes(data[start - _COUNT : start], "little")
        indexes[data[offset : offset + _LENGTH].decode()] = data[start:end]
        offset = end
    return indexes


def _letter(level: int) -> str:
    return tile_block(0)[0] if level == 0 else chr(ord("A") + level - 1)


def _read(block: str, size: int) -> Part:
    return Part(
        block=block,
        size=size,
        tile=int(block[1:8]),
        attempt=int(block[8]),
        seconds=int(block[9:16]) / 1000,
        checksum=Adler(int(block[16:24], 16), int(block[24:32], 16)),
        md5=md5_of(block),
    )


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
