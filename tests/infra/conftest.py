"""The linters of the infrastructure, in their own environment, and what they read."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
BICEP = ROOT / "infra" / "bicep"
FILES = sorted(path.relative_to(BICEP) for path in BICEP.rglob("*.bicep"))

# The app reads its settings when it is imported.
os.environ.setdefault("AzureWebJobsStorage", "UseDevelopmentStorage=true")

type Document = dict[str, Any]

# Each file by itself: what the parser can't read is told, and not left out.
PARSE = """
import json, sys
from pathlib import Path
from pycep import BicepParser
parser = BicepParser()
json.dump({name: parser.parse(file_path=Path(name)) for name in sys.argv[1:]}, sys.stdout)
"""


def run(*command: str | Path, **options: Any) -> "subprocess.CompletedProcess[str]":
    """Run a command in the root of the repository, or in *cwd*, and return what it printed."""
    return subprocess.run(
        [str(part) for part in command],
        cwd=options.pop("cwd", ROOT),
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


@pytest.fixture(scope="session")
def tools() -> Path:
    """Return the folder of the linters' commands, installed when they aren't there."""
    done = run("scripts/infra_tools.sh")
    assert done.returncode == 0, done.stderr
    return ROOT / ".venv-infra" / "bin"


@pytest.fixture(scope="session")
def bicep(tools: Path) -> dict[str, Document]:
    """Return the syntax tree of every Bicep file, as the parser of checkov reads it."""
    done = run(tools / "python", "-c", PARSE, *FILES, cwd=BICEP)
    assert done.returncode == 0, done.stderr
    documents: dict[str, Document] = json.loads(done.stdout)
    return documents


@pytest.fixture(scope="session")
def main(bicep: dict[str, Document]) -> Document:
    return bicep["main.bicep"]


def unwrapped(config: Any) -> Document:
    """Return what a condition or a loop is around."""
    while isinstance(config, dict) and "config" in config:
        config = config["config"]
    assert isinstance(config, dict)
    return config


def resources(documents: dict[str, Document]) -> Iterator[tuple[str, str, Document]]:
    """Yield file, symbolic name and declaration of each resource."""
    for file, document in documents.items():
        for name, resource in document.get("resources", {}).items():
            yield file, name, resource


def nodes(node: Any) -> Iterator[Any]:
    """Yield *node* and everything in it."""
    yield node
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        yield from nodes(child)
