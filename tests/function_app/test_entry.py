"""The app as the Python worker finds it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from azure_functions_runtime import loader

import main
from function_app.routes import ROUTES

ROOT = Path(__file__).resolve().parents[2]
HTTP = {route.name for route in ROUTES}
ORCHESTRATORS = {"process_image", "process_tiles", "process_batch", "process_jobs", "send_word"}
ACTIVITIES = {
    "inspect_upload",
    "ingest",
    "process_direct",
    "process_tile",
    "reduce",
    "stitch",
    "cleanup",
    "make_overviews",
    "make_previews",
    "survey",
    "record_jobs",
    "end_batch",
    "notify",
}


type Bindings = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def indexed() -> dict[str, Bindings]:
    """Index the app with the worker's own loader, which can be done once; give bindings by type."""
    functions = loader.index_function_app(str(ROOT / "main.py"))
    return {
        function.get_function_name(): {
            binding.type: binding.get_dict_repr() for binding in function.get_bindings()
        }
        for function in functions
    }


def test_the_setting_names_an_entry_file_that_the_worker_takes() -> None:
    settings = json.loads((ROOT / "local.settings.json").read_text())["Values"]
    name = settings["PYTHON_SCRIPT_FILE_NAME"]
    assert (ROOT / name).is_file()
    assert name.removesuffix(".py") == main.__name__


def test_the_worker_indexes_every_function(indexed: dict[str, Bindings]) -> None:
    assert indexed.keys() == HTTP | ORCHESTRATORS | ACTIVITIES | {"purge_old", "refuse_route"}


def test_routes_are_registered_as_the_table_says(indexed: dict[str, Bindings]) -> None:
    for route in ROUTES:
        trigger = indexed[route.name]["httpTrigger"]
        assert trigger["route"] == f"v1{route.path}"
        assert [method.value for method in trigger["methods"]] == [route.method]


def test_only_health_is_open_to_all(indexed: dict[str, Bindings]) -> None:
    levels = {name: indexed[name]["httpTrigger"]["authLevel"].value for name in HTTP}
    assert levels == {**dict.fromkeys(HTTP, "function"), "get_health": "anonymous"}


def test_durable_functions_are_called_by_their_names(indexed: dict[str, Bindings]) -> None:
    for name in ORCHESTRATORS:
        assert indexed[name]["orchestrationTrigger"]["orchestration"] == name
    for name in ACTIVITIES:
        assert indexed[name]["activityTrigger"]["activity"] == name


def test_one_activity_at_a_time_and_a_hub_of_its_own() -> None:
    durable = json.loads((ROOT / "host.json").read_text())["extensions"]["durableTask"]
    assert durable["maxConcurrentActivityFunctions"] == 1
    assert durable["hubName"].isalnum()


def test_a_wrong_setting_stops_the_start_and_is_named() -> None:
    run = subprocess.run(
        [sys.executable, "-c", "import main"],
        cwd=ROOT,
        env={"AzureWebJobsStorage": "UseDevelopmentStorage=true", "TESSERA_MAX_BYTES": "many"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode != 0
    assert (
        run.stderr.strip()
        .splitlines()[-1]
        .startswith("function_app.settings.SettingsError: TESSERA_MAX_BYTES")
    )


def test_the_app_starts_without_what_only_azure_needs() -> None:
    code = "import main, sys; print([name for name in sys.modules if name.startswith('azure.identity')])"
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"AzureWebJobsStorage": "UseDevelopmentStorage=true"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "[]"
