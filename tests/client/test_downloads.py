import hashlib
import random
from pathlib import Path

import pytest

from tessera_client import Client, DownloadFailed, Job, JobFailed
from tests.client.fake_api import FakeApi, Fault

SEED = 11


@pytest.fixture
def job(api: FakeApi, client: Client) -> Job:
    print(f"seed {SEED}")
    api.result = random.Random(SEED).randbytes(1_000_000)
    api.blobs["uploads/up"] = b"pixels"
    api.script = [api.succeeded()]
    return client.job(client.submit("up", []).id)


def only(folder: Path) -> str:
    return " ".join(sorted(entry.name for entry in folder.iterdir()))


def test_the_result_is_written_whole(api: FakeApi, client: Client, job: Job, tmp_path: Path) -> None:
    reported: list[tuple[int, int]] = []
    target = client.download(job, tmp_path / "out.png", progress=lambda *done: reported.append(done))
    assert target.read_bytes() == api.result
    assert reported[0] == (0, 1_000_000)
    assert reported[-1] == (1_000_000, 1_000_000)
    assert only(tmp_path) == "out.png"


def test_a_broken_connection_is_taken_up_where_it_stopped(
    api: FakeApi, client: Client, job: Job, tmp_path: Path
) -> None:
    api.faults.extend(Fault("GET", "/blob/", cut_after=200_000) for _ in range(4))
    target = client.download(job, tmp_path / "out.png")
    assert target.read_bytes() == api.result
    requests = api.sent("GET", "/blob/")
    assert len(requests) == 5
    assert "range" not in requests[0].headers
    assert all(later.headers["range"] != "bytes=0-" for later in requests[1:])


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_passing_failure_of_storage_is_borne(
    api: FakeApi, client: Client, job: Job, tmp_path: Path, status: int
) -> None:
    api.fail("GET", "/blob/", status)
    assert client.download(job, tmp_path / "out.png").read_bytes() == api.result


def test_nothing_is_left_when_storage_never_delivers(
    api: FakeApi, client: Client, job: Job, tmp_path: Path
) -> None:
    api.faults.append(Fault("GET", "/blob/", cut_after=200_000))
    api.hang_up("GET", "/blob/", times=10)
    with pytest.raises(DownloadFailed, match="connection to storage broke"):
        client.download(job, tmp_path / "out.png")
    assert only(tmp_path) == ""


@pytest.mark.parametrize("promised", [999_999, 1_000_001])
def test_a_result_of_another_size_is_refused(
    api: FakeApi, client: Client, job: Job, tmp_path: Path, promised: int
) -> None:
    api.jobs[job.id][-1]["result"]["size"] = promised
    with pytest.raises(DownloadFailed, match=rf"has 1,000,000 bytes where {promised:,} were promised"):
        client.download(job, tmp_path / "out.png")
    assert only(tmp_path) == ""


def test_two_results_are_not_mixed(api: FakeApi, client: Client, job: Job, tmp_path: Path) -> None:
    api.faults.append(Fault("GET", "/blob/", cut_after=200_000))

    def swap(done: int, total: int) -> None:
        if done:
            api.blobs["results/out"] = bytes(total)

    with pytest.raises(DownloadFailed, match="storage answered 412 ConditionNotMet"):
        client.download(job, tmp_path / "out.png", progress=swap)
    assert only(tmp_path) == ""


def test_an_expired_link_is_renewed(api: FakeApi, client: Client, job: Job, tmp_path: Path) -> None:
    api.fail("GET", "/blob/", 403)
    assert client.download(job, tmp_path / "out.png").read_bytes() == api.result


def test_a_link_that_stays_refused_is_an_error(
    api: FakeApi, client: Client, job: Job, tmp_path: Path
) -> None:
    api.fail("GET", "/blob/", 403, 403)
    with pytest.raises(DownloadFailed, match="storage answered 403") as refused:
        client.download(job, tmp_path / "out.png")
    assert "sig=" not in str(refused.value)


def test_an_existing_file_is_kept(api: FakeApi, client: Client, job: Job, tmp_path: Path) -> None:
    target = tmp_path / "out.png"
    target.write_bytes(b"mine")
    with pytest.raises(DownloadFailed, match="already exists"):
        client.download(job, target)
    assert target.read_bytes() == b"mine"
    assert not api.sent("GET", "/blob/")
    client.download(job, target, overwrite=True)
    assert target.read_bytes() == api.result


def test_a_file_that_appears_meanwhile_is_kept(client: Client, job: Job, tmp_path: Path) -> None:
    target = tmp_path / "out.png"

    def appear(done: int, total: int) -> None:
        target.write_bytes(b"mine")

    with pytest.raises(DownloadFailed, match="already exists"):
        client.download(job, target, progress=appear)
    assert target.read_bytes() == b"mine"
    assert only(tmp_path) == "out.png"


def test_an_interrupt_leaves_nothing_behind(client: Client, job: Job, tmp_path: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client.download(job, tmp_path / "out.png", progress=interrupt)
    assert only(tmp_path) == ""


def test_a_target_that_cannot_be_written_is_named(client: Client, job: Job, tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match=r"the folder .*nowhere does not exist"):
        client.download(job, tmp_path / "nowhere" / "out.png")
    with pytest.raises(DownloadFailed, match="is a folder"):
        client.download(job, tmp_path, overwrite=True)


def test_a_full_disk_is_said_and_leaves_nothing(
    client: Client, job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(DownloadFailed, match=r"cannot write .*out\.png: No space left on device"):
        client.download(job, tmp_path / "out.png")
    assert only(tmp_path) == ""


@pytest.mark.parametrize(
    ("state", "error"), [("running", DownloadFailed), ("failed", JobFailed), ("cancelled", JobFailed)]
)
def test_without_a_result_the_state_is_said(
    client: Client, tmp_path: Path, state: str, error: type[Exception]
) -> None:
    with pytest.raises(error, match=state):
        client.download(Job(id="j", state=state), tmp_path / "out.png")


def test_each_block_is_compared_with_its_digest(api: FakeApi, client: Client, tmp_path: Path) -> None:
    parts = [api.result[:4], api.result[4:]]
    blocks = [{"size": len(part), "md5": hashlib.md5(part).hexdigest()} for part in parts]
    api.blobs["uploads/up"] = b"pixels"
    api.script = [api.succeeded(blocks=blocks)]
    job = client.job(client.submit("up", []).id)
    assert client.download(job, tmp_path / "good.png").read_bytes() == api.result
    blocks[1]["md5"] = hashlib.md5(b"another").hexdigest()
    with pytest.raises(DownloadFailed, match="block 2 of 2 has another digest"):
        client.download(job, tmp_path / "bad.png")
    api.jobs[job.id][-1]["result"]["blocks"] = blocks[:1]
    with pytest.raises(DownloadFailed, match="longer than its blocks"):
        client.download(job, tmp_path / "bad.png")
    assert only(tmp_path) == "good.png"
