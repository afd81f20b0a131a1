"""Images for tests, made from a seed: textured like photographs, and built to be hard."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ImageCms

type Image = NDArray[Any]


def textured(height: int, width: int, channels: int = 3, depth: int = 8, seed: int = 0) -> Image:
    """Return soft shapes with grain, (height, width, channels), over the whole range of the depth."""
    random = np.random.default_rng(seed)
    noise = random.normal(size=(height, width, channels)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 2.0).reshape(noise.shape)
    mixed = soft / (np.abs(soft).max() + 1e-6) + 0.1 * noise
    scaled = (mixed - mixed.min()) / (np.ptp(mixed) + 1e-6) * (2**depth - 1)
    return np.asarray(scaled, np.dtype(f"u{depth // 8}"))


def serpentine(height: int, width: int, pitch: int = 16) -> Image:
    """Return one weak ridge folded to and fro over the whole image, fading in from strong at its beginning.

    Whether any of it is an edge is decided at one end, as far away as the image allows.
    """
    radius, weak, strong = pitch // 2, 60, 255
    left, right = 2 * pitch, width - 2 * pitch
    turn = np.linspace(-np.pi / 2, np.pi / 2, 32)
    path = [np.array([[left, pitch]])]
    for index, y in enumerate(range(pitch, height - 2 * pitch, pitch)):
        centre, sign = (right, 1) if index % 2 == 0 else (left, -1)
        arc = np.stack([centre + sign * radius * np.cos(turn), y + radius + radius * np.sin(turn)], axis=1)
        path.append(arc)
    points = np.rint(np.concatenate(path)).astype(np.int32)
    image = np.zeros((height, width), np.uint8)
    cv2.polylines(image, [points], isClosed=False, color=weak, thickness=pitch // 3)
    for x, level in zip(range(left, right), range(strong, weak, -2), strict=False):
        cv2.line(image, (x, pitch), (x + 1, pitch), level, thickness=pitch // 3)
    return cv2.GaussianBlur(image, (0, 0), 1.0)[:, :, np.newaxis]


def encode(image: Image, extension: str = ".png", options: list[int] | None = None) -> bytes:
    """Return the image as a file made by OpenCV."""
    _, data = cv2.imencode(extension, image, options or [])
    return data.tobytes()


def decode(data: bytes) -> Image:
    """Return the pixels of a file as OpenCV reads them, (height, width, channels), unrotated."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert image is not None
    return np.atleast_3d(image)


def icc_profile(size: int = 0) -> bytes:
    """Return the sRGB profile, padded to *size* bytes (a multiple of 4) if that is more."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    padding = np.random.default_rng(0).bytes(max(0, size - len(profile)))
    return (len(profile) + len(padding)).to_bytes(4) + profile[4:] + padding
