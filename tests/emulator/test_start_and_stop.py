"""Starting and stopping the emulator: refusals, the ready file, what is left behind."""

import json
import os
import shutil
import signal
import socket
import time
from pathlib import Path

import httpx
import psutil
import pytest

from tests.emulator.hosting import SAMPLE, emulate, launch, until


def _app(folder: Path, code: str, name: str = "function_app.py") -> Path:
    app = folder / "app"
    app.mkdir()
    (app / "host.json").write_text('{"version": "2.0"}')
    (app / name).write_text(code)
    return app


def _refused(folder: Path, app: Path, *options: str, seconds: float = 20) -> str:
    """Start a host that must end by itself with exit code 1; give what it printed."""
    log = folder / "refused.log"
    process = launch(log, ["--port", "0", "--state", str(folder / "refused.sqlite"), *options], app, {})
    try:
        code = process.wait(seconds)
    finally:
        process.kill()
    assert code == 1, log.read_text()
    return log.read_text()


_HEAD = "import azure.functions as func\nimport azure.durable_functions as df\napp = df.DFApp()\n"


def test_an_app_that_cannot_be_imported_shows_its_traceback_once(tmp_path: Path) -> None:
    app = _app(tmp_path, _HEAD + "\nraise RuntimeError('no luck')\n")
    output = _refused(tmp_path, app)
    assert output.count("RuntimeError: no luck") == 2  # in the summary and at the traceback's end
    assert output.count("Traceback (most recent call last)") == 1
    assert f'{app}/function_app.py", line 5' in output
    assert "error: the app can't be loaded" in output


def test_an_app_that_kills_its_process_while_it_is_imported_is_given_up(tmp_path: Path) -> None:
    output = _refused(tmp_path, _app(tmp_path, "import os\nos._exit(3)\n"))
    assert "ended while it started (exit code 3)" in output


def test_a_missing_module_is_named(tmp_path: Path) -> None:
    assert "No module named 'no_such_module'" in _refused(tmp_path, _app(tmp_path, "import no_such_module\n"))


def test_an_app_without_functions_is_refused(tmp_path: Path) -> None:
    assert "the app has no functions" in _refused(tmp_path, _app(tmp_path, _HEAD))


def test_an_app_without_script_file_is_refused(tmp_path: Path) -> None:
    assert "PYTHON_SCRIPT_FILE_NAME" in _refused(tmp_path, _app(tmp_path, _HEAD, "other.py"))


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (
            "@app.queue_trigger(arg_name='m', queue_name='q', connection='C')\n"
            "def on_message(m: func.QueueMessage):\n  pass",
            ["'on_message'", "'m'", "queueTrigger", "http function"],
        ),
        (
            "@app.entity_trigger(context_name='context')\ndef counter(context):\n  pass",
            ["'counter'", "entityTrigger", "in an orchestration or in a blob"],
        ),
        (
            "@app.route(route='x')\n@app.blob_output(arg_name='b', path='a/b', connection='C')\n"
            "def x(req: func.HttpRequest, b: func.Out[str]) -> str:\n  return ''",
            ["'x'", "'b'", "type 'blob'", "azure-storage-blob"],
        ),
        (
            "@app.timer_trigger(schedule='0 * * * * *', arg_name='t')\n"
            "@app.retry(strategy='fixed_delay', max_retry_count='2', delay_interval='00:00:01')\n"
            "def t(t: func.TimerRequest):\n  pass",
            ["'t'", "retry policy", "call_activity_with_retry"],
        ),
        (
            "@app.timer_trigger(schedule='now and then', arg_name='t')\ndef t(t: func.TimerRequest):\n  pass",
            ["'t'", "'now and then'", "NCRONTAB"],
        ),
        (
            "@app.route(route='x/{a:regex}')\ndef x(req: func.HttpRequest) -> str:\n  return ''",
            ["'x'", "constraint 'regex'"],
        ),
    ],
)
def test_what_is_not_emulated_is_refused_by_name_with_what_to_use(
    tmp_path: Path, code: str, words: list[str]
) -> None:
    output = _refused(tmp_path, _app(tmp_path, _HEAD + code + "\n"))
    assert [word for word in words if word not in output] == [], output


def test_a_taken_port_is_named_with_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        output = _refused(tmp_path, SAMPLE, "--port", str(port))
    assert f"port {port} is taken on 127.0.0.1" in output
    assert "choose another with --port" in output


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    assert "doesn't exist" in _refused(tmp_path, tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--min-workers", "3", "--max-workers", "2"], "--min-workers must be at least 1"),
        (["--azurite-port", "70000"], "--azurite-port must be from 0 to 65535"),
    ],
)
def test_options_out_of_range_are_refused(tmp_path: Path, options: list[str], message: str) -> None:
    assert message in _refused(tmp_path, SAMPLE, *options)


def test_a_second_host_on_the_same_state_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    with emulate(tmp_path) as first:
        log = tmp_path / "second.log"
        second = launch(log, ["--port", "0", "--state", str(tmp_path / "state.sqlite")], SAMPLE, {})
        assert second.wait(20) == 1
        assert f"in use by another emulator (process {first.process.pid})" in log.read_text()
        assert first.run("chain") == 8


def test_a_file_that_is_no_state_is_refused_and_left_alone(tmp_path: Path) -> None:
    state = tmp_path / "refused.sqlite"
    state.write_bytes(b"not a database, " * 1000)
    output = _refused(tmp_path, SAMPLE)
    assert str(state) in output
    assert "can't be opened" in output
    assert state.read_bytes() == b"not a database, " * 1000


def test_a_full_disk_ends_the_host_clearly_and_loses_nothing(tmp_path: Path) -> None:
    """A limit on the size of files stands for the full disk."""
    ready, log = tmp_path / "ready.json", tmp_path / "full.log"
    arguments = ["--port", "0", "--state", str(tmp_path / "state.sqlite"), "--ready-file", str(ready)]
    started = []
    process = launch(log, arguments, SAMPLE, {"LEDGER": str(tmp_path / "ledger")}, largest_file=3 << 20)
    try:
        until(ready.exists, 20, "the host to be ready")
        url = json.loads(ready.read_text())["url"]
        with httpx.Client(base_url=url, timeout=20) as http:
            for i in range(200):
                text = json.dumps({"n": 0, "sum": i, "ballast": "x" * 100_000})
                try:
                    response = http.post(
                        f"/runtime/webhooks/durabletask/orchestrators/eternal/job{i}", json=text
                    )
                except httpx.TransportError:
                    break
                if response.status_code != 202:
                    break
                started.append(i)
        assert process.wait(20) == 1
    finally:
        process.kill()
    assert "can't be written" in log.read_text()
    assert "make sure that the disk has room" in log.read_text()
    assert started
    with emulate(tmp_path) as host:
        assert [host.wait(f"job{i}")["output"] for i in started] == started


def test_the_ready_file_tells_where_the_host_is_and_goes_with_it(tmp_path: Path) -> None:
    host = emulate(tmp_path)
    ready = json.loads((tmp_path / "ready.json").read_text())
    assert ready["pid"] == host.process.pid
    assert ready["storage"] is None
    assert [worker["pid"] for worker in host.workers()] == ready["workers"]
    assert host.stop() == 0
    assert not (tmp_path / "ready.json").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_leaves_no_process_behind_although_an_activity_computes(tmp_path: Path, number: int) -> None:
    with emulate(tmp_path) as host:
        host.start("computes", {"n": 4, "seconds": 60})
        until(lambda: "compute" in host.workers()[0]["running"], 20, "the activity to run")
        family = psutil.Process(host.process.pid).children(recursive=True)
        began = time.monotonic()
        host.process.send_signal(number)
        assert host.process.wait(10) == 0
        # The contract is five seconds; a worker that had to be waited for would take sixty.
        assert time.monotonic() - began < 5
    assert [process for process in family if process.is_running() and process.status() != "zombie"] == []


def test_workers_of_a_killed_host_end_although_an_activity_computes(tmp_path: Path) -> None:
    with emulate(tmp_path) as host:
        host.start("computes", {"n": 4, "seconds": 60})
        until(lambda: "compute" in host.workers()[0]["running"], 20, "the activity to run")
        family = psutil.Process(host.process.pid).children(recursive=True)
        host.kill()
        assert family
        until(lambda: not any(process.is_running() for process in family), 5, "the workers to end")


def test_another_script_file_can_be_named_in_local_settings(tmp_path: Path) -> None:
    app = _app(
        tmp_path,
        _HEAD + "@app.route(route='x', auth_level='anonymous')\ndef x(req: func.HttpRequest) -> str:\n"
        "  return __name__\n",
        "main.py",
    )
    (app / "local.settings.json").write_text('{"Values": {"PYTHON_SCRIPT_FILE_NAME": "main.py"}}')
    with emulate(tmp_path / "state", app=app) as host:
        assert host.http.get("/api/x").text == "main"


def test_the_app_runs_in_its_own_folder_which_comes_last_on_the_path(tmp_path: Path) -> None:
    code = _HEAD + (
        "import os, sys\n"
        "@app.route(route='x')\ndef x(req: func.HttpRequest) -> str:\n"
        "  return f\"{os.getcwd()} {sys.path[-1]} {'' in sys.path}\"\n"
    )
    app = _app(tmp_path, code)
    with emulate(tmp_path / "state", app=app) as host:
        assert host.http.get("/api/x").text == f"{app} {app} False"


def test_the_default_state_lies_in_the_app_folder(tmp_path: Path) -> None:
    app = tmp_path / "app"
    shutil.copytree(SAMPLE, app)
    log = tmp_path / "log"
    process = launch(log, ["--port", "0", "--ready-file", str(tmp_path / "ready.json")], app, {})
    try:
        until((tmp_path / "ready.json").exists, 20, "the host to be ready")
        assert (app / ".emulator" / "state.sqlite").exists()
        assert oct((app / ".emulator" / "keys.json").stat().st_mode & 0o777) == "0o600"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def test_what_functions_log_and_print_is_shown_with_the_function_s_name(tmp_path: Path) -> None:
    code = _HEAD + (
        "import logging\n"
        "@app.route(route='x')\ndef x(req: func.HttpRequest) -> str:\n"
        "  logging.info('from %s', 'x'); logging.debug('hidden'); print('printed'); return ''\n"
        "@app.route(route='y')\nasync def y(req: func.HttpRequest) -> str:\n"
        "  logging.getLogger('mine').error('from y'); raise ValueError('why')\n"
    )
    with emulate(tmp_path / "state", app=_app(tmp_path, code)) as host:
        host.http.get("/api/x")
        host.http.get("/api/y")
        until(lambda: "ValueError: why" in host.log.read_text(), 10, "the failure in the log")
        output = host.log.read_text()
    assert "x: from x" in output
    assert "y: from y" in output
    assert "printed" in output
    assert "hidden" not in output
    assert "Executed 'Functions.y' (Failed" in output
    assert os.fsencode("\x1b") not in output.encode()
