"""How time, memory and stitching grow with the image, what a second worker gives, and what a tile costs.

    python -m benchmarks.scale [--megapixels 1 4 16 64 256 1024] [--tiles 1 10 100 1000 5000] [--write]

The first table is one job for each size and operation (JPEG to PNG), on stacks of one and of two workers. The
second is a narrow image that is inverted in ever more tiles: what is beyond the first is what the engine, the
orchestrators and storage take for a tile; "engine" is the host's processor and the orchestrators' turns.
Both are drawn. The stitch is that of the task, as the host saw it.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.large_inputs import large_image
from benchmarks.processes import watched
from benchmarks.results import RESULTS, ROOT, Table, machine, write_section
from emulator.stack import Stack, running
from tessera_client.client import Client
from tessera_client.models import Job, Output, Step

FOLDER = ROOT / "out" / "scale"
OPERATIONS = {
    "invert": Step("invert"),
    "median 11": Step("median_blur", {"ksize": 11}),
    "denoise": Step("denoise"),
}
LARGEST = {"denoise": 64}
"""Megapixels beyond which an operation that computes for seconds a megapixel tells nothing new."""
BAND_ROWS, WIDTH = 16, 64
"""Rows and columns of a tile of the second table: next to no pixels."""
_BYTES = str(16 << 30)


class Point(NamedTuple):
    """What a job took: seconds in all, of processor, of host and orchestrators, of the stitch; peak bytes."""

    wall: float
    cpu: float
    engine: float
    stitch: float
    peak: int
    tiles: int


def measured(stack: Stack, client: Client, folder: Path, source: Path, step: Step) -> Point:
    """Run one job on a warm stack."""
    upload = client.upload(source)
    with watched(stack, folder) as footprint:
        began = time.perf_counter()
        job: Job = client.wait(client.submit(upload.id, [step], Output("png")).id, timeout=3600)
        wall = time.perf_counter() - began
    stitch = footprint.functions["stitch"]
    return Point(wall, footprint.cpu, footprint.engine, stitch, footprint.largest, job.tiles.total)


def by_size(workers: int, megapixels: Sequence[int]) -> dict[tuple[str, int], Point]:
    """Return what each operation takes at each size."""
    found = {}
    with (
        tempfile.TemporaryDirectory() as made,
        running(
            ROOT,
            Path(made),
            workers=workers,
            environment={"TESSERA_MAX_BYTES": _BYTES, "TESSERA_INSTANCES": str(workers)},
        ) as stack,
        Client(stack.url) as client,
    ):
        for size in megapixels:
            side = round((size * 1e6) ** 0.5 / 8) * 8
            source = large_image(FOLDER, "jpeg", side, side)
            for name, step in OPERATIONS.items():
                if size > LARGEST.get(name, size):
                    continue
                found[name, size] = measured(stack, client, Path(made), source, step)
                print(workers, "workers", size, "MP", name, found[name, size], flush=True)
    return found


def by_tiles(tiles: Sequence[int]) -> dict[int, Point]:
    """Return what a job of so many tiles takes on two workers."""
    found = {}
    environment = {"TESSERA_BAND_ROWS": str(BAND_ROWS)}
    with (
        tempfile.TemporaryDirectory() as made,
        running(ROOT, Path(made), workers=2, environment=environment) as stack,
        Client(stack.url) as client,
    ):
        for count in tiles:
            source = large_image(FOLDER, "png", WIDTH, BAND_ROWS * count)
            found[count] = measured(stack, client, Path(made), source, OPERATIONS["invert"])
            print(count, "tiles", found[count], flush=True)
    return found


def size_table(one: dict[tuple[str, int], Point], two: dict[tuple[str, int], Point]) -> Table:
    columns = (
        "operation",
        "MP",
        "tiles",
        "s, 1 worker",
        "s, 2 workers",
        "ratio",
        "MP/s",
        "peak MiB",
        "stitch s",
    )
    table = Table(columns)
    for (name, size), point in two.items():
        alone = one[name, size].wall
        table.rows.append(
            [
                *(name, str(size), str(point.tiles), f"{alone:.2f}", f"{point.wall:.2f}"),
                *(f"{alone / point.wall:.2f}", f"{size / point.wall:.1f}"),
                *(str(point.peak >> 20), f"{point.stitch:.2f}"),
            ]
        )
    return table


def tile_table(found: dict[int, Point]) -> Table:
    table = Table(("tiles", "s", "ms a tile", "cpu ms a tile", "engine ms a tile", "stitch s"))
    first = found[min(found)]
    for count, point in found.items():
        beyond = (point.wall - first.wall, point.cpu - first.cpu, point.engine - first.engine)
        more = count - min(found)
        each = [f"{seconds / more * 1e3:.1f}" if more else "-" for seconds in beyond]
        table.rows.append([str(count), f"{point.wall:.2f}", *each, f"{point.stitch:.2f}"])
    return table


def draw(two: dict[tuple[str, int], Point], tiles: dict[int, Point], target: Path) -> None:
    """Draw seconds and memory over size, and seconds over tiles."""
    import matplotlib.pyplot as plt

    figure, (seconds, memory, count) = plt.subplots(1, 3, figsize=(15, 4))
    for name in OPERATIONS:
        points = {size: point for (operation, size), point in two.items() if operation == name}
        sizes = list(points)
        seconds.loglog(sizes, [point.wall for point in points.values()], "o-", label=name)
        memory.semilogx(sizes, [point.peak / 2**20 for point in points.values()], "o-", label=name)
    memory.axhline(512, color="gray", linestyle=":")
    count.loglog(list(tiles), [point.wall for point in tiles.values()], "o-")
    for axis, (across, up) in zip(
        (seconds, memory, count),
        (("megapixels", "seconds"), ("megapixels", "largest process, MiB"), ("tiles", "seconds")),
        strict=True,
    ):
        axis.set_xlabel(across)
        axis.set_ylabel(up)
        axis.set_ylim(bottom=0 if axis is memory else None)
    seconds.legend()
    figure.tight_layout()
    figure.savefig(target, dpi=110)
    plt.close(figure)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megapixels", type=int, nargs="*", default=[1, 4, 16, 64, 256, 1024])
    parser.add_argument("--tiles", type=int, nargs="*", default=[1, 10, 100, 1000, 5000])
    parser.add_argument("--write", action="store_true", help="put the tables and the plot into RESULTS.md")
    options = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    about = machine()
    tiles = by_tiles(options.tiles)
    one, two = by_size(1, options.megapixels), by_size(2, options.megapixels)
    text = [about, size_table(one, two).markdown(), tile_table(tiles).markdown()]
    print("\n\n".join(text))
    picture = (RESULTS.parent if options.write else FOLDER) / "scale.png"
    draw(two, tiles, picture)
    if options.write:
        write_section("scale", "How it grows", "\n\n".join([*text, f"![How it grows]({picture.name})"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
