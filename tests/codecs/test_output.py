"""What may be asked for: formats, their options, and what each can hold."""

import pytest
from pydantic import ValidationError

from tessera.codecs import Picture, codec_for, resolve
from tessera.codecs.base import Unit
from tessera.errors import InvalidOutput
from tessera.plan import Output, Pixels


@pytest.mark.parametrize(
    ("file_format", "width", "height", "pixels", "reason", "hint"),
    [
        ("jpeg", 10, 10, Pixels(channels=4), "alpha", "choose png or tiff"),
        ("jpeg", 10, 10, Pixels(channels=3, depth=16), "16", "choose png or tiff"),
        ("jpeg", 65_501, 10, Pixels(channels=3), "65501 x 10", "choose png or tiff"),
        ("png", 10, 2**31, Pixels(channels=3), "2147483647", "make the image smaller"),
        ("tiff", 2**31, 10, Pixels(channels=3), "2147483647", "make the image smaller"),
    ],
)
def test_what_a_format_cannot_hold_is_refused(
    file_format: str, width: int, height: int, pixels: Pixels, reason: str, hint: str
) -> None:
    codec = codec_for(Output.from_json({"format": file_format}))
    with pytest.raises(InvalidOutput, match=reason) as refused:
        codec.check(width, height, pixels)
    assert refused.value.hint == hint
    assert refused.value.pointer == "/output/format"


@pytest.mark.parametrize("file_format", ["png", "tiff"])
@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_png_and_tiff_hold_every_kind_of_pixels(file_format: str, channels: int, depth: int) -> None:
    pixels = Pixels.from_json({"channels": channels, "depth": depth})
    codec_for(Output.from_json({"format": file_format})).check(65_501, 2**31 - 1, pixels)


@pytest.mark.parametrize(
    ("output", "unit"),
    [
        ({}, Unit(None, 1)),
        ({"format": "jpeg"}, Unit(None, 16)),
        ({"format": "jpeg", "subsampling": "4:1:1"}, Unit(None, 8)),
        ({"format": "tiff"}, Unit(512, 512)),
    ],
)
def test_units(output: dict[str, str], unit: Unit) -> None:
    assert codec_for(Output.from_json(output)).unit == unit


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ({"format": "jpeg", "quality": 0}, "greater than or equal to 1"),
        ({"format": "jpeg", "subsampling": "4:4:0"}, "'4:2:0', '4:2:2', '4:4:4' or '4:1:1'"),
        ({"format": "tiff", "compression": "zstd"}, "'fast' or 'small'"),
        ({"format": "webp"}, "'png', 'jpeg', 'tiff' or 'same'"),
        ({"lossless": True}, "Extra inputs are not permitted"),
    ],
)
def test_refused_options(output: dict[str, object], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        Output.from_json(output)


@pytest.mark.parametrize(
    ("output", "name"),
    [
        ({"format": "png", "quality": 80}, "quality"),
        ({"format": "jpeg", "compression": "small"}, "compression"),
        ({"format": "png", "pyramid": True}, "pyramid"),
        ({"format": "tiff", "subsampling": "4:4:4"}, "subsampling"),
    ],
)
def test_an_option_of_another_format_is_refused_at_its_place(output: dict[str, object], name: str) -> None:
    with pytest.raises(InvalidOutput, match=f"{output['format']} has no option {name}") as refused:
        resolve(Output.from_json(output), "png")
    assert refused.value.pointer == f"/output/{name}"


@pytest.mark.parametrize(
    ("asked", "input_format", "resolved"),
    [
        ({"format": "same", "quality": 80, "pyramid": True}, "jpeg", {"format": "jpeg", "quality": 80}),
        ({"format": "same", "quality": 80, "pyramid": True}, "tiff", {"format": "tiff", "pyramid": True}),
        ({"format": "same", "keep_metadata": True}, "png", {"keep_metadata": True}),
        ({"format": "same", "compression": "small"}, "webp", {"compression": "small"}),
        ({"format": "same"}, "gif", {}),
        ({"format": "same"}, "same", {}),
        ({"format": "jpeg", "quality": 70}, "png", {"format": "jpeg", "quality": 70}),
    ],
)
def test_the_same_format_as_the_input(
    asked: dict[str, object], input_format: str, resolved: dict[str, object]
) -> None:
    made = resolve(Output.from_json(asked), input_format)
    assert made == Output.from_json(resolved)
    assert Output.from_json(made.to_json()) == made


@pytest.mark.parametrize("file_format", ["png", "jpeg", "tiff", "same"])
def test_defaults_of_other_formats_may_be_written_out(file_format: str) -> None:
    output = Output.from_json({"format": file_format})
    assert Output.model_validate_json(output.model_dump_json()) == output


def test_an_unresolved_format_has_no_codec() -> None:
    with pytest.raises(ValueError, match="resolved first"):
        codec_for(Output(format="same"))


def test_every_option_says_what_it_is() -> None:
    properties = Output.model_json_schema()["properties"]
    assert Output.options("same") | {"format"} == properties.keys()
    assert all(one["description"] and "default" in one for one in properties.values())


@pytest.mark.parametrize(
    ("dpi", "resolution"),
    [
        ((300.0, 72.5), (300.0, 72.5)),
        ((0.0, 300.0), None),
        ((300.0, float("inf")), None),
        ((float("nan"), 300.0), None),
        ((-72.0, 72.0), None),
        ((1e7, 72.0), None),
        (None, None),
    ],
)
def test_a_resolution_that_makes_no_sense_is_not_written(
    dpi: tuple[float, float] | None, resolution: tuple[float, float] | None
) -> None:
    assert Picture(1, 1, Pixels(channels=1), dpi=dpi).resolution == resolution
