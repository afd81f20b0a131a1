"""HTTP client of the Tessera API: upload an image, run a pipeline, fetch the result.

Examples
--------
>>> from tessera_client import Client, Output, parse_step
>>> with Client() as client:  # doctest: +SKIP
...     upload = client.upload("photo.jpg")
...     job = client.submit(upload.id, [parse_step("canny:low=50,high=150")], Output("png"))
...     client.download(client.wait(job.id), "edges.png")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tessera_client.client import Client
    from tessera_client.errors import (
        ApiError,
        ConnectionFailed,
        DownloadFailed,
        InvalidPipeline,
        JobFailed,
        NotFound,
        Refused,
        TesseraClientError,
        Unavailable,
        UnexpectedResponse,
        UploadFailed,
        WaitTimedOut,
    )
    from tessera_client.models import Health, Job, Operation, Output, Problem, Result, Step, Upload
    from tessera_client.pipeline import parse_step
    from tessera_client.retry import RetryPolicy

__all__ = [
    "ApiError",
    "Client",
    "ConnectionFailed",
    "DownloadFailed",
    "Health",
    "InvalidPipeline",
    "Job",
    "JobFailed",
    "NotFound",
    "Operation",
    "Output",
    "Problem",
    "Refused",
    "Result",
    "RetryPolicy",
    "Step",
    "TesseraClientError",
    "Unavailable",
    "UnexpectedResponse",
    "Upload",
    "UploadFailed",
    "WaitTimedOut",
    "parse_step",
]


def __getattr__(name: str) -> Any:
    # Imported when first used: `tessera --help` needs none of it, and httpx alone would double its time.
    if name in __all__:
        for module in ("models", "errors", "pipeline", "retry", "client"):
            found = getattr(import_module(f"{__name__}.{module}"), name, None)
            if found is not None:
                return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
