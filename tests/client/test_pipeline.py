import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera_client import InvalidPipeline, Step, parse_step

NAMES = st.text(string.ascii_lowercase + "_", min_size=1)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans()
WORDS = st.text(string.ascii_letters + "-./", min_size=1).filter(lambda word: word not in ("true", "false"))


@given(name=NAMES, parameters=st.dictionaries(NAMES, NUMBERS | WORDS, max_size=4))
def test_what_was_written_is_read_back(name: str, parameters: dict[str, object]) -> None:
    values = {k: v if isinstance(v, str) else json.dumps(v) for k, v in parameters.items()}
    text = ":".join([name, ",".join(f"{k}={v}" for k, v in values.items())]) if parameters else name
    assert parse_step(text) == Step(name, parameters)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("11", 11),
        ("0.5", 0.5),
        ("1e3", 1000.0),
        ("true", True),
        ("True", "True"),
        ("null", "null"),
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        ("007", "007"),
        ("[1]", "[1]"),
        ("a=b", "a=b"),
    ],
)
def test_numbers_and_booleans_follow_json_and_the_rest_are_strings(text: str, value: object) -> None:
    (parsed,) = parse_step(f"op:key={text}").parameters.values()
    assert parsed == value
    assert type(parsed) is type(value)


def test_spaces_around_names_and_values_do_not_count() -> None:
    assert parse_step(" canny : low = 50 , high = 150 ") == Step("canny", {"low": 50, "high": 150})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "does not start with an operation's name"),
        (":ksize=3", "does not start with an operation's name"),
        ("ksize=3", "does not start with an operation's name"),
        ("canny,invert", "does not start with an operation's name"),
        ("canny:", "has a colon but no parameters; write canny"),
        ("median_blur:11", "'11' in 'median_blur:11' is not name=value"),
        ("canny:low=", "'low=' in 'canny:low=' is not name=value"),
        ("canny:=5", "is not name=value"),
        ("canny:low=1,", "'' in 'canny:low=1,' is not name=value"),
        ("canny:low=1,low=2", "'low' is given twice"),
    ],
)
def test_a_wrong_operation_is_refused_with_an_example(text: str, message: str) -> None:
    with pytest.raises(InvalidPipeline) as refused:
        parse_step(text)
    assert message in str(refused.value)
