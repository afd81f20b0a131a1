"""The file that tells other programs where a started host is."""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path


def announce_ready(path: Path, url: str, storage: str | None, workers: Sequence[int]) -> Callable[[], None]:
    """Write the file, whole or not at all.

    Parameters
    ----------
    path
        The file.
    url
        Scheme and authority of the host.
    storage
        Connection string of Azurite when it was started too.
    workers
        Process ids of the workers.

    Returns
    -------
    Callable
        Removes the file.
    """
    content = {"pid": os.getpid(), "url": url, "storage": storage, "workers": list(workers)}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    partial.write_text(json.dumps(content))
    partial.replace(path)
    return lambda: path.unlink(missing_ok=True)
