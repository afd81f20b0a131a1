import pytest

from tessera_client import InvalidPipeline, Operation, parse_step
from tessera_client.commands import catalogue
from tessera_client.commands.schema import Parameter, example, parameters

OPERATION = Operation(
    name="resize",
    parameters={
        "properties": {
            "scale": {"type": "number", "exclusiveMinimum": 0, "maximum": 8, "examples": [0.5]},
            "step": {"type": "integer", "minimum": 2, "maximum": 10, "multipleOf": 2, "default": 4},
            "filter": {"$ref": "#/$defs/Filter", "default": "area"},
            "border": {"allOf": [{"$ref": "#/$defs/Filter"}], "default": "cubic"},
            "crop": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None},
            "mode": {"const": "fast", "default": "fast"},
            "free": {},
        },
        "required": ["scale"],
        "$defs": {"Filter": {"enum": ["area", "cubic"], "description": "How pixels are mixed."}},
    },
)


@pytest.fixture
def by_name() -> dict[str, Parameter]:
    return {each.name: each for each in parameters(OPERATION)}


@pytest.mark.parametrize(
    ("name", "kind", "bounds"),
    [
        ("scale", "number", "> 0, <= 8"),
        ("step", "integer", "2 to 10, multiple of 2"),
        ("filter", "area | cubic", ""),
        ("border", "area | cubic", ""),
        ("crop", "integer or null", ""),
        ("mode", "fast", ""),
        ("free", "any", ""),
    ],
)
def test_types_and_bounds_are_put_into_words(
    by_name: dict[str, Parameter], name: str, kind: str, bounds: str
) -> None:
    assert (by_name[name].kind, by_name[name].range) == (kind, bounds)


def test_a_reference_brings_its_description(by_name: dict[str, Parameter]) -> None:
    assert by_name["filter"].description == "How pixels are mixed."
    assert by_name["filter"].default == "area"


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("scale", 0, False),
        ("scale", 0.1, True),
        ("scale", 8, True),
        ("scale", 8.1, False),
        ("scale", "half", True),
        ("filter", "cubic", True),
        ("filter", "linear", False),
        ("free", -1, True),
    ],
)
def test_bounds_and_lists_are_checked_and_types_left_to_the_service(
    by_name: dict[str, Parameter], name: str, value: object, allowed: bool
) -> None:
    assert by_name[name].allows(value) is allowed


def test_the_example_passes_the_check() -> None:
    text = example(OPERATION)
    assert text == "resize:scale=0.5,step=4,filter=area,border=cubic,mode=fast"
    catalogue.check([parse_step(text)], [OPERATION])


def test_a_value_that_is_not_listed_is_refused_with_the_list() -> None:
    with pytest.raises(InvalidPipeline, match=r"resize: filter=lanczos is not within area \| cubic"):
        catalogue.check([parse_step("resize:scale=1,filter=lanczos")], [OPERATION])


def test_an_operation_without_parameters_is_its_own_example() -> None:
    assert example(Operation(name="invert")) == "invert"
