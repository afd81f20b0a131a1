"""What a host that fails, or a history that is slow to end, does to starting and forgetting a job."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from unittest.mock import AsyncMock

import azure.durable_functions as df
import pytest

from function_app import instances, lately
from function_app.instances import Life
from function_app.problems import Unavailable
from tessera.messages import JobOrder
from tessera.plan import Output, Step

Status = df.OrchestrationRuntimeStatus
ORDER = JobOrder(
    job=uuid.UUID(int=1).hex,
    upload=uuid.UUID(int=2).hex,
    pipeline=(Step(operation="invert"),),
    output=Output(),
)


def client(*statuses: object, started: Exception | None = None, age: float = 0.0) -> AsyncMock:
    """Give a durable client that reports *statuses* in turn, of what began *age* seconds ago."""
    created = datetime.now(UTC) - timedelta(seconds=age)
    answers = [SimpleNamespace(runtime_status=status, created_time=created) for status in statuses]
    return AsyncMock(get_status=AsyncMock(side_effect=answers), start_new=AsyncMock(side_effect=started))


def purging(*deleted: int) -> AsyncMock:
    return AsyncMock(side_effect=[SimpleNamespace(instances_deleted=count) for count in deleted])


@pytest.mark.parametrize(
    ("status", "life"),
    [
        (None, Life.ABSENT),
        (Status.Pending, Life.WAITING),
        (Status.Running, Life.RUNNING),
        (Status.ContinuedAsNew, Life.RUNNING),
        (Status.Suspended, Life.RUNNING),
        (Status.Completed, Life.ENDED),
        (Status.Failed, Life.ENDED),
        (Status.Terminated, Life.ENDED),
        (Status.Canceled, Life.ENDED),
    ],
)
def test_every_status_of_the_host_has_a_meaning(status: object, life: Life) -> None:
    assert asyncio.run(instances.life(client(status), "job")) is life


def test_a_new_job_is_started_under_its_own_id() -> None:
    host = client()
    asyncio.run(instances.start(host, ORDER, new=True))
    host.start_new.assert_awaited_once_with("process_image", ORDER.job, ORDER.to_json())


@pytest.mark.parametrize("status", [Status.Pending, Status.Running, Status.Completed])
def test_a_job_that_has_an_orchestration_is_not_started_again(status: object) -> None:
    host = client(status)
    asyncio.run(instances.start(host, ORDER, new=False))
    host.start_new.assert_not_awaited()


def test_a_recorded_job_that_never_got_an_orchestration_is_started() -> None:
    host = client(None)
    asyncio.run(instances.start(host, ORDER, new=False))
    host.start_new.assert_awaited_once()


def test_a_start_that_came_second_is_a_success() -> None:
    host = client(None, Status.Running, started=Exception("conflict"))
    asyncio.run(instances.start(host, ORDER, new=False))
    assert host.start_new.await_count == 1


def test_a_start_that_the_host_refuses_can_be_tried_again() -> None:
    with pytest.raises(Unavailable, match="could not be started") as error:
        asyncio.run(instances.start(client(None, started=Exception("down")), ORDER, new=True))
    assert error.value.hint is not None
    assert "Idempotency-Key" in error.value.hint


def test_forgetting_waits_for_an_orchestration_at_its_last_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instances, "_PURGE_INTERVAL", 0)
    host = client(Status.Running, Status.Completed)
    host.purge_instance_history = purging(0, 0, 1)
    asyncio.run(instances.forget(host, "job"))
    assert host.purge_instance_history.await_count == 3


def test_forgetting_what_is_not_there_ends_at_once() -> None:
    host = client(None)
    host.purge_instance_history = purging(0)
    asyncio.run(instances.forget(host, "job"))
    assert host.purge_instance_history.await_count == 1


def test_only_what_is_over_and_old_is_purged() -> None:
    host = AsyncMock(purge_instance_history_by=purging(4))
    assert asyncio.run(instances.forget_older_than(host, timedelta(days=7))) == 4
    begin, end, statuses = host.purge_instance_history_by.await_args.args
    assert begin < end
    assert abs(datetime.now(UTC) - end - timedelta(days=7)) < timedelta(minutes=1)
    assert not {Status.Running, Status.Pending, Status.Suspended} & set(statuses)


@pytest.mark.parametrize(("ran", "believed"), [(1, 2), (30, 15), (3600, 30)])
def test_what_ran_is_believed_to_run_for_a_while(
    ran: int, believed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, job, now = client(Status.Running, Status.Completed, age=ran), uuid.uuid4().hex, 1000.0
    monkeypatch.setattr(lately, "monotonic", lambda: now)
    seen = []
    for since in (0.0, believed - 0.5, believed + 0.5):
        now = 1000.0 + since
        seen.append(asyncio.run(instances.lately(host, job)))
    assert seen == [Life.RUNNING, Life.RUNNING, Life.ENDED]
    assert host.get_status.await_count == 2


def test_what_waits_is_asked_for_again() -> None:
    host, job = client(Status.Pending, Status.Running), uuid.uuid4().hex
    seen = [asyncio.run(instances.lately(host, job)) for _ in range(2)]
    assert seen == [Life.WAITING, Life.RUNNING]
