"""Measures what the emulator itself costs: retried activities that do nothing, on two workers.

    python benchmarks/emulator_engine.py

Prints milliseconds per activity for fan-outs of growing size in sub-orchestrations of 64, orchestrations per
second for chains of three activities, and the time from the start to the first answered request. Exits with 1
when a figure misses its target.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

REPOSITORY = Path(__file__).resolve().parents[1]
APP = REPOSITORY / "tests/emulator/apps/sample"
API = "/runtime/webhooks/durabletask"
SIZES = (100, 500, 1000, 2000, 5000)
CHAINS, STARTERS = 1000, 8

MOST_PER_ACTIVITY = 5.0
MOST_GROWTH = 1.3
LEAST_CHAINS = 60.0
MOST_START = 3.0


def start(folder: Path) -> "tuple[subprocess.Popen[bytes], str, float]":
    """Start the emulator; give its process, its URL and the seconds until it answered a request."""
    ready = folder / "ready.json"
    command = [sys.executable, "-m", "emulator", "start", "--app", str(APP), "--port", "0"]
    command += ["--state", str(folder / "state.sqlite"), "--ready-file", str(ready), "--min-workers", "2"]
    environment = {**os.environ, "LEDGER": str(folder / "ledger")}
    began = time.perf_counter()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=log, stderr=log)
    while not ready.exists():
        if process.poll() is not None:
            raise SystemExit((folder / "log").read_text())
        time.sleep(0.005)
    url = str(json.loads(ready.read_text())["url"])
    httpx.get(f"{url}/api/hello").raise_for_status()
    return process, url, time.perf_counter() - began


async def run(http: httpx.AsyncClient, name: str, argument: object) -> object:
    """Run an orchestration to its end; give its output."""
    response = await http.post(f"{API}/orchestrators/{name}", json=json.dumps(argument))
    response.raise_for_status()
    url = response.json()["statusQueryGetUri"]
    while (answer := await http.get(url)).status_code == 202:
        await asyncio.sleep(0.01)
    status = answer.json()
    if status["runtimeStatus"] != "Completed":
        raise SystemExit(f"{name} didn't complete: {status}")
    return status["output"]


async def fan_outs(http: httpx.AsyncClient, repeats: int) -> dict[int, float]:
    """Measure milliseconds per activity, the median of several runs for each size."""
    costs = {}
    for size in SIZES:
        times = []
        for _ in range(repeats):
            began = time.perf_counter()
            output = await run(http, "nested", {"n": size})
            times.append((time.perf_counter() - began) * 1000 / size)
            expected = sum(2 * i for first in range(0, size, 64) for i in range(min(64, size - first)))
            if output != expected:
                raise SystemExit(f"wrong result for {size}: {output} instead of {expected}")
        costs[size] = statistics.median(times)
        print(f"  {size:5} activities  {costs[size]:6.2f} ms per activity")
    return costs


async def chains(http: httpx.AsyncClient) -> float:
    """Measure orchestrations of three activities per second, from the first start to the last end."""
    numbers = iter(range(CHAINS))

    async def starter() -> None:
        for number in numbers:
            (await http.post(f"{API}/orchestrators/chain/chain-{number:05}")).raise_for_status()

    began = time.perf_counter()
    await asyncio.gather(*(starter() for _ in range(STARTERS)))
    unfinished = {"instanceIdPrefix": "chain-", "runtimeStatus": "Pending,Running", "top": "1"}
    while (await http.get(f"{API}/instances", params=unfinished)).json():
        await asyncio.sleep(0.02)
    seconds = time.perf_counter() - began
    completed = {"instanceIdPrefix": "chain-", "runtimeStatus": "Completed", "top": str(CHAINS)}
    outputs = [status["output"] for status in (await http.get(f"{API}/instances", params=completed)).json()]
    if outputs != [8] * CHAINS:
        raise SystemExit(f"{len(outputs)} of {CHAINS} chains completed with the right result")
    return CHAINS / seconds


async def measure(url: str, repeats: int) -> tuple[dict[int, float], float]:
    async with httpx.AsyncClient(base_url=url, timeout=120) as http:
        await run(http, "nested", {"n": 200})
        costs = await fan_outs(http, repeats)
        return costs, await chains(http)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--repeats", type=int, default=3, help="runs of each size, of which the median counts"
    )
    repeats = parser.parse_args().repeats
    with tempfile.TemporaryDirectory() as folder:
        process, url, seconds = start(Path(folder))
        try:
            print(f"start to first request: {seconds:.2f} s")
            costs, per_second = asyncio.run(measure(url, repeats))
        finally:
            process.terminate()
            process.wait()
    growth = max(costs.values()) / costs[SIZES[0]]
    print(f"largest against the smallest fan-out: x{growth:.2f}")
    print(f"chains of three activities: {per_second:.0f} per second")
    targets = {
        f"at most {MOST_PER_ACTIVITY} ms per activity": max(costs.values()) <= MOST_PER_ACTIVITY,
        f"cost grows by at most x{MOST_GROWTH}": growth <= MOST_GROWTH,
        f"at least {LEAST_CHAINS:.0f} chains per second": per_second >= LEAST_CHAINS,
        f"first request within {MOST_START:.0f} s": seconds < MOST_START,
    }
    for target, met in targets.items():
        print(f"{'met ' if met else 'MISSED'}  {target}")
    return 0 if all(targets.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
