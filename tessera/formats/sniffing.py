"""The format of an upload by its magic bytes; its name is not looked at."""

from tessera.errors import CorruptImage, UnsupportedFormat
from tessera.formats.base import FormatName

FIRST_BYTES = 16
"""Bytes of an upload that `sniff` wants to see."""

_MAGIC: tuple[tuple[FormatName, int, bytes], ...] = (
    ("jpeg", 0, b"\xff\xd8\xff"),
    ("png", 0, b"\x89PNG\r\n\x1a\n"),
    ("tiff", 0, b"II*\0"),
    ("tiff", 0, b"MM\0*"),
    ("tiff", 0, b"II+\0"),
    ("tiff", 0, b"MM\0+"),
    ("webp", 8, b"WEBP"),
    ("gif", 0, b"GIF87a"),
    ("gif", 0, b"GIF89a"),
    ("bmp", 0, b"BM"),
)
NAMES = tuple(dict.fromkeys(name for name, _, _ in _MAGIC))
_OTHERS = {
    b"%PDF": "PDF",
    b"8BPS": "PSD",
    b"<svg": "SVG",
    b"<?xm": "XML",
    b"qoif": "QOI",
    b"\0\0\0\x0c": "JPEG 2000 or JPEG XL",
    b"\xff\x4f\xff\x51": "JPEG 2000",
    b"\xff\x0a": "JPEG XL",
    b"v/1\x01": "OpenEXR",
    b"PK\x03\x04": "ZIP",
    b"\x1f\x8b": "gzip",
}


def sniff(first_bytes: bytes) -> FormatName:
    """Return the format that an upload's first bytes (``FIRST_BYTES``, or all it has) belong to.

    Raises
    ------
    CorruptImage
        If there are none.
    UnsupportedFormat
        If they are those of no format that is read here; the message lists those that are.
    """
    if not first_bytes:
        raise CorruptImage("the upload is empty", hint="upload the file again", limit=1, actual=0)
    for name, offset, magic in _MAGIC:
        if first_bytes[offset:].startswith(magic) and (name != "webp" or first_bytes[:4] == b"RIFF"):
            return name
    raise UnsupportedFormat(
        f"the upload begins with {first_bytes[:8].hex(' ')}{_guess(first_bytes)}, and what is read here is "
        f"{', '.join(NAMES)}",
        hint=f"send one of {', '.join(NAMES)}",
    )


def _guess(first_bytes: bytes) -> str:
    if first_bytes[4:8] == b"ftyp":
        return " (HEIF, AVIF or another ISO media file)"
    return next((f" ({name})" for magic, name in _OTHERS.items() if first_bytes.startswith(magic)), "")
