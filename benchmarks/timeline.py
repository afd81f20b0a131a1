"""Where the time of one job goes: what each worker did when, from the spans of its tasks.

    python -m benchmarks.timeline [--megapixels 144] [--operation invert canny] [--write]

A row for each worker; a bar for each tile and task: reading, computing (decoding and encoding included) and
writing, in that order though they take turns. What is left blank is the engine's time, or there was nothing
to do. Prints the split in seconds, and draws a picture of each job.
"""

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from benchmarks.contenders import ROOT
from benchmarks.large_inputs import large_image
from benchmarks.peers import SIZES, SUMMED
from benchmarks.results import RESULTS, Table, machine, save, write_section
from benchmarks.work import WORK
from emulator.stack import running
from tessera_client.client import Client
from tessera_client.models import Job, Output
from tests.support.receivers import Body, Received, otlp_spans, receiver

KINDS = {"read": "#4878d0", "compute": "#ee854a", "write": "#6acc64"}
_PATIENCE_SECONDS = 20.0


def traced(operation: str, source: Path) -> tuple[Job, list[Received]]:
    """Run a job on a warm stack of two workers, and return it and the spans of its tasks."""
    with (
        receiver() as (url, bodies),
        tempfile.TemporaryDirectory() as folder,
        running(
            ROOT,
            Path(folder),
            workers=2,
            environment={"TESSERA_TRACES": f"{url}/v1/traces", "TESSERA_INSTANCES": "2"},
        ) as stack,
        Client(stack.url) as client,
    ):
        upload = client.upload(source)

        def run() -> Job:
            submitted = client.submit(upload.id, WORK[operation].steps, Output("png"))
            return client.wait(submitted.id, timeout=3600)

        run()  # warms the workers up
        job = run()
        return job, _spans(job, bodies)


def _spans(job: Job, bodies: list[Body]) -> list[Received]:
    """Return the spans of a job; a worker sends them up to a second after its work."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = [span for span in otlp_spans(bodies) if span.trace == job.id]
        tiles = sum(span.name.startswith("process_") for span in found)
        if any(span.name == "job" for span in found) and tiles >= job.tiles.total:
            return found
        time.sleep(0.1)
    raise SystemExit("the spans of the job didn't come")


def parts(span: Received) -> dict[str, float]:
    """Return the seconds of each kind in a span, which add up to its length."""
    length = span.end - span.start
    took = {kind: float(span.attributes.get(f"tessera.{kind}", 0.0)) for kind in KINDS}
    total = sum(took.values())
    if not total:
        return {"compute": length}
    return {kind: seconds * length / total for kind, seconds in took.items()}


def split(spans: Sequence[Received]) -> Table:
    """Return the seconds of each kind for each task by name, of all workers together."""
    table = Table(("task", "times", *KINDS, "queue wait"))
    names = list(dict.fromkeys(span.name for span in sorted(spans, key=lambda span: span.start)))
    for name in names:
        chosen = [span for span in spans if span.name == name]
        if name == "job":
            continue
        sums: dict[str, float] = defaultdict(float)
        for span in chosen:
            for kind, seconds in parts(span).items():
                sums[kind] += seconds
        waited = sum(float(span.attributes.get("tessera.queue_wait", 0.0)) for span in chosen)
        table.rows.append([name, str(len(chosen)), *(f"{sums[kind]:.3f}" for kind in KINDS), f"{waited:.3f}"])
    return table


def occupied(spans: Sequence[Received]) -> str:
    """Return how the time of the workers went, in shares of the job's length."""
    (job,) = (span for span in spans if span.name == "job")
    length, workers = job.end - job.start, len({span.instance for span in spans if span is not job})
    busy = sum(span.end - span.start for span in spans if span is not job)
    return (
        f"{length:.2f} s on {workers} workers, which were busy {busy / length / workers:.0%} of it;"
        " the rest is the engine, and waiting for one another."
    )


def draw(title: str, spans: Sequence[Received], target: Path) -> None:
    """Draw the bars of each worker over time."""
    import matplotlib.pyplot as plt
    from matplotlib.patches import Patch

    (job,) = (span for span in spans if span.name == "job")
    tasks = [span for span in spans if span is not job]
    workers = sorted({span.instance for span in tasks})
    figure, axis = plt.subplots(figsize=(12, 1.4 + 0.8 * len(workers)))
    for span in tasks:
        row, at = workers.index(span.instance), span.start - job.start
        length = span.end - span.start
        axis.barh(row, length, left=at, height=0.8, fill=False, edgecolor="gray", linewidth=0.6)
        if span.name != "process_tile" and length > (job.end - job.start) / 60:
            axis.text(at, row + 0.42, span.name, fontsize=6)
        for kind, seconds in parts(span).items():
            axis.barh(row, seconds, left=at, color=KINDS[kind], height=0.7)
            at += seconds
    axis.set_yticks(range(len(workers)), [f"worker {number + 1}" for number in range(len(workers))])
    axis.set_xlim(0, job.end - job.start)
    axis.set_xlabel("seconds")
    axis.set_title(title)
    handles = [Patch(color=colour, label=kind) for kind, colour in KINDS.items()]
    axis.legend(handles=handles, loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize="small")
    save(figure, target)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megapixels", type=int, default=144, choices=sorted(SIZES))
    parser.add_argument("--operation", nargs="*", default=["invert", "canny"], choices=SUMMED)
    parser.add_argument("--write", action="store_true", help="put the tables and pictures into RESULTS.md")
    options = parser.parse_args()
    folder = ROOT / "out" / "timeline"
    folder.mkdir(parents=True, exist_ok=True)
    source = large_image(folder, "jpeg", *SIZES[options.megapixels])
    text = [machine()]
    for operation in options.operation:
        title = f"{operation}, {options.megapixels} MP JPEG to PNG"
        _, spans = traced(operation, source)
        name = f"timeline-{operation.replace(' ', '-')}.png"
        picture = (RESULTS.parent if options.write else folder) / name
        draw(title, spans, picture)
        text += [f"### {title}", occupied(spans), split(spans).markdown(), f"![{title}]({name})"]
        print("\n\n".join(text[-4:-1]), f"\n{picture.relative_to(ROOT)}", flush=True)
    if options.write:
        write_section("timeline", "Where the time goes", "\n\n".join(text))
    return 0


if __name__ == "__main__":
    sys.exit(main())
