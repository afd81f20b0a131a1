"""azd's project, its hook, and the workflows: linted, consistent, and the hook run against a stand-in."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.infra.conftest import BICEP, ROOT, Document, run

HOOK = ROOT / "infra" / "set_page_key.sh"
WORKFLOWS = ROOT / ".github" / "workflows"
PINNED = re.compile(r"^[\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*$")

# Real az needs an account. This one keeps keys and secrets in a folder, and fails while there is no host.
AZ = """#!/bin/sh
echo "$*" >>"$STATE/calls"
case "$1 $2 $3" in
    "functionapp keys list") [ -e "$STATE/host" ] || exit 1; cat "$STATE/key" 2>/dev/null || true ;;
    "functionapp keys set") echo made-by-the-host >"$STATE/key" ;;
    "containerapp secret set") echo "$*" | sed 's/.*api-key=//; s/ .*//' >"$STATE/secret" ;;
    "containerapp show "*) echo page--1 ;;
    "containerapp revision restart") : >"$STATE/restarted" ;;
    *) exit 2 ;;
esac
"""
KNOWN_TO_AZD = {
    "AZURE_RESOURCE_GROUP": "rg-test",
    "TESSERA_FUNCTION_APP": "func-test",
    "TESSERA_PAGE_APP": "page-test",
}


@pytest.fixture
def azure(tmp_path: Path) -> Path:
    """Return the folder that stands for the subscription."""
    program = tmp_path / "bin" / "az"
    program.parent.mkdir()
    program.write_text(AZ)
    program.chmod(0o755)
    return tmp_path


def set_page_key(
    azure: Path, *arguments: str, environment: dict[str, str] = KNOWN_TO_AZD
) -> "subprocess.CompletedProcess[str]":
    path = f"{azure / 'bin'}{os.pathsep}{os.defpath}"
    return run(HOOK, *arguments, env={**environment, "PATH": path, "STATE": str(azure)})


# -- the hook ----------------------------------------------------------------------------------------------


def test_the_page_gets_a_key_that_the_host_made(azure: Path) -> None:
    (azure / "host").touch()
    done = set_page_key(azure)
    assert (done.returncode, done.stdout) == (0, "The page has its key.\n"), done.stderr
    assert (azure / "secret").read_text() == "made-by-the-host\n"
    assert (azure / "restarted").exists()
    assert "made-by-the-host" not in done.stdout + done.stderr


def test_a_key_that_is_there_is_kept(azure: Path) -> None:
    (azure / "host").touch()
    (azure / "key").write_text("from-before\n")
    assert set_page_key(azure).returncode == 0
    assert (azure / "secret").read_text() == "from-before\n"
    assert "functionapp keys set" not in (azure / "calls").read_text()


def test_before_the_deployment_it_waits_for_the_next_run(azure: Path) -> None:
    done = set_page_key(azure, "--later-is-fine")
    assert (done.returncode, "after the deployment" in done.stderr) == (0, True)
    assert not (azure / "secret").exists()


def test_after_the_deployment_a_silent_host_is_an_error(azure: Path) -> None:
    done = set_page_key(azure, environment={**KNOWN_TO_AZD, "TESSERA_KEY_TRIES": "1"})
    assert (done.returncode, "See that the app is deployed" in done.stderr) == (1, True)
    assert not (azure / "secret").exists()


def test_without_azd_it_says_what_is_missing(azure: Path) -> None:
    done = set_page_key(azure, environment={})
    assert done.returncode != 0
    assert "run this through azd" in done.stderr


# -- azd ---------------------------------------------------------------------------------------------------


def test_azds_project_names_what_there_is() -> None:
    project = (ROOT / "azure.yaml").read_text()
    for path in re.findall(r"(?:path|run|context|project): (\S+)", project):
        assert (ROOT / path).exists(), path
    assert (ROOT / "infra/bicep" / "main.bicep").exists()
    assert os.access(HOOK, os.X_OK)


def test_services_and_their_resources_have_the_same_names(bicep: dict[str, Document]) -> None:
    services = set(
        re.findall(r"^  (\w+):\n    (?:#.*\n    )*project:", (ROOT / "azure.yaml").read_text(), re.MULTILINE)
    )
    tagged = set(
        re.findall(r"'azd-service-name': '(\w+)'", "".join(p.read_text() for p in BICEP.rglob("*.bicep")))
    )
    assert services == tagged == {"api", "page"}


def test_scripts_read_what_the_template_gives(main: Document) -> None:
    outputs = set(main["outputs"])
    assert set(KNOWN_TO_AZD) <= outputs
    workflow = (WORKFLOWS / "deploy.yml").read_text()
    used = set(re.findall(r"\$(?:\{)?((?:AZURE|TESSERA)_[A-Z_]+)", workflow))
    defined = set(re.findall(r"^      (AZURE_\w+):", workflow, re.MULTILINE)) | {"TESSERA_SMOKE_KEY"}
    assert used <= outputs | defined


# -- workflows ---------------------------------------------------------------------------------------------


def test_zizmor_is_content(tools: Path) -> None:
    done = run(tools / "zizmor", "--offline", "--no-progress", "--format", "json", WORKFLOWS)
    findings = json.loads(done.stdout)
    assert [f"{item['ident']}: {item['desc']}" for item in findings if not item.get("ignored")] == []


@pytest.mark.parametrize("file", sorted(WORKFLOWS.glob("*.yml")), ids=lambda file: file.name)
def test_actions_are_pinned_and_no_secret_is_read(file: Path) -> None:
    text = file.read_text()
    actions = [use.strip() for use in re.findall(r"uses: (.+)", text) if not use.startswith("./")]
    assert [action for action in actions if not PINNED.match(action)] == []
    assert "secrets." not in text
    assert "\npermissions: {}\n" in text


def test_a_deployment_is_tested_before_and_after(main: Document) -> None:
    workflow = (WORKFLOWS / "deploy.yml").read_text()
    assert "needs: test" in workflow
    order = ["build_package.py", "azd provision", "config-zip", "azd deploy page", "pytest tests/smoke"]
    positions = [workflow.index(step) for step in order]
    assert positions == sorted(positions)
    smoke = (ROOT / "tests/smoke/conftest.py").read_text()
    assert set(re.findall(r"TESSERA_SMOKE_\w+", workflow)) == set(re.findall(r"TESSERA_SMOKE_\w+", smoke))


def test_continuous_integration_runs_what_developers_run() -> None:
    assert ".ci/run" in (WORKFLOWS / "ci.yml").read_text()
