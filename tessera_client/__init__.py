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
    from tessera_client.async_client import AsyncClient
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
        UploadRefused,
        WaitTimedOut,
    )
    from tessera_client.models import (
        CopiedUpload,
        Health,
        Job,
        Operation,
        Output,
        Preset,
        Problem,
        Result,
        Step,
        Upload,
    )
    from tessera_client.pipeline import load_pipeline, parse_step
    from tessera_client.retry import RetryPolicy
    from tessera_client.upload_state import UploadState
    from tessera_client.views import (
        Batch,
        BatchEntry,
        BatchSummary,
        JobSummary,
        Plan,
        Preview,
        Previews,
        Ready,
        Tile,
    )

__all__ = [
    "ApiError",
    "AsyncClient",
    "Batch",
    "BatchEntry",
    "BatchSummary",
    "Client",
    "ConnectionFailed",
    "CopiedUpload",
    "DownloadFailed",
    "Health",
    "InvalidPipeline",
    "Job",
    "JobFailed",
    "JobSummary",
    "NotFound",
    "Operation",
    "Output",
    "Plan",
    "Preset",
    "Preview",
    "Previews",
    "Problem",
    "Ready",
    "Refused",
    "Result",
    "RetryPolicy",
    "Step",
    "TesseraClientError",
    "Tile",
    "Unavailable",
    "UnexpectedResponse",
    "Upload",
    "UploadFailed",
    "UploadRefused",
    "UploadState",
    "WaitTimedOut",
    "load_pipeline",
    "parse_step",
]


def __getattr__(name: str) -> Any:
    # Imported when first used: `tessera --help` needs none of it, and httpx alone would double its time.
    if name in __all__:
        for module in (
            "models",
            "views",
            "errors",
            "pipeline",
            "retry",
            "upload_state",
            "client",
            "async_client",
        ):
            found = getattr(import_module(f"{__name__}.{module}"), name, None)
            if found is not None:
                return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
