"""Memory of the page's process between runs of the script."""

import gc
from functools import cache


@cache
def spare_modules() -> None:
    """Let collections look at nothing that was imported: Streamlit collects after every run of the script.

    That takes about 0.1 s of the processor with all that it and the page have imported.
    """
    gc.collect()
    gc.freeze()
