"""Framing of the messages between the host and a worker process.

A frame is the length of the header and of the body (two big-endian uint32), the header as UTF-8 JSON,
and the body as raw bytes. Large payloads travel in the body, so that they are never escaped twice.
"""

import asyncio
import json
import struct
from typing import Any

_LENGTHS = struct.Struct(">II")
_encode = json.JSONEncoder(separators=(",", ":")).encode

Header = dict[str, Any]


def pack(header: Header, body: bytes = b"") -> bytes:
    """Encode one frame.

    Args:
        header: JSON-serialisable mapping.
        body: Raw payload, at most 4 GiB.

    Returns:
        The bytes to send.

    Raises:
        ValueError: When the header or the body is longer than 4 GiB - 1 bytes.
    """
    text = _encode(header).encode()
    if max(len(text), len(body)) > 0xFFFFFFFF:
        raise ValueError("a message between host and worker is limited to 4 GiB; pass a blob name instead")
    return b"".join((_LENGTHS.pack(len(text), len(body)), text, body))


async def read(reader: asyncio.StreamReader) -> tuple[Header, bytes]:
    """Read one frame.

    Args:
        reader: The receiving end of the connection.

    Returns:
        The header and the body.

    Raises:
        asyncio.IncompleteReadError: When the connection ends before a whole frame arrived.
    """
    header_length, body_length = _LENGTHS.unpack(await reader.readexactly(_LENGTHS.size))
    header = json.loads(await reader.readexactly(header_length))
    body = await reader.readexactly(body_length) if body_length else b""
    return header, body
