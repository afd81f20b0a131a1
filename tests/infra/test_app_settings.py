"""The settings that Bicep names, that local.settings.json holds and that the app reads are the same ones."""

import json
import re

import pytest

from function_app.settings import Settings
from tessera.planner import Limits
from tests.infra.azure_facts import HOST_SETTINGS, REFUSED_BY_FLEX, SCHEDULER_SETTINGS
from tests.infra.conftest import BICEP, ROOT, Document, nodes

LOCAL: dict[str, str] = json.loads((ROOT / "local.settings.json").read_text())["Values"]
READ_BY_THE_APP = {
    *(str(field.alias) for name, field in Settings.model_fields.items() if name != "limits"),
    *(f"TESSERA_{name.upper()}" for name in Limits.model_fields),
}
# Connection strings, for a machine without identities.
KEYS = {"TESSERA_STORAGE", "AzureWebJobsStorage"}


@pytest.fixture(scope="session")
def named(bicep: dict[str, Document]) -> dict[str, dict[str, str]]:
    """Return the settings of each variable of functions.bicep that holds some."""
    variables = bicep["modules/functions.bicep"]["variables"]
    return {
        name: {
            key.strip("'"): value
            for node in nodes(variables[name]["value"])
            if isinstance(node, dict)
            for key, value in node.items()
            if isinstance(value, str) and key not in ("type", "item_to_test")
        }
        for name in ("hostSettings", "ownSettings", "schedulerSettings")
    }


def test_settings_of_the_host_are_azures(named: dict[str, dict[str, str]]) -> None:
    assert set(named["hostSettings"]) == HOST_SETTINGS
    assert set(named["schedulerSettings"]) == SCHEDULER_SETTINGS
    everything = {name for settings in named.values() for name in settings}
    assert everything & REFUSED_BY_FLEX == set()


def test_what_bicep_sets_for_the_app_is_read_by_it(named: dict[str, dict[str, str]]) -> None:
    assert set(named["ownSettings"]) <= READ_BY_THE_APP


def test_what_the_app_needs_is_set_and_the_rest_has_a_default(named: dict[str, dict[str, str]]) -> None:
    open_to_choice = READ_BY_THE_APP - set(named["ownSettings"]) - KEYS
    fields = {str(field.alias): field for field in Settings.model_fields.values()}
    without_default = [name for name in open_to_choice if name in fields and fields[name].is_required()]
    assert without_default == []
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs/deploy.md").read_text(), re.MULTILINE))
    assert open_to_choice <= documented, "docs/deploy.md lists what may be overridden"
    assert documented - open_to_choice <= variables_of_the_environment()


def variables_of_the_environment() -> set[str]:
    return set(re.findall(r"readEnvironmentVariable\('(\w+)'", (BICEP / "main.bicepparam").read_text()))


def test_no_connection_string_is_set_on_azure(named: dict[str, dict[str, str]]) -> None:
    everything = {name for settings in named.values() for name in settings}
    assert everything & KEYS == set()


def test_local_and_deployed_settings_agree(named: dict[str, dict[str, str]]) -> None:
    deployed = named["hostSettings"]
    # The worker is named by functionAppConfig, and the storage by an identity.
    by_other_means = {"FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsStorage"}
    assert {name: deployed[name] for name in LOCAL if name not in by_other_means} == {
        name: value for name, value in LOCAL.items() if name not in by_other_means
    }
    only_on_azure = ("AzureWebJobsStorage__", "APPLICATIONINSIGHTS_")
    assert [name for name in deployed if name not in LOCAL and not name.startswith(only_on_azure)] == []


def test_the_runtime_is_the_one_that_is_tested(bicep: dict[str, Document]) -> None:
    app = bicep["modules/functions.bicep"]["resources"]["app"]["config"]["properties"]
    assert app["functionAppConfig"]["runtime"] == {"name": "python", "version": "3.13"}
    assert 'requires-python = "==3.13.*"' in (ROOT / "pyproject.toml").read_text()


def test_overrides_of_an_operator_cant_replace_where_the_storage_is() -> None:
    text = (BICEP / "modules/functions.bicep").read_text()
    assert "union(hostSettings, schedulerSettings, appSettings, ownSettings)" in text, "later ones win"


def test_the_page_is_given_what_it_reads(bicep: dict[str, Document]) -> None:
    read = set(
        re.findall(r'environment\.get\("(\w+)"', (ROOT / "frontend_streamlit/settings.py").read_text())
    )
    app = bicep["modules/page.bicep"]["resources"]["app"]["config"]["properties"]
    given = {entry["name"]: entry for entry in app["template"]["containers"][0]["env"]}
    # Uploads pass through the page, and browsers show more or less, only where somebody chose that.
    chosen = {"TESSERA_PAGE_UPLOADS", "TESSERA_PAGE_SHOWN_PIXELS"}
    assert read == {"TESSERA_API_URL", "TESSERA_API_KEY", *chosen}
    assert set(given) == read - chosen | {"STREAMLIT_SERVER_MAX_UPLOAD_SIZE"}
    assert given["TESSERA_API_KEY"] == {"name": "TESSERA_API_KEY", "secretRef": "api-key"}
