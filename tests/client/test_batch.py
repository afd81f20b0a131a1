"""Several files in one command."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tessera_client.cli import app
from tests.client.conftest import QUICK
from tests.client.fake_api import FakeApi


@pytest.fixture
def folder(tmp_path: Path, api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make three photos in an own current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TESSERA_API_URL", api.url)
    for name in ("CONFIG", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / f".{name}"))
    monkeypatch.setattr("tessera_client.settings.RetryPolicy", lambda: QUICK)
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path


def tessera(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


@pytest.mark.parametrize("inputs", [["*.jpg"], ["a.jpg", "b.jpg", "c.jpg"]], ids=["pattern", "names"])
def test_each_file_gets_its_result_in_the_folder(api: FakeApi, folder: Path, inputs: list[str]) -> None:
    done = tessera("run", *inputs, "--op", "canny", "-o", "out/edges/")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("3 files: 3 done (")
    assert sorted(path.name for path in (folder / "out/edges").iterdir()) == [
        "a-canny.png", "b-canny.png", "c-canny.png",
    ]  # fmt: skip
    assert sorted(sent.json["name"] for sent in api.sent("POST", "/jobs")) == ["a.jpg", "b.jpg", "c.jpg"]
    assert len(api.sent("GET", "/operations")) == 1
    lines = sorted(line.partition("] ")[2].partition(" (")[0] for line in done.stderr.splitlines())
    assert lines == [f"{name}.jpg -> out/edges/{name}-canny.png" for name in "abc"]


def test_one_that_fails_does_not_stop_the_others(api: FakeApi, folder: Path) -> None:
    api.problem("POST", "/jobs", 422, title="Damaged image", hint="Send it again.")
    done = tessera("run", "*.jpg", "--op", "canny", "--jobs", "1", "--json")
    document = json.loads(done.stdout)
    assert done.exit_code == 1
    assert (document["done"], document["failed"]) == (2, 1)
    first = document["files"][0]
    assert (first["input"], first["state"], first["error"], first["hint"]) == (
        "a.jpg", "failed", "Damaged image", "Send it again.",
    )  # fmt: skip
    assert "tessera: a.jpg: failed: Damaged image\n  Send it again.\n" in done.stderr
    assert {path.name for path in folder.glob("*.png")} == {"b-canny.png", "c-canny.png"}


def test_warnings_are_told_with_the_file_they_are_about(api: FakeApi, folder: Path) -> None:
    api.script = [api.succeeded() | {"warnings": ["two kinds of machines"]}]
    done = tessera("run", "a.jpg", "b.jpg", "--op", "canny")
    told = [line for line in done.stderr.splitlines() if line.startswith("tessera: ")]
    assert told == [f"tessera: warning: {name}.jpg: two kinds of machines" for name in "ab"]
    as_json = json.loads(tessera("run", "c.jpg", "b.jpg", "--op", "canny", "--force", "--json").stdout)
    assert [file["warnings"] for file in as_json["files"]] == [["two kinds of machines"]] * 2


def test_a_job_that_fails_is_told_with_its_reason(api: FakeApi, folder: Path) -> None:
    api.script = [api.job_document(state="failed", error={"title": "Damaged image", "status": 422})]
    done = tessera("run", "a.jpg", "b.jpg", "--op", "canny", "--quiet")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "tessera: a.jpg: failed: job job-" in done.stderr
    assert "Damaged image" in done.stderr


def test_results_that_exist_are_kept_and_can_be_skipped(api: FakeApi, folder: Path) -> None:
    (folder / "b-canny.png").write_bytes(b"mine")
    refused = tessera("run", "*.jpg", "--op", "canny")
    assert refused.exit_code == 1
    assert "b.jpg: failed: b-canny.png already exists" in refused.stderr
    done = tessera("run", "*.jpg", "--op", "canny", "--skip-existing", "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["skipped"] == 3
    assert (folder / "b-canny.png").read_bytes() == b"mine"
    assert len(api.sent("POST", "/jobs")) == 2


def test_no_more_files_than_allowed_are_in_work(api: FakeApi, folder: Path) -> None:
    most = 0

    def count(request: object) -> None:
        nonlocal most
        with api.lock:
            running = [script for script in api.jobs.values() if len(script) > 1]
            most = max(most, len(running))

    api.on_answer = count
    assert tessera("run", "*.jpg", "--op", "canny", "--jobs", "1").exit_code == 0
    assert most == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["*.png"], "No file matches '*.png'"),
        (["a.jpg", "gone.jpg"], "File 'gone.jpg' does not exist"),
        (["sub"], "'sub' is a folder; write 'sub/*'"),
        (["a.jpg", "sub/a.jpg"], "a.jpg and sub/a.jpg would both become a-canny.png"),
        (["a.jpg", "-"], "- reads one image from a pipe or a file"),
        (["*.jpg", "-o", "-"], "one result is written to a pipe or a file"),
        (["*.jpg", "--op", "cany"], "there is no operation 'cany'"),
    ],
)
def test_mistakes_cost_no_upload(api: FakeApi, folder: Path, arguments: list[str], message: str) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "a.jpg").write_bytes(b"another")
    done = tessera("run", *arguments, "--op", "canny")
    assert done.exit_code == 2
    assert message in " ".join(done.stderr.replace("│", " ").split())
    assert not api.sent("POST", "")
