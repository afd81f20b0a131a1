"""Arguments and options that several commands share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from tessera_client.cli.completion import complete_operation, complete_preset

_SERVICE, _LOCAL, _OUTPUT, _PIPELINE, _SEVERAL = (
    "Service",
    "On this machine",
    "Result",
    "Pipeline",
    "Several files",
)


def _option(*names: str, **facts: Any) -> Any:
    """Make an option; the variables that follow from its name aren't repeated in every line of the help."""
    return typer.Option(*names, show_envvar="envvar" in facts, **facts)


class OnInterrupt(StrEnum):
    """What Ctrl-C does with a job that runs."""

    ASK = "ask"
    CANCEL = "cancel"
    LEAVE = "leave"


class ChromaSubsampling(StrEnum):
    """How much of the colour's resolution a JPEG keeps."""

    NONE = "4:4:4"
    HORIZONTAL = "4:2:2"
    BOTH = "4:2:0"
    QUARTER = "4:1:1"


class Compression(StrEnum):
    """How hard a PNG or TIFF is compressed."""

    FAST = "fast"
    SMALL = "small"


class State(StrEnum):
    """States of a job."""

    QUEUED = "queued"
    INSPECTING = "inspecting"
    RUNNING = "running"
    STITCHING = "stitching"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"


Inputs = Annotated[
    list[str],
    typer.Argument(metavar="INPUT...", help="Image files or patterns such as 'scans/*.tif'; - is stdin."),
]
Input = Annotated[str, typer.Argument(metavar="INPUT", help="An image file; - is stdin.")]
JobId = Annotated[str, typer.Argument(metavar="ID", help="The job, as `tessera submit` printed it.")]
JobIds = Annotated[list[str], typer.Argument(metavar="ID...", help="One or more jobs.")]
Op = Annotated[
    list[str] | None,
    _option(
        "--op",
        metavar="NAME[:k=v,...]",
        help="An operation with its parameters; lists as JSON. Repeat it: they are applied in this order.",
        autocompletion=complete_operation,
        rich_help_panel=_PIPELINE,
    ),
]
Pipeline = Annotated[
    Path | None,
    _option(
        "--pipeline", metavar="FILE", help="A YAML or JSON file with operations.", rich_help_panel=_PIPELINE
    ),
]
Preset = Annotated[
    str | None,
    _option(
        "--preset",
        metavar="NAME",
        help="A stored pipeline; `tessera presets` lists them.",
        autocompletion=complete_preset,
        rich_help_panel=_PIPELINE,
    ),
]
Page = Annotated[
    int,
    _option(
        "--page",
        min=0,
        max=9999,
        help="Page, frame or directory of each input, from 0.",
        rich_help_panel=_PIPELINE,
    ),
]
Target = Annotated[
    str | None,
    _option(
        "-o",
        "--output",
        metavar="PATH",
        help="File, folder (one that exists, or ends with /), or - for stdout. "
        "By default the input's name and the operations, in the current folder.",
        rich_help_panel=_OUTPUT,
    ),
]
Format = Annotated[
    str | None,
    _option(
        "--format",
        metavar="png|jpeg|tiff|same",
        help="File format, same is that of the input; default: by the suffix of the output, else png.",
        rich_help_panel=_OUTPUT,
    ),
]
Quality = Annotated[
    int | None, _option("--quality", min=1, max=100, help="Of a JPEG.", rich_help_panel=_OUTPUT)
]
Subsampling = Annotated[
    ChromaSubsampling | None,
    _option("--subsampling", help="Chroma subsampling of a JPEG.", rich_help_panel=_OUTPUT),
]
Compress = Annotated[
    Compression | None,
    _option(
        "--compression",
        help="Of a PNG or TIFF: small takes many times as long as fast.",
        rich_help_panel=_OUTPUT,
    ),
]
Pyramid = Annotated[
    bool,
    _option(
        "--pyramid", help="Overviews in a TIFF, as in a cloud-optimized GeoTIFF.", rich_help_panel=_OUTPUT
    ),
]
KeepMetadata = Annotated[
    bool,
    _option(
        "--keep-metadata",
        help="Keep the EXIF data, the place where a photograph was taken included.",
        rich_help_panel=_OUTPUT,
    ),
]
Force = Annotated[bool, _option("--force", help="Overwrite files that exist.", rich_help_panel=_OUTPUT)]
SkipExisting = Annotated[
    bool,
    _option("--skip-existing", help="Leave out inputs whose result is there.", rich_help_panel=_SEVERAL),
]
Jobs = Annotated[
    int,
    _option("--jobs", min=1, max=64, help="Files in work at the same time.", rich_help_panel=_SEVERAL),
]
Local = Annotated[
    bool,
    _option("--local", help="Do it on this machine, without a service.", rich_help_panel=_LOCAL),
]
Processes = Annotated[
    int | None,
    _option(
        "--processes",
        min=1,
        max=256,
        help="Worker processes; default: one for each processor.",
        rich_help_panel=_LOCAL,
    ),
]
TempDir = Annotated[
    Path | None,
    _option(
        "--temp-dir",
        metavar="FOLDER",
        exists=True,
        file_okay=False,
        writable=True,
        help="Where the decoded image is kept meanwhile; default: the system's place (TMPDIR).",
        rich_help_panel=_LOCAL,
    ),
]
Interrupt = Annotated[
    OnInterrupt,
    _option(
        "--on-interrupt",
        help="What Ctrl-C does with the job. Without a terminal, ask means cancel.",
        rich_help_panel=_SERVICE,
    ),
]
Timeout = Annotated[
    float | None,
    _option("--timeout", metavar="SECONDS", min=0, help="Stop waiting after so long; the job goes on."),
]
Api = Annotated[
    str | None,
    _option(
        "--api",
        metavar="URL",
        envvar="TESSERA_API_URL",
        help="Address of the service; default: http://127.0.0.1:7071.",
        rich_help_panel=_SERVICE,
    ),
]
Json = Annotated[bool, _option("--json", help="Print one JSON document, for programs.")]
Quiet = Annotated[bool, _option("-q", "--quiet", help="Say nothing but the bare result and errors.")]
