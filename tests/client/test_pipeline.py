import json
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera_client import InvalidPipeline, Step, load_pipeline, parse_step

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
        ("[1]", [1]),
        ("[[0,0],[0.5,0.7],[1,1]]", [[0, 0], [0.5, 0.7], [1, 1]]),
        ('{"a":[1,2],"b":"x,y"}', {"a": [1, 2], "b": "x,y"}),
        ('"a,b]"', "a,b]"),
        ('"12"', "12"),
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
        ("curves:points=[[0,0],[1,1]", "points=[[0,0],[1,1] is not valid JSON"),
        ("curves:points=[a]", "points=[a] is not valid JSON"),
    ],
)
def test_a_wrong_operation_is_refused_with_an_example(text: str, message: str) -> None:
    with pytest.raises(InvalidPipeline) as refused:
        parse_step(text)
    assert message in str(refused.value)


def test_a_list_stands_beside_other_parameters() -> None:
    step = parse_step('kernel: values = [[0, -1], [1, 0]] , normalize = false, name="a,b"')
    assert step.parameters == {"values": [[0, -1], [1, 0]], "normalize": False, "name": "a,b"}


STEPS = (Step("canny", {"low": 50}), Step("invert"), Step("curves", {"points": [[0, 0], [1, 1]]}))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p.yaml", "- canny: {low: 50}\n- invert\n- curves:\n    points: [[0, 0], [1, 1]]\n"),
        ("p.yml", "pipeline:\n- canny:low=50\n- invert:\n- curves:points=[[0,0],[1,1]]\n"),
        (
            "p.json",
            '[{"operation": "canny", "parameters": {"low": 50}}, {"operation": "invert"},'
            ' {"operation": "curves", "parameters": {"points": [[0, 0], [1, 1]]}}]',
        ),
        (
            "p.json",
            '{"pipeline": ["canny:low=50", {"invert": {}}, {"curves": {"points": [[0, 0], [1, 1]]}}]}',
        ),
    ],
)
def test_a_file_may_be_yaml_or_json(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert load_pipeline(tmp_path / name) == STEPS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no list of steps"),
        ("canny: {low: 50}", "holds no list of steps"),
        ("- 3", "step 1 of .* is no operation"),
        ("- invert\n- {canny: 1, invert: 2}", "step 2 of .* is no operation"),
        ("- canny: [1, 2]", "step 1 of .* is no operation with named parameters"),
        ("- {operation: canny, params: {}}", "step 1 of .* is no operation"),
        ("- [", "is neither YAML nor JSON: while parsing"),
        ("- !!python/object/apply:os.system [echo]", "is neither YAML nor JSON: could not determine"),
    ],
)
def test_a_file_that_holds_something_else_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(InvalidPipeline, match=message):
        load_pipeline(tmp_path / "p.yaml")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidPipeline, match=r"cannot read .*gone\.yaml: No such file"):
        load_pipeline(tmp_path / "gone.yaml")
