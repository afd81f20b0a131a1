"""A job from upload to result."""

from typing import Any

from orchestrations.process_tiles import run_gaps, run_tiles
from orchestrations.replies import JobFault, Steps, call, queued, value
from tessera.messages import (
    CleanupOrder,
    DirectDone,
    DirectOrder,
    Fault,
    IngestOrder,
    JobOrder,
    NotifyOrder,
    Outcome,
    OverviewsOrder,
    PreviewOrder,
    ReduceOrder,
    Result,
    StitchOrder,
    Survey,
    SurveyOrder,
    Tally,
    TaskOrder,
    TilesOrder,
)
from tessera.plan import Plan, Stage


def process_image(context: Any, retry: Any) -> Steps[dict[str, Any]]:
    """Run a job and return its outcome, which is also recorded in storage.

    Parameters
    ----------
    context
        The Durable SDK's orchestration context; its input is a `tessera.messages.JobOrder`.
    retry
        The Durable SDK's retry options for every activity and sub-orchestrator.
    """
    order = JobOrder.from_json(context.get_input())
    begun_at = order.begun_at or context.current_utc_datetime.isoformat(timespec="milliseconds")
    outcome = order.outcome
    if outcome is None:
        job = _Job(context, retry, order)
        try:
            outcome = job.ended(None, (yield from job.run()))
        except JobFault as error:
            outcome = job.ended(error.fault)
        except Exception:
            # The Durable SDK raises a bare Exception when the last retry failed; its text may hold paths.
            # Others of a task_all may still be retried, and a task scheduled now would get the number of
            # one of these: the end is for another generation, which begins when all have ended.
            failed = order.model_copy(update={"outcome": job.ended(_INTERNAL), "begun_at": begun_at})
            context.continue_as_new(failed.to_json())
            return {}
    cleanup = CleanupOrder(
        job=order.job, upload=order.upload, outcome=outcome, marks=order.marks, begun_at=begun_at
    )
    yield from call(context, retry, "cleanup", queued(context, cleanup, order.run))
    if order.notify:
        yield context.call_sub_orchestrator("send_word", NotifyOrder(job=order.job).to_json())
    return outcome.to_json()


_INTERNAL = Fault(
    code="internal",
    title="The service failed",
    detail="a task of the job failed each time it was tried",
    hint="try again later; the service's log names the cause",
)


class _Job:
    """The steps of one job, and how long each took."""

    def __init__(self, context: Any, retry: Any, order: JobOrder) -> None:
        self._context, self._retry, self._order = context, retry, order
        self._decoding = self._tiles = Tally()
        self._seconds: dict[str, float] = {}
        self._since = context.current_utc_datetime
        self._delicate: tuple[str, ...] = ()

    def run(self) -> Steps[Result]:
        # 1. What is it, and what will be done?
        plan = self._order.plan
        if plan is None:
            plan = Plan.from_json((yield from self._call("inspect", "inspect_upload", self._order)))
        self._delicate = plan.delicate
        if plan.direct:
            # 2. One tile: one activity does it all, up to the file.
            if result := (yield from self._direct(plan)):
                return result
        else:
            # 2. Decode once.
            yield from self._ingest(plan)
            # 3. Stage by stage, tile by tile; between two stages, merge what was measured.
            yield from self._stages(plan)
        # 4. One file of the tiles' blocks.
        return (yield from self._stitch(plan))

    def _stitch(self, plan: Plan) -> Steps[Result]:
        """Stitch, and meanwhile put the small pictures together, without which the job is no less done."""
        job = self._order.job
        if plan.output.pyramid:
            yield from self._call("overviews", "make_overviews", OverviewsOrder(job=job, plan=plan))
        tasks = [self._task("stitch", StitchOrder(job=job, plan=plan))]
        if not plan.direct:
            tasks.append(self._task("make_previews", PreviewOrder(job=job, plan=plan)))
        replies = yield self._context.task_all(tasks)
        self._lap("stitch")
        return Result.from_json(value(replies[0]))

    def _task(self, activity: str, order: TaskOrder) -> Any:
        order = queued(self._context, order, self._order.run)
        return self._context.call_activity_with_retry(activity, self._retry, order.to_json())

    def ended(self, fault: Fault | None, result: Result | None = None) -> Outcome:
        cancelled = fault is not None and fault.code == "cancelled"
        tally = self._decoding.followed_by(self._tiles)
        return Outcome(
            state="succeeded" if result else "cancelled" if cancelled else "failed",
            finished_at=self._context.current_utc_datetime.isoformat(timespec="milliseconds"),
            fault=fault,
            result=result,
            tiles=tally.tiles,
            retried=tally.retried,
            seconds=self._seconds,
            busy=tally.seconds,
            written=tally.written,
            platforms=tally.platforms,
            warnings=self._warnings(),
        )

    def _warnings(self) -> tuple[str, ...]:
        # Nothing delicate is done while decoding.
        kinds = len(self._tiles.platforms)
        if kinds < 2 or not self._delicate:
            return ()
        names = ", ".join(self._delicate)
        return (
            f"{kinds} kinds of machines worked on the tiles, between which the bits of {names} may differ",
        )

    def _direct(self, plan: Plan) -> Steps[Result | None]:
        order = self._order
        direct = DirectOrder(job=order.job, upload=order.upload, plan=plan)
        done = DirectDone.from_json((yield from self._call("process", "process_direct", direct)))
        self._count(done.tally)
        return done.result

    def _ingest(self, plan: Plan) -> Steps[None]:
        order = self._order
        if order.run > 1 and (yield from self._survey(plan, plan.stages[0])).source:
            return
        ingest = IngestOrder(
            job=order.job,
            upload=order.upload,
            image=plan.image,
            target=plan.stages[0].source,
            ingest=plan.ingest,
            exif=plan.output.keep_metadata,
        )
        self._decoding = Tally.from_json((yield from self._call("ingest", "ingest", ingest)))

    def _stages(self, plan: Plan) -> Steps[None]:
        for stage in plan.stages:
            tiles = TilesOrder(
                job=self._order.job,
                run=self._order.run,
                upload=self._order.upload,
                image=plan.image,
                stage=stage,
                output=plan.output,
                first=0,
                last=stage.grid.count,
            )
            if self._order.run > 1:
                survey = yield from self._survey(plan, stage)
                self._count(survey.done)
                self._count((yield from run_gaps(self._context, self._retry, tiles, survey.missing)))
            else:
                self._count((yield from run_tiles(self._context, self._retry, tiles)))
            self._lap(f"stage {stage.index + 1}")
            if stage.measure is not None:
                reduce = ReduceOrder(job=self._order.job, stage=stage)
                yield from self._call(f"reduce {stage.index + 1}", "reduce", reduce)

    def _survey(self, plan: Plan, stage: Stage) -> Steps[Survey]:
        order = SurveyOrder(job=self._order.job, stage=stage, output=plan.output)
        return Survey.from_json(value((yield self._task("survey", order))))

    def _call(self, phase: str, activity: str, order: TaskOrder) -> Steps[Any]:
        reply = value((yield self._task(activity, order)))
        self._lap(phase)
        return reply

    def _lap(self, phase: str) -> None:
        now = self._context.current_utc_datetime
        self._seconds[phase] = round((now - self._since).total_seconds(), 3)
        self._since = now

    def _count(self, tally: Tally) -> None:
        self._tiles = self._tiles.followed_by(tally)
