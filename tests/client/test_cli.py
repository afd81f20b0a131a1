import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tessera_client import Client, Step
from tessera_client.cli import app
from tessera_client.uploads import SMALLEST_BLOCK
from tests.client.conftest import QUICK
from tests.client.fake_api import FakeApi, Fault

COMMANDS = [each.name or each.callback.__name__ for each in app.registered_commands if each.callback]


@pytest.fixture
def photo(tmp_path: Path, api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make an input in an own current folder; point the command at the fake API."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TESSERA_API_URL", api.url)
    monkeypatch.delenv("TESSERA_API_KEY", raising=False)
    monkeypatch.setattr("tessera_client.settings.RetryPolicy", lambda: QUICK)
    for name in ("CONFIG", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / f".{name.lower()}"))
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"pixels")
    return path


def tessera(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def only(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir() if not entry.name.startswith(".c")}


def test_run_writes_the_result_beside_and_says_where_and_how_long(api: FakeApi, photo: Path) -> None:
    done = tessera("run", "photo.jpg", "--op", "canny:low=50,high=150", "--op", "median_blur:ksize=3")
    assert done.exit_code == 0, done.output
    target = photo.parent / "photo-canny-median_blur.png"
    assert target.read_bytes() == api.result
    assert f"Result  {target} (40 x 30 pixels, 15 bytes)" in done.stdout
    assert "canny 0.50 s, stitch 0.01 s" in done.stdout
    assert api.blobs["uploads/upload-0"] == b"pixels"
    (sent,) = api.sent("POST", "/jobs")
    assert sent.json["pipeline"][0] == {"operation": "canny", "parameters": {"low": 50, "high": 150}}
    assert sent.json["output"] == {"format": "png"}
    assert sent.json["name"] == "photo.jpg"


def test_without_a_terminal_progress_is_plain_lines_on_stderr(api: FakeApi, photo: Path) -> None:
    api.script = [
        api.job_document(state="queued", stage=None, tiles={}, progress=0.0),
        api.job_document(),
        api.job_document(),
        api.job_document(tiles={"total": 4, "done": 3, "retried": 1}, progress=0.75),
        api.succeeded(),
    ]
    done = tessera("run", "photo.jpg", "--op", "canny")
    assert done.stderr.splitlines() == [
        "uploading photo.jpg (6 bytes)",
        "queued 0%",
        "running 25% canny 1/2, 1 of 4 tiles",
        "running 75% canny 1/2, 3 of 4 tiles, 1 retried",
        "succeeded 100% 4 of 4 tiles, 1 retried",
        "downloading photo-canny.png (15 bytes)",
    ]


def test_quiet_prints_the_path_and_nothing_else(photo: Path) -> None:
    done = tessera("run", "photo.jpg", "--op", "canny", "-o", "edges.png", "--quiet")
    assert (done.stdout, done.stderr, done.exit_code) == ("edges.png\n", "", 0)


def test_json_is_the_whole_truth_without_the_permission(photo: Path) -> None:
    done = tessera("run", "photo.jpg", "--op", "canny", "--json")
    document = json.loads(done.stdout)
    assert document["path"] == str(photo.parent / "photo-canny.png")
    assert document["job"]["state"] == "succeeded"
    assert document["job"]["some_future_field"] == {"a": 1}
    assert document["job"]["result"]["size"] == 15
    assert {"upload", "canny", "stitch", "download", "total"} <= set(document["seconds"])
    assert "sig=" not in done.output


@pytest.mark.parametrize(
    "command", [["run", "photo.jpg", "--op", "canny", "--force"], ["wait", "job-1"], ["status", "job-1"]]
)
def test_warnings_of_a_finished_job_are_told_on_stderr(api: FakeApi, photo: Path, command: list[str]) -> None:
    api.script = [api.succeeded() | {"warnings": ["two kinds of machines"]}]
    tessera("submit", "photo.jpg", "--op", "canny")
    done = tessera(*command)
    assert done.exit_code == 0
    assert done.stderr.splitlines()[-1] == "tessera: warning: two kinds of machines"
    assert "two kinds" not in done.stdout
    assert "two kinds" not in tessera(*command, "--quiet").output


@pytest.mark.parametrize("command", [["run", "photo.jpg", "--op", "canny"], ["wait", "job-1"]])
def test_warnings_go_beside_a_result_that_is_piped_and_into_json(
    api: FakeApi, photo: Path, command: list[str]
) -> None:
    api.script = [api.succeeded() | {"warnings": ["two kinds of machines"]}]
    tessera("submit", "photo.jpg", "--op", "canny")
    piped = tessera(*command, "-o", "-")
    assert piped.stdout_bytes == api.result
    assert "tessera: warning: two kinds of machines\n" in piped.stderr
    as_json = tessera(*command, "-o", "edges.png", "--json")
    assert json.loads(as_json.stdout)["job"]["warnings"] == ["two kinds of machines"]
    assert "tessera: warning" not in as_json.stderr


@pytest.mark.parametrize(
    ("arguments", "name", "output"),
    [
        (["-o", "a.png"], "a.png", {"format": "png"}),
        (["-o", "a.JPG"], "a.JPG", {"format": "jpeg"}),
        (["-o", "a.jpeg", "--quality", "80"], "a.jpeg", {"format": "jpeg", "quality": 80}),
        (["--format", "jpeg"], "photo-canny.jpg", {"format": "jpeg"}),
        (["-o", "a.out", "--format", "jpeg"], "a.out", {"format": "jpeg"}),
        (["-o", "bare"], "bare", {"format": "png"}),
        (["--format", "same", "--quality", "80"], "photo-canny.jpg", {"format": "same", "quality": 80}),
        (
            ["-o", "a.tif", "--compression", "small", "--pyramid", "--keep-metadata"],
            "a.tif",
            {"format": "tiff", "compression": "small", "pyramid": True, "keep_metadata": True},
        ),
        (
            ["-o", "a.jpg", "--subsampling", "4:4:4"],
            "a.jpg",
            {"format": "jpeg", "subsampling": "4:4:4"},
        ),
        (["-o", "folder.d"], "folder.d/photo-canny.png", {"format": "png"}),
    ],
)
def test_the_format_follows_from_option_or_suffix(
    api: FakeApi, photo: Path, arguments: list[str], name: str, output: dict[str, object]
) -> None:
    (photo.parent / "folder.d").mkdir()
    done = tessera("run", "photo.jpg", "--op", "canny", *arguments)
    assert done.exit_code == 0, done.output
    assert (photo.parent / name).read_bytes() == api.result
    assert api.sent("POST", "/jobs")[0].json["output"] == output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "a.bmp"], "'.bmp' names no known format; use .png, .jpg, .jpeg, .tif, .tiff"),
        (["-o", "a.png", "--format", "jpeg"], "suffix of another format"),
        (["--format", "webp"], "'webp' is not one of png, jpeg, tiff, same"),
        (["--quality", "80"], "png has no quality; it is for jpeg"),
        (["--pyramid"], "png has no pyramid; it is for tiff"),
        (["-o", "a.jpg", "--compression", "small"], "jpeg has no compression; it is for png and tiff"),
        (["--format", "jpeg", "--quality", "0"], "should be greater than or equal to 1"),
        (["-o", "nowhere/a.png"], "the folder nowhere does not exist"),
        (["-o", "old.png"], "old.png already exists"),
        (["--op", "canny:low"], "'low' in 'canny:low' is not name=value"),
        (["--op", "cany"], "there is no operation 'cany'"),
        (["--op", "cany"], "Did you mean canny?"),
        (["--op", "canny:hihg=3"], "canny has no parameter 'hihg'"),
        (["--op", "canny:low=-1"], "canny: low=-1 is not within 0 to 1000"),
        (["--op", "median_blur:ksize=2"], "median_blur: ksize=2 is not within >= 3"),
        (["--op", "median_blur"], "median_blur needs the parameter 'ksize'"),
    ],
)
def test_a_mistake_on_the_command_line_costs_no_upload(
    api: FakeApi, photo: Path, arguments: list[str], message: str
) -> None:
    (photo.parent / "old.png").write_bytes(b"mine")
    done = tessera("run", "photo.jpg", "--op", "canny", *arguments)
    words = " ".join(done.stderr.replace("│", " ").split())
    assert message in words
    assert done.exit_code == 2
    assert not api.sent("POST", "")
    assert only(photo.parent) == {"photo.jpg", "old.png"}
    assert (photo.parent / "old.png").read_bytes() == b"mine"


def test_force_overwrites(api: FakeApi, photo: Path) -> None:
    old = photo.parent / "old.png"
    old.write_bytes(b"mine")
    assert tessera("run", "photo.jpg", "--op", "canny", "-o", "old.png", "--force").exit_code == 0
    assert old.read_bytes() == api.result


def test_a_missing_input_is_a_usage_error(photo: Path) -> None:
    done = tessera("run", "gone.jpg", "--op", "canny")
    assert done.exit_code == 2
    assert "'gone.jpg' does not exist" in done.stderr


def test_a_failed_job_ends_with_1_and_the_reason(api: FakeApi, photo: Path) -> None:
    error = {"title": "Damaged image", "status": 422, "detail": "it ends early", "hint": "Send it again."}
    api.script = [api.job_document(state="failed", error=error)]
    done = tessera("run", "photo.jpg", "--op", "canny", "--quiet")
    assert done.exit_code == 1
    assert done.stderr == "tessera: job job-1 failed: Damaged image: it ends early\n  Send it again.\n"
    assert only(photo.parent) == {"photo.jpg"}


def test_a_failed_job_is_also_json(api: FakeApi, photo: Path) -> None:
    api.script = [api.job_document(state="failed", error={"title": "Damaged image", "status": 422})]
    done = tessera("run", "photo.jpg", "--op", "canny", "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["error"]["title"] == "Damaged image"


def test_a_refused_job_ends_with_1_and_the_hint(api: FakeApi, photo: Path) -> None:
    api.problem("POST", "/jobs", 422, title="Too large", limit=9, actual=12, hint="Use a smaller image.")
    done = tessera("run", "photo.jpg", "--op", "canny", "--quiet")
    assert done.exit_code == 1
    assert done.stderr == "tessera: Too large (limit 9, actual 12)\n  Use a smaller image.\n"


def test_no_service_ends_with_3_and_how_to_start_it(photo: Path, api: FakeApi) -> None:
    api.hang_up("GET", "/operations", times=QUICK.attempts)
    done = tessera("run", "photo.jpg", "--op", "canny")
    assert done.exit_code == 3
    assert f"cannot reach the API at {api.url}" in done.stderr
    assert "make up" in done.stderr


def test_a_lost_download_says_how_to_get_the_result_later(api: FakeApi, photo: Path) -> None:
    api.hang_up("GET", "/blob/", times=QUICK.attempts)
    lost = tessera("run", "photo.jpg", "--op", "canny")
    assert lost.exit_code == 1
    assert "Job job-1 is not lost: go on with `tessera wait job-1 -o FILE`." in lost.stderr
    assert only(photo.parent) == {"photo.jpg"}
    again = tessera("wait", "job-1", "-o", "edges.png")
    assert again.exit_code == 0
    assert (photo.parent / "edges.png").read_bytes() == api.result


def test_submit_prints_the_id_that_the_other_commands_take(api: FakeApi, photo: Path) -> None:
    api.script = [api.job_document(), api.job_document(), api.succeeded()]
    assert tessera("submit", "photo.jpg", "--op", "canny", "--quiet").stdout == "job-1\n"
    assert tessera("status", "job-1", "--quiet").stdout == "running\n"
    waited = tessera("wait", "job-1", "--quiet")
    assert (waited.stdout, waited.exit_code) == ("succeeded\n", 0)
    assert only(photo.parent) == {"photo.jpg"}


@pytest.mark.parametrize("command", ["run", "submit", "plan"])
def test_a_page_of_the_file_is_asked_for(command: str, api: FakeApi, photo: Path) -> None:
    done = tessera(command, "photo.jpg", "--op", "canny", "--page", "3")
    assert done.exit_code == 0, done.output
    assert api.sent("POST", "/plans" if command == "plan" else "/jobs")[0].json["page"] == 3


def test_status_tells_what_is_known(api: FakeApi, photo: Path) -> None:
    tessera("submit", "photo.jpg", "--op", "canny")
    lines = tessera("status", "job-1").stdout.splitlines()
    assert lines == [
        "Job       job-1",
        "State     running",
        "Input     photo.jpg, JPEG, 40 x 30 pixels, 9 bytes",
        "Steps     canny",
        "Progress  25%, canny 1/2, 1 of 4 tiles",
        "Created   2026-11-23 18:00:00 UTC",
    ]


def test_status_of_a_failed_job_tells_why(api: FakeApi, photo: Path) -> None:
    api.script = [
        api.job_document(state="failed", error={"title": "Damaged image", "hint": "Send it again."})
    ]
    tessera("submit", "photo.jpg", "--op", "canny")
    done = tessera("status", "job-1")
    assert done.exit_code == 0
    assert "Error     Damaged image. Send it again." in done.stdout.splitlines()


def test_status_json_is_what_the_api_said(api: FakeApi, photo: Path) -> None:
    tessera("submit", "photo.jpg", "--op", "canny")
    assert json.loads(tessera("status", "job-1", "--json").stdout) == {"id": "job-1", **api.job_document()}


def test_an_unknown_job_ends_with_4(photo: Path) -> None:
    done = tessera("status", "gone/../x")
    assert (done.exit_code, done.stderr) == (4, "tessera: No such job\n  Jobs are kept for a day.\n")


def test_cancel_stops_the_job_once(api: FakeApi, photo: Path) -> None:
    tessera("submit", "photo.jpg", "--op", "canny")
    done = tessera("cancel", "job-1")
    assert (done.exit_code, done.stdout) == (0, "Job job-1 is being cancelled.\n")
    assert tessera("status", "job-1", "--quiet").stdout == "cancelled\n"
    again = tessera("cancel", "job-1")
    assert (again.exit_code, again.stderr) == (1, "tessera: The job is over\n")


def test_retry_takes_a_failed_job_up_again(api: FakeApi, photo: Path) -> None:
    api.script = [api.job_document(state="failed")]
    api.retried = [api.succeeded()]
    tessera("submit", "photo.jpg", "--op", "canny")
    assert tessera("retry", "job-1").stdout == "Job job-1 goes on.\n"
    assert tessera("wait", "job-1", "--quiet").stdout == "succeeded\n"
    assert tessera("retry", "job-1").exit_code == 1


def test_delete_removes_jobs_and_goes_on_after_one_that_is_gone(api: FakeApi, photo: Path) -> None:
    for _ in range(2):
        tessera("submit", "photo.jpg", "--op", "canny")
    done = tessera("delete", "job-1", "gone", "job-2")
    assert done.exit_code == 4
    assert done.stderr.startswith("tessera: gone: No such job\n")
    assert not api.jobs
    assert json.loads(tessera("delete", "job-1", "--json").stdout)["error"]["exit_code"] == 4


def test_list_shows_all_pages_up_to_the_limit(api: FakeApi, photo: Path) -> None:
    api.page = 2
    for _ in range(5):
        tessera("submit", "photo.jpg", "--op", "canny")
    api.jobs["job-2"][0]["state"] = "failed"
    assert tessera("list", "--quiet").stdout.split() == [f"job-{number}" for number in (5, 4, 3, 2, 1)]
    assert tessera("list", "--limit", "3", "--quiet").stdout.split() == ["job-5", "job-4", "job-3"]
    assert [each["id"] for each in json.loads(tessera("list", "--state", "failed", "--json").stdout)] == [
        "job-2"
    ]
    row = ["job-1", "running", "2026-11-23", "18:00:00", "photo.jpg", "canny"]
    assert row in [line.split() for line in tessera("list").stdout.splitlines()]
    assert tessera("list", "--state", "queued").stdout == "There are no such jobs.\n"


def test_list_asks_for_what_is_wanted(api: FakeApi, photo: Path) -> None:
    wanted = ("--text", "canny", "--since", "2026-11-01", "--until", "2026-11-24")
    assert tessera("list", *wanted).exit_code == 0
    asked = api.sent("GET", "/jobs")[-1].path
    assert all(f"{name[2:]}={value}" in asked for name, value in zip(wanted[::2], wanted[1::2], strict=True))
    assert tessera("list", "--since", "yesterday").exit_code == 2


def test_batches_are_listed_page_by_page_and_shown_with_their_manifest(api: FakeApi, photo: Path) -> None:
    api.page = 1
    with Client(api.url) as client:
        for _ in range(3):
            client.submit_batch({"u": "a.png"}, [Step("canny")])
    assert tessera("batches", "--quiet").stdout.split() == ["batch-3", "batch-2", "batch-1"]
    assert tessera("batches", "--limit", "2", "--quiet").stdout.split() == ["batch-3", "batch-2"]
    listed = tessera("batches").stdout
    assert "1 of 1" in listed
    assert "canny" in listed
    shown = tessera("batches", "batch-1")
    assert "succeeded, 1 of 1 images are done" in shown.stdout
    assert "a.png" in shown.stdout
    assert json.loads(tessera("batches", "batch-1", "--json").stdout)["manifest"][0]["job"] == "job-1"
    assert tessera("batches", "batch-1", "--quiet").stdout == "job-1\n"
    assert tessera("batches", "nowhere").exit_code == 4


def test_status_lists_the_tiles(api: FakeApi, photo: Path) -> None:
    api.page = 2
    tessera("submit", "photo.jpg", "--op", "canny")
    rows = [line.split() for line in tessera("status", "job-1", "--tiles").stdout.splitlines()]
    assert ["0", "1", "0,", "0", "to", "40,", "15", "done", "2", "0.25", "s"] in rows
    assert ["2", "2", "0,", "0", "to", "40,", "15", "waiting", "0"] in rows
    document = json.loads(tessera("status", "job-1", "--tiles", "--json").stdout)
    assert [tile["attempts"] for tile in document["tiles"]] == [2, 1, 0]


def test_result_gives_a_link_or_the_file(api: FakeApi, photo: Path) -> None:
    tessera("submit", "photo.jpg", "--op", "canny")
    tessera("wait", "job-1")
    link = tessera("result", "job-1")
    assert link.stdout.startswith(f"{api.url}/blob/results/out?")
    document = json.loads(tessera("result", "job-1", "--json").stdout)
    assert (document["size"], document["media_type"]) == (15, "image/png")
    assert tessera("result", "job-1", "-o", "edges.png", "--quiet").stdout == "edges.png\n"
    assert (photo.parent / "edges.png").read_bytes() == api.result
    assert tessera("result", "job-1", "-o", "-").stdout_bytes == api.result


def test_a_job_without_result_has_none_to_fetch(api: FakeApi, photo: Path) -> None:
    api.script = [api.job_document()]
    tessera("submit", "photo.jpg", "--op", "canny")
    assert tessera("result", "job-1").stderr == "tessera: There is no result\n"
    assert "job job-1 has no result yet, it is running" in tessera("result", "job-1", "-o", "a.png").stderr
    assert only(photo.parent) == {"photo.jpg"}


def test_wait_gives_up_in_time_with_5(api: FakeApi, photo: Path) -> None:
    api.script = [api.job_document()]
    tessera("submit", "photo.jpg", "--op", "canny")
    done = tessera("wait", "job-1", "--timeout", "0.2", "--quiet")
    assert (done.exit_code, done.stderr) == (
        5,
        "tessera: the job did not finish within 0.2 s\n  It goes on.\n",
    )


def test_watch_prints_a_line_of_json_for_each_change(api: FakeApi, photo: Path) -> None:
    api.script = [api.job_document(), api.job_document(), api.succeeded()]
    tessera("submit", "photo.jpg", "--op", "canny")
    lines = [json.loads(line) for line in tessera("watch", "job-1", "--json").stdout.splitlines()]
    assert [line["state"] for line in lines] == ["running", "succeeded"]
    assert "url" not in lines[-1]["result"]


def test_plan_tells_what_a_job_would_take(api: FakeApi, photo: Path) -> None:
    done = tessera("plan", "photo.jpg", "--op", "canny")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [
        "Result    40 x 30 pixels, 1 channel of 8 bits",
        "Tiles     4",
        "Memory    50.0 MB in each task",
        "Work      1.50 s of one processor",
        "Time      0.50 s to 2.00 s",
        "Cost      $0.000120",
        "Stage 1   2 tiles of 40 x 16, halo 4: canny",
        "Stage 2   2 tiles of 40 x 16: canny",
        "Warning   the image is small",
    ]
    assert (
        json.loads(tessera("plan", "photo.jpg", "--op", "canny", "--json").stdout)["some_future_field"] == 1
    )
    assert tessera("plan", "photo.jpg", "--op", "canny", "--quiet").stdout == "4\n"
    assert not api.jobs


def test_presets_are_listed_explained_and_used(api: FakeApi, photo: Path) -> None:
    assert tessera("presets", "--quiet").stdout == "clean_edges\n"
    text = tessera("presets", "clean_edges").stdout
    assert "  --op median_blur:ksize=5\n  --op canny:low=50,high=120\n" in text
    (photo.parent / "steps.json").write_text(tessera("presets", "clean_edges", "--json").stdout)
    assert tessera("run", "photo.jpg", "--preset", "clean_edges", "--op", "canny").exit_code == 0
    assert tessera("run", "photo.jpg", "--pipeline", "steps.json").exit_code == 0
    first, second = (sent.json["pipeline"] for sent in api.sent("POST", "/jobs"))
    assert [step["operation"] for step in first] == ["median_blur", "canny", "canny"]
    assert second == first[:2]
    assert {"photo-clean_edges-canny.png", "photo-steps.png"} <= only(photo.parent)
    refused = tessera("run", "photo.jpg", "--preset", "clean")
    assert (refused.exit_code, refused.stderr) == (
        2,
        "tessera: there is no preset 'clean'\n  There are: clean_edges.\n",
    )


def test_no_operation_at_all_is_refused(api: FakeApi, photo: Path) -> None:
    done = tessera("run", "photo.jpg")
    assert done.exit_code == 2
    assert "no operation is given\n  Add --op, --preset or --pipeline." in done.stderr


def test_stdin_and_stdout_are_files_too(api: FakeApi, photo: Path) -> None:
    arguments = ["run", "-", "--op", "canny", "--quiet"]
    done = CliRunner().invoke(app, arguments, input=b"pixels of stdin")
    assert (done.exit_code, done.stdout_bytes) == (0, api.result), done.stderr
    assert api.blobs["uploads/upload-0"] == b"pixels of stdin"
    (sent,) = api.sent("POST", "/jobs")
    assert sent.json["name"] == "stdin"
    assert tessera("run", "photo.jpg", "--op", "canny", "-o", "-").stdout_bytes == api.result
    assert only(photo.parent) == {"photo.jpg"}


def test_an_error_is_one_json_document_too(api: FakeApi, photo: Path) -> None:
    done = tessera("run", "photo.jpg", "--op", "cany", "--json")
    assert json.loads(done.stdout) == {
        "error": {
            "message": "there is no operation 'cany'",
            "hint": "Did you mean canny? `tessera operations` lists them.",
            "exit_code": 2,
        }
    }


def test_operations_lists_all_with_their_parameters(photo: Path) -> None:
    done = tessera("operations")
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["canny", "global", "low,", "high", "Find", "edges."] in rows
    assert tessera("operations", "--quiet").stdout == "canny\nmedian_blur\n"
    assert [entry["class"] for entry in json.loads(tessera("operations", "--json").stdout)] == [
        "global",
        "stencil",
    ]


def test_one_operation_is_explained_with_an_example_that_works(photo: Path) -> None:
    text = tessera("operations", "canny").stdout
    assert "canny (global): Find edges." in text
    assert "accepts   channels: 1 3, depths: 8" in text
    assert ["low", "number", "0", "to", "1000", "100"] in [line.split() for line in text.splitlines()]
    example = text.strip().rpartition("--op ")[2]
    assert example == "canny:low=100,high=200"
    assert tessera("run", "photo.jpg", "--op", example).exit_code == 0


def test_a_required_parameter_is_marked(photo: Path) -> None:
    text = tessera("operations", "median_blur").stdout
    (row,) = [line.split() for line in text.splitlines() if line.startswith("ksize")]
    assert row == ["ksize", "integer", ">=", "3", "required", "Odd", "side", "length."]
    assert "--op median_blur:ksize=3" in text


def test_an_unknown_operation_is_a_usage_error(photo: Path) -> None:
    done = tessera("operations", "median")
    assert done.exit_code == 2
    assert "there is no operation 'median'" in done.stderr


def test_a_broken_answer_is_no_traceback(api: FakeApi, photo: Path) -> None:
    api.faults.append(Fault("GET", "/operations", 200, b"<html>login</html>", {"content-type": "text/html"}))
    done = tessera("operations")
    assert done.exit_code == 3
    assert "is not the Tessera API (200 text/html)" in done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example(command: str) -> None:
    done = CliRunner().invoke(app, [command, "--help"], env={**os.environ, "COLUMNS": "200"})
    assert done.exit_code == 0
    assert f"tessera {command}" in done.stdout.partition("Example")[2]


def test_every_command_is_in_the_help_of_the_whole() -> None:
    text = CliRunner().invoke(app, ["--help"]).stdout
    assert [name for name in COMMANDS if f"│ {name} " not in text] == []
    assert len(COMMANDS) == 16


def test_an_upload_that_broke_goes_on_with_the_same_command(api: FakeApi, photo: Path) -> None:
    photo.write_bytes(bytes(5 * SMALLEST_BLOCK))
    api.fail("PUT", "blockid=MDAwMDAwMDM%3D", *[503] * QUICK.attempts)
    broken = tessera("submit", "photo.jpg", "--op", "canny")
    assert broken.exit_code == 1
    assert "blocks have arrived: the same command again goes on from there." in broken.stderr
    (record,) = (photo.parent / ".cache/tessera/uploads").iterdir()
    assert record.stat().st_mode & 0o777 == 0o600
    sent = len(api.sent("PUT", "comp=block&"))
    done = tessera("submit", "photo.jpg", "--op", "canny")
    assert done.exit_code == 0, done.stderr
    assert len(api.sent("PUT", "comp=block&")) - sent < 5
    assert len(api.sent("POST", "/uploads")) == 1
    assert api.blobs["uploads/upload-0"] == photo.read_bytes()
    assert not record.exists()


def test_a_file_that_changed_is_sent_from_the_beginning(api: FakeApi, photo: Path) -> None:
    photo.write_bytes(bytes(5 * SMALLEST_BLOCK))
    api.fail("PUT", "blockid=MDAwMDAwMDM%3D", *[503] * QUICK.attempts)
    assert tessera("submit", "photo.jpg", "--op", "canny").exit_code == 1
    photo.write_bytes(b"1" * 5 * SMALLEST_BLOCK)
    assert tessera("submit", "photo.jpg", "--op", "canny").exit_code == 0
    assert len(api.sent("POST", "/uploads")) == 2
    assert [data for name, data in api.blobs.items() if name.startswith("uploads/")] == [photo.read_bytes()]
