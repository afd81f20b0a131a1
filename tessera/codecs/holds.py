"""What each output format can hold: the one place for these facts, and the refusal of all else."""

from typing import Literal, NamedTuple

from tessera.errors import InvalidOutput
from tessera.plan import Pixels

type WrittenFormat = Literal["png", "jpeg", "tiff"]


class _Holds(NamedTuple):
    name: str
    max_side: int
    alpha: bool = True
    depths: tuple[int, ...] = (8, 16)


_HOLDS: dict[WrittenFormat, _Holds] = {
    "png": _Holds("PNG", 2**31 - 1),
    # The format ends at 65,535, but OpenCV, Pillow and libvips neither write nor read more than this.
    "jpeg": _Holds("JPEG", 65_500, alpha=False, depths=(8,)),
    # The format ends at 2**32 - 1, but libtiff's users count sides in signed integers.
    "tiff": _Holds("TIFF", 2**31 - 1),
}
WRITTEN: tuple[WrittenFormat, ...] = tuple(_HOLDS)
"""The formats that are written."""


def check(written: WrittenFormat, width: int, height: int, pixels: Pixels) -> None:
    """Refuse an image that the format can't hold.

    Raises
    ------
    InvalidOutput
        For alpha, a depth or a side that the format doesn't have; the hint names the formats that do.
    """
    reason = _reason(written, width, height, pixels)
    if reason is None:
        return
    others = [other for other in WRITTEN if _reason(other, width, height, pixels) is None]
    side = max(width, height)
    too_long = side > _HOLDS[written].max_side
    raise InvalidOutput(
        reason,
        hint=f"choose {' or '.join(others)}" if others else "make the image smaller",
        limit=_HOLDS[written].max_side if too_long else None,
        actual=side if too_long else None,
        pointer="/output/format",
    )


def _reason(written: WrittenFormat, width: int, height: int, pixels: Pixels) -> str | None:
    holds = _HOLDS[written]
    if max(width, height) > holds.max_side:
        return f"{holds.name} sides end at {holds.max_side}, and the result is {width} x {height}"
    if pixels.has_alpha and not holds.alpha:
        return f"{holds.name} has no alpha channel"
    if pixels.depth not in holds.depths:
        return f"{holds.name} has {holds.depths[-1]} bits, and the result has {pixels.depth}"
    return None
