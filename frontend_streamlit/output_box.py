"""The wanted file: its format, and the options that this format has."""

import streamlit as st

from frontend_streamlit import draft
from tessera_client import Output

FORMATS = {
    "png": "PNG, without loss",
    "jpeg": "JPEG, smaller",
    "tiff": "TIFF, for large images",
    "same": "As the image",
}
BEST_QUALITY = 90
SUBSAMPLING = {
    "4:2:0": "Half in both directions (4:2:0)",
    "4:2:2": "Half across (4:2:2)",
    "4:4:4": "Full (4:4:4)",
    "4:1:1": "A quarter across (4:1:1)",
}


def show() -> Output:
    """Show the format with its options, and return what is chosen."""
    begun = draft.current()
    key = begun.id
    known = begun.output.format if begun.output.format in FORMATS else "png"
    chosen = st.radio(
        "File format",
        list(FORMATS),
        index=list(FORMATS).index(known),
        format_func=lambda name: FORMATS[name],
        horizontal=True,
        key=f"format_{key}",
    )
    output = _options(chosen, begun.output, key)
    begun.latest = output
    return output


def _options(chosen: str, begun: Output, key: int) -> Output:
    quality = subsampling = compression = pyramid = None
    if chosen == "jpeg":
        quality = st.slider(
            "Quality",
            1,
            100,
            begun.quality or BEST_QUALITY,
            help="Higher looks better and makes a larger file.",
            key=f"quality_{key}",
        )
    with st.expander("More options", icon=":material/tune:"):
        if chosen == "jpeg":
            values = list(SUBSAMPLING)
            subsampling = st.selectbox(
                "Detail of colour",
                values,
                index=values.index(begun.subsampling) if begun.subsampling in values else 0,
                format_func=lambda each: SUBSAMPLING[each],
                help="The eye sees less detail in colour than in brightness. Less of it: a smaller file.",
                key=f"subsampling_{key}",
            )
        if chosen in ("png", "tiff"):
            small = st.toggle(
                "Smaller file, many times slower", begun.compression == "small", key=f"compression_{key}"
            )
            compression = "small" if small else None
        if chosen == "tiff":
            pyramid = st.toggle(
                "With smaller copies inside",
                bool(begun.pyramid),
                help="Viewers of large images open it faster: "
                "a pyramid, in the order of a cloud-optimized GeoTIFF.",
                key=f"pyramid_{key}",
            )
        keep = st.toggle(
            "Keep the camera's data",
            bool(begun.keep_metadata),
            help="Date, camera and settings (EXIF), and the place where the photograph was taken.",
            key=f"keep_{key}",
        )
    return Output(
        chosen,
        quality,
        None if subsampling == "4:2:0" else subsampling,
        compression,
        pyramid or None,
        keep or None,
    )
