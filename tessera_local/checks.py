"""Is everything here that jobs on this machine need?"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tessera_local.machine import Machine, Order

_ENOUGH_SPACE = 2 << 30
_PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154081d6360000000020001cfc835e50000000049454e44ae426082"
)
"""A PNG file of one pixel."""


@dataclass(frozen=True)
class Check:
    """What was looked at, whether it is as it should be, what was found, and what to do if it isn't."""

    name: str
    good: bool
    found: str
    advice: str | None = None


def checks(folder: Path | None) -> Iterator[Check]:
    """Look at libraries, processors and temporary space, and run a job of one pixel.

    Parameters
    ----------
    folder : Path or None
        Where temporary folders are made; by default the system's place.
    """
    for name, look in (("opencv", _opencv), ("libvips", _libvips)):
        yield _guarded(name, look, "Install the package again: `make setup`.")
    yield Check("processors", True, f"{os.process_cpu_count()} for worker processes")
    yield _space(Path(folder or tempfile.gettempdir()))
    yield _guarded("local job", lambda: _job(folder), "Install the package again: `make setup`.")


def _opencv() -> str:
    import cv2

    return str(cv2.__version__)


def _libvips() -> str:
    import pyvips

    return ".".join(str(pyvips.version(part)) for part in range(3))


def _space(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free
    found = f"{free / 2**30:.1f} GiB free in {folder}"
    advice = "Name a folder with more space by --temp-dir or TMPDIR."
    return Check("temporary space", free >= _ENOUGH_SPACE, found, advice)


def _job(folder: Path | None) -> str:
    async def main() -> str:
        with tempfile.NamedTemporaryFile(suffix=".png") as image:
            image.write(_PIXEL)
            image.flush()
            async with Machine(1, folder) as machine:
                finished = await machine.run(Order(Path(image.name), [{"operation": "invert"}]))
        if finished.outcome.fault:
            raise RuntimeError(finished.cause or finished.outcome.fault.detail)
        return "an image of one pixel was processed"

    return asyncio.run(main())


def _guarded(name: str, look: Callable[[], str], advice: str) -> Check:
    try:
        return Check(name, True, look())
    except Exception as error:
        return Check(name, False, f"{type(error).__name__}: {error}", advice)
