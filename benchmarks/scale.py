"""How time, memory and stitching grow with the image, what a second worker gives, and what a tile costs.

    python -m benchmarks.scale [--megapixels 1 4 16 64 256 1024] [--tiles 1 10 100 1000 5000] [--write]
    python -m benchmarks.scale --megapixels --tiles 1 10 100

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
from benchmarks.results import RESULTS, ROOT, Table, machine, save, write_section
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


def draw_sizes(two: dict[tuple[str, int], Point], target: Path) -> None:
    """Draw seconds and memory over size."""
    import matplotlib.pyplot as plt

    figure, (seconds, memory) = plt.subplots(1, 2, figsize=(10, 4))
    for name in OPERATIONS:
        points = {size: point for (operation, size), point in two.items() if operation == name}
        sizes = list(points)
        seconds.loglog(sizes, [point.wall for point in points.values()], "o-", label=name)
        memory.semilogx(sizes, [point.peak / 2**20 for point in points.values()], "o-", label=name)
    memory.axhline(512, color="gray", linestyle=":")
    for axis, up in ((seconds, "seconds"), (memory, "largest process, MiB")):
        axis.set_xlabel("megapixels")
        axis.set_ylabel(up)
    memory.set_ylim(bottom=0)
    seconds.legend()
    save(figure, target)


def draw_tiles(found: dict[int, Point], target: Path) -> None:
    """Draw seconds over tiles, in all and of the engine."""
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(5, 4))
    axis.loglog(list(found), [point.wall for point in found.values()], "o-", label="in all")
    axis.loglog(list(found), [point.engine for point in found.values()], "o-", label="engine")
    axis.set_xlabel("tiles")
    axis.set_ylabel("seconds")
    axis.legend()
    save(figure, target)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megapixels", type=int, nargs="*", default=[1, 4, 16, 64, 256, 1024])
    parser.add_argument("--tiles", type=int, nargs="*", default=[1, 10, 100, 1000, 5000])
    parser.add_argument("--write", action="store_true", help="put the tables and the plots into RESULTS.md")
    options = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    pictures = RESULTS.parent if options.write else FOLDER
    if options.tiles:
        about, tiles = machine(), by_tiles(options.tiles)
        draw_tiles(tiles, pictures / "tiles.png")
        show("tiles", "What a tile costs", [about, tile_table(tiles).markdown()], write=options.write)
    if options.megapixels:
        about, one, two = machine(), by_size(1, options.megapixels), by_size(2, options.megapixels)
        draw_sizes(two, pictures / "scale.png")
        show("scale", "How it grows", [about, size_table(one, two).markdown()], write=options.write)
    return 0


def show(name: str, title: str, parts: list[str], *, write: bool) -> None:
    """Print a section with its picture, and put it into the file of results if asked to."""
    parts.append(f"![{title}]({name}.png)")
    print("\n\n".join(parts))
    if write:
        write_section(name, title, "\n\n".join(parts))


if __name__ == "__main__":
    sys.exit(main())
