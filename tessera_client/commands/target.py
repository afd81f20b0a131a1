"""Where the result goes and in which format."""

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from tessera_client.downloads import check_target
from tessera_client.errors import DownloadFailed
from tessera_client.models import Output

SUFFIXES = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".tif": "tiff", ".tiff": "tiff"}
DEFAULT_SUFFIX = {"png": ".png", "jpeg": ".jpg", "tiff": ".tif"}
SAME = "same"
LONGEST_STEM = 200
_OPTIONS = {
    "quality": ("jpeg",),
    "subsampling": ("jpeg",),
    "compression": ("png", "tiff"),
    "pyramid": ("tiff",),
}
"""Options that only some formats have."""


def choose_output(
    file_format: str | None, options: Mapping[str, Any], target: str | None, *, folder: bool = False
) -> Output:
    """Choose the format: as named, else by the suffix of the file, else PNG.

    Parameters
    ----------
    file_format : str or None
    options : mapping of str to object
        Members of `Output`; None and False count as not given.
    target : str or None
    folder : bool
        Whether ``target`` is a folder anyhow.

    Raises
    ------
    typer.BadParameter
        When the format is unknown, format and suffix contradict each other, or the format doesn't have an
        option.
    """
    suffix = "" if target is None or is_folder(target, several=folder) else Path(target).suffix.lower()
    by_suffix = SUFFIXES.get(suffix)
    if file_format and file_format not in (*DEFAULT_SUFFIX, SAME):
        known = ", ".join((*DEFAULT_SUFFIX, SAME))
        raise typer.BadParameter(f"'{file_format}' is not one of {known}.", param_hint="--format")
    if file_format and file_format != SAME and by_suffix and file_format != by_suffix:
        raise typer.BadParameter(
            f"{target} has the suffix of another format than --format {file_format}.", param_hint="--output"
        )
    if not file_format and suffix and not by_suffix:
        raise typer.BadParameter(
            f"'{suffix}' names no known format; use {', '.join(SUFFIXES)}, or add --format.",
            param_hint="--output",
        )
    chosen = file_format or by_suffix or "png"
    given = {name: value for name, value in options.items() if value not in (None, False)}
    for name in given:
        formats = _OPTIONS.get(name, (chosen,))
        if chosen not in (*formats, SAME):
            reason = f"{chosen} has no {name}; it is for {' and '.join(formats)}."
            raise typer.BadParameter(reason, param_hint=f"--{name}")
    return Output(chosen, **given)


def is_folder(target: str, *, several: bool) -> bool:
    """Say whether results go into *target*: it is a folder, or ends like one, or there are several."""
    return several or target.endswith("/") or Path(target).is_dir()


def choose_path(name: str, label: str, output: Output, target: str | None, *, several: bool = False) -> Path:
    """Choose the file: as named, else input and operations, in the folder named or the current one.

    Parameters
    ----------
    name : str
        File name of the input.
    label : str
        What is done, for the name.
    output : Output
    target : str or None
        A file or a folder.
    several : bool
        Whether there are other inputs too.

    Returns
    -------
    Path
    """
    if target and not is_folder(target, several=several):
        return Path(target)
    stem = f"{Path(name).stem}-{label}"[:LONGEST_STEM]
    own = Path(name).suffix.lower()
    same = own if own in SUFFIXES else DEFAULT_SUFFIX["png"]
    return Path(target or ".") / (stem + DEFAULT_SUFFIX.get(output.format, same))


def check_writable(path: Path, *, force: bool) -> None:
    """Refuse before the work what could not be written after it.

    Raises
    ------
    typer.BadParameter
        When the folder is missing, or the file exists and ``force`` is not given.
    """
    try:
        check_target(path, overwrite=force)
    except DownloadFailed as refused:
        raise typer.BadParameter(f"{refused}. {refused.hint}", param_hint="--output") from None


def write_to_stdout(path: Path) -> None:
    """Copy a file to stdout."""
    sys.stdout.flush()
    with path.open("rb") as file:
        shutil.copyfileobj(file, sys.stdout.buffer, 1 << 20)
    sys.stdout.buffer.flush()
