"""host.json and local.settings.json."""

import json
from pathlib import Path
from typing import Any

import pytest

from emulator.app_settings import app_environment
from emulator.errors import ConfigurationError, UnsupportedFeatureError
from emulator.settings import host_settings


def _app(folder: Path, host: Any = None, local: Any = None) -> Path:
    (folder / "host.json").write_text(json.dumps(host or {"version": "2.0"}))
    if local is not None:
        (folder / "local.settings.json").write_text(json.dumps(local))
    return folder


def test_values_become_environment_unless_already_set(tmp_path: Path) -> None:
    app = _app(tmp_path, local={"IsEncrypted": False, "Values": {"A": "file", "B": "file"}})
    environment = app_environment(app, {"A": "shell"})
    assert (environment["A"], environment["B"]) == ("shell", "file")


def test_a_byte_order_mark_is_no_obstacle(tmp_path: Path) -> None:
    app = _app(tmp_path)
    (app / "local.settings.json").write_text('\ufeff{"Values": {"A": "1"}}')
    assert app_environment(app, {})["A"] == "1"


@pytest.mark.parametrize(
    ("local", "message"),
    [
        ({"IsEncrypted": True, "Values": {}}, "func settings decrypt"),
        ({"Values": {"FUNCTIONS_WORKER_RUNTIME": "node"}}, "Python apps only"),
        ([1], "must hold a JSON object"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(tmp_path: Path, local: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        app_environment(_app(tmp_path, local=local), {})


def test_host_settings_are_read(tmp_path: Path) -> None:
    durable = {"hubName": "%HUB%", "maxConcurrentActivityFunctions": 1, "defaultVersion": "1.2"}
    http = {"routePrefix": "v2/"}
    logging = {"logLevel": {"default": "Warning", "Function.noisy": "None", "Function": "Debug"}}
    host = {
        "extensions": {"durableTask": durable, "http": http},
        "logging": logging,
        "functionTimeout": "01:00:00",
    }
    settings = host_settings(_app(tmp_path, host), {"HUB": "Hub1"})
    assert (settings.task_hub, settings.max_activities, settings.route_prefix) == ("Hub1", 1, "v2")
    assert settings.default_version == "1.2"
    assert [settings.log_level(name) for name in (None, "noisy", "other")] == [30, 100, 10]
    assert settings.unheeded == ("functionTimeout",)


def test_app_settings_override_host_json(tmp_path: Path) -> None:
    environment = {
        "AzureFunctionsJobHost__extensions__http__routePrefix": "x",
        "AzureFunctionsJobHost__extensions__durableTask__maxConcurrentOrchestratorFunctions": "3",
    }
    settings = host_settings(_app(tmp_path), environment)
    assert (settings.route_prefix, settings.max_orchestrators) == ("x", 3)


@pytest.mark.parametrize(
    ("durable", "message"),
    [
        ({"hubName": "1x"}, "start with a letter"),
        ({"hubName": "%MISSING%"}, "app setting 'MISSING', which isn't set"),
        ({"maxConcurrentActivityFunctions": 0}, "at least 1"),
        ({"maxConcurrentActivityFunctions": "2"}, "whole number"),
        ({"maxConcurrentActivityFunctions": True}, "whole number"),
    ],
)
def test_invalid_durable_settings_are_refused(tmp_path: Path, durable: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        host_settings(_app(tmp_path, {"extensions": {"durableTask": durable}}), {})


def test_another_storage_provider_is_refused_by_name(tmp_path: Path) -> None:
    host = {"extensions": {"durableTask": {"storageProvider": {"type": "azureManaged"}}}}
    with pytest.raises(UnsupportedFeatureError, match="'azureManaged' isn't emulated"):
        host_settings(_app(tmp_path, host), {})


def test_a_folder_without_host_json_is_no_app(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no function app: it has no host\.json"):
        host_settings(tmp_path, {})


def test_an_unknown_log_level_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="unknown log level 'Loud'"):
        host_settings(_app(tmp_path, {"logging": {"logLevel": {"default": "Loud"}}}), {})
