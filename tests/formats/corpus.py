"""One small file of every variant that is read, with its pixels as another decoder gives them."""

import io
import struct
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import cv2
import numpy as np
import pyvips
import tifffile
from PIL import Image as PillowImage

from tests.formats.files import bgr, pillow, save, tiff
from tests.formats.png_maker import chunk, png
from tests.support.images import Image, textured

HEIGHT, WIDTH = 150, 203


class Case(NamedTuple):
    """A file and the pixels that must come out, (height, width, channels)."""

    name: str
    data: bytes
    expected: Image


@cache
def cases() -> dict[str, Case]:
    """Return all cases by name."""
    made = [*_jpegs(), *_pngs(), *_tiffs(), *_tiff_colours(), *_libtiffs(), *_bmps(), *_others()]
    found = {case.name: case for case in made}
    assert len(found) == len(made)
    return found


def _rgb(channels: int = 3, depth: int = 8) -> Image:
    return textured(HEIGHT, WIDTH, channels, depth)


def _gray(depth: int = 8) -> Image:
    return textured(HEIGHT, WIDTH, 1, depth)[..., 0]


# -- JPEG, against Pillow ----------------------------------------------------------------------------------


def _jpegs() -> Iterator[Case]:
    factors = {"444": 0x111111, "422": 0x211111, "420": 0x221111, "440": 0x121111, "411": 0x411111}
    for name, factor in factors.items():
        options = [cv2.IMWRITE_JPEG_QUALITY, 85, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor]
        for extra, more in {
            "": [],
            " progressive": [cv2.IMWRITE_JPEG_PROGRESSIVE, 1],
            " restarts": [cv2.IMWRITE_JPEG_RST_INTERVAL, 5],
            " optimized": [cv2.IMWRITE_JPEG_OPTIMIZE, 1],
        }.items():
            data = cv2.imencode(".jpg", _rgb(), [*options, *more])[1].tobytes()
            yield Case(f"jpeg {name}{extra}", data, pillow(data, "RGB"))
    data = cv2.imencode(".jpg", _gray())[1].tobytes()
    yield Case("jpeg gray", data, pillow(data))
    data = save(PillowImage.fromarray(_rgb()), "JPEG", keep_rgb=True)
    yield Case("jpeg stored as RGB", data, pillow(data))
    data = save(PillowImage.fromarray(_gray()), "JPEG", progressive=True)
    yield Case("jpeg gray progressive", data, pillow(data))


# -- PNG, against the samples they are made of -------------------------------------------------------------


def _pngs() -> Iterator[Case]:
    for interlaced in (False, True):
        suffix = " interlaced" if interlaced else ""
        for bits in (1, 2, 4, 8, 16):
            yield _png_gray(bits, suffix, interlaced=interlaced)
            if bits <= 8:
                yield _png_palette(bits, suffix, interlaced=interlaced)
        for depth in (8, 16):
            for kind, channels in ((2, 3), (4, 2), (6, 4)):
                samples = _rgb(channels, depth)
                data = png(samples, depth, kind, interlaced=interlaced)
                yield Case(f"png type {kind} {depth} bits{suffix}", data, bgr(samples))
    yield from _png_transparent()


def _png_gray(bits: int, suffix: str, *, interlaced: bool) -> Case:
    samples = _rgb(1, 16) >> (16 - bits)
    expected = samples if bits == 16 else (samples * (255 // (2**bits - 1))).astype(np.uint8)
    return Case(f"png gray {bits} bits{suffix}", png(samples, bits, 0, interlaced=interlaced), expected)


def _png_palette(bits: int, suffix: str, *, interlaced: bool) -> Case:
    indices = _rgb(1, 16) >> (16 - bits)
    palette = np.random.default_rng(bits).integers(0, 256, (2**bits, 3), np.uint8)
    before = chunk(b"PLTE", palette.tobytes())
    data = png(indices, bits, 3, interlaced=interlaced, before=before)
    return Case(f"png palette {bits} bits{suffix}", data, bgr(palette[indices[..., 0]]))


def _png_transparent() -> Iterator[Case]:
    """Yield images in which one colour, or some of the palette, is transparent."""
    for bits in (8, 16):
        dtype = f"u{bits // 8}"
        gray = _rgb(1, bits)
        key = int(gray[5, 5, 0])
        before = chunk(b"tRNS", struct.pack(">H", key))
        alpha = np.where(gray == key, 0, 2**bits - 1).astype(dtype)
        yield Case(f"png gray {bits} bits tRNS", png(gray, bits, 0, before=before), np.dstack([gray, alpha]))
        colour = _rgb(3, bits)
        key3 = colour[5, 5]
        before = chunk(b"tRNS", struct.pack(">HHH", *map(int, key3)))
        alpha = np.where((colour == key3).all(-1, keepdims=True), 0, 2**bits - 1).astype(dtype)
        data = png(colour, bits, 2, before=before)
        yield Case(f"png colour {bits} bits tRNS", data, np.dstack([bgr(colour), alpha]))
    indices = _rgb(1, 16) >> 12
    random = np.random.default_rng(4)
    palette, alphas = random.integers(0, 256, (16, 3), np.uint8), random.integers(0, 256, 9, np.uint8)
    before = chunk(b"PLTE", palette.tobytes()) + chunk(b"tRNS", alphas.tobytes())
    full = np.concatenate([alphas, np.full(7, 255, np.uint8)])
    expected = np.dstack([bgr(palette[indices[..., 0]]), full[indices]])
    yield Case("png palette tRNS", png(indices, 4, 3, before=before), expected)


# -- TIFF, against what was written, or tifffile with imagecodecs ------------------------------------------

_LAYOUTS: dict[str, dict[str, Any]] = {
    "strips": {"rowsperstrip": 16},
    "tiles": {"tile": (32, 48)},
    "one strip": {"rowsperstrip": HEIGHT},
}


def _tiffs() -> Iterator[Case]:
    plain, deep = _rgb(), _rgb(3, 16)
    for layout, options in _LAYOUTS.items():
        for codec in ("none", "packbits", "zlib", "lzw", "zstd"):
            for predictor in (False, True) if codec in ("zlib", "lzw", "zstd") else (False,):
                more = {**options, "compression": codec, "predictor": predictor, "photometric": "rgb"}
                name = f"tiff {layout} {codec}{' predictor' if predictor else ''}"
                yield Case(name, tiff(plain, **more), bgr(plain))
                yield Case(f"{name} 16 bits", tiff(deep, **more, byteorder=">"), bgr(deep))
                planes = np.moveaxis(plain, 2, 0)
                yield Case(f"{name} planar", tiff(planes, **more, planarconfig="separate"), bgr(plain))
        for subsampling in ((1, 1), (2, 1), (2, 2)):
            data = tiff(
                plain, **options, photometric="rgb", compression="jpeg", subsampling=subsampling,
                compressionargs={"level": 90},
            )  # fmt: skip
            yield Case(f"tiff {layout} jpeg {subsampling}", data, bgr(tifffile.imread(io.BytesIO(data))))
        data = tiff(_gray(), **options, compression="jpeg")
        yield Case(f"tiff {layout} jpeg gray", data, bgr(tifffile.imread(io.BytesIO(data))))
    planes = np.moveaxis(deep, 2, 0)
    data = tiff(planes, photometric="rgb", planarconfig="separate", byteorder=">", rowsperstrip=16)
    yield Case("tiff planar 16 bits big-endian", data, bgr(deep))
    for order in "<>":
        data = tiff(deep, byteorder=order, bigtiff=True, compression="zlib", tile=(64, 64), photometric="rgb")
        yield Case(f"bigtiff {order}", data, bgr(deep))


def _tiff_colours() -> Iterator[Case]:
    gray, deep, bits = _gray(), _gray(16), _gray() > 128
    black_white = (bits * 255).astype(np.uint8)
    yield Case("tiff min-is-white", tiff(gray, photometric="miniswhite"), bgr(255 - gray))
    yield Case("tiff min-is-white 16 bits", tiff(deep, photometric="miniswhite"), bgr(65535 - deep))
    for name, options in _LAYOUTS.items():
        yield Case(f"tiff 1 bit {name}", tiff(bits, photometric="minisblack", **options), bgr(black_white))
    data = tiff(bits, photometric="miniswhite", compression="zlib")
    yield Case("tiff 1 bit min-is-white", data, bgr(255 - black_white))
    for codec in ("group3", "group4", "tiff_ccitt", "packbits", "tiff_deflate", "tiff_lzw"):
        data = save(PillowImage.fromarray(bits), "TIFF", compression=codec)
        yield Case(f"tiff 1 bit {codec}", data, bgr(black_white))
    for count in (2, 4):
        yield _tiff_few_bits(count)
    colours = np.random.default_rng(0).integers(0, 65536, (3, 256), np.uint16)
    expected = bgr(np.moveaxis((colours[:, gray] >> 8).astype(np.uint8), 0, 2))
    for name, options in _LAYOUTS.items():
        data = tiff(gray, photometric="palette", colormap=colours, **options)
        yield Case(f"tiff palette {name}", data, expected)
    for channels, photometric in ((2, "minisblack"), (4, "rgb")):
        for depth in (8, 16):
            image = _rgb(channels, depth)
            data = tiff(
                image, photometric=photometric, planarconfig="contig", extrasamples=[2], tile=(64, 64)
            )
            yield Case(f"tiff {channels} channels {depth} bits", data, bgr(image))


def _tiff_few_bits(count: int) -> Case:
    """Return gray of 2 or 4 bits, packed here: no library at hand writes it."""
    levels = textured(HEIGHT, 200, 1, 16)[..., 0] >> (16 - count)
    digits = np.unpackbits(levels.astype(np.uint8)[..., np.newaxis], axis=-1)[..., 8 - count :]
    packed = np.packbits(digits.reshape(HEIGHT, -1), axis=1)
    data = bytearray(tiff(packed, photometric="minisblack", metadata=None))
    with tifffile.TiffFile(io.BytesIO(bytes(data))) as file:
        tags = file.pages.first.tags
        struct.pack_into("<H", data, tags["BitsPerSample"].valueoffset, count)
        struct.pack_into("<I", data, tags["ImageWidth"].valueoffset, 200)
        struct.pack_into("<H", data, tags["ImageWidth"].offset + 2, 4)
    return Case(f"tiff {count} bits", bytes(data), bgr((levels * (255 // (2**count - 1))).astype(np.uint8)))


def _libtiffs() -> Iterator[Case]:
    """Yield what libtiff writes: among others JPEG whose tables are in the directory."""
    plain = _rgb()
    vips = pyvips.Image.new_from_array(plain).copy(interpretation="srgb")
    variants: dict[str, dict[str, Any]] = {
        "tiles jpeg": {"compression": "jpeg", "tile": True, "tile_width": 64, "tile_height": 48},
        "strips jpeg": {"compression": "jpeg", "tile_height": 16},
        "tiles jpeg 4:4:4": {"compression": "jpeg", "tile": True, "Q": 95},
        "pyramid": {"compression": "deflate", "tile": True, "pyramid": True, "bigtiff": True},
        "packbits": {"compression": "packbits", "predictor": "none"},
    }
    for name, options in variants.items():
        data = bytes(vips.tiffsave_buffer(**options))
        yield Case(f"tiff by libtiff {name}", data, bgr(tifffile.imread(io.BytesIO(data), key=0)))
    for codec in ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits", "raw"):
        data = save(PillowImage.fromarray(plain), "TIFF", compression=codec)
        yield Case(f"tiff by Pillow {codec}", data, pillow(data))


# -- BMP, WebP, GIF, against Pillow ------------------------------------------------------------------------


def _bmps() -> Iterator[Case]:
    colour = PillowImage.fromarray(_rgb())
    pictures: dict[str, Callable[[], PillowImage.Image]] = {
        "24 bits": lambda: colour,
        "32 bits": lambda: PillowImage.fromarray(_rgb(4)),
        "gray": lambda: PillowImage.fromarray(_gray()),
        "palette": lambda: colour.quantize(200),
        "1 bit": lambda: PillowImage.fromarray(_gray() > 128),
    }
    for name, make in pictures.items():
        data = save(make(), "BMP")
        mode = {"palette": "RGB", "1 bit": "L"}.get(name)
        yield Case(f"bmp {name}", data, pillow(data, mode))
    yield _bmp("4 bits", 4, (WIDTH + 7) // 8 * 4)
    yield _bmp("16 bits", 16, (WIDTH * 2 + 3) // 4 * 4)
    upside_down = bytearray(save(colour, "BMP"))
    struct.pack_into("<i", upside_down, 22, -HEIGHT)
    yield Case("bmp top down", bytes(upside_down), pillow(bytes(upside_down)))
    masks = struct.pack("<III", 0xF800, 0x07E0, 0x001F)
    yield _bmp("565", 16, (WIDTH * 2 + 3) // 4 * 4, compression=3, masks=masks)


def _bmp(name: str, bits: int, stride: int, compression: int = 0, masks: bytes = b"") -> Case:
    random = np.random.default_rng(bits)
    palette = random.integers(0, 256, 4 << bits, np.uint8).tobytes() if bits <= 8 else masks
    offset = 54 + len(palette)
    size = stride * HEIGHT
    head = struct.pack("<2sIII", b"BM", offset + size, 0, offset)
    head += struct.pack("<IiiHHIIiiII", 40, WIDTH, HEIGHT, 1, bits, compression, size, 2835, 2835, 0, 0)
    data = head + palette + random.integers(0, 256, size, np.uint8).tobytes()
    return Case(f"bmp {name}", data, pillow(data, "RGB"))


def _others() -> Iterator[Case]:
    colour, alpha = PillowImage.fromarray(_rgb()), PillowImage.fromarray(_rgb(4))
    for name, picture, options in (
        ("lossy", colour, {"quality": 80}),
        ("lossless", colour, {"lossless": True}),
        ("alpha", alpha, {"lossless": True, "exact": True}),
        ("lossy alpha", alpha, {"quality": 80}),
        ("animated", colour, {"save_all": True, "append_images": [colour.rotate(180)], "lossless": True}),
    ):
        data = save(picture, "WEBP", **options)
        yield Case(f"webp {name}", data, pillow(data, "RGBA" if "alpha" in name else "RGB"))
    data = save(colour.quantize(64), "GIF")
    yield Case("gif", data, pillow(data, "RGB"))
    data = save(colour.quantize(64), "GIF", interlace=1)
    yield Case("gif interlaced", data, pillow(data, "RGB"))
    data = save(colour.quantize(64), "GIF", save_all=True, append_images=[colour.rotate(180).quantize(64)])
    yield Case("gif animated", data, pillow(data, "RGBA"))
