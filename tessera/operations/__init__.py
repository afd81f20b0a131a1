"""The catalogue: every operation by its name."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast

from tessera.operations import (
    colour,
    contrast,
    conversion,
    edges,
    framing,
    kernels,
    masks,
    morphology,
    scaling,
    smoothing,
    statistics,
    tone,
    turning,
)
from tessera.operations.base import GeometryOperation, GlobalOperation, LocalOperation
from tessera.operations.canny import CANNY
from tessera.operations.clahe import CLAHE, CLAHE_LAB

type AnyOperation = LocalOperation[Any] | GlobalOperation[Any] | GeometryOperation[Any]

_ALL = cast(
    tuple[AnyOperation, ...],
    (
        tone.INVERT, tone.BRIGHTNESS_CONTRAST, tone.GAMMA, tone.LEVELS, tone.CURVES,
        tone.POSTERIZE, tone.SOLARIZE,
        colour.HUE_SATURATION, colour.VIBRANCE, colour.SEPIA, colour.COLOR_MATRIX, colour.CHANNEL_MIXER,
        conversion.GRAYSCALE, conversion.CHANNEL, conversion.COLORMAP, conversion.TO_RGB, conversion.TO_8_BIT,
        masks.THRESHOLD, masks.IN_RANGE, masks.ADAPTIVE_THRESHOLD,
        smoothing.BOX_BLUR, smoothing.GAUSSIAN_BLUR, smoothing.MEDIAN_BLUR,
        smoothing.BILATERAL, smoothing.DENOISE,
        kernels.SHARPEN, kernels.UNSHARP_MASK, kernels.EMBOSS, kernels.KERNEL,
        edges.SOBEL, edges.SCHARR, edges.LAPLACIAN, CANNY,
        morphology.ERODE, morphology.DILATE, morphology.OPEN, morphology.CLOSE, morphology.TOP_HAT,
        morphology.BLACK_HAT, morphology.MORPHOLOGICAL_GRADIENT,
        statistics.THRESHOLD_OTSU, statistics.THRESHOLD_TRIANGLE,
        contrast.EQUALIZE, contrast.AUTO_CONTRAST, contrast.NORMALIZE, contrast.GRAY_WORLD,
        statistics.REPORT, CLAHE,
        framing.CROP, framing.PAD, turning.FLIP, turning.ROTATE, turning.TRANSPOSE, turning.ROTATE_BY,
        scaling.RESIZE, scaling.SCALE, scaling.FIT,
    ),
)  # fmt: skip

_HALVES = cast(
    tuple[AnyOperation, ...], (conversion.YCRCB, conversion.LAB, contrast.EQUALIZE_YCRCB, CLAHE_LAB)
)

CATALOGUE: Mapping[str, AnyOperation] = MappingProxyType({operation.name: operation for operation in _ALL})

PLANNED: Mapping[str, AnyOperation] = MappingProxyType(
    {**CATALOGUE, **{operation.name: operation for operation in _HALVES}}
)
"""All that plans may name: the halves of operations that are split, too."""

__all__ = ["CATALOGUE", "PLANNED", "AnyOperation", "GeometryOperation", "GlobalOperation", "LocalOperation"]
