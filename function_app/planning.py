"""Dry runs: what a job would take, without one."""

from function_app import inspection
from function_app.requests import AssumedImage, PlanRequest
from function_app.responses import EstimateView, InputView, PlanStageView, PlanView
from function_app.services import Services
from tessera import receipts
from tessera.pipeline import bind
from tessera.plan import ImageInfo, Pixels, Plan, Stage, Step
from tessera.planner import make_plan

_SLOW_SECONDS = 600


def dry_run(request: PlanRequest, own: Services) -> PlanView:
    """Return what the job of *request* would take.

    Raises
    ------
    tessera.errors.TesseraError
        If the job would be refused.
    """
    steps = tuple(bound.step for bound in bind(request.pipeline))
    limits = own.settings.limits
    if request.image is not None:
        plan = make_plan(_assumed(request.image), steps, request.output, limits)
    else:
        plan = inspection.plan_of(
            str(request.upload_id), request.page, steps, request.output, own.store, limits
        )
    return view(plan, own)


def view(plan: Plan, own: Services) -> PlanView:
    """Return *plan* as the API shows it, with what it will probably take."""
    settings = own.settings
    low = receipts.wall_seconds(plan, settings.max_instances)
    high = receipts.wall_seconds(plan, 1)
    return PlanView(
        input=input_view(plan.image, None),
        output=plan.output,
        width=plan.result.width,
        height=plan.result.height,
        channels=plan.result.pixels.channels,
        depth=plan.result.pixels.depth,
        direct=plan.direct,
        stages=tuple(_stage(stage) for stage in plan.stages),
        tiles=plan.tiles,
        memory=plan.memory,
        work=round(receipts.expected_seconds(plan), 2),
        seconds=EstimateView(low=round(low, 2), high=round(high, 2)),
        cost=receipts.estimate(plan, settings.instance_gigabytes, settings.prices),
        warnings=tuple(_warnings(plan, high, own)),
    )


def input_view(image: ImageInfo, name: str | None) -> InputView:
    """Return what is known of an input."""
    return InputView(
        name=name,
        size=image.size,
        format=image.format,
        width=image.width,
        height=image.height,
        channels=image.pixels.channels,
        depth=image.pixels.depth,
    )


def _assumed(image: AssumedImage) -> ImageInfo:
    pixels = Pixels(channels=image.channels, depth=image.depth)
    return ImageInfo(
        format=image.format,
        width=image.width,
        height=image.height,
        pixels=pixels,
        size=image.size or image.width * image.height * pixels.bytes,
        etag="none",
    )


def _stage(stage: Stage) -> PlanStageView:
    return PlanStageView(
        index=stage.index + 1,
        name=stage.name,
        tiles=stage.grid.count,
        tile_width=min(stage.tile_width, stage.width),
        tile_height=min(stage.tile_height, stage.height),
    )


def _measured(stage: Stage) -> tuple[Step, ...]:
    return (stage.measure,) if stage.measure else ()


def _warnings(plan: Plan, slow: float, own: Services) -> list[str]:
    found = []
    if plan.image.progressive and not plan.direct:
        found.append(
            "the file is progressive or interlaced, so it is decoded as a whole before any tile starts"
        )
    if plan.output.format == "jpeg" and plan.image.pixels.depth == 16 and plan.result.pixels.depth == 8:
        found.append("the input has 16 bits a channel, and JPEG keeps 8")
    if plan.output.format == "jpeg" and plan.image.format == "png":
        found.append("JPEG is lossy, and the input isn't")
    if slow > _SLOW_SECONDS:
        found.append(f"on one instance this takes {slow / 60:.0f} minutes")
    if plan.memory > own.settings.limits.task_memory // 2:
        found.append(f"a task holds {plan.memory >> 20} MiB, more than half of what it may")
    return found
