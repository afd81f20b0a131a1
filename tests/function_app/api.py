"""Jobs over HTTP, for the tests of the routes."""

import time
from collections.abc import Callable
from typing import Any

import httpx

from function_app.blob_store import BlobStore
from tessera import naming
from tests.support.images import encode, textured

HUB = "/runtime/webhooks/durabletask/instances"
SMALL = encode(textured(100, 120))
# Two stages of 20 tiles: long enough to be met while running.
LARGE = encode(textured(2560, 600), ".jpg")
PATIENCE = 60.0


def send(http: httpx.Client, data: bytes) -> str:
    granted = http.post("/api/v1/uploads", json={"size": len(data)}).raise_for_status().json()
    httpx.put(granted["url"], content=data, headers={"x-ms-blob-type": "BlockBlob"}).raise_for_status()
    return str(granted["id"])


def order(upload: str, **more: Any) -> dict[str, Any]:
    pipeline = [{"operation": "median_blur", "parameters": {"ksize": 15}}, {"operation": "canny"}]
    return {"upload_id": upload, "pipeline": pipeline, **more}


def start(http: httpx.Client, data: bytes) -> str:
    return str(http.post("/api/v1/jobs", json=order(send(http, data))).raise_for_status().json()["id"])


def until(http: httpx.Client, job: str, enough: Callable[[httpx.Response], bool]) -> httpx.Response:
    """Poll a job until *enough* of an answer, or fail."""
    deadline = time.monotonic() + PATIENCE
    while not enough(answer := http.get(f"/api/v1/jobs/{job}")):
        assert time.monotonic() < deadline, f"the last answer was {answer.text}"
        time.sleep(0.05)
    return answer


def is_over(answer: httpx.Response) -> bool:
    return answer.json()["state"] in ("succeeded", "failed", "cancelled")


def is_gone(answer: httpx.Response) -> bool:
    return answer.status_code == 404


def has_tiles(answer: httpx.Response) -> bool:
    tiles = answer.json()["tiles"]
    return 0 < int(tiles["done"]) < int(tiles["total"])


def left(stored: BlobStore, job: str) -> list[str]:
    return [name for container in naming.CONTAINERS for name in stored.names(container, job)]
