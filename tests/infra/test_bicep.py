"""Bicep without Azure: it parses, modules fit their uses, names are Azure's, and checkov is content."""

import json
import re
from pathlib import Path

import pytest

from tests.infra.azure_facts import API_VERSIONS, ROLES
from tests.infra.conftest import BICEP, FILES, ROOT, Document, nodes, resources, run, unwrapped

SKIP = re.compile(r"// checkov:skip=(CKV_AZURE_\d+)(?:: (.+))?")
# Where keys, passwords or tokens would come from.
SECRETS = re.compile(r"listKeys|listCredentials|AccountKey=|SharedAccessKey|primarySharedKey", re.IGNORECASE)


def modules(main: Document) -> dict[str, tuple[str, Document]]:
    """Return for each module of main.bicep its file and its parameters."""
    return {
        name: (module["detail"]["path"], unwrapped(module["config"])["params"])
        for name, module in main["modules"].items()
    }


# -- modules -----------------------------------------------------------------------------------------------


def test_every_file_is_read_and_every_module_used(bicep: dict[str, Document], main: Document) -> None:
    assert set(bicep) == {str(file) for file in FILES}
    assert {file for file, _ in modules(main).values()} == set(bicep) - {"main.bicep"}


def test_modules_are_given_what_they_ask_for(bicep: dict[str, Document], main: Document) -> None:
    for name, (file, given) in modules(main).items():
        declared = bicep[file]["parameters"]
        required = {parameter for parameter, value in declared.items() if value["default"] is None}
        assert required <= set(given) <= set(declared), f"{name} ({file})"


@pytest.mark.parametrize("file", FILES, ids=str)
def test_every_parameter_variable_and_resource_is_used(file: Path, bicep: dict[str, Document]) -> None:
    text = "\n".join(line.split("//")[0] for line in (BICEP / file).read_text().splitlines())
    document = bicep[str(file)]
    names = [*document.get("parameters", {}), *document.get("variables", {})]
    assert [name for name in names if len(re.findall(rf"\b{name}\b", text)) < 2] == []


def test_outputs_that_are_used_exist_and_all_are_used(bicep: dict[str, Document], main: Document) -> None:
    used = re.findall(r"\b(\w+)\.outputs\.(\w+)", (BICEP / "main.bicep").read_text())
    files = {name: file for name, (file, _) in modules(main).items()}
    assert {module for module, _ in used} <= set(files)
    wanted = {(files[module], output) for module, output in used}
    offered = {(file, output) for file in files.values() for output in bicep[file].get("outputs", {})}
    assert wanted == offered


def test_parameters_of_the_environment_fit(main: Document) -> None:
    lines = (BICEP / "main.bicepparam").read_text().splitlines()
    assert lines[0] == "using 'main.bicep'"
    set_here = [match[1] for line in lines if (match := re.match(r"param (\w+) = \S", line))]
    assert len(set_here) == len([line for line in lines[1:] if line and not line.startswith("//")])
    parameters = main["parameters"]
    required = {name for name, value in parameters.items() if value["default"] is None}
    assert required <= set(set_here) <= set(parameters)
    # The only one that isn't asked for is worked out at the deployment.
    assert set(parameters) - set(set_here) == {"budgetStart"}


def test_defaults_of_the_environment_are_those_of_the_template(main: Document) -> None:
    defaults = dict(
        re.findall(r"param (\w+) = .*readEnvironmentVariable\('\w+', '(.*?)'\)", parameter_file())
    )
    for name, text in defaults.items():
        default = main["parameters"][name]["default"]
        if default is not None:
            assert text == (json.dumps(default) if not isinstance(default, str) else default), name


def parameter_file() -> str:
    return (BICEP / "main.bicepparam").read_text()


# -- names that are Azure's --------------------------------------------------------------------------------


def test_resource_types_and_api_versions_are_known(bicep: dict[str, Document]) -> None:
    used = {(resource["type"], resource["api_version"]) for _, _, resource in resources(bicep)}
    assert used == set(API_VERSIONS.items())


def test_roles_are_what_their_names_say_and_each_is_assigned(bicep: dict[str, Document]) -> None:
    ids = {
        name: value["value"]
        for document in bicep.values()
        for name, value in document.get("variables", {}).items()
        if re.fullmatch(r"[0-9a-f-]{36}", str(value["value"]))
    }
    assert ids == ROLES
    assigned = [
        node["function"]["parameters"]["resource_name_1"]
        for _, _, resource in resources(bicep)
        if resource["type"] == "Microsoft.Authorization/roleAssignments"
        for node in nodes(unwrapped(resource["config"])["properties"]["roleDefinitionId"])
        if isinstance(node, dict) and "function" in node
    ]
    assert sorted(assigned) == sorted(ROLES)


def test_each_role_assignment_has_its_reason_above_and_a_scope_of_its_own(bicep: dict[str, Document]) -> None:
    for file, name, resource in resources(bicep):
        if resource["type"] != "Microsoft.Authorization/roleAssignments":
            continue
        lines = (BICEP / file).read_text().splitlines()
        declared = next(i for i, line in enumerate(lines) if line.startswith(f"resource {name} "))
        assert lines[declared - 1].startswith("// "), f"{file}: why does {name} need its role?"
        assert "scope" in unwrapped(resource["config"]), f"{file}: {name} is for the whole group"


# -- what it promises --------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def account(bicep: dict[str, Document]) -> Document:
    properties: Document = bicep["modules/storage.bicep"]["resources"]["account"]["config"]["properties"]
    return properties


def test_storage_knows_no_keys_and_no_public_blobs(account: Document) -> None:
    assert account["allowSharedKeyAccess"] is False
    assert account["allowBlobPublicAccess"] is False
    assert account["supportsHttpsTrafficOnly"] is True
    assert account["minimumTlsVersion"] == "TLS1_2"


def test_containers_are_the_apps_and_expire(main: Document) -> None:
    from tessera import naming

    images = modules(main)["imageStorage"][1]
    assert tuple(images["containers"]) == naming.CONTAINERS
    days = {rule["container"]: rule["days"] for rule in images["expirations"]}
    assert days == {"uploads": 1, "work": 1, "results": "retentionDays", "jobs": "retentionDays"}


def test_deleted_blobs_are_gone(bicep: dict[str, Document]) -> None:
    service = bicep["modules/storage.bicep"]["resources"]["blobs"]["config"]["properties"]
    assert service["deleteRetentionPolicy"] == {"enabled": False}
    assert service["isVersioningEnabled"] is False


def test_scripts_of_the_page_alone_may_use_signed_urls(main: Document) -> None:
    assert "corsOrigins: [page.outputs.origin]" in (BICEP / "main.bicep").read_text()
    assert modules(main)["hubStorage"][1].get("corsOrigins", []) == []


def test_everything_scales_to_zero_unless_asked_otherwise(bicep: dict[str, Document], main: Document) -> None:
    assert main["parameters"]["alwaysReadyDurable"]["default"] == 0
    page = bicep["modules/page.bicep"]["resources"]["app"]["config"]["properties"]
    assert page["template"]["scale"]["minReplicas"] == 0


def test_the_page_is_closed_until_somebody_is_let_in(bicep: dict[str, Document], main: Document) -> None:
    text = (BICEP / "modules/page.bicep").read_text()
    assert "var isOpen = !empty(signInClientId) || !empty(addresses)" in text
    ingress = bicep["modules/page.bicep"]["resources"]["app"]["config"]["properties"]["configuration"][
        "ingress"
    ]
    assert ingress["external"] == "isOpen"
    assert ingress["allowInsecure"] is False
    assert ingress["stickySessions"] == {"affinity": "sticky"}
    assert main["parameters"]["pageSignInClientId"]["default"] == ""
    assert main["parameters"]["pageAllowedAddresses"]["default"] == ""


def test_the_task_hub_of_the_scheduler_has_the_name_that_the_host_uses(bicep: dict[str, Document]) -> None:
    host = json.loads((BICEP.parents[1] / "host.json").read_text())
    hub = bicep["modules/scheduler.bicep"]["resources"]["hub"]["config"]
    assert hub["name"] == host["extensions"]["durableTask"]["hubName"]


@pytest.mark.parametrize("file", FILES, ids=str)
def test_no_key_is_read_or_written(file: Path) -> None:
    assert SECRETS.findall((BICEP / file).read_text()) == []


def test_alerts_and_workbook_read_the_lines_that_the_app_logs() -> None:
    logged = re.findall(
        r'_log\.info\("(job \w+: )', (BICEP.parents[1] / "function_app/durable.py").read_text()
    )
    assert logged == ["job begun: ", "job ended: "]
    for file in ("modules/alerts.bicep", "workbook.json"):
        read = re.findall(r'startswith \\?"(job \w+: )', (BICEP / file).read_text())
        assert set(read) == set(logged), file


def test_alerts_name_faults_that_there_are() -> None:
    codes = set(re.findall(r'code == "([a-z-]+)"', (BICEP / "modules/alerts.bicep").read_text()))
    root = BICEP.parents[1]
    known = (root / "tessera/errors.py").read_text() + (root / "orchestrations/process_image.py").read_text()
    assert codes
    assert [code for code in codes if f'"{code}"' not in known] == []


# -- checkov -----------------------------------------------------------------------------------------------


def test_checkov_is_content_and_every_skip_is_needed_and_explained(tools: Path) -> None:
    done = run(
        tools / "checkov", "-d", ".", "--framework", "bicep", "-o", "json", "--skip-download", cwd=BICEP
    )
    results = json.loads(done.stdout)["results"]
    failed = [
        f"{check['check_id']} {check['resource']}: {check['check_name']}"
        for check in results["failed_checks"]
    ]
    assert failed == []
    assert results["parsing_errors"] == []
    assert len(results["passed_checks"]) > 20
    skipped = {(check["file_path"].lstrip("/"), check["check_id"]) for check in results["skipped_checks"]}
    written = {
        (str(file), check): reason
        for file in FILES
        for check, reason in SKIP.findall((BICEP / file).read_text())
    }
    assert set(written) == skipped, "a skip without effect, or an effect without its skip"
    assert [skip for skip, reason in written.items() if len(reason) < 20] == [], "a skip says why"


def test_the_workbook_reads_attributes_that_spans_have() -> None:
    read = set(re.findall(r"tessera\.\w+", (BICEP / "workbook.json").read_text()))
    made = set(re.findall(r'"(tessera\.\w+)"', (ROOT / "function_app" / "tracing.py").read_text()))
    told = set(re.findall(r"`(tessera\.\w+)`", (ROOT / "docs" / "operate.md").read_text()))
    assert read == {"tessera.queue_wait", "tessera.read", "tessera.compute", "tessera.write"}
    assert read <= told <= made
