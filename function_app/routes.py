"""The one table of the API's routes: registration, the OpenAPI document and the tests follow from it."""

from typing import Final

from function_app import queries, requests, responses, responses_service
from function_app.route import Answer, Route

_BODY = ("invalid-request", "unsupported-media-type", "limit-exceeded")
_IMAGE = (
    "upload-not-found",
    "unsupported-format",
    "corrupt-image",
    "invalid-pipeline",
    "invalid-output",
    "limit-exceeded",
)
_JOB = ("job-not-found",)
_POLL: Final = ("Retry-After",)
_LOCATED: Final = ("Location", *_POLL)
_IDEMPOTENT = {
    "Idempotency-Key": "1 to 255 visible ASCII characters. For 24 hours, the same key with the same body "
    "gives the same job, and with another body 409."
}
_UNCHANGED = {"If-None-Match": "The ETag of an earlier answer: 304 if nothing has changed since."}

CREATE_UPLOAD: Final = Route(
    name="create_upload",
    method="POST",
    path="/uploads",
    tag="Uploads",
    summary="Get a URL to which one file can be sent, or a copy of what a job has",
    body=requests.UploadRequest,
    body_required=False,
    answers={201: Answer("A place for the file, or the copy", responses.UploadAnswer)},
    problems=(*_BODY, *_JOB, "no-result", "input-gone"),
)
MAKE_PLAN: Final = Route(
    name="make_plan",
    method="POST",
    path="/plans",
    tag="Plans",
    summary="Say what a job would take, and start nothing",
    body=requests.PlanRequest,
    answers={200: Answer("What the job would take", responses.PlanView)},
    problems=(*_BODY, *_IMAGE),
)
SUBMIT_JOB: Final = Route(
    name="submit_job",
    method="POST",
    path="/jobs",
    tag="Jobs",
    summary="Start a job; everything that can be checked is checked before",
    body=requests.JobRequest,
    headers=_IDEMPOTENT,
    answers={202: Answer("The job is taken", responses.AcceptedView, headers=_LOCATED)},
    problems=(*_BODY, *_IMAGE, "invalid-webhook", "idempotency-conflict", "quota-exceeded"),
)
LIST_JOBS: Final = Route(
    name="list_jobs",
    method="GET",
    path="/jobs",
    tag="Jobs",
    summary="List the caller's jobs, the newest first",
    query=queries.JobsQuery,
    answers={200: Answer("A page of jobs", responses.JobsPage)},
    problems=("invalid-request", "invalid-cursor"),
)
GET_JOB: Final = Route(
    name="get_job",
    method="GET",
    path="/jobs/{job}",
    tag="Jobs",
    summary="Say how a job is doing",
    headers=_UNCHANGED,
    answers={
        200: Answer("The job", responses.JobView, headers=("ETag", *_POLL)),
        304: Answer("Nothing has changed since", headers=("ETag", *_POLL)),
    },
    problems=_JOB,
)
LIST_TILES: Final = Route(
    name="list_tiles",
    method="GET",
    path="/jobs/{job}/tiles",
    tag="Jobs",
    summary="List the tiles of a job with their states, attempts and seconds",
    query=queries.TilesQuery,
    answers={200: Answer("A page of tiles", responses.TilesPage)},
    problems=("invalid-request", *_JOB),
)
GET_RESULT: Final = Route(
    name="get_result",
    method="GET",
    path="/jobs/{job}/result",
    tag="Jobs",
    summary="Get a fresh URL of the result",
    answers={200: Answer("The result", responses.ResultDetailView)},
    problems=(*_JOB, "no-result"),
)
GET_PREVIEW: Final = Route(
    name="get_preview",
    method="GET",
    path="/jobs/{job}/preview",
    tag="Jobs",
    summary="Get URLs of small pictures of the input and the result",
    answers={200: Answer("What previews there are", responses.PreviewsView)},
    problems=_JOB,
)
CANCEL_JOB: Final = Route(
    name="cancel_job",
    method="POST",
    path="/jobs/{job}/cancel",
    tag="Jobs",
    summary="Stop a job: no further tile starts, and its work is removed",
    answers={202: Answer("The job is stopping", responses.AcceptedView, headers=_LOCATED)},
    problems=(*_JOB, "job-is-over"),
)
RETRY_JOB: Final = Route(
    name="retry_job",
    method="POST",
    path="/jobs/{job}/retry",
    tag="Jobs",
    summary="Take up a job again that failed by no fault of its input, or was cancelled",
    answers={202: Answer("The job goes on", responses.AcceptedView, headers=_LOCATED)},
    problems=(*_JOB, "not-retryable", "upload-not-found", "quota-exceeded"),
)
DELETE_JOB: Final = Route(
    name="delete_job",
    method="DELETE",
    path="/jobs/{job}",
    tag="Jobs",
    summary="Remove every trace of a job; stop it first if it runs",
    answers={
        202: Answer("The job stops and removes itself", responses.AcceptedView, headers=_LOCATED),
        204: Answer("Nothing is left of the job"),
    },
    problems=_JOB,
)
SUBMIT_BATCH: Final = Route(
    name="submit_batch",
    method="POST",
    path="/batches",
    tag="Batches",
    summary="Start one pipeline over many inputs",
    body=requests.BatchRequest,
    most_body_bytes=1 << 20,
    headers={"Idempotency-Key": _IDEMPOTENT["Idempotency-Key"].replace("job", "batch")},
    answers={202: Answer("The batch is taken", responses_service.BatchAccepted, headers=_LOCATED)},
    problems=(
        *_BODY,
        "upload-not-found",
        "invalid-pipeline",
        "invalid-output",
        "invalid-webhook",
        "idempotency-conflict",
        "quota-exceeded",
    ),
)
LIST_BATCHES: Final = Route(
    name="list_batches",
    method="GET",
    path="/batches",
    tag="Batches",
    summary="List the caller's batches, the newest first",
    query=queries.BatchesQuery,
    answers={200: Answer("A page of batches", responses_service.BatchesPage)},
    problems=("invalid-request", "invalid-cursor"),
)
GET_BATCH: Final = Route(
    name="get_batch",
    method="GET",
    path="/batches/{batch}",
    tag="Batches",
    summary="Say how a batch is doing; at its end, with the manifest",
    answers={200: Answer("The batch", responses_service.BatchView, headers=_POLL)},
    problems=("batch-not-found",),
)
CANCEL_BATCH: Final = Route(
    name="cancel_batch",
    method="POST",
    path="/batches/{batch}/cancel",
    tag="Batches",
    summary="Stop the jobs of a batch that are not over",
    answers={202: Answer("The batch is stopping", responses_service.BatchAccepted, headers=_LOCATED)},
    problems=("batch-not-found", "job-is-over"),
)
LIST_OPERATIONS: Final = Route(
    name="list_operations",
    method="GET",
    path="/operations",
    tag="Catalogue",
    summary="List the operations with their parameters as JSON Schema",
    answers={200: Answer("The catalogue", responses_service.OperationsView)},
)
LIST_PRESETS: Final = Route(
    name="list_presets",
    method="GET",
    path="/presets",
    tag="Catalogue",
    summary="List the stored pipelines",
    answers={200: Answer("The presets", responses_service.PresetsView)},
)
GET_HEALTH: Final = Route(
    name="get_health",
    method="GET",
    path="/health",
    tag="Service",
    summary="Say that the app was loaded and answers",
    is_open=True,
    answers={200: Answer("It is alive", responses_service.HealthView)},
)
GET_READY: Final = Route(
    name="get_ready",
    method="GET",
    path="/ready",
    tag="Service",
    summary="Say whether storage and the task hub can be reached",
    answers={200: Answer("Both can be reached", responses_service.ReadyView)},
)
GET_OPENAPI: Final = Route(
    name="get_openapi",
    method="GET",
    path="/openapi.json",
    tag="Service",
    summary="Get this description",
    answers={200: Answer("OpenAPI 3.1", responses.AnyDocument)},
)
GET_DOCS: Final = Route(
    name="get_docs",
    method="GET",
    path="/docs",
    tag="Service",
    summary="Read this description as a page",
    answers={200: Answer("A page", media_type="text/html")},
)

ROUTES: Final = (
    CREATE_UPLOAD,
    MAKE_PLAN,
    SUBMIT_JOB,
    LIST_JOBS,
    GET_JOB,
    LIST_TILES,
    GET_RESULT,
    GET_PREVIEW,
    CANCEL_JOB,
    RETRY_JOB,
    DELETE_JOB,
    SUBMIT_BATCH,
    LIST_BATCHES,
    GET_BATCH,
    CANCEL_BATCH,
    LIST_OPERATIONS,
    LIST_PRESETS,
    GET_HEALTH,
    GET_READY,
    GET_OPENAPI,
    GET_DOCS,
)
ALWAYS: Final = ("unavailable", "internal")
"""Problems that any route may answer with."""
