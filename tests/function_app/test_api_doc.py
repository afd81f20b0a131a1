"""Every command of docs/api.md is run, in order, against the stack."""

import hashlib
import hmac
import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from emulator.stack import Stack
from function_app import webhooks
from function_app.settings import Settings
from tests.support.images import decode

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs/api.md").read_text()
PATIENCE_SECONDS = 120


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", DOC, re.MULTILINE | re.DOTALL)


def test_the_commands_do_what_the_page_says(stack: Stack, tmp_path: Path) -> None:
    bash = shutil.which("bash")
    if bash is None or shutil.which("curl") is None:
        pytest.skip("bash and curl are needed to run the page's commands")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    script = "set -euo pipefail\n" + "\n".join(blocks("sh"))
    run = subprocess.run(
        [bash, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "API": f"{stack.url}/api/v1"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    said = run.stdout.splitlines()
    assert "succeeded" in said
    assert "cancelling" in said
    assert "did you mean canny?" in run.stdout
    assert decode((tmp_path / "edges.png").read_bytes()).shape[2] == 1


def test_the_receivers_check_takes_our_signature_and_no_other() -> None:
    (code,) = blocks("python")
    names: dict[str, Any] = {"hmac": hmac, "hashlib": hashlib}
    exec(code, names)
    is_genuine, now, body = names["is_genuine"], int(time.time()), b'{"id": "1"}'
    header = webhooks.signature("s" * 16, body, now)
    assert is_genuine("s" * 16, header, body, now)
    assert not is_genuine("t" * 16, header, body, now)
    assert not is_genuine("s" * 16, header, body + b" ", now)
    assert not is_genuine("s" * 16, header, body, now + 301)


def test_every_setting_named_is_one() -> None:
    known = {field.alias for field in Settings.model_fields.values()}
    named = set(re.findall(r"`(TESSERA_\w+)`", DOC))
    assert named <= known
    for alias, default in re.findall(r"^\| `(TESSERA_\w+)` \| (\d+) \|", DOC, re.MULTILINE):
        (field,) = (field for field in Settings.model_fields.values() if field.alias == alias)
        assert field.default == int(default)
