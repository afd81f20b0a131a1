"""The ``tessera`` command: its arguments. What each command does is in ``tessera_client.commands``."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

# The commands are imported when they run: `tessera --help` answers without loading an HTTP client.

app = typer.Typer(
    name="tessera",
    help="Process images of any size on a Tessera service.",
    epilog="TESSERA_API_URL is the address of the service, TESSERA_API_KEY the key it asks for.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

InputFile = Annotated[
    Path, typer.Argument(metavar="INPUT", help="The image.", exists=True, dir_okay=False, readable=True)
]
JobId = Annotated[str, typer.Argument(metavar="ID", help="The job, as [bold]submit[/] printed it.")]
Operations = Annotated[
    list[str],
    typer.Option(
        "--op",
        metavar="NAME[:k=v,...]",
        help="An operation with its parameters. Repeat it: they are applied in this order.",
    ),
]
OutputFile = Annotated[
    Path | None, typer.Option("-o", "--output", metavar="FILE", help="Where to write the result.")
]
Format = Annotated[
    str | None,
    typer.Option("--format", metavar="png|jpeg", help="File format; default: by the suffix of -o, else png."),
]
Quality = Annotated[int | None, typer.Option("--quality", min=1, max=100, help="Quality of a JPEG.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")]
Api = Annotated[str | None, typer.Option("--api", metavar="URL", help="Address of the service.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing but the result and errors.")]


@app.command(
    epilog="Examples:\n\n"
    "tessera run photo.jpg --op canny:low=50,high=150\n\n"
    "tessera run scan.tif --op median_blur:ksize=5 --op invert -o clean.jpg --quality 90"
)
def run(
    input_file: InputFile,
    operations: Operations,
    output: OutputFile = None,
    file_format: Format = None,
    quality: Quality = None,
    force: Force = False,
    api: Api = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Send an image, wait for the result and fetch it. Ctrl-C cancels the job."""
    from tessera_client.commands import Settings, run

    settings = Settings(api, json, quiet)
    run.run(settings, run.Order(input_file, operations, output, file_format, quality, force))


@app.command(epilog="Example:\n\njob=$(tessera submit photo.jpg --op invert --quiet)")
def submit(
    input_file: InputFile,
    operations: Operations,
    file_format: Format = None,
    quality: Quality = None,
    api: Api = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Send an image, start a job, print its ID and leave."""
    from tessera_client.commands import Settings, run

    settings = Settings(api, json, quiet)
    run.submit(settings, run.Order(input_file, operations, None, file_format, quality))


@app.command(epilog="Example:\n\ntessera status 3f2a --json")
def status(job_id: JobId, api: Api = None, json: Json = False, quiet: Quiet = False) -> None:
    """Print how a job is doing; with --quiet its state only."""
    from tessera_client.commands import Settings, jobs

    jobs.status(Settings(api, json, quiet), job_id)


@app.command(epilog="Example:\n\ntessera wait 3f2a -o edges.png")
def wait(
    job_id: JobId,
    output: OutputFile = None,
    force: Force = False,
    api: Api = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Wait until a job is finished, and fetch its result with -o. Ctrl-C leaves the job running."""
    from tessera_client.commands import Settings, jobs

    jobs.wait(Settings(api, json, quiet), job_id, output, force=force)


@app.command(epilog="Example:\n\ntessera cancel 3f2a")
def cancel(job_id: JobId, api: Api = None, json: Json = False, quiet: Quiet = False) -> None:
    """Stop a job and remove everything of it, its result too."""
    from tessera_client.commands import Settings, jobs

    jobs.cancel(Settings(api, json, quiet), job_id)


@app.command(epilog="Examples:\n\ntessera operations\n\ntessera operations canny")
def operations(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Only this one, with details.")] = None,
    api: Api = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """List the operations, or one with its parameters."""
    from tessera_client.commands import Settings, operations

    operations.show(Settings(api, json, quiet), name)


def main() -> None:
    """Run the command line; an error that was not foreseen becomes one line too."""
    try:
        app()
    except Exception as unforeseen:
        if os.environ.get("TESSERA_DEBUG"):
            raise
        print(f"tessera: internal error: {type(unforeseen).__name__}: {unforeseen}", file=sys.stderr)
        print("  Set TESSERA_DEBUG=1 to see where, and report it.", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
