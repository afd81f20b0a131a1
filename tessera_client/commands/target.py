"""Where the result goes and in which format."""

import shutil
import sys
from pathlib import Path

import typer

from tessera_client.downloads import check_target
from tessera_client.errors import DownloadFailed
from tessera_client.models import Output

SUFFIXES = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".tif": "tiff", ".tiff": "tiff"}
DEFAULT_SUFFIX = {"png": ".png", "jpeg": ".jpg", "tiff": ".tif"}
LONGEST_STEM = 200


def choose_output(
    file_format: str | None, quality: int | None, target: str | None, *, folder: bool = False
) -> Output:
    """Choose the format: as named, else by the suffix of the file, else PNG.

    Raises
    ------
    typer.BadParameter
        When the format is unknown, format and suffix contradict each other, or a quality is given for
        another format than JPEG.
    """
    suffix = "" if target is None or is_folder(target, several=folder) else Path(target).suffix.lower()
    by_suffix = SUFFIXES.get(suffix)
    if file_format and file_format not in DEFAULT_SUFFIX:
        known = ", ".join(DEFAULT_SUFFIX)
        raise typer.BadParameter(f"'{file_format}' is not one of {known}.", param_hint="--format")
    if file_format and by_suffix and file_format != by_suffix:
        raise typer.BadParameter(
            f"{target} has the suffix of another format than --format {file_format}.", param_hint="--output"
        )
    if not file_format and suffix and not by_suffix:
        raise typer.BadParameter(
            f"'{suffix}' names no known format; use {', '.join(SUFFIXES)}, or add --format.",
            param_hint="--output",
        )
    chosen = file_format or by_suffix or "png"
    if quality is not None and chosen != "jpeg":
        raise typer.BadParameter(f"{chosen} has no quality; it is for jpeg.", param_hint="--quality")
    return Output(chosen, quality)


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
    return Path(target or ".") / (stem + DEFAULT_SUFFIX[output.format])


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
