"""Configuration: the command line over the environment over the file over the defaults."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tessera_client.cli import app
from tests.client.conftest import QUICK
from tests.client.fake_api import FakeApi


@pytest.fixture
def config(tmp_path: Path, api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the place of the configuration file; there is a photo in the current folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("TESSERA_API_URL", "TESSERA_API_KEY", "TESSERA_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    for name in ("CONFIG", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name))
    monkeypatch.setattr("tessera_client.settings.RetryPolicy", lambda: QUICK)
    (tmp_path / "photo.jpg").write_bytes(b"pixels")
    path = tmp_path / "CONFIG" / "tessera" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(
        f'api = "{api.url}"\napi_key = "k3y"\n[run]\nformat = "jpeg"\nquality = 70\nop = ["canny"]\n'
    )
    return path


def tessera(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def output_of(api: FakeApi) -> object:
    return api.sent("POST", "/jobs")[-1].json["output"]


def test_each_source_is_taken_over_by_the_one_before(
    api: FakeApi, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = tessera("run", "photo.jpg", "--force")
    assert done.exit_code == 0, done.output
    assert output_of(api) == {"format": "jpeg", "quality": 70}
    monkeypatch.setenv("TESSERA_RUN_QUALITY", "80")
    tessera("run", "photo.jpg", "--force")
    assert output_of(api) == {"format": "jpeg", "quality": 80}
    tessera("run", "photo.jpg", "--force", "--quality", "90")
    assert output_of(api) == {"format": "jpeg", "quality": 90}


def test_the_address_and_the_key_hold_for_all_commands(
    api: FakeApi, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tessera("operations", "--quiet").exit_code == 0
    assert api.requests[-1].headers["x-functions-key"] == "k3y"
    monkeypatch.setenv("TESSERA_API_KEY", "other")
    tessera("list")
    assert api.requests[-1].headers["x-functions-key"] == "other"
    monkeypatch.setenv("TESSERA_API_URL", "http://127.0.0.1:9")
    assert tessera("list").exit_code == 3
    assert tessera("list", "--api", api.url).exit_code == 0


def test_another_file_can_be_named(
    api: FakeApi, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.toml"
    other.write_text(f'api = "{api.url}"\njson = true\n')
    assert isinstance(json.loads(tessera("--config", str(other), "operations").stdout), list)
    monkeypatch.setenv("TESSERA_CONFIG", str(other))
    assert isinstance(json.loads(tessera("operations").stdout), list)
    missing = tessera("--config", "gone.toml", "operations")
    assert (missing.exit_code, missing.stderr) == (2, "tessera: there is no configuration file gone.toml\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("qualty = 3", "no command has an option 'qualty'"),
        ("[run]\ntiles = 3", "`tessera run` has no option 'tiles'"),
        ("[rum]\nformat = 'png'", "there is no command 'rum'"),
        ("api = ", "is not TOML"),
        ("[run]\nquality = 200", "should be less than or equal to 100"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(config: Path, text: str, message: str) -> None:
    config.write_text(text)
    done = tessera("run", "photo.jpg", "--op", "canny")
    assert done.exit_code == 2
    assert message in " ".join(done.stderr.replace("│", " ").split())


def test_doctor_warns_of_a_file_that_others_can_read(config: Path) -> None:
    config.chmod(0o644)
    findings = {entry["name"]: entry for entry in json.loads(tessera("doctor", "--json").stdout)}
    assert findings["configuration"]["state"] == "warning"
    assert findings["configuration"]["advice"] == f"It holds a key: chmod 600 {config}"
    config.chmod(0o600)
    text = tessera("doctor").stdout
    assert f"ok      configuration: {config}\n" in text
    other = config.with_name("other.toml")
    other.write_text(config.read_text().replace('api_key = "k3y"', ""))
    assert f"ok      configuration: {other}\n" in tessera("--config", str(other), "doctor").stdout
    assert "ok      readiness: storage and task hub: ready" in text
    assert "ok      local job: an image of one pixel was processed" in text


def test_doctor_says_what_to_do_about_a_service_that_is_away(api: FakeApi, config: Path) -> None:
    config.chmod(0o600)
    api.fail("GET", "/operations", 401)
    done = tessera("doctor", "--quiet")
    assert done.exit_code == 1
    assert done.stdout.startswith("failed  key: the API answered 401")
    assert "Set TESSERA_API_KEY" in done.stdout
    assert tessera("doctor", "--local", "--quiet").exit_code == 0


def test_doctor_warns_of_a_key_on_an_open_way(config: Path) -> None:
    done = tessera("doctor", "--api", "http://tessera.invalid", "--json")
    findings = {entry["name"]: entry for entry in json.loads(done.stdout)}
    assert findings["address"]["state"] == "warning"
    assert findings["address"]["found"] == "http://tessera.invalid is not encrypted"
    assert findings["service"]["state"] == "failed"


def test_names_that_were_seen_are_offered_by_the_shell(config: Path) -> None:
    tessera("operations")
    tessera("presets")
    environment = {"_TESSERA_COMPLETE": "complete_bash", "COMP_CWORD": "4"}
    for option, start, offered in (("--op", "me", "median_blur"), ("--preset", "c", "clean_edges")):
        words = {"COMP_WORDS": f"tessera run photo.jpg {option} {start}"}
        done = CliRunner().invoke(app, [], prog_name="tessera", env=environment | words)
        assert done.stdout.split() == [offered], done.output
