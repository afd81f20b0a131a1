"""Workers that are copies of a process which has imported what they need, and workers that are not."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from emulator import spawn
from emulator.console import Console
from emulator.settings import HostSettings
from tests.emulator.hosting import SAMPLE, Host, emulate, until

# Handles of processes (pidfd) and the sockets that keep messages apart (SOCK_SEQPACKET) are Linux's.
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers are copies on Linux only")


def _pids(host: Host) -> set[int]:
    return {worker["pid"] for worker in host.workers() if worker["state"] == "running"}


def _copied(worker: int) -> psutil.Process:
    """Return the process that a worker is a copy of."""
    parent = psutil.Process(worker).parent()
    assert parent is not None
    assert any("emulator.fork_server" in argument for argument in parent.cmdline())
    return parent


def _runs(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def _report(monkeypatch: pytest.MonkeyPatch, platform: str) -> tuple[dict[str, Any], bool]:
    """Return what a worker says of the sample app, and whether it has a session of its own."""

    async def run() -> tuple[dict[str, Any], bool]:
        spawner = spawn.Spawner(SAMPLE, {**os.environ, "LEDGER": os.devnull})
        worker = await spawner.spawn(Console(HostSettings(), verbose=False))
        report = dict(await worker.start())
        leads = os.getsid(worker.pid) == worker.pid
        worker.retire()
        await worker.ended.wait()
        await spawner.close()
        return report, leads

    monkeypatch.setattr(sys, "platform", platform)
    return asyncio.run(run())


def test_copies_and_others_report_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    copied, other = (_report(monkeypatch, platform) for platform in ("linux", "elsewhere"))
    assert copied[0]["functions"]
    assert copied == other
    assert copied[1]


def test_workers_are_copies_of_one_process_and_all_go_with_it(tmp_path: Path) -> None:
    with emulate(tmp_path, "--min-workers", "2", "--max-workers", "2") as host:
        first = until(lambda: _pids(host) if len(_pids(host)) == 2 else None, 20, "two workers")
        copied = {_copied(pid).pid for pid in first}
        assert len(copied) == 1
        os.kill(copied.pop(), signal.SIGKILL)
        until(lambda: len(_pids(host) - first) == 2, 20, "workers to be replaced")
        assert not any(_runs(pid) for pid in first)
        assert host.http.get("/api/hello").text == "hello world"


def test_how_a_copy_has_ended_is_told(tmp_path: Path) -> None:
    with emulate(tmp_path, "--min-workers", "1", "--max-workers", "1") as host:
        (pid,) = _pids(host)
        os.kill(pid, signal.SIGTERM)
        said = f"worker process {pid} ended with exit code {-signal.SIGTERM}"
        until(lambda: said in host.log.read_text(), 20, "the end to be told")


def test_what_the_requirements_name_is_imported_once(tmp_path: Path) -> None:
    assert spawn._imported(tmp_path) == ["azure.durable_functions"]
    (tmp_path / "requirements.txt").write_text(
        "pydantic==2.14.3 \\\n    --hash=sha256:0\nazure-storage-blob==12"
    )
    assert spawn._imported(tmp_path)[1:] == ["azure.storage.blob", "pydantic"]
