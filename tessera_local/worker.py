"""A worker process: one order a line on standard input, one reply a line on standard output.

The process that started it kills it when there is no more to do. Input that ends means that that process was
killed itself: then the folder is removed, and this process ends.
"""

import json
import os
import shutil
import sys
import traceback
from typing import Any

import cv2

from activities.store import Store
from tessera.planner import Limits
from tessera_local.store import FolderStore
from tessera_local.tasks import run_activity


def main() -> None:
    """Serve the store in the folder, within the limits, that the command line names."""
    folder, limits = sys.argv[1:]
    # One task at a time on each core: OpenCV's own threads would compete with the other processes.
    cv2.setNumThreads(1)
    # What a library prints must not look like a reply.
    with os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8") as replies:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        serve(FolderStore(folder), Limits.model_validate_json(limits), replies)
    shutil.rmtree(folder, ignore_errors=True)


def serve(store: Store, limits: Limits, replies: Any) -> None:
    """Answer orders until there are no more."""
    for line in sys.stdin.buffer:
        name, data = json.loads(line)
        print(json.dumps(_answer(name, data, store, limits)), file=replies, flush=True)


def _answer(name: str, data: Any, store: Store, limits: Limits) -> dict[str, Any]:
    try:
        return run_activity(name, data, store, limits)
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}", "trace": traceback.format_exc()}


if __name__ == "__main__":
    main()
