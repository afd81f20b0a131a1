"""Hooks of schemathesis: now and then an id that is there takes the place of a made-up one.

The ids are in the variables ``CONTRACT_UPLOADS``, ``CONTRACT_JOBS`` and ``CONTRACT_BATCHES``.
"""

import os
import re
from typing import Any

import schemathesis

_ID = re.compile(r"[0-9a-f]{32}")
_UPLOADS = os.environ.get("CONTRACT_UPLOADS", "").split()
_PATH = {
    "job": os.environ.get("CONTRACT_JOBS", "").split(),
    "batch": os.environ.get("CONTRACT_BATCHES", "").split(),
}


def _known(made_up: Any, ids: list[str]) -> Any:
    """Return one of *ids* for most well-formed made-up ones, always the same for the same."""
    if not isinstance(made_up, str) or not _ID.fullmatch(made_up):
        return made_up
    choice = int(made_up, 16) % (len(ids) + 1)
    return ids[choice] if choice < len(ids) else made_up


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: Any) -> Any:
    """Ask for jobs and batches that are there."""
    for name, ids in _PATH.items():
        if path_parameters and name in path_parameters:
            path_parameters[name] = _known(path_parameters[name], ids)
    return path_parameters


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    """Name uploads and jobs that are there."""
    for name, ids in (("upload_id", _UPLOADS), ("job", _PATH["job"])):
        if isinstance(body, dict) and name in body:
            body[name] = _known(body[name], ids)
    return body
