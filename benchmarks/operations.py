"""How fast each operation is on tiles, against OpenCV on the whole image, with one thread.

    .venv/bin/python -m benchmarks.operations [--rounds 5] [--only canny,clahe]

The tiles are those that the planner makes for the photograph of the demo, put together with three mirrored
ones (63 MP), or for a part of it, of the same proportions, where an operation is slow. OpenCV is what
somebody would call who has it (`benchmarks.opencv_calls`), or the reference where that is made of such calls.
Both sides work in memory, with the settings that the app's workers have: this is computing alone, without
storage, decoding and encoding. Each operation has a process of its own, in which rounds alternate between the
two; figures are medians of the processor's time, which bears a busy machine. "more" are milliseconds that a
megapixel takes longer.
"""

import argparse
import json
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
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
LEAST_PIXELS = 4e6
SHOWN: dict[str, dict[str, Any]] = {
    "crop": {"x": 500, "y": 400, "width": 9000, "height": 5000},
    "resize": {"width": 1000, "height": 0, "interpolation": "area"},
    "median_blur": {"ksize": 11},
    "kernel": {"values": [[1, 2, 1], [2, 4, 2], [1, 2, 1]]},
}
MORE = [
    ("resize", {"width": 1999, "height": 1501, "interpolation": how})
    for how in ("nearest", "linear", "area", "cubic", "lanczos")
]


class Storage:
    """Keeps the raster between the tasks; *seconds* is what that took, which isn't the operation's."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._raster: Array | None = None

    def put(self, band: Array, region: Rect, frame: Rect) -> None:
        """Write a band of the raster of *frame*."""
        start = time.process_time()
        if self._raster is None:
            self._raster = np.empty((frame.height, frame.width, band.shape[2]), band.dtype)
        self._raster[region.slices] = band
        self.seconds += time.process_time() - start

    def read(self, region: Rect) -> Array:
        """Return a region of the raster."""
        assert self._raster is not None
        return self._raster[region.slices]


def photograph(pixels: float) -> Array:
    """Return about *pixels* pixels of the photograph and its mirrored copies: some at least, at most all."""
    image = cv2.imread(str(PHOTOGRAPH), cv2.IMREAD_COLOR)
    assert image is not None
    image = cv2.copyMakeBorder(image, 0, image.shape[0], 0, image.shape[1], cv2.BORDER_REFLECT)
    part = min(1.0, (max(pixels, LEAST_PIXELS) / (image.shape[0] * image.shape[1])) ** 0.5)
    rows, columns = (int(side * part) for side in image.shape[:2])
    return np.ascontiguousarray(image[:rows, :columns])


def shape_of(image: Array) -> Shape:
    height, width, channels = image.shape
    kind = Pixels(channels=channels, depth=16 if image.itemsize == 2 else 8)
    return Shape(width=width, height=height, pixels=kind)


def planned(image: Array, step: Step) -> Plan:
    shape = shape_of(image)
    info = ImageInfo(
        format="png", width=shape.width, height=shape.height, pixels=shape.pixels, size=1, etag=""
    )
    return make_plan(info, [step], Output(), Limits())


def on_tiles(image: Array, plan: Plan, storage: Storage) -> None:
    """Do what the activities do, in memory."""
    found: dict[int, list[bytes]] = {}
    source = decoded(image, plan, found, storage)
    for stage in plan.stages:
        run = StageRun.of(stage, source, lambda index, first, last: found[index][first:last])
        if stage.measure is None:
            for core in stage.grid.tiles():
                np.ascontiguousarray(run.tile(core))
            continue
        found[stage.index], source = measured(stage, run, source)


def decoded(image: Array, plan: Plan, found: dict[int, list[bytes]], storage: Storage) -> Read:
    """Do what decoding does on the way to the raster, in bands as high as the tiles."""
    first = plan.stages[0]
    if plan.direct or plan.ingest == Ingest():
        return reading(image)
    frame = first.source.frame
    decoding = Decoding(plan.ingest, frame)
    for band in Grid.bands(frame.width, frame.height, first.tile_height).tiles():
        storage.put(decoding.band(image[band.slices], band), band, frame)
    found.update((each.table, made) for each, made in decoding.tables())
    return storage.read


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


def suiting(name: str, image: Array) -> Array:
    """Return the photograph as the operation takes it, and does something to it."""
    if name in ("colormap", "to_rgb"):
        return np.ascontiguousarray(image[:, :, :1])
    return image.astype(np.uint16) * 257 if name == "to_8_bit" else image


def compare(name: str, parameters: dict[str, Any], rounds: int) -> tuple[float, float, int]:
    """Return MP/s on tiles and whole, counted in the larger of input and result; and the number of tiles."""
    step = Step(operation=name, parameters=parameters)
    (bound,) = bind([step])
    operation = bound.operation
    image = suiting(name, photograph(operation.rate(bound.parameters) * 1e6 * SECONDS_WANTED))
    shape = shape_of(image)
    made = check([bound], shape)[-1]
    counted = max(shape.width * shape.height, made.width * made.height) / 1e6
    if isinstance(operation, GeometryOperation) and name == "crop":
        counted = made.width * made.height / 1e6
    plan, call = planned(image, step), whole_call(bound.step)
    tiled, whole, storage = [], [], Storage()
    for _ in range(rounds):
        storage.seconds = 0.0
        start = time.process_time()
        on_tiles(image, plan, storage)
        middle = time.process_time()
        call(image)
        tiled.append(middle - start - storage.seconds)
        whole.append(time.process_time() - middle)
    return counted / statistics.median(tiled), counted / statistics.median(whole), plan.tiles


def with_app_settings() -> None:
    """Begin anew with the allocator's settings of a worker, which can't be changed later."""
    settings = json.loads((ROOT / "local.settings.json").read_text())["Values"]
    wanted = {name: value for name, value in settings.items() if name.startswith(("MALLOC_", "OPENBLAS_"))}
    if not wanted.items() <= os.environ.items():
        os.execve(sys.executable, sys.orig_argv, {**os.environ, **wanted})


def report(name: str, parameters: dict[str, Any], rounds: int) -> None:
    tiled, whole, tiles = compare(name, parameters, rounds)
    told = name + (f" {parameters['interpolation']} {parameters['width']} wide" if name == "resize" else "")
    more = max(0.0, 1e3 / tiled - 1e3 / whole)
    print(f"| {told} | {tiles} | {tiled:.1f} | {whole:.1f} | {tiled / whole:.2f} | {more:.2f} |", flush=True)


def alone(work: Callable[[], None]) -> None:
    """Do *work* in a process of its own: what was freed before decides which memory is new."""
    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    process.join()
    if process.exitcode:
        sys.exit(process.exitcode)


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
        if not wanted or name in wanted:
            alone(partial(report, name, parameters, options.rounds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
