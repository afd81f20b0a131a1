"""``run``, ``plan`` and ``submit``: what begins with an image."""

import typer

from tessera_client.cli import options as o
from tessera_client.cli.root import app, examples, settings

PANEL = "Images"


@app.command(
    rich_help_panel=PANEL,
    epilog=examples(
        "tessera run photo.jpg --op canny:low=50,high=150",
        "tessera run scan.png --op median_blur:ksize=5 --op invert -o clean.jpg --quality 90",
        "tessera run 'scans/*.jpg' --preset document_scan -o out/ --jobs 8",
        "tessera run photo.jpg --op 'curves:points=[[0,0],[0.5,0.7],[1,1]]' --local",
        "cat photo.jpg | tessera run - --pipeline steps.yaml --local > result.png",
    ),
)
def run(
    context: typer.Context,
    inputs: o.Inputs,
    op: o.Op = None,
    pipeline: o.Pipeline = None,
    preset: o.Preset = None,
    output: o.Target = None,
    page: o.Page = 0,
    format: o.Format = None,
    quality: o.Quality = None,
    subsampling: o.Subsampling = None,
    compression: o.Compress = None,
    pyramid: o.Pyramid = False,
    keep_metadata: o.KeepMetadata = False,
    force: o.Force = False,
    skip_existing: o.SkipExisting = False,
    jobs: o.Jobs = 4,
    local: o.Local = False,
    processes: o.Processes = None,
    temp_dir: o.TempDir = None,
    on_interrupt: o.Interrupt = o.OnInterrupt.ASK,
    api: o.Api = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Process images and fetch the results.

    The steps of --preset come first, then those of --pipeline, then each --op.

    Of several files, one that fails doesn't stop the others; a summary ends the run.
    """
    from tessera_client.commands import run
    from tessera_client.commands.orders import Request

    request = Request(
        inputs=inputs,
        operations=op or [],
        pipeline_file=pipeline,
        preset=preset,
        page=page,
        target=output,
        file_format=format,
        options={
            "quality": quality,
            "subsampling": subsampling,
            "compression": compression,
            "pyramid": pyramid,
            "keep_metadata": keep_metadata,
        },
        force=force,
        skip_existing=skip_existing,
        at_once=jobs,
        on_interrupt=on_interrupt,
    )
    if local:
        from tessera_client.commands import local as on_this_machine

        on_this_machine.run(settings(context, api, json, quiet), request, processes, temp_dir)
    else:
        run.run(settings(context, api, json, quiet), request)


@app.command(
    rich_help_panel=PANEL,
    epilog=examples(
        "tessera plan photo.jpg --op canny",
        "tessera plan photo.jpg --preset clean_edges --local --json",
    ),
)
def plan(
    context: typer.Context,
    input: o.Input,
    op: o.Op = None,
    pipeline: o.Pipeline = None,
    preset: o.Preset = None,
    page: o.Page = 0,
    format: o.Format = None,
    quality: o.Quality = None,
    subsampling: o.Subsampling = None,
    compression: o.Compress = None,
    pyramid: o.Pyramid = False,
    keep_metadata: o.KeepMetadata = False,
    local: o.Local = False,
    api: o.Api = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Say what a job would take: stages, tiles, memory, time, cost. The image is sent, no job is started."""
    from tessera_client.commands import plan
    from tessera_client.commands.orders import Request

    request = Request(
        inputs=[input],
        operations=op or [],
        pipeline_file=pipeline,
        preset=preset,
        page=page,
        file_format=format,
        options={
            "quality": quality,
            "subsampling": subsampling,
            "compression": compression,
            "pyramid": pyramid,
            "keep_metadata": keep_metadata,
        },
    )
    if local:
        from tessera_client.commands import local as on_this_machine

        on_this_machine.plan(settings(context, api, json, quiet), request)
    else:
        plan.plan(settings(context, api, json, quiet), request)


@app.command(rich_help_panel=PANEL, epilog=examples("job=$(tessera submit photo.jpg --op invert --quiet)"))
def submit(
    context: typer.Context,
    input: o.Input,
    op: o.Op = None,
    pipeline: o.Pipeline = None,
    preset: o.Preset = None,
    page: o.Page = 0,
    format: o.Format = None,
    quality: o.Quality = None,
    subsampling: o.Subsampling = None,
    compression: o.Compress = None,
    pyramid: o.Pyramid = False,
    keep_metadata: o.KeepMetadata = False,
    api: o.Api = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Send an image, start a job, print its ID and leave."""
    from tessera_client.commands import run
    from tessera_client.commands.orders import Request

    request = Request(
        inputs=[input],
        operations=op or [],
        pipeline_file=pipeline,
        preset=preset,
        page=page,
        file_format=format,
        options={
            "quality": quality,
            "subsampling": subsampling,
            "compression": compression,
            "pyramid": pyramid,
            "keep_metadata": keep_metadata,
        },
    )
    run.submit(settings(context, api, json, quiet), request)
