"""Every operation the API lists, with its defaults, as a crowd of jobs at once."""

from pathlib import Path

from tessera.plan import Step
from tessera_client import Client
from tests.support.images import encode, textured
from tests.support.jobs import assert_exact, result_bytes, submit

UPLOAD = encode(textured(301, 400))


def test_every_operation_is_exact_through_the_whole_stack(client: Client, tmp_path: Path) -> None:
    steps = [Step(operation=operation.name) for operation in client.operations()]
    jobs = [submit(client, UPLOAD, [step]) for step in steps]
    for step, job in zip(steps, jobs, strict=True):
        print(step.operation, job.id)
        assert_exact(result_bytes(client, job, tmp_path), UPLOAD, [step])
        assert client.job(job.id).tiles.total > 1


def test_statistics_come_with_the_job(client: Client, tmp_path: Path) -> None:
    job = submit(client, UPLOAD, [Step(operation="rotate"), Step(operation="statistics")])
    result_bytes(client, job, tmp_path)
    (report,) = client.job(job.id).document["reports"].items()
    assert report[0] == "1"
    assert report[1]["pixels"] == 301 * 400
    assert set(report[1]["channels"]) == {"red", "green", "blue"}
