"""The repository's own promises: commands, lock files, what is deployed, and the direction of imports."""

import ast
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import pyvips
from pathspec import GitIgnoreSpec

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
OWN_PACKAGES: list[str] = PROJECT["tool"]["importlinter"]["root_packages"]
DEPLOYED = {
    "main.py",
    "host.json",
    "requirements.txt",
    "function_app",
    "orchestrations",
    "activities",
    "tessera",
}
LOCKED_REQUIREMENTS = [
    "requirements.txt",
    "requirements-page.txt",
    "requirements-dev.txt",
    "requirements-infra.txt",
    "requirements-bench.txt",
]


@pytest.fixture(scope="module")
def tracked() -> list[str]:
    """Return the paths under version control, relative to the root."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is not a git checkout, so what belongs to the repository isn't known")
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return listing.stdout.splitlines()


def read_pins(name: str) -> dict[str, list[str]]:
    """Return for each `package==version` of a compiled requirements file its hashes."""
    entries = re.findall(
        r"^([a-z0-9._-]+==\S+)((?: \\\n +--hash=\S+)*)$", (ROOT / name).read_text(), re.MULTILINE
    )
    return {pin: re.findall(r"--hash=sha256:[0-9a-f]{64}", hashes) for pin, hashes in entries}


def keys_of(node: object) -> Iterator[str]:
    """Yield every key of a JSON document."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield key
            yield from keys_of(value)


# -- commands ----------------------------------------------------------------------------------------------


def test_readme_begins_with_the_two_commands() -> None:
    before, commands = re.split(r"^```sh\n", (ROOT / "README.md").read_text(), flags=re.MULTILINE)[:2]
    assert commands.splitlines()[:3] == ["make demo", "make test", "```"]
    assert "`" not in before, "no other command or name stands before the first two"


def test_every_target_is_listed_by_make_alone() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony is not None
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    assert targets == set(phony.group(1).split())
    listing = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    listed = dict(re.findall(r"^  make ([a-z-]+) +(\S.*)$", listing, re.MULTILINE))
    assert set(listed) == targets


def test_ci_is_executable_and_ends_with_the_tests() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111 == 0o111
    assert script.read_text().splitlines()[-1] == "exec make test"


# -- lock files --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LOCKED_REQUIREMENTS)
def test_locked_requirements_have_hashes_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text()
    pins = read_pins(name)
    lines = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert [line.removesuffix(" \\") for line in lines] == list(pins), "every line is a pin"
    assert [pin for pin, hashes in pins.items() if not hashes] == []
    assert re.findall(r"https?://|file://|--\w*index\w*|--find-links|--trusted-host", text) == []


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-page.txt"])
def test_development_uses_the_versions_that_run_on_azure(name: str) -> None:
    assert read_pins(name).items() <= read_pins("requirements-dev.txt").items()


def test_node_packages_are_locked_by_digest_without_an_address() -> None:
    lock: dict[str, Any] = json.loads((ROOT / "package-lock.json").read_text())
    packages = {path: entry for path, entry in lock["packages"].items() if path}
    assert [path for path, entry in packages.items() if not entry.get("integrity")] == []
    assert "resolved" not in set(keys_of(lock))
    declared = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    assert {name: packages[f"node_modules/{name}"]["version"] for name in declared} == declared


def test_one_version_is_told_everywhere() -> None:
    package = json.loads((ROOT / "package.json").read_text())
    assert package["version"] == PROJECT["project"]["version"] == version("tessera")


def test_pixels_are_decoded_by_the_pinned_libvips() -> None:
    """Built where libvips' headers are, pyvips would use the machine's libvips instead."""
    loaded = ".".join(str(pyvips.version(part)) for part in range(3))
    assert version("pyvips-binary").startswith(loaded)


# -- secrets and deployment --------------------------------------------------------------------------------


def test_local_settings_hold_no_secret() -> None:
    values: dict[str, str] = json.loads((ROOT / "local.settings.json").read_text())["Values"]
    assert values["AzureWebJobsStorage"] == "UseDevelopmentStorage=true"
    assert [
        name for name, value in values.items() if re.search(r"(?i)key=|sig=|secret|password", value)
    ] == []


def test_only_the_app_is_deployed(tracked: list[str]) -> None:
    left_out = GitIgnoreSpec.from_lines((ROOT / ".funcignore").read_text().splitlines())
    deployed = {Path(path).parts[0] for path in tracked if not left_out.match_file(path)}
    assert deployed == DEPLOYED


def test_local_settings_name_the_entry_file_and_it_only_registers() -> None:
    values = json.loads((ROOT / "local.settings.json").read_text())["Values"]
    tree = ast.parse((ROOT / values["PYTHON_SCRIPT_FILE_NAME"]).read_text())
    imports = [node.module for node in tree.body if isinstance(node, ast.ImportFrom)]
    assert imports == ["function_app"]
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)]


# -- folders and imports -----------------------------------------------------------------------------------


def test_readme_describes_the_folders_there_are(tracked: list[str]) -> None:
    described = set(re.findall(r"^\| `(\w+)/` \|", (ROOT / "README.md").read_text(), re.MULTILINE))
    folders = {path.split("/")[0] for path in tracked if "/" in path and not path.startswith(".")}
    assert described == folders


def test_every_package_of_ours_is_installed_and_under_contract(tracked: list[str]) -> None:
    packages = {path.split("/")[0] for path in tracked if re.fullmatch(r"\w+/__init__\.py", path)} - {"tests"}
    installed = PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]
    assert packages == set(OWN_PACKAGES) == {name for name in installed if "." not in name}


@pytest.fixture(scope="module")
def copied_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the packages and their contracts, to be broken."""
    copy = tmp_path_factory.mktemp("project")
    shutil.copy(ROOT / "pyproject.toml", copy)
    for package in OWN_PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


@pytest.mark.parametrize(
    ("package", "line", "contract"),
    [
        ("orchestrations", "import datetime", "reach no pixels, clock, chance or I/O"),
        ("orchestrations", "import tessera.execute", "use only tessera.{messages, geometry, plan, errors}"),
        ("activities", "import azure.storage.blob", "know no cloud and no network"),
        ("tessera", "import urllib.request", "know no cloud and no network"),
        ("tessera", "import activities", "function_app -> orchestrations | activities -> tessera"),
        ("tessera_client", "import tessera", "tessera_client uses nothing else of ours"),
        ("tessera_client", "import tessera_local", "tessera_client uses nothing else of ours"),
        ("tessera_local", "import function_app", "tessera_local knows no cloud, service or client"),
        ("emulator", "import function_app", "emulator uses nothing of ours"),
        ("emulator", "import drill", "emulator uses nothing of ours"),
        ("drill", "import function_app", "drill reaches the service as its clients do"),
    ],
)
def test_a_wrong_import_breaks_its_contract(
    copied_project: Path, package: str, line: str, contract: str
) -> None:
    culprit = copied_project / package / "wrong_import.py"
    culprit.write_text(line + "\n")
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]
    try:
        done = subprocess.run(command, cwd=copied_project, capture_output=True, text=True, check=False)
    finally:
        culprit.unlink()
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(rf"{re.escape(contract)}.* BROKEN", done.stdout), done.stdout


def test_every_decision_is_in_the_list() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"^\| \[(\d{4})\]\((\S+\.md)\)", (folder / "README.md").read_text(), re.MULTILINE)
    assert [name for _, name in listed] == sorted(each.name for each in folder.glob("[0-9]*.md"))
    assert all(name.startswith(f"{number}-") for number, name in listed)
