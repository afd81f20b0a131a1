"""Measures how long the API's answers take: a whole stack on this machine, two workers, small direct jobs.

    python benchmarks/api_latency.py

Prints medians and 95th percentiles of submitting a job, of asking for its status while a large job runs, and
of the time from submitting an image of a megapixel to the URL of its result. Exits with 1 when a median
misses its target.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from emulator.stack import running  # noqa: E402

TARGETS = {"submit": 0.060, "status while a job runs": 0.025, "1 MP, submit to result": 0.400}
FINAL = ("succeeded", "failed", "cancelled")
LARGE_PIPELINE = [{"operation": "median_blur", "parameters": {"ksize": 31}}] * 4 + [{"operation": "canny"}]
SMALL_PIPELINE = [{"operation": "invert"}]


def photograph(width: int, height: int) -> bytes:
    """Return a JPEG with soft shapes and grain."""
    random = np.random.default_rng(1)
    noise = random.normal(size=(height, width, 3)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 4)
    image = np.clip(128 + 400 * soft + 8 * noise, 0, 255).astype(np.uint8)
    return bytes(cv2.imencode(".jpg", image)[1].tobytes())


def upload(http: httpx.Client, data: bytes) -> str:
    """Send an image and return its id."""
    granted = http.post("/uploads", json={}).raise_for_status().json()
    httpx.put(granted["url"], content=data, headers={"x-ms-blob-type": "BlockBlob"}).raise_for_status()
    return str(granted["id"])


def submit(http: httpx.Client, upload_id: str, pipeline: list[dict[str, Any]]) -> str:
    """Start a job and return its id."""
    body = {"upload_id": upload_id, "pipeline": pipeline}
    return str(http.post("/jobs", json=body).raise_for_status().json()["id"])


def watch(http: httpx.Client, job: str, pause: float) -> Iterator[tuple[dict[str, Any], float]]:
    """Yield each answer about a job and the seconds it took, until the job is over."""
    while True:
        began = time.perf_counter()
        view = http.get(f"/jobs/{job}").raise_for_status().json()
        yield view, time.perf_counter() - began
        if view["state"] in FINAL:
            return
        time.sleep(pause)


def finish(http: httpx.Client, job: str) -> float:
    """Wait for a job, polling fast, and return when its result's URL was there."""
    *_, (view, _) = watch(http, job, 0.005)
    if view["state"] != "succeeded":
        raise SystemExit(f"job {job} is {view['state']}: {view['error']}")
    return time.perf_counter()


def measure(http: httpx.Client, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of every measured request by what it is."""
    found: dict[str, list[float]] = {name: [] for name in TARGETS}
    small = upload(http, photograph(1024, 1024))
    for _ in range(5):
        finish(http, submit(http, small, SMALL_PIPELINE))
    for _ in range(rounds):
        began = time.perf_counter()
        job = submit(http, small, SMALL_PIPELINE)
        found["submit"].append(time.perf_counter() - began)
        found["1 MP, submit to result"].append(finish(http, job) - began)
    large = submit(http, upload(http, photograph(6000, 4000)), LARGE_PIPELINE)
    for view, seconds in watch(http, large, 0.05):
        if view["state"] == "running" and view["tiles"]["done"]:
            found["status while a job runs"].append(seconds)
    return found


def main() -> int:
    """Print the figures and return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    with (
        tempfile.TemporaryDirectory() as folder,
        running(REPOSITORY, Path(folder), workers=2) as stack,
        httpx.Client(base_url=f"{stack.url}/api/v1", timeout=60) as http,
    ):
        found = measure(http, rounds)
    missed = False
    for name, seconds in found.items():
        median = statistics.median(seconds)
        p95 = statistics.quantiles(seconds, n=20)[-1]
        verdict = "" if median <= TARGETS[name] else "   MISSED"
        missed |= bool(verdict)
        print(
            f"{name:26} n={len(seconds):4}  p50 {median * 1e3:6.1f} ms  p95 {p95 * 1e3:6.1f} ms"
            f"  (target p50 {TARGETS[name] * 1e3:.0f} ms){verdict}"
        )
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
