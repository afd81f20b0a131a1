"""Peak memory and time of reading large uploads, each format in a process of its own.

    python benchmarks/decode_memory.py [--size 10000x10000] [--rows 128] [--only jpeg]

Makes images in a temporary folder and reads each once by bands, as an ingest does, under the allocator
settings of a worker. "peak" is the process's own peak resident memory less what it had after its imports and
a small image of the format; "held" is what the opened image says that its decoder holds. "at random" reads 64
rects of 1024 x 1024 pixels instead. The pixels themselves are dropped at once.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyvips

from tessera.formats import ImageFile, index_restarts, open_image
from tessera.geometry import Rect, ceil_div

ROOT = Path(__file__).resolve().parents[1]
_RECT = 1024
_TEXTURE = 2048

type Save = Callable[[pyvips.Image, str], None]


def _tiff(**options: Any) -> Save:
    return lambda image, path: image.tiffsave(path, bigtiff=True, **options)


KINDS: dict[str, tuple[str, Save]] = {
    "jpeg": ("jpg", lambda image, path: image.jpegsave(path, Q=90, subsample_mode="on")),
    "jpeg 4:4:4": ("jpg", lambda image, path: image.jpegsave(path, Q=90, subsample_mode="off")),
    "jpeg restarts": (
        "jpg",
        lambda image, path: image.jpegsave(path, Q=90, subsample_mode="on", restart_interval=64),
    ),
    "jpeg progressive": (
        "jpg",
        lambda image, path: image.jpegsave(path, Q=90, interlace=True, subsample_mode="on"),
    ),
    "jpeg progressive 4:4:4": (
        "jpg",
        lambda image, path: image.jpegsave(path, Q=90, interlace=True, subsample_mode="off"),
    ),
    "png": ("png", lambda image, path: image.pngsave(path, compression=1)),
    "png 16 bits": ("png", lambda image, path: _deep(image).pngsave(path, compression=1)),
    "png interlaced": ("png", lambda image, path: image.pngsave(path, compression=1, interlace=True)),
    "tiff tiles deflate": ("tif", _tiff(tile=True, tile_width=512, tile_height=512, compression="deflate")),
    "tiff tiles jpeg": ("tif", _tiff(tile=True, tile_width=512, tile_height=512, compression="jpeg")),
    "tiff strips lzw": ("tif", _tiff(tile_height=16, compression="lzw")),
    "tiff strips none": ("tif", _tiff(tile_height=16)),
    "tiff one strip deflate": (
        "tif",
        _tiff(tile_height=1 << 15, compression="deflate", predictor="horizontal"),
    ),
    "tiff one strip lzw": ("tif", _tiff(tile_height=1 << 15, compression="lzw", predictor="horizontal")),
    "tiff one strip none": ("tif", _tiff(tile_height=1 << 15)),
    "webp": ("webp", lambda image, path: image.webpsave(path, Q=80, effort=0)),
    "gif": ("gif", lambda image, path: image.gifsave(path, effort=1, dither=0)),
    "bmp": ("bmp", lambda image, path: _save_bmp(image, path)),
}
_LARGEST = {"webp": 10_000, "jpg": 65_500, "gif": 65_535}


def _deep(image: pyvips.Image) -> pyvips.Image:
    return (image.cast("ushort") * 257).cast("ushort").copy(interpretation="rgb16")


def _save_bmp(image: pyvips.Image, path: str) -> None:
    cv2.imwrite(path, image.numpy())


def make_image(width: int, height: int) -> pyvips.Image:
    """Return a textured image of *width* x *height* pixels, made as it is read."""
    noise = np.random.default_rng(0).normal(size=(_TEXTURE, _TEXTURE, 3)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 3, borderType=cv2.BORDER_REFLECT) * 400 + noise * 6 + 128
    texture = pyvips.Image.new_from_array(np.clip(soft, 0, 255).astype(np.uint8))
    across, down = ceil_div(width, _TEXTURE), ceil_div(height, _TEXTURE)
    return texture.replicate(across, down).crop(0, 0, width, height).copy(interpretation="srgb")


def open_file(path: str) -> ImageFile:
    """Return the image of a file that is read by ranges."""
    file = os.open(path, os.O_RDONLY)
    size = os.fstat(file).st_size

    def read(offset: int, length: int) -> bytes:
        return os.pread(file, length, offset)

    return open_image(read, size, restarts=index_restarts(read, size))


def read_image(path: str, rows: int, *, at_random: bool) -> int:
    """Read an image once, drop its pixels, and return how many they were."""
    image = open_file(path)
    if not at_random:
        return sum(band.shape[0] * band.shape[1] for band in image.bands(rows))
    chance = random.Random(0)
    side = min(_RECT, image.width, image.height)
    for _ in range(64):
        x, y = chance.randrange(image.width - side + 1), chance.randrange(image.height - side + 1)
        image.read(Rect(x, y, x + side, y + side))
    return 64 * side * side


def resident(field: str) -> int:
    """Return a field of this process's status, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(field))


def measure(path: str, small: str, rows: int, *, at_random: bool) -> None:
    """Print what reading *path* takes, as JSON."""
    read_image(small, rows, at_random=False)
    baseline = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    started = time.perf_counter()
    pixels = read_image(path, rows, at_random=at_random)
    seconds = time.perf_counter() - started
    image = open_file(path)
    report = {"pixels": pixels, "seconds": seconds, "peak": resident("VmHWM") - baseline, "held": image.held}
    print(json.dumps(report | {"random": image.random, "all": image.width * image.height}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", default="10000x10000")
    parser.add_argument("--rows", type=int, default=128)
    parser.add_argument("--only", default="", help="kinds whose name begins with this")
    parser.add_argument("--measure", nargs=3, metavar=("FILE", "SMALL", "HOW"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        path, small, how = options.measure
        measure(path, small, options.rows, at_random=how == "random")
        return
    print(f"{options.size} pixels, bands of {options.rows} rows")
    print(f"{'format':30} {'peak MiB':>9} {'bytes/px':>9} {'held/px':>8} {'ms/MP':>7} {'file MB':>8}")
    width, height = map(int, options.size.split("x"))
    for name, (extension, save) in KINDS.items():
        if name.startswith(options.only):
            with tempfile.TemporaryDirectory() as folder:
                small, large = (Path(folder) / f"{size}.{extension}" for size in ("small", "large"))
                most = _LARGEST.get(extension, 1 << 31)
                save(make_image(256, 256), str(small))
                save(make_image(min(width, most), min(height, most)), str(large))
                _print_rows(name, large, small, options.rows)


def _print_rows(name: str, large: Path, small: Path, rows: int) -> None:
    for how in ("bands", "random"):
        command = [sys.executable, __file__, "--rows", str(rows), "--measure", str(large), str(small), how]
        done = subprocess.run(
            command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True, env=_environment()
        )
        found = json.loads(done.stdout)
        peak, megapixels = found["peak"], found["pixels"] / 1e6
        label = name if how == "bands" else f"{name}, at random"
        print(
            f"{label:30} {peak / 2**20:9.0f} {peak / found['all']:9.2f} {found['held'] / found['all']:8.2f} "
            f"{found['seconds'] * 1000 / megapixels:7.1f} {large.stat().st_size / 1e6:8.0f}",
            flush=True,
        )
        if not found["random"]:
            break


def _environment() -> dict[str, str]:
    """Return this environment with the allocator's settings of a worker."""
    settings = json.loads((ROOT / "local.settings.json").read_text())["Values"]
    allocator = {name: value for name, value in settings.items() if name.startswith("MALLOC_")}
    return {**os.environ, **allocator, "PYTHONPATH": str(ROOT)}


if __name__ == "__main__":
    main()
