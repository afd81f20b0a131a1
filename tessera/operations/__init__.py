"""The catalogue: every operation by its name."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast

from tessera.operations.base import GlobalOperation, LocalOperation
from tessera.operations.canny import CANNY
from tessera.operations.point import INVERT, THRESHOLD
from tessera.operations.stencil import MEDIAN_BLUR

type AnyOperation = LocalOperation[Any] | GlobalOperation[Any]

_ALL = cast(tuple[AnyOperation, ...], (INVERT, THRESHOLD, MEDIAN_BLUR, CANNY))

CATALOGUE: Mapping[str, AnyOperation] = MappingProxyType({operation.name: operation for operation in _ALL})

__all__ = ["CATALOGUE", "AnyOperation", "GlobalOperation", "LocalOperation"]
