"""The commands with ``--local``: the only module that reaches what runs jobs on this machine."""

import asyncio
import secrets
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path

import typer

import tessera_local
from tessera_client.commands import catalogue, summary
from tessera_client.commands.finishing import finish
from tessera_client.commands.orders import Order, Request, opened, orders
from tessera_client.commands.plan import print_plan
from tessera_client.commands.progress import Display, Files, display
from tessera_client.commands.report import print_file, print_json
from tessera_client.commands.session import reporting
from tessera_client.commands.settings import Settings
from tessera_client.commands.summary import DONE, FAILED, STOPPED, Ended
from tessera_client.commands.target import check_writable
from tessera_client.decoding import decode
from tessera_client.errors import InvalidPipeline, TesseraClientError, describe
from tessera_client.models import Job, Operation, Preset, Problem, Tiles
from tessera_client.views import Plan, PlanStage

_WRITTEN_WRONGLY = ("invalid-pipeline", "invalid-output")


class LocalJobFailed(TesseraClientError):
    """Raised when a job on this machine failed; the message says why."""


def operations() -> tuple[Operation, ...]:
    """List what this machine can do."""
    return tuple(decode(Operation, document) for document in tessera_local.operations())


def presets() -> tuple[Preset, ...]:
    """List the pipelines that are stored here."""
    return tuple(decode(Preset, document) for document in tessera_local.presets())


def checks(temp_dir: Path | None) -> Iterator[tessera_local.Check]:
    """Look whether this machine is set up."""
    return tessera_local.checks(temp_dir)


def run(settings: Settings, request: Request, processes: int | None, temp_dir: Path | None) -> None:
    """Process images on this machine.

    Parameters
    ----------
    settings : Settings
    request : Request
    processes : int or None
    temp_dir : Path or None
    """
    with reporting(settings):
        steps, output = request.steps(presets), request.output()
        with opened(request.inputs) as sources, _machine_errors():
            ordered = orders(request, sources, steps, output)
            machine = tessera_local.Machine(processes, temp_dir)
            if request.is_several():
                catalogue.check(steps, operations())
                _run_several(settings, request, ordered, machine)
            else:
                _run_one(settings, request, ordered[0], machine)


def plan(settings: Settings, request: Request) -> None:
    """Print the plan of a job on this machine.

    Parameters
    ----------
    settings : Settings
    request : Request
    """
    with reporting(settings):
        steps, output = request.steps(presets), request.output()
        with opened(request.inputs) as (source, *more), _machine_errors():
            if more:
                raise typer.BadParameter("One image at a time.", param_hint="INPUT")
            made = finish(_planned(Order(source, steps, output)))
    print_plan(settings, made)


def _run_one(settings: Settings, request: Request, order: Order, machine: tessera_local.Machine) -> None:
    if order.target:
        if request.skip_existing and order.target.exists():
            return
        check_writable(order.target, force=request.force)
    started = time.monotonic()
    with display(quiet=settings.quiet) as shown:
        finished = finish(_processed(order, machine, shown))
    if order.target is None:
        return
    seconds = {**finished.outcome.seconds, "total": round(time.monotonic() - started, 3)}
    if settings.json:
        document = finished.outcome.model_dump(mode="json", exclude_none=True)
        image = finished.plan.image.model_dump(mode="json") if finished.plan else None
        job = {"state": document["state"], "tiles": document["tiles"], "retried": document["retried"]}
        job |= {"input": image, "result": document.get("result"), "reports": dict(finished.reports)}
        print_json({"path": str(order.target.absolute()), "seconds": seconds, "job": job})
    elif settings.quiet:
        typer.echo(order.target)
    else:
        result = finished.outcome.result
        size = f"{result.width} x {result.height} pixels" if result else ""
        print_file(order.target, size, seconds)


async def _processed(order: Order, machine: tessera_local.Machine, shown: Display) -> tessera_local.Finished:
    async with machine:
        return await _process(order, machine, shown)


async def _process(order: Order, machine: tessera_local.Machine, shown: Display) -> tessera_local.Finished:
    """Run a job and write its result to its place: complete, or not at all."""

    def show(progress: tessera_local.Progress) -> None:
        tiles = Tiles(total=progress.total, done=progress.done, retried=progress.retried)
        fraction = progress.done / progress.total if progress.total else 0.0
        shown.job(Job(id="local", state=progress.phase, tiles=tiles, progress=fraction))

    finished = await machine.run(_ordered(order), show)
    if finished.outcome.fault:
        machine.discard(finished.job)
        raise _failed(finished.outcome.fault, finished.cause)
    tiles = Tiles(total=finished.outcome.tiles, done=finished.outcome.tiles, retried=finished.outcome.retried)
    shown.job(Job(id="local", state="succeeded", tiles=tiles, progress=1.0))
    if order.target is None:
        machine.export(finished.job, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return finished
    partial = order.target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with partial.open("xb") as file:
            machine.export(finished.job, file)
        partial.replace(order.target)
    except OSError as unwritable:
        raise LocalJobFailed(f"cannot write {order.target}: {unwritable.strerror}") from unwritable
    finally:
        partial.unlink(missing_ok=True)
    machine.discard(finished.job)
    return finished


def _run_several(
    settings: Settings, request: Request, ordered: Sequence[Order], machine: tessera_local.Machine
) -> None:
    started = time.monotonic()
    ended: dict[int, Ended] = {}
    with display(quiet=settings.quiet) as shown, suppress(KeyboardInterrupt):
        finish(_all_processed(request, ordered, machine, shown.files(len(ordered)), ended))
    told = [ended.get(index) or summary.of(order, STOPPED) for index, order in enumerate(ordered)]
    summary.conclude(settings, told, time.monotonic() - started)


async def _all_processed(
    request: Request,
    ordered: Sequence[Order],
    machine: tessera_local.Machine,
    files: Files,
    ended: dict[int, Ended],
) -> None:
    at_once = asyncio.Semaphore(request.at_once)

    async def one(index: int, order: Order) -> None:
        async with at_once:
            ended[index] = await _ended(request, order, machine)
            files.ended(ended[index].line)

    async with machine, asyncio.TaskGroup() as group:
        for index, order in enumerate(ordered):
            group.create_task(one(index, order))


async def _ended(request: Request, order: Order, machine: tessera_local.Machine) -> Ended:
    started = time.monotonic()
    refused = summary.refused_before(order, force=request.force, skip_existing=request.skip_existing)
    if refused:
        return refused
    try:
        await _process(order, machine, Display())
    except TesseraClientError as error:
        return summary.of(order, FAILED, error=str(error), hint=error.hint)
    except tessera_local.LocalError as error:
        return summary.of(order, FAILED, error=str(error))
    return summary.of(order, DONE, seconds=round(time.monotonic() - started, 3))


async def _planned(order: Order) -> Plan:
    async with tessera_local.Machine(1) as machine:
        made = await machine.plan(_ordered(order))
    if not isinstance(made, tessera_local.Plan):
        raise _failed(made, None)
    stages = tuple(
        PlanStage(
            index=stage.index + 1,
            name=stage.name,
            tiles=stage.grid.count,
            columns=stage.tile_width,
            rows=stage.tile_height,
        )
        for stage in made.stages
    )
    plan = Plan(
        width=made.result.width,
        height=made.result.height,
        channels=made.result.pixels.channels,
        depth=made.result.pixels.depth,
        direct=made.direct,
        stages=stages,
        tiles=made.tiles,
        memory=made.memory,
    )
    facts = {name: value for name, value in asdict(plan).items() if value not in (None, {}, ())}
    return replace(plan, document={"input": made.image.model_dump(mode="json"), **facts})


def _ordered(order: Order) -> tessera_local.Order:
    steps = [asdict(step) for step in order.steps]
    return tessera_local.Order(order.source.path, steps, order.output.document())


def _failed(fault: tessera_local.Fault, cause: str | None) -> TesseraClientError:
    if cause:
        return LocalJobFailed(cause)
    problem = decode(Problem, fault.model_dump())
    kind = InvalidPipeline if fault.code in _WRITTEN_WRONGLY else LocalJobFailed
    return kind(describe(problem), fault.hint)


@contextmanager
def _machine_errors() -> Iterator[None]:
    try:
        yield
    except tessera_local.LocalError as error:
        raise LocalJobFailed(str(error), "`tessera doctor --local` checks the set-up.") from error
