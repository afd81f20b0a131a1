"""Pipelines and sizes for property tests."""

from hypothesis import strategies as st
from pydantic import JsonValue

from tessera.plan import Step

INVERT = Step(operation="invert")


def median_blur(ksize: int) -> Step:
    return Step(operation="median_blur", parameters={"ksize": ksize})


def threshold(value: int, kind: str = "binary") -> Step:
    return Step(operation="threshold", parameters={"value": value, "type": kind})


def canny(low: float, high: float, aperture: int = 3, *, l2_gradient: bool = False) -> Step:
    parameters: dict[str, JsonValue] = {
        "low": low,
        "high": high,
        "aperture": aperture,
        "l2_gradient": l2_gradient,
    }
    return Step(operation="canny", parameters=parameters)


_THRESHOLD_TYPES = ["binary", "binary_inverse", "truncate", "to_zero", "to_zero_inverse"]

SIDES = st.one_of(st.sampled_from([1, 2, 3, 63, 64, 65, 129]), st.integers(1, 150))


def steps(depth: int) -> st.SearchStrategy[Step]:
    """Return any operation that takes pixels of this depth."""
    brightest = 2**depth - 1
    local = [
        st.just(INVERT),
        st.sampled_from([3, 5] if depth == 16 else [3, 5, 7, 11, 31]).map(median_blur),
        st.builds(threshold, st.integers(0, brightest), st.sampled_from(_THRESHOLD_TYPES)),
    ]
    if depth == 16:
        return st.one_of(local)
    return st.one_of(*local, cannies())


def cannies() -> st.SearchStrategy[Step]:
    """Return Canny with ordered thresholds that suit its aperture."""
    return st.tuples(st.sampled_from([3, 5, 7]), st.integers(0, 200), st.integers(0, 400), st.booleans()).map(
        lambda drawn: canny(
            drawn[1] * _gain(drawn[0]),
            (drawn[1] + drawn[2]) * _gain(drawn[0]),
            drawn[0],
            l2_gradient=drawn[3],
        )
    )


def _gain(aperture: int) -> int:
    """Return how much larger the gradients of a wider kernel are."""
    return {3: 1, 5: 10, 7: 10}[aperture]
