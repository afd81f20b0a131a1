"""Function keys and system keys."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.emulator.hosting import DURABLE, Host, emulate, until


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Host, dict[str, Any]]]:
    """Serve the sample app with keys enforced; give the keys, too."""
    folder = tmp_path_factory.mktemp("keys")
    with emulate(folder, "--enforce-keys") as host:
        yield host, json.loads((folder / "keys.json").read_text())


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/api/hello", {None, "default", "master", "durabletask_extension"}),
        ("/api/threads", {"default", "master"}),
        ("/api/files/x", {"master"}),
        (f"{DURABLE}/instances", {"durabletask_extension", "master"}),
        ("/admin/functions", {"master"}),
        ("/admin/emulator/workers", {"master"}),
    ],
)
def test_each_path_wants_its_own_kind_of_key(
    guarded: tuple[Host, dict[str, Any]], path: str, allowed: set[str | None]
) -> None:
    host, keys = guarded
    for name in (None, "default", "master", "durabletask_extension"):
        expected = 200 if name in allowed else 401
        key = keys[name] if name else ""
        assert host.http.get(path, params={"code": key} if name else {}).status_code == expected, name
        assert host.http.get(path, headers={"x-functions-key": key}).status_code == expected, name
    assert (host.http.get(path, params={"code": "x"}).status_code == 200) == (None in allowed)


def test_the_sdk_works_and_its_urls_carry_the_system_key(guarded: tuple[Host, dict[str, Any]]) -> None:
    host, keys = guarded
    response = host.http.post("/api/start/fan_out", params={"code": keys["default"]}, json=2)
    url = response.json()["statusQueryGetUri"]
    assert httpx.get(url.partition("?")[0]).status_code == 401
    until(lambda: httpx.get(url).status_code == 200, 20, "the end of the orchestration")


def test_no_key_is_printed(guarded: tuple[Host, dict[str, Any]]) -> None:
    host, keys = guarded
    output = host.log.read_text()
    assert "keys are enforced" in output
    assert [name for name, key in keys.items() if key in output] == []


def test_keys_stay_the_same_after_a_restart(tmp_path: Path) -> None:
    emulate(tmp_path).stop()
    before = (tmp_path / "keys.json").read_text()
    emulate(tmp_path).stop()
    assert (tmp_path / "keys.json").read_text() == before
