"""The running API against its own description: schemathesis with all checks, keys asked for as on Azure."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from emulator.stack import Stack, running
from tests.support.images import encode, textured

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent / "contract"
PHASES = "examples,coverage,fuzzing,stateful"
MOST_EXAMPLES = 8
LEAST_CASES = 2000
SEED = 20251124
PATIENCE_SECONDS = 600


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, str]]:
    """Give a stack that asks for keys, and the key."""
    folder = tmp_path_factory.mktemp("guarded")
    with running(ROOT, folder, workers=2, options=["--enforce-keys"]) as stack:
        yield stack, str(json.loads((folder / "keys.json").read_text())["default"])


def test_no_answer_is_a_failure_or_undocumented(guarded: tuple[Stack, str], tmp_path: Path) -> None:
    stack, key = guarded
    with httpx.Client(base_url=f"{stack.url}/api/v1", headers={"x-functions-key": key}, timeout=30) as api:
        uploads = [put_upload(api, channels) for channels in (1, 3, 4)]
        jobs = [start(api, upload) for upload in uploads * 3]
        batches = [start_batch(api, uploads) for _ in range(2)]
    command = [
        *(
            str(Path(sys.executable).with_name("schemathesis")),
            "--config-file",
            str(HERE / "schemathesis.toml"),
        ),
        *("run", f"{stack.url}/api/v1/openapi.json", "-H", f"x-functions-key: {key}", "--checks", "all"),
        *("--phases", PHASES, "--max-examples", str(MOST_EXAMPLES), "--seed", str(SEED), "--no-color"),
        "--continue-on-failure",
    ]
    environment = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": "hooks",
        "PYTHONPATH": str(HERE),
        "CONTRACT_UPLOADS": " ".join(uploads),
        "CONTRACT_JOBS": " ".join(jobs),
        "CONTRACT_BATCHES": " ".join(batches),
    }
    run = subprocess.run(
        command,
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    said = (run.stdout + run.stderr).replace(key, "...")
    cases = re.search(r"(\d+) generated", said)
    print(f"seed {SEED}, {cases and cases.group(1)} cases")
    assert run.returncode == 0, said
    assert cases is not None, said
    assert int(cases.group(1)) >= LEAST_CASES


def put_upload(api: httpx.Client, channels: int) -> str:
    granted = api.post("/uploads", json={}).raise_for_status().json()
    data = encode(textured(60, 80, channels))
    httpx.put(granted["url"], content=data, headers={"x-ms-blob-type": "BlockBlob"}).raise_for_status()
    return str(granted["id"])


def start(api: httpx.Client, upload: str) -> str:
    body = {"upload_id": upload, "pipeline": [{"operation": "invert"}]}
    return str(api.post("/jobs", json=body).raise_for_status().json()["id"])


def start_batch(api: httpx.Client, uploads: list[str]) -> str:
    inputs = [{"upload_id": upload} for upload in uploads]
    body = {"inputs": inputs, "pipeline": [{"operation": "invert"}]}
    return str(api.post("/batches", json=body).raise_for_status().json()["id"])
