"""Kills workers and hosts (-9) at random moments: nothing may be lost, nothing applied twice."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.emulator.hosting import DURABLE, Host, emulate, until

# One to three minutes, by the machine's load.
KILLS = int(os.environ.get("EMULATOR_CRASH_KILLS", "200"))
SEED = int(os.environ.get("EMULATOR_CRASH_SEED", random.SystemRandom().randrange(2**32)))
AT_ONCE = 4
CHILDREN, EFFECTS = 2, 12
WORKERS, SLOTS = 2, 4
OPTIONS = ("--min-workers", str(WORKERS), "--max-workers", str(WORKERS))


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def _kill(pid: int) -> None:
    """Kill a process that the host still lists; the strike before may have ended it already."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


class Ordeal:
    """Keeps orchestrations going on a host that is killed again and again."""

    def __init__(self, folder: Path, rng: random.Random) -> None:
        self.folder = folder
        self.rng = rng
        self.host = emulate(folder, *OPTIONS)
        self.started: list[str] = []
        self.finished: dict[str, Any] = {}
        self.kills: Counter[str] = Counter()

    def order(self, key: str) -> dict[str, Any]:
        """Give the input of an orchestration; it follows from the key alone."""
        return {"key": key, "n": EFFECTS, "children": CHILDREN, "seconds": 0.01}

    def tend(self) -> None:
        """Note what has ended and start as many anew."""
        running = [key for key in self.started if key not in self.finished]
        for key in running:
            response = self.host.http.get(f"{DURABLE}/instances/{key}")
            assert response.status_code in (200, 202), f"{key} was started and is lost: {response.text}"
            if response.status_code == 200:
                self.finished[key] = response.json()
        while len(self.started) - len(self.finished) < AT_ONCE:
            self.started.append(f"job{len(self.started)}")
            self.host.start("effects_tree", self.order(self.started[-1]), self.started[-1])

    def strike(self) -> None:
        """Kill one worker, the host, or everything."""
        # A host takes seconds to start, a worker a tenth of one: most of the time there is for workers.
        target = self.rng.choices(["worker", "host", "all"], [20, 2, 1])[0]
        workers = [worker["pid"] for worker in self.host.workers()]
        if target == "worker":
            if workers:
                _kill(self.rng.choice(workers))
        else:
            if target == "all":
                for pid in workers:
                    _kill(pid)
            self.host.kill()
            until(lambda: not any(map(_alive, workers)), 10, "the workers of a killed host to end")
            self.host = emulate(self.folder, *OPTIONS)
        self.kills[target] += 1

    def run(self, kills: int) -> None:
        """Kill so many times at random moments, then let everything finish."""
        while self.kills.total() < kills:
            self.tend()
            # Nothing is waited for: it makes the moment of the kill a random one, from before a killed worker
            # is there again, which takes a tenth of a second, to when the new one is at work.
            time.sleep(self.rng.uniform(0, 0.2))
            self.strike()
        for key in self.started:
            if key not in self.finished:
                self.finished[key] = self.host.wait(key, 120)


@pytest.fixture
def ordeal(tmp_path: Path) -> Iterator[Ordeal]:
    """Prepare an ordeal whose seed is printed."""
    print(f"EMULATOR_CRASH_SEED={SEED} EMULATOR_CRASH_KILLS={KILLS}")
    prepared = Ordeal(tmp_path / "killed", random.Random(SEED))
    yield prepared
    prepared.host.stop()


def _ledger(folder: Path) -> Counter[str]:
    return Counter(line.split()[0] for line in _lines(folder))


def _lines(folder: Path) -> list[str]:
    ledger = folder / "ledger"
    return ledger.read_text().splitlines() if ledger.exists() else []


def _children(key: str) -> list[str]:
    return [f"{key}-{child}" for child in range(CHILDREN)]


def _completions(host: Host, instance: str) -> Counter[str]:
    history = host.status(instance, showHistory="true").get("historyEvents", [])
    return Counter(event["EventType"] for event in history)


def _successes(host: Host, instance: str) -> dict[str, int]:
    completions = _completions(host, instance)
    assert completions["TimerCreated"] == completions["TimerFired"]
    return {kind: count for kind, count in completions.items() if kind.endswith("Completed")}


def test_kills_at_random_moments_lose_nothing_and_repeat_nothing_that_was_recorded(
    ordeal: Ordeal, tmp_path: Path
) -> None:
    ordeal.run(KILLS)
    keys = ordeal.started
    print(f"{len(keys)} orchestrations survived {dict(ordeal.kills)}")

    with emulate(tmp_path / "undisturbed", *OPTIONS) as calm:
        for key in keys:
            calm.start("effects_tree", ordeal.order(key), key)
        for instance in [*keys, *(child for key in keys for child in _children(key))]:
            undisturbed, survived = calm.wait(instance, 120), ordeal.host.status(instance)
            assert survived["runtimeStatus"] == undisturbed["runtimeStatus"] == "Completed"
            assert survived["output"] == undisturbed["output"]
            # One completion for each task, however often its activity ran. Only the number of failures may
            # differ: an attempt whose failure was on the way at a kill is made again.
            assert _successes(ordeal.host, instance) == _successes(calm, instance)

    effects = _ledger(ordeal.folder)
    assert set(effects) == set(_ledger(tmp_path / "undisturbed"))
    # An activity may repeat only when it was running, or its result was on the way, at a kill.
    repeated = sum(count - 1 for count in effects.values())
    hosts = ordeal.kills["host"] + ordeal.kills["all"]
    assert repeated <= SLOTS * (ordeal.kills["worker"] + WORKERS * hosts)


def test_an_activity_that_was_running_in_a_killed_worker_runs_again_at_once(tmp_path: Path) -> None:
    with emulate(tmp_path, "--min-workers", "2") as host:
        instance = host.start("effects", {"key": "k", "n": 1, "seconds": 2})
        first = until(lambda: _lines(tmp_path), 20, "the activity to run")
        os.kill(int(first[0].split()[1]), signal.SIGKILL)
        until(lambda: len(_lines(tmp_path)) >= 2, 2, "the activity to run again")
        assert host.wait(instance)["output"] == ["k.0", "k.last", True]
        assert _ledger(tmp_path) == {"k.0": 2, "k.last": 1}


def test_a_recorded_result_survives_the_host_and_its_activity_does_not_run_again(tmp_path: Path) -> None:
    with emulate(tmp_path) as host:
        instance = host.start("race")
        until(lambda: _lines(tmp_path), 20, "the slow activity to run")
        fast = until(
            lambda: _completions(host, instance).get("TaskCompleted"), 20, "the fast activity's result"
        )
        host.kill()
    with emulate(tmp_path) as again:
        assert fast == 1
        assert again.wait(instance)["output"] is True
        assert _completions(again, instance)["TaskCompleted"] == 2


def test_a_timer_that_was_due_while_the_host_was_away_fires_at_the_next_start(tmp_path: Path) -> None:
    with emulate(tmp_path) as host:
        instance = host.start("timers", 700)
        until(lambda: _completions(host, instance).get("TimerCreated"), 20, "the timer")
        host.kill()
    due = time.monotonic() + 0.7
    until(lambda: time.monotonic() > due, 5, "the timer to be due")
    with emulate(tmp_path) as again:
        assert again.wait(instance)["output"] >= 0.7


def test_a_poison_activity_backs_off_while_other_work_goes_on(tmp_path: Path) -> None:
    with emulate(tmp_path, "--min-workers", "2") as host:
        poisoned = host.start("poisoned", {"key": "p"})
        for _ in range(5):
            assert host.run("fan_out", 50, 60) == sum(2 * i for i in range(50))
        assert host.status(poisoned)["runtimeStatus"] == "Running"
        assert host.process.poll() is None
        (tmp_path / "cure-p").touch()
        assert host.wait(poisoned, 90)["output"] == "cured"


def test_a_request_whose_worker_dies_is_answered(tmp_path: Path) -> None:
    with emulate(tmp_path) as host:
        response = host.http.get("/api/dies")
        assert response.status_code == 502
        assert until(lambda: _says_hello(host), 20, "another worker") == "hello world"


def _says_hello(host: Host) -> str | None:
    try:
        response = host.http.get("/api/hello")
    except httpx.TransportError:
        return None
    return response.text if response.status_code == 200 else None
