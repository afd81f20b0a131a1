"""`tessera drill` finds a good service good, also while its workers are killed, and leaves nothing there."""

import json
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient
from typer.testing import CliRunner

from drill import customer
from emulator.stack import Stack
from tessera_client import Client
from tessera_client.cli import app
from tests.client.conftest import api
from tests.client.fake_api import FakeApi
from tests.support.jobs import left_in_storage

__all__ = ["api"]


def drill(stack: Stack, *options: str) -> tuple[int, dict[str, Any]]:
    arguments = ["drill", "--json", "--api", stack.url, *options]
    done = CliRunner().invoke(app, arguments)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    print(done.stdout, done.stderr)
    return done.exit_code, json.loads(done.stdout)


def test_every_result_is_right_though_workers_are_killed(
    stack: Stack, client: Client, blobs: BlobServiceClient
) -> None:
    before = {job.id for job in client.jobs()}
    code, told = drill(stack, "--jobs", "6", "--largest", "2", "--kill-every", "1")
    assert (code, told["wrong"]) == (0, [])
    assert told["jobs"] == 6
    # On a busy machine a task may have lost its worker three times.
    assert set(told["failed"]) <= {"gave-up"}
    assert told["exact"] + told["cancelled"] + sum(told["failed"].values()) == 6
    assert told["kills"] > 0
    assert {job.id for job in client.jobs()} == before
    assert {name.partition("/")[2][:32] for name in left_in_storage(blobs, "")} <= before


def test_a_wrong_pixel_is_told(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(customer, "difference", lambda *_: "1 pixels differ")
    code, told = drill(stack, "--jobs", "8", "--largest", "0.3")
    assert (code, told["exact"]) == (1, 0)
    assert str(told["wrong"]).count("1 pixels differ") == 8 - told["cancelled"]


def test_workers_are_killed_on_this_machine_only(api: FakeApi) -> None:
    done = CliRunner().invoke(app, ["drill", "--kill-every", "1", "--api", api.url])
    assert done.exit_code == 2
    assert f"{api.url} is no emulator on this machine" in done.stderr
    assert not api.sent("POST", "/")
