"""What turns an image upright whose EXIF says how it is to be shown (JEITA CP-3451, tag 0x0112)."""

from tessera.plan import Step


def _step(operation: str, **parameters: str | int) -> Step:
    return Step(operation=operation, parameters=dict(parameters))


_UPRIGHT: dict[int, tuple[Step, ...]] = {
    1: (),
    2: (_step("flip", direction="horizontal"),),
    3: (_step("rotate", degrees=180),),
    4: (_step("flip", direction="vertical"),),
    5: (_step("transpose"),),
    6: (_step("rotate", degrees=90),),
    7: (_step("transpose"), _step("rotate", degrees=180)),
    8: (_step("rotate", degrees=270),),
}


def upright(orientation: int) -> tuple[Step, ...]:
    """Return the steps that turn pixels stored with *orientation* (1 to 8) upright."""
    return _UPRIGHT[orientation]
