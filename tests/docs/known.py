"""Commands of the pages that are run elsewhere or can't be run here, and what the programs of Azure take."""

from typing import Final

RUN_BY_PAGE: Final = {
    "docs/api.md": "tests/function_app/test_api_doc.py::test_the_commands_do_what_the_page_says",
    "docs/command-line.md": "tests/client/test_command_line_doc.py::test_every_command_of_the_page_runs",
}
"""Pages whose every command one test runs in order."""

_DEMO: Final = "tests/e2e/test_demo.py"
_SMOKE: Final = "tests/smoke/test_main_job.py"
_PACKAGE: Final = "tests/infra/test_package.py"
_DOCS: Final = "tests/infra/test_docs.py"
_DRILL: Final = "tests/e2e/test_drill_command.py"
_EMULATOR: Final = "tests/emulator"

RUN_ELSEWHERE: Final = {
    "make demo": f"{_DEMO}::test_the_demo_checks_its_result_against_opencv_and_says_where_it_is",
    ".venv/bin/python scripts/build_package.py": f"{_PACKAGE}::package",
    ".venv/bin/python -m benchmarks.cold_start": f"{_PACKAGE}::test_the_benchmark_of_it_runs",
    ".venv/bin/python -m benchmarks.job_cost": f"{_DOCS}::test_the_cost_program_runs",
    ".venv/bin/python -m benchmarks.scaling": f"{_DOCS}::test_the_table_of_the_simulation_is_what_it_prints",
    ".venv/bin/python -m pytest tests/smoke": f"{_SMOKE}::test_the_service_says_that_it_is_well",
    'make drill DRILL_FLAGS="--jobs 100 --seed 2"': (
        "tests/drill/test_drills.py::test_jobs_survive_what_happens_to_storage_workers_and_host"
    ),
    'make load LOAD_FLAGS="--minutes 30"': (
        "tests/drill/test_drills.py::test_more_jobs_than_are_let_in_are_sent_away_and_come_again"
    ),
    "tessera drill --jobs 100 --at-once 8": f"{_DRILL}::test_every_result_is_right_though_workers_are_killed",
    "tessera drill --kill-every 5": f"{_DRILL}::test_every_result_is_right_though_workers_are_killed",
    "python -m pytest tests/emulator": (
        f"{_EMULATOR}/test_crashes.py::"
        "test_kills_at_random_moments_lose_nothing_and_repeat_nothing_that_was_recorded"
    ),
    "python -m emulator start --app FOLDER": (
        f"{_EMULATOR}/test_start_and_stop.py::test_the_ready_file_tells_where_the_host_is_and_goes_with_it"
    ),
}
"""By command, the test (or fixture) that runs it, with a smaller input where it takes long."""

NOT_RUN: Final = {
    "make test": "is what runs this",
    "azd env new my-tessera": "needs an Azure account",
    "azd env set TESSERA_ALERT_EMAIL you@example.org": "needs an Azure account",
    "azd env set TESSERA_PAGE_ADDRESSES 203.0.113.7/32": "needs an Azure account",
    "azd up": "needs an Azure account",
    ".venv/bin/python -m benchmarks.operations --rounds 5": "takes many minutes",
    "EMULATOR_CRASH_KILLS=1000 EMULATOR_CRASH_SEED=1 python -m pytest tests/emulator/test_crashes.py": (
        "takes many minutes; 200 kills are part of every run"
    ),
    "python benchmarks/emulator_engine.py": "takes minutes",
}
"""By command, why it isn't run by the tests."""

# https://learn.microsoft.com/cli/azure/functionapp/keys, …/functionapp, …/storage/account, …/reference-index
_GROUP: Final = {"-g", "--resource-group", "-n", "--name"}
_KEY: Final = {"--key-type", "--key-name"}
AZ: Final = {
    "login": set[str](),
    "functionapp keys list": _GROUP,
    "functionapp keys set": _GROUP | _KEY | {"--key-value"},
    "functionapp keys delete": _GROUP | _KEY,
    "functionapp start": _GROUP,
    "functionapp stop": _GROUP,
    "storage account revoke-delegation-keys": _GROUP,
}
AZ_EVERYWHERE: Final = {"--query", "-o", "--output", "--subscription"}

# https://learn.microsoft.com/azure/developer/azure-developer-cli/reference
AZD: Final = {
    "auth login": set[str](),
    "up": {"--no-prompt"},
    "down": {"--purge", "--force"},
    "provision": {"--no-prompt", "--preview"},
    "deploy": {"--all", "--no-prompt"},
    "env new": {"--location", "--subscription"},
    "env set": set[str](),
    "env get-values": set[str](),
    "hooks run": {"--service"},
}
