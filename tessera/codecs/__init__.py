"""Output formats whose tiles are encoded apart and stitched without touching a pixel."""

from typing import cast

from tessera.codecs.base import Codec, Coded, Encoded, Layout, Picture, Unit
from tessera.codecs.holds import WRITTEN
from tessera.codecs.jpeg import JpegCodec
from tessera.codecs.png import PngCodec
from tessera.codecs.tiff import TiffCodec
from tessera.errors import InvalidOutput
from tessera.plan import Output, OutputFormat

__all__ = ["Codec", "Coded", "Encoded", "Layout", "Picture", "Unit", "codec_for", "resolve"]


def codec_for(output: Output) -> Codec:
    """Return the codec that makes *output*.

    Raises
    ------
    ValueError
        If the format is not resolved yet.
    """
    match output.format:
        case "png":
            return PngCodec(compression=output.compression)
        case "jpeg":
            return JpegCodec(quality=output.quality, subsampling=output.subsampling)
        case "tiff":
            return TiffCodec(compression=output.compression, pyramid=output.pyramid)
        case "same":
            raise ValueError("the format 'same' is to be resolved first")


def resolve(output: Output, input_format: str) -> Output:
    """Return the output with the format of the input in place of ``same``; PNG if that isn't written.

    Options of other formats fall away with ``same``, and are refused else.

    >>> resolve(Output(format="same", quality=80, pyramid=True), "jpeg").to_json()
    {'format': 'jpeg', 'quality': 80}
    >>> resolve(Output(format="same"), "webp").format
    'png'

    Raises
    ------
    InvalidOutput
        If an option was chosen that the format doesn't have; the pointer names it.
    """
    for name in output.foreign:
        raise InvalidOutput(
            f"{output.format} has no option {name}",
            hint="leave it out, or choose another format",
            pointer=f"/output/{name}",
        )
    if output.format != "same":
        return output
    chosen = cast(OutputFormat, input_format) if input_format in WRITTEN else "png"
    options = output.model_dump(include=set(Output.options(chosen)))
    return Output(**options | {"format": chosen})
