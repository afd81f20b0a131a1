"""Pipelines with a name, made of operations of the catalogue.

They begin by turning the pixels into 8-bit ones, and into colours where an operation needs them, so that they
take every image.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pydantic import JsonValue

from tessera.plan import Step


@dataclass(frozen=True)
class Preset:
    """A stored pipeline."""

    summary: str
    steps: tuple[Step, ...]


def _step(operation: str, **parameters: JsonValue) -> Step:
    return Step(operation=operation, parameters=parameters)


_TO_8_BIT = _step("to_8_bit")
_TO_COLOUR = _step("to_rgb")

PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "pencil_sketch": Preset(
            "Dark strokes on white paper.",
            (
                _TO_8_BIT,
                _step("grayscale"),
                _step("bilateral", diameter=5, sigma_color=30, sigma_space=2),
                _step("laplacian", ksize=3, scale=2),
                _step("invert"),
                _step("levels", black=0.4, gamma=0.8),
            ),
        ),
        "document_scan": Preset(
            "Black writing on white, whatever the light was.",
            (
                _TO_8_BIT,
                _step("adaptive_threshold", method="gaussian", ksize=31, offset=10),
                _step("median_blur", ksize=3),
            ),
        ),
        "night_enhance": Preset(
            "Lighter shadows, less noise and stronger colours for pictures taken in the dark.",
            (
                _TO_8_BIT,
                _TO_COLOUR,
                _step("bilateral", diameter=7, sigma_color=25, sigma_space=3),
                _step("gamma", gamma=1.8),
                _step("vibrance", amount=0.6),
                _step("unsharp_mask", sigma=1.5, amount=0.6, threshold=0.01),
            ),
        ),
        "crisp": Preset(
            "Sharper details and livelier colours.",
            (
                _TO_8_BIT,
                _TO_COLOUR,
                _step("unsharp_mask", sigma=1.2, amount=0.9, threshold=0.008),
                _step("vibrance", amount=0.4),
            ),
        ),
        "old_photograph": Preset(
            "Brown tones, soft light and faded blacks.",
            (
                _TO_8_BIT,
                _TO_COLOUR,
                _step("gaussian_blur", sigma=0.7),
                _step("sepia", strength=0.9),
                _step("curves", points=[[0, 0.08], [0.5, 0.52], [1, 0.94]]),
            ),
        ),
        "black_and_white": Preset(
            "Gray with strong contrast.",
            (
                _TO_8_BIT,
                _step("grayscale"),
                _step("curves", points=[[0, 0], [0.25, 0.14], [0.75, 0.86], [1, 1]]),
                _step("sharpen", amount=0.3),
            ),
        ),
        "poster": Preset(
            "Flat areas of few, strong colours.",
            (
                _TO_8_BIT,
                _TO_COLOUR,
                _step("median_blur", ksize=7),
                _step("posterize", levels=5),
                _step("hue_saturation", saturation=1.5),
            ),
        ),
        "heat_map": Preset(
            "Brightness as colours from black to yellow.",
            (_TO_8_BIT, _step("gaussian_blur", sigma=1), _step("colormap", map="inferno")),
        ),
        "clean_edges": Preset(
            "Thin white edges of what is large, without texture.",
            (
                _TO_8_BIT,
                _step("bilateral", diameter=9, sigma_color=60, sigma_space=4),
                _step("canny", low=50, high=120),
            ),
        ),
        "edges_on_photo": Preset(
            "The photograph with its edges drawn on it as dark and bright outlines.",
            (
                _TO_8_BIT,
                _TO_COLOUR,
                _step("bilateral", diameter=9, sigma_color=40, sigma_space=3),
                _step("unsharp_mask", sigma=3, amount=6, threshold=0.02),
            ),
        ),
    }
)
