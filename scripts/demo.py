"""The main job on this machine: a photograph through the whole stack, checked against OpenCV.

Starts the functions and their storage on free ports, runs the `tessera` command on one image, compares the
result with the same operations on the whole image in one process, and leaves nothing running.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from emulator.stack import StackFailed, running
from tessera import reference
from tessera.errors import TesseraError
from tessera.pipeline import bind
from tessera.plan import Step
from tessera_client.errors import TesseraClientError
from tessera_client.pipeline import parse_step

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "out"
PHOTOGRAPH = ROOT / "examples" / "dandelion.jpg"
SUFFIXES = {"png": ".png", "jpeg": ".jpg"}
JPEG_QUALITY = 90
PICTURE_HEIGHT = 900
SMALL_TILES = {"TESSERA_MIN_TILE_PIXELS": str(1 << 20)}
"""So that a photograph is shared out as a larger image would be."""

type Image = NDArray[Any]


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    arguments = parse_arguments()
    try:
        return run(arguments.image, arguments.ops.split(), arguments.format, arguments.workers)
    except KeyboardInterrupt:
        print("Interrupted. Everything that was started has been stopped.", file=sys.stderr)
        return 130
    except (StackFailed, TesseraError, TesseraClientError, OSError) as error:
        print(f"The demo failed: {error}", file=sys.stderr)
        return 1


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--image", type=Path, default=PHOTOGRAPH, help="a PNG or JPEG file")
    parser.add_argument("--ops", default="canny", help="operations, separated by spaces")
    parser.add_argument("--format", choices=SUFFIXES, default="png", help="of the result")
    parser.add_argument("--workers", type=int, default=2, help="worker processes")
    return parser.parse_args()


def run(source: Path, operations: list[str], file_format: str, workers: int) -> int:
    steps = pipeline_of(operations)
    pixels = read_image(source)
    OUT.mkdir(exist_ok=True)
    name = "-".join([source.stem, *(step.operation for step in steps)])
    target = OUT / f"{name}{SUFFIXES[file_format]}"
    code, started = process(source, operations, file_format, target, workers)
    if code:
        return code
    begun = time.monotonic()
    made, expected = read_image(target), reference.run(pixels, steps)
    same = np.array_equal(made, through_jpeg(expected) if file_format == "jpeg" else expected)
    checked = time.monotonic() - begun
    picture = OUT / f"{name}-side-by-side.jpg"
    cv2.imwrite(str(picture), side_by_side(pixels, made))
    print(f"\n  {'start of the stack':<22}{started:7.2f} s\n  {'check with OpenCV':<22}{checked:7.2f} s\n")
    print(f"  input         {source}\n  result        {target}\n  side by side  {picture}\n")
    if not same:
        print("The result DIFFERS from OpenCV on the whole image.", file=sys.stderr)
        return 1
    print(f"The result is bit-identical to OpenCV on the whole image ({made.size:,} values compared).")
    return 0


def process(
    source: Path, operations: Sequence[str], file_format: str, target: Path, workers: int
) -> tuple[int, float]:
    """Run the command on a stack of its own; return its exit code and how long the stack took to start."""
    with tempfile.TemporaryDirectory(prefix="tessera-demo-") as folder:
        print(f"Starting storage, the functions host and {workers} worker processes ...", flush=True)
        begun = time.monotonic()
        environment = {"TESSERA_INSTANCES": str(workers), **SMALL_TILES}
        with running(ROOT, Path(folder), workers=workers, environment=environment) as stack:
            started = time.monotonic() - begun
            options = ["--op=" + operation for operation in operations]
            options += ["--format", file_format, "--output", str(target), "--force"]
            if file_format == "jpeg":
                options += ["--quality", str(JPEG_QUALITY)]
            command = ["run", str(source), *options, "--api", stack.url]
            print(f"$ tessera {' '.join(command)}", flush=True)
            with waiting_for_child():
                code = subprocess.run(
                    [sys.executable, "-m", "tessera_client", *command], check=False
                ).returncode
    return code, started


@contextmanager
def waiting_for_child() -> Iterator[None]:
    """Let Ctrl-C end the child, which cancels its job, before it ends this process."""
    interrupted: list[int] = []
    previous = signal.signal(signal.SIGINT, lambda number, _: interrupted.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
    if interrupted:
        raise KeyboardInterrupt


def pipeline_of(operations: Sequence[str]) -> list[Step]:
    parsed = [parse_step(text) for text in operations]
    steps = [Step(operation=step.operation, parameters=dict(step.parameters)) for step in parsed]
    return [bound.step for bound in bind(steps)]


def read_image(path: Path) -> Image:
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise OSError(f"{path} is not an image that OpenCV reads")
    return np.atleast_3d(pixels)


def through_jpeg(raster: Image) -> Image:
    """Return the pixels of the whole raster saved as one JPEG."""
    sampling = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420]
    _, data = cv2.imencode(".jpg", raster, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY, *sampling])
    decoded = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    assert decoded is not None
    return np.atleast_3d(decoded)


def side_by_side(left: Image, right: Image) -> Image:
    return cv2.hconcat([thumbnail(left), thumbnail(right)])


def thumbnail(raster: Image) -> Image:
    """Return the raster as 8-bit colour, scaled to the height of the picture."""
    if raster.dtype == np.uint16:
        raster = (raster >> 8).astype(np.uint8)
    colour = raster[:, :, :3] if raster.shape[2] >= 3 else np.repeat(raster[:, :, :1], 3, axis=2)
    scale = PICTURE_HEIGHT / raster.shape[0]
    return cv2.resize(
        colour, (max(1, round(raster.shape[1] * scale)), PICTURE_HEIGHT), interpolation=cv2.INTER_AREA
    )


if __name__ == "__main__":
    sys.exit(main())
