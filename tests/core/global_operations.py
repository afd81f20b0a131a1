"""Parameters for property tests of operations that need the whole image."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from tessera.operations import CATALOGUE, GlobalOperation
from tessera.plan import Step
from tests.support.pipelines import cannies

GLOBAL = [operation for operation in CATALOGUE.values() if isinstance(operation, GlobalOperation)]

_INVERSE = st.fixed_dictionaries({"inverse": st.booleans()})
_PERCENT = st.sampled_from([0, 0.5, 50, 99.5, 100]) | st.floats(0, 100)
_CELLS = st.integers(1, 9)
_PARAMETERS: Mapping[str, st.SearchStrategy[dict[str, Any]]] = {
    "threshold_otsu": _INVERSE,
    "threshold_triangle": _INVERSE,
    "auto_contrast": st.lists(_PERCENT, min_size=2, max_size=2, unique=True).map(
        lambda ends: {"low": min(ends), "high": max(ends)}
    ),
    "clahe": st.fixed_dictionaries(
        {"clip_limit": st.sampled_from([0, 1, 2.5, 40]), "columns": _CELLS, "rows": _CELLS}
    ),
}


def global_steps(name: str) -> st.SearchStrategy[Step]:
    """Return steps of the operation with any parameters; Canny's suit its aperture."""
    if name == "canny":
        return cannies()
    return _PARAMETERS.get(name, st.just({})).map(
        lambda parameters: Step(operation=name, parameters=parameters)
    )
