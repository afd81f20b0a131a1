"""What is needed of an EXIF block: orientation and resolution. Whatever is wrong in it is passed over."""

import struct

_ORIENTATION, _X, _Y, _UNIT = 0x0112, 0x011A, 0x011B, 0x0128
_ENTRIES = 512
_INCH, _CENTIMETRE = 2, 3


def orientation(block: bytes) -> int:
    """Return the orientation, 1 to 8; 1 where the block says nothing that makes sense."""
    value = _values(block).get(_ORIENTATION, 1)
    return int(value) if value in range(1, 9) else 1


def resolution(block: bytes) -> tuple[float, float] | None:
    """Return the dots per inch, or None."""
    values = _values(block)
    return to_dpi(values.get(_X, 0.0), values.get(_Y, 0.0), int(values.get(_UNIT, _INCH)))


def to_dpi(x: float, y: float, unit: int) -> tuple[float, float] | None:
    """Return dots per inch from those per TIFF's ResolutionUnit; None for none, 0, or not finite."""
    factor = {_INCH: 1.0, _CENTIMETRE: 2.54}.get(unit)
    if factor is None or not (0 < x < 1e6 and 0 < y < 1e6):
        return None
    return x * factor, y * factor


def _values(block: bytes) -> dict[int, float]:
    """Return the short and rational values of the first directory."""
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None:
        return {}
    try:
        (start,) = struct.unpack_from(f"{order}I", block, 4)
        (count,) = struct.unpack_from(f"{order}H", block, start)
        entries = [
            struct.unpack_from(f"{order}HHI4s", block, start + 2 + 12 * index)
            for index in range(min(count, _ENTRIES))
        ]
    except struct.error:
        return {}
    return {tag: _value(block, order, kind, raw) for tag, kind, number, raw in entries if number == 1}


def _value(block: bytes, order: str, kind: int, raw: bytes) -> float:
    if kind == 3:
        return float(struct.unpack(f"{order}H", raw[:2])[0])
    if kind != 5:
        return 0.0
    try:
        over, under = struct.unpack_from(f"{order}II", block, *struct.unpack(f"{order}I", raw))
    except struct.error:
        return 0.0
    return over / under if under else 0.0
