"""The same bits on every processor: with all vector instructions of this one, and with some switched off."""

import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from pydantic import JsonValue

from tessera.operations import CATALOGUE
from tessera.pipeline import bind
from tessera.plan import Step
from tessera.whole import run_whole
from tests.core.local_operations import accepts, shape_of

_PARAMETERS: dict[str, list[dict[str, JsonValue]]] = {
    "resize": [
        {"width": 61, "height": 51, "interpolation": how}
        for how in ("nearest", "linear", "area", "cubic", "lanczos")
    ],
    "canny": [
        {"low": low, "high": 2 * low, "aperture": aperture, "l2_gradient": exact}
        for low, aperture in [(300, 3), (3000, 5), (15000, 7)]
        for exact in (False, True)
    ],
}
"""Where the defaults would leave code of OpenCV's aside."""


def digests() -> dict[str, str]:
    """Return a digest of what each operation makes of integer noise, by name."""
    found = {}
    for name in CATALOGUE:
        digest = hashlib.sha256()
        for depth, channels in [(8, 1), (8, 3), (16, 3)]:
            noise = np.random.default_rng(7).integers(0, 2**depth, (61, 147, channels))
            image = np.repeat(np.repeat(noise, 3, 0), 3, 1)[:83, :149].astype(np.dtype(f"u{depth // 8}"))
            for parameters in _PARAMETERS.get(name, [{}]):
                (bound,) = bind([Step(operation=name, parameters=parameters)])
                if accepts(bound, shape_of(image)):
                    digest.update(np.ascontiguousarray(run_whole(image, [bound])).tobytes())
        found[name] = digest.hexdigest()
    return found


def with_only(environment: dict[str, str]) -> tuple[str, dict[str, str]]:
    """Return the kind of machine that a process with such an environment takes this one for, and digests."""
    program = (
        "import json; from tessera.platform_id import platform_id;"
        " from tests.core.test_processors import digests; print(json.dumps([platform_id(), digests()]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    platform, found = json.loads(done.stdout)
    return platform, found


@pytest.fixture(scope="module")
def with_all() -> dict[str, str]:
    return digests()


@pytest.mark.parametrize(
    ("environment", "missing"),
    [
        pytest.param({"OPENCV_IPP": "disabled"}, "ippIP", id="without-ipp"),
        pytest.param(
            {"OPENCV_CPU_DISABLE": "AVX512-SKX", "NPY_DISABLE_CPU_FEATURES": "X86_V4"},
            "AVX512",
            id="no-avx512",
        ),
    ],
)
def test_other_vector_instructions_give_the_same_bits(
    environment: dict[str, str], missing: str, with_all: dict[str, str]
) -> None:
    """Servers with AVX2 and with AVX-512, with and without Intel's library, may share a job."""
    platform, found = with_only(environment)
    assert missing not in platform
    assert found == with_all


def test_without_avx2_only_delicate_operations_may_differ(with_all: dict[str, str]) -> None:
    platform, found = with_only(
        {
            "OPENCV_CPU_DISABLE": "AVX2,FMA3,AVX512-SKX",
            "OPENCV_IPP": "sse42",
            "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4",
        }
    )
    assert "AVX2" not in platform
    differing = {name for name, digest in found.items() if digest != with_all[name]}
    assert differing <= {name for name, operation in CATALOGUE.items() if operation.delicate}
