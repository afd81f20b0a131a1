"""Local jobs: the right pixels whatever happens to the workers, and nothing left behind."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import pytest

from tessera import reference
from tessera.messages import Fault
from tessera.pipeline import bind
from tessera.plan import Plan, Step
from tessera.planner import Limits
from tessera_local import Finished, InputUnusable, Machine, Order, Progress, WorkerFailed
from tests.support.images import decode, encode, textured

PIPELINE: list[dict[str, Any]] = [
    {"operation": "median_blur", "parameters": {"ksize": 5}},
    {"operation": "canny", "parameters": {"low": 40, "high": 120}},
]
TILED = Limits(band_rows=64)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    path.write_bytes(encode(textured(500, 300)))
    return path


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """Return the folder for temporary folders."""
    (tmp_path / "temporary").mkdir()
    return tmp_path / "temporary"


def run(
    order: Order,
    temporary: Path,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    *,
    limits: Limits = TILED,
    processes: int = 2,
) -> tuple[Finished, bytes]:
    """Run one job; return how it ended and its file."""

    async def main() -> tuple[Finished, bytes]:
        async with Machine(processes, temporary, limits) as machine:
            finished = await machine.run(order, on_progress)
            target = temporary.parent / "result"
            if finished.outcome.result:
                with target.open("wb") as file:
                    machine.export(finished.job, file)
            return finished, target.read_bytes() if target.exists() else b""

    ended = asyncio.run(main())
    assert list(temporary.iterdir()) == []
    assert workers() == []
    return ended


def workers() -> list[psutil.Process]:
    """Return the running workers of this process."""
    found = psutil.Process().children()
    return [child for child in found if child.status() != psutil.STATUS_ZOMBIE and is_worker(child)]


def is_worker(process: psutil.Process) -> bool:
    return "tessera_local.worker" in process.cmdline()


def expected(photo: Path) -> Any:
    steps = [Step.from_json(step) for step in PIPELINE]
    return reference.run(decode(photo.read_bytes()), [bound.step for bound in bind(steps)])


@pytest.mark.parametrize("limits", [TILED, Limits()], ids=["tiled", "direct"])
def test_a_job_gives_the_pixels_of_opencv(photo: Path, temporary: Path, limits: Limits) -> None:
    seen: list[Progress] = []
    finished, made = run(Order(photo, PIPELINE), temporary, seen.append, limits=limits)
    assert finished.outcome.state == "succeeded", finished.outcome.fault
    np.testing.assert_array_equal(decode(made), expected(photo), strict=True)
    assert finished.plan is not None
    assert finished.plan.direct == (limits == Limits())
    assert seen[-1] == Progress("cleaning up", finished.plan.tiles, finished.plan.tiles, 0)
    assert [progress.done for progress in seen] == sorted(progress.done for progress in seen)


def test_a_page_of_a_file_is_processed(tmp_path: Path, temporary: Path) -> None:
    pages = [textured(40, 50), textured(30, 20, seed=1)]
    file = tmp_path / "pages.tif"
    cv2.imwritemulti(str(file), pages)
    finished, made = run(Order(file, [{"operation": "invert"}], page=1), temporary)
    assert finished.outcome.state == "succeeded", finished.outcome.fault
    np.testing.assert_array_equal(decode(made), 255 - pages[1], strict=True)


@pytest.mark.parametrize("limits", [TILED, Limits()], ids=["tiled", "direct"])
def test_a_document_that_an_operation_makes_comes_with_its_place(
    photo: Path, temporary: Path, limits: Limits
) -> None:
    steps: list[dict[str, Any]] = [{"operation": "grayscale"}, {"operation": "statistics"}]
    finished, made = run(Order(photo, steps), temporary, limits=limits)
    assert list(finished.reports) == [1]
    (channel,) = finished.reports[1]["channels"].values()
    assert (channel["min"], channel["max"]) == (decode(made).min(), decode(made).max())


def test_killed_workers_cost_time_only(photo: Path, temporary: Path) -> None:
    _, undisturbed = run(Order(photo, PIPELINE), temporary)
    killed: list[int] = []

    def kill(progress: Progress) -> None:
        if progress.done in (2, 9) and progress.done not in killed:
            killed.append(progress.done)
            for worker in workers():
                worker.kill()

    finished, made = run(Order(photo, PIPELINE), temporary, kill)
    assert killed == [2, 9]
    assert finished.outcome.state == "succeeded", finished.outcome.fault
    assert made == undisturbed


def test_an_image_that_ends_its_worker_each_time_fails_the_job(
    photo: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Read by every Python process that starts: the worker ends itself in the middle of its second tile.
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\n"
        "if 'tessera_local.worker' in ' '.join(sys.orig_argv):\n"
        "    import tessera_local.tasks as tasks\n"
        "    work, order = tasks.ACTIVITIES['process_tile']\n"
        "    def dying(message, store):\n"
        "        store.put_block = (lambda *_: os._exit(9)) if message.tile == 1 else store.put_block\n"
        "        return work(message, store)\n"
        "    tasks.ACTIVITIES['process_tile'] = (dying, order)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    finished, made = run(Order(photo, PIPELINE), temporary)
    assert finished.outcome.state == "failed"
    assert finished.outcome.fault is not None
    assert finished.outcome.fault.code == "gave-up"
    assert made == b""


def test_workers_that_do_not_start_are_named_as_the_cause(
    photo: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "cv2.py").write_text("raise ImportError('no OpenCV on this machine')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(WorkerFailed) as failed:
        run(Order(photo, PIPELINE), temporary)
    assert "ends its process each time (exit code 1): ImportError: no OpenCV on this machine" in str(
        failed.value
    )
    assert list(temporary.iterdir()) == []


def test_a_fault_is_an_outcome(photo: Path, temporary: Path) -> None:
    photo.write_bytes(photo.read_bytes()[:-5000])
    finished, _ = run(Order(photo, PIPELINE), temporary)
    assert finished.outcome.fault is not None
    assert finished.outcome.fault.code == "corrupt-image"


def test_an_input_that_changes_meanwhile_is_not_mixed(photo: Path, temporary: Path) -> None:
    def change(progress: Progress) -> None:
        if progress.phase == "decoding":
            photo.write_bytes(encode(textured(500, 300, seed=1)) + b" ")

    finished, _ = run(Order(photo, PIPELINE), temporary, change)
    assert finished.outcome.fault is not None
    assert finished.outcome.fault.code == "input-gone"


def test_too_little_space_is_refused_before_decoding(
    photo: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": 100_000})
    monkeypatch.setattr("tessera_local.job.shutil.disk_usage", lambda folder: usage)
    phases: list[str] = []
    finished, _ = run(Order(photo, PIPELINE), temporary, lambda progress: phases.append(progress.phase))
    assert finished.outcome.fault is not None
    assert finished.outcome.fault.code == "limit-exceeded"
    assert "takes 450,000 bytes of temporary space" in finished.outcome.fault.detail
    assert "--temp-dir" in (finished.outcome.fault.hint or "")
    assert "decoding" not in phases


def test_several_jobs_share_the_workers(photo: Path, temporary: Path) -> None:
    async def main() -> list[Finished]:
        async with Machine(2, temporary, TILED) as machine:
            both = await asyncio.gather(*(machine.run(Order(photo, PIPELINE)) for _ in range(3)))
            assert len(workers()) == 2
            for finished in both:
                machine.discard(finished.job)
            (folder,) = temporary.iterdir()
            left = [path for path in folder.rglob("*") if path.is_file() and path.parts[-3] != "uploads"]
            assert [path.name for path in left] == ["workers.log"]
            return both

    assert [finished.outcome.state for finished in asyncio.run(main())] == ["succeeded"] * 3


def test_a_plan_runs_nothing(photo: Path, temporary: Path) -> None:
    async def main(pipeline: list[dict[str, Any]]) -> Plan | Fault:
        async with Machine(1, temporary, TILED) as machine:
            return await machine.plan(Order(photo, pipeline))

    planned = asyncio.run(main(PIPELINE))
    assert isinstance(planned, Plan)
    assert planned.tiles == 16
    refused = asyncio.run(main([{"operation": "cany"}]))
    assert isinstance(refused, Fault)
    assert refused.hint == "did you mean canny?"


@pytest.mark.parametrize(
    ("source", "pipeline", "message"),
    [
        ("gone.png", PIPELINE, r"cannot read .*gone\.png: No such file"),
        ("photo.png", [{"name": "invert"}], "operation: Field required"),
    ],
)
def test_what_cannot_be_ordered_is_refused(
    photo: Path, temporary: Path, source: str, pipeline: list[dict[str, Any]], message: str
) -> None:
    with pytest.raises(InputUnusable, match=message):
        run(Order(photo.parent / source, pipeline), temporary)


def test_the_folder_goes_when_the_program_is_killed(photo: Path, temporary: Path) -> None:
    script = (
        "import asyncio, os, signal, sys\nfrom pathlib import Path\n"
        "from tessera_local import Machine, Order\n"
        "def kill(progress):\n"
        "    if progress.phase == 'decoding': os.kill(os.getpid(), signal.SIGKILL)\n"
        "async def main():\n"
        "    async with Machine(2, Path(sys.argv[2])) as machine:\n"
        "        order = Order(Path(sys.argv[1]), [{'operation': 'canny'}])\n"
        "        await machine.run(order, kill)\n"
        "asyncio.run(main())"
    )
    photo.write_bytes(encode(textured(3500, 2000)))
    command = [sys.executable, "-c", script, str(photo), str(temporary)]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert process.wait(60) == -signal.SIGKILL
    orphans = [p for p in psutil.process_iter() if str(temporary) in " ".join(cmdline(p))]
    psutil.wait_procs(orphans, timeout=30)
    assert list(temporary.iterdir()) == []


def cmdline(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
