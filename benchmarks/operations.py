"""How fast each operation is on tiles, against OpenCV on the whole image, with one thread.

    .venv/bin/python -m benchmarks.operations [--rounds 5] [--only canny,clahe]

The tiles are those that the planner makes for the photograph of the demo, put together with three mirrored
ones (63 MP), or for its upper rows where an operation is slow. OpenCV is what somebody would call who has it
(`benchmarks.opencv_calls`), or the reference where that is made of such calls. Both sides work in memory,
with the settings that the app's workers have: this is computing alone, without storage, decoding and
encoding. Rounds alternate between the two; figures are medians of the processor's time, which bears a busy
machine. "more" are milliseconds that a megapixel takes longer.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.opencv_calls import OPENCV
from tessera import reference
from tessera.decoding import Decoding
from tessera.execute import Read, StageRun
from tessera.geometry import Grid, Rect
from tessera.operations import CATALOGUE, GeometryOperation
from tessera.operations.base import Array
from tessera.pipeline import bind, bind_global, check
from tessera.plan import ImageInfo, Ingest, Output, Pixels, Plan, Shape, Stage, Step
from tessera.planner import Limits, make_plan

ROOT = Path(__file__).resolve().parent.parent
PHOTOGRAPH = ROOT / "examples" / "dandelion.jpg"
SECONDS_WANTED = 1.0
SHOWN: dict[str, dict[str, Any]] = {
    "crop": {"x": 500, "y": 400, "width": 1500, "height": 1200},
    "resize": {"width": 1000, "height": 0, "interpolation": "area"},
    "median_blur": {"ksize": 11},
    "kernel": {"values": [[1, 2, 1], [2, 4, 2], [1, 2, 1]]},
}
MORE = [
    ("resize", {"width": 1999, "height": 1501, "interpolation": how})
    for how in ("nearest", "linear", "area", "cubic", "lanczos")
]


def photograph(pixels: float) -> Array:
    """Return about *pixels* pixels of the photograph and its mirrored copies, at most all of them."""
    image = cv2.imread(str(PHOTOGRAPH), cv2.IMREAD_COLOR)
    assert image is not None
    image = cv2.copyMakeBorder(image, 0, image.shape[0], 0, image.shape[1], cv2.BORDER_REFLECT)
    rows = int(min(image.shape[0], max(400, pixels / image.shape[1])))
    return np.ascontiguousarray(image[:rows])


def planned(image: Array, step: Step) -> Plan:
    height, width, channels = image.shape
    info = ImageInfo(
        format="png", width=width, height=height, pixels=Pixels(channels=channels), size=1, etag=""
    )
    return make_plan(info, [step], Output(), Limits())


def on_tiles(image: Array, plan: Plan) -> None:
    """Do what the activities do, in memory."""
    found: dict[int, list[bytes]] = {}
    source = decoded(image, plan, found)
    for stage in plan.stages:
        run = StageRun.of(stage, source, lambda index, first, last: found[index][first:last])
        if stage.measure is None:
            for core in stage.grid.tiles():
                np.ascontiguousarray(run.tile(core))
            continue
        found[stage.index], source = measured(stage, run, source)


def decoded(image: Array, plan: Plan, found: dict[int, list[bytes]]) -> Read:
    """Do what decoding does on the way to the raster, in bands as high as the tiles."""
    first = plan.stages[0]
    if plan.direct or plan.ingest == Ingest():
        return reading(image)
    frame = first.source.frame
    decoding, grid = Decoding(plan.ingest, frame), Grid.bands(frame.width, frame.height, first.tile_height)
    bands = [decoding.band(image[band.slices], band) for band in grid.tiles()]
    found.update((each.table, made) for each, made in decoding.tables())

    def read(region: Rect) -> Array:
        parts = [(grid.tile(index), bands[index]) for index in grid.touching(region)]
        rows = [band[region.intersection(tile).relative_to(tile).slices] for tile, band in parts]
        return rows[0] if len(rows) == 1 else np.concatenate(rows)

    return read


def measured(stage: Stage, run: StageRun, source: Read) -> tuple[list[bytes], Read]:
    assert stage.measure is not None
    operation, parameters = bind_global(stage.measure)
    summaries, labels = [], None
    for core in stage.grid.tiles():
        each = run.measured(core)
        summaries.append(each.summary)
        if each.labels is not None:
            if labels is None:
                labels = np.empty((stage.height, stage.width, 1), np.uint16)
            labels[core.slices] = each.labels
    tables = operation.merge(stage.grid, iter(summaries), parameters)
    if labels is None:
        return tables, source
    return tables, reading(labels)


def reading(image: Array) -> Read:
    """Return what reads boxes of *image*."""
    return lambda region: image[region.slices]


def whole_call(step: Step) -> Callable[[Array], Any]:
    """Return what does a step to the whole image: OpenCV's call, or the reference that is made of such."""
    told = step.parameters.get("interpolation")
    named = OPENCV.get(f"{step.operation} {told}" if told else step.operation)
    return named or (lambda image: np.ascontiguousarray(reference.run(image, [step])))


def compare(name: str, parameters: dict[str, Any], rounds: int) -> tuple[float, float, int]:
    """Return MP/s on tiles and whole, counted in the larger of input and result; and the number of tiles."""
    step = Step(operation=name, parameters=parameters)
    (bound,) = bind([step])
    operation = bound.operation
    image = photograph(operation.rate(bound.parameters) * 1e6 * SECONDS_WANTED)
    if any(channel not in operation.channels for channel in (3,)):
        image = np.ascontiguousarray(image[:, :, :1])
    shape = Shape(width=image.shape[1], height=image.shape[0], pixels=Pixels(channels=image.shape[2]))
    made = check([bound], shape)[-1]
    counted = max(shape.width * shape.height, made.width * made.height) / 1e6
    if isinstance(operation, GeometryOperation) and name == "crop":
        counted = made.width * made.height / 1e6
    plan, call = planned(image, step), whole_call(bound.step)
    tiled, whole = [], []
    for _ in range(rounds):
        start = time.process_time()
        on_tiles(image, plan)
        middle = time.process_time()
        call(image)
        tiled.append(middle - start)
        whole.append(time.process_time() - middle)
    return counted / statistics.median(tiled), counted / statistics.median(whole), plan.tiles


def with_app_settings() -> None:
    """Begin anew with the allocator's settings of a worker, which can't be changed later."""
    settings = json.loads((ROOT / "local.settings.json").read_text())["Values"]
    wanted = {name: value for name, value in settings.items() if name.startswith(("MALLOC_", "OPENBLAS_"))}
    if not wanted.items() <= os.environ.items():
        os.execve(sys.executable, sys.orig_argv, {**os.environ, **wanted})


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    with_app_settings()
    cv2.setNumThreads(1)
    wanted = set(filter(None, options.only.split(",")))
    cases = [(name, SHOWN.get(name, {})) for name in CATALOGUE] + MORE
    print("| operation | tiles | MP/s on tiles | MP/s whole | ratio | more |\n|---|---|---|---|---|---|")
    for name, parameters in cases:
        if wanted and name not in wanted:
            continue
        tiled, whole, tiles = compare(name, parameters, options.rounds)
        told = name + (
            f" {parameters['interpolation']} {parameters['width']} wide" if name == "resize" else ""
        )
        more = max(0.0, 1e3 / tiled - 1e3 / whole)
        print(
            f"| {told} | {tiles} | {tiled:.1f} | {whole:.1f} | {tiled / whole:.2f} | {more:.2f} |", flush=True
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
