"""Output formats whose tiles are encoded apart and stitched without touching a pixel."""

from tessera.codecs.base import Codec, Encoded, Picture
from tessera.codecs.jpeg import JpegCodec
from tessera.codecs.png import PngCodec
from tessera.plan import Output

__all__ = ["Codec", "Encoded", "Picture", "codec_for"]


def codec_for(output: Output) -> Codec:
    """Return the codec that makes *output*."""
    if output.format == "jpeg":
        return JpegCodec(quality=output.quality, subsampling=output.subsampling)
    return PngCodec()
