"""How many pixels of a picture there are of each level, drawn."""

import io
from collections.abc import Mapping, Sequence

import streamlit as st
from PIL import Image

LEVELS, HEIGHT = 256, 100
# A black background would flatten all else: so large a part of the levels fits in.
SHOWN_PART = 0.98
_OTHER = "#8b8d98"
_COLORS = {"Alpha": "#c8a24a", "Red": "#e5484d", "Green": "#30a46c", "Blue": "#3e7bfa", "Gray": "#8b8d98"}


def count(picture: bytes) -> dict[str, list[int]]:
    """Count the levels of a picture.

    Parameters
    ----------
    picture : bytes
        PNG or JPEG file of 8 bits.

    Returns
    -------
    dict of str to list of int
        For each channel (Gray, or Red, Green and Blue), the pixels at each of 256 levels.
    """
    with Image.open(io.BytesIO(picture)) as image:
        gray = image.mode in ("1", "L", "LA")
        counts = image.convert("L" if gray else "RGB").histogram()
    names = ("Gray",) if gray else ("Red", "Green", "Blue")
    return {name: counts[LEVELS * i : LEVELS * (i + 1)] for i, name in enumerate(names)}


def show(picture: bytes, label: str) -> None:
    """Draw the histogram of a picture.

    Parameters
    ----------
    picture : bytes
        PNG or JPEG file of 8 bits.
    label : str
        What it is, for those who don't see it; plain words.
    """
    show_counts(count(picture), label)


def show_counts(counts: Mapping[str, Sequence[int]], label: str) -> None:
    """Draw counts of 256 levels, of each channel; *label* as for `show`."""
    st.image(draw(counts), alt=label, width="stretch")


def draw(counts: Mapping[str, Sequence[int]]) -> str:
    """Write the histogram as SVG."""
    every = sorted(number for channel in counts.values() for number in channel)
    top = max(1, every[int(SHOWN_PART * (len(every) - 1))])
    areas = "".join(
        f'<path d="{_outline(numbers, top)}" fill="{_COLORS.get(name, _OTHER)}" fill-opacity="0.5"/>'
        for name, numbers in counts.items()
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * LEVELS}" height="{HEIGHT}" '
        f'viewBox="0 0 {LEVELS} {HEIGHT}" preserveAspectRatio="none">{areas}</svg>'
    )


def _outline(numbers: Sequence[int], top: int) -> str:
    heights = [HEIGHT - min(HEIGHT, HEIGHT * number / top) for number in numbers]
    steps = " ".join(f"V{height:.1f}h1" for height in heights)
    return f"M0 {HEIGHT} {steps} V{HEIGHT} Z"
