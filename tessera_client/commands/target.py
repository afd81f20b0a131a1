"""Where the result goes and in which format."""

from collections.abc import Sequence
from pathlib import Path

import typer

from tessera_client.downloads import check_target
from tessera_client.errors import DownloadFailed
from tessera_client.models import Output, Step

SUFFIXES = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg"}
DEFAULT_SUFFIX = {"png": ".png", "jpeg": ".jpg"}
LONGEST_STEM = 200


def choose_output(file_format: str | None, quality: int | None, path: Path | None) -> Output:
    """Choose the format: as named, else by the suffix of the file, else PNG.

    Raises
    ------
    typer.BadParameter
        When the format is unknown, format and suffix contradict each other, or a quality is given for PNG.
    """
    suffix = path.suffix.lower() if path and not path.is_dir() else ""
    by_suffix = SUFFIXES.get(suffix)
    if file_format and file_format not in DEFAULT_SUFFIX:
        raise typer.BadParameter(f"'{file_format}' is not one of png, jpeg.", param_hint="--format")
    if file_format and by_suffix and file_format != by_suffix:
        raise typer.BadParameter(
            f"{path} has the suffix of another format than --format {file_format}.", param_hint="--output"
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


def choose_path(source: Path, steps: Sequence[Step], output: Output, path: Path | None) -> Path:
    """Choose the file: as named, else input and operations, in the folder named or the current one.

    Parameters
    ----------
    source : Path
        The input.
    steps : sequence of Step
    output : Output
    path : Path or None
        A file or an existing folder.

    Returns
    -------
    Path
    """
    if path and not path.is_dir():
        return path
    stem = "-".join([source.stem, *(step.operation for step in steps)])[:LONGEST_STEM]
    return (path or Path()) / (stem + DEFAULT_SUFFIX[output.format])


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
