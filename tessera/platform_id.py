"""What the bits of a result may depend on besides the input: library, processor, settings."""

from functools import cache

import cv2
import numpy as np

_TOLD = ("SSE4.2", "AVX2", "AVX512-SKX", "AVX512-ICL", "NEON", "SVE", "RVV")


@cache
def processor_features() -> tuple[str, ...]:
    """Return the vector instructions that OpenCV finds and may use, by its names."""
    return tuple(cv2.getCPUFeaturesLine().replace("*", "").split())


@cache
def platform_id() -> str:
    """Return the versions of OpenCV, Intel's library and NumPy, and the vector instructions."""
    told = [name for name in _TOLD if name in processor_features()]
    ipp = cv2.ipp.getIppVersion() if cv2.ipp.useIPP() else "off"
    return f"opencv {cv2.__version__}, ipp {ipp}, numpy {np.__version__}, {'+'.join(told) or 'no vectors'}"
