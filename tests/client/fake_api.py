"""A small Tessera API and blob store on a loopback port, which can be told to fail."""

import base64
import hashlib
import json
import re
import socket
import sys
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, override
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree

SIGNATURE = "sig=T0pSecret%2B%3D"

OPERATIONS: list[dict[str, Any]] = [
    {
        "name": "canny",
        "summary": "Find edges.",
        "class": "global",
        "parameters": {
            "type": "object",
            "properties": {
                "low": {"type": "number", "minimum": 0, "maximum": 1000, "default": 100},
                "high": {"type": "number", "minimum": 0, "maximum": 1000, "default": 200},
            },
        },
        "accepts": {"channels": [1, 3], "depths": [8]},
        "produces": {"channels": [1], "depths": [8]},
    },
    {
        "name": "median_blur",
        "summary": "Replace each pixel by the median of its neighbourhood.",
        "class": "stencil",
        "parameters": {
            "type": "object",
            "properties": {"ksize": {"type": "integer", "description": "Odd side length.", "minimum": 3}},
            "required": ["ksize"],
        },
        "some_future_field": True,
    },
]


PRESETS: list[dict[str, Any]] = [
    {
        "name": "clean_edges",
        "summary": "Thin white edges.",
        "pipeline": [
            {"operation": "median_blur", "parameters": {"ksize": 5}},
            {"operation": "canny", "parameters": {"low": 50, "high": 120}},
        ],
    }
]

PLAN: dict[str, Any] = {
    "input": {"name": None, "size": 9, "format": "jpeg", "width": 40, "height": 30,
              "channels": 3, "depth": 8},
    "output": {"format": "png"},
    "width": 40, "height": 30, "channels": 1, "depth": 8, "direct": False,
    "stages": [{"index": 1, "name": "canny", "tiles": 2, "columns": 40, "rows": 16, "halo": 4},
               {"index": 2, "name": "canny", "tiles": 2, "columns": 40, "rows": 16, "halo": 0}],
    "tiles": 4, "memory": 50_000_000, "work": 1.5,
    "seconds": {"low": 0.5, "high": 2.0},
    "cost": {"total": 0.00012, "some_future_part": 1},
    "warnings": ["the image is small"],
    "some_future_field": 1,
}  # fmt: skip


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Fault:
    """What happens to the next request that matches: a reply, or the connection's end.

    ``cut_after`` sends so many bytes of the true reply's body and hangs up.
    """

    method: str
    path: str
    status: int | None = None
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int | None = None


@dataclass
class FakeApi:
    """State of the fake; every request is kept in ``requests``, each fault is used once, in order.

    ``script`` holds what a job answers to one GET after the other; the last one stays. ``retried`` is the
    script of a job that is taken up again. A page of a list has at most ``page`` entries.
    ``on_answer`` is called before a request is answered.
    """

    url: str = ""
    requests: list[Request] = field(default_factory=list)
    faults: deque[Fault] = field(default_factory=deque)
    blobs: dict[str, bytes] = field(default_factory=dict)
    blob_types: dict[str, str | None] = field(default_factory=dict)
    blocks: dict[str, dict[str, bytes]] = field(default_factory=dict)
    jobs: dict[str, deque[dict[str, Any]]] = field(default_factory=dict)
    uploads: int = 0
    sources: dict[str, str] = field(default_factory=dict)
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    script: list[dict[str, Any]] = field(default_factory=list)
    result: bytes = b"\x89PNG the result"
    retried: list[dict[str, Any]] = field(default_factory=list)
    page: int = 100
    max_bytes: int = 1 << 40
    lifetime: timedelta = timedelta(hours=1)
    on_answer: Callable[[Request], None] = lambda request: None
    lock: threading.RLock = field(default_factory=threading.RLock)

    def fail(self, method: str, path: str, *statuses: int) -> None:
        """Answer the next matching requests with these statuses and no body."""
        self.faults.extend(Fault(method, path, status) for status in statuses)

    def hang_up(self, method: str, path: str, times: int = 1) -> None:
        """Close the connection instead of answering."""
        self.faults.extend([Fault(method, path)] * times)

    def problem(self, method: str, path: str, status: int, **document: Any) -> None:
        """Answer with problem+json."""
        body = json.dumps({"status": status, **document}).encode()
        self.faults.append(Fault(method, path, status, body, {"content-type": "application/problem+json"}))

    def sent(self, method: str, path: str) -> list[Request]:
        """List the requests that came in."""
        with self.lock:
            return [r for r in self.requests if r.method == method and re.search(path, r.path)]

    def take_fault(self, method: str, path: str) -> Fault | None:
        with self.lock:
            for fault in self.faults:
                if fault.method == method and re.search(fault.path, path):
                    self.faults.remove(fault)
                    return fault
        return None

    def job_document(self, **fields: Any) -> dict[str, Any]:
        """Make a job as the API describes it."""
        return {
            "state": "running",
            "created_at": "2026-11-23T18:00:00Z",
            "finished_at": None,
            "pipeline": [{"operation": "canny", "parameters": {"low": 50}}],
            "output": {"format": "png"},
            "input": {"name": "photo.jpg", "size": 9, "format": "jpeg", "width": 40, "height": 30,
                      "channels": 3, "depth": 8},
            "stage": {"index": 1, "count": 2, "name": "canny"},
            "tiles": {"total": 4, "done": 1, "retried": 0},
            "progress": 0.25,
            "result": None,
            "error": None,
            "seconds": {},
            "some_future_field": {"a": 1},
            **fields,
        }  # fmt: skip

    def succeeded(self, **result: Any) -> dict[str, Any]:
        """Make the document of a job whose result is ``self.result``."""
        self.blobs["results/out"] = self.result
        url = f"{self.url}/blob/results/out?sp=r&{SIGNATURE}"
        entry = {"url": url, "size": len(self.result), "media_type": "image/png", "width": 40, "height": 30}
        return self.job_document(
            state="succeeded", stage=None, progress=1.0, tiles={"total": 4, "done": 4, "retried": 1},
            result={**entry, **result}, seconds={"canny": 0.5, "stitch": 0.01},
        )  # fmt: skip


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    api: FakeApi

    @override
    def log_message(self, format: str, *args: Any) -> None:
        pass

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        request = Request(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
        with self.api.lock:
            self.api.requests.append(request)
        fault = self.api.take_fault(self.command, self.path)
        if fault and fault.status is not None:
            self.reply(fault.status, fault.body, fault.headers)
        elif fault and fault.cut_after is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self.cut_after = fault.cut_after if fault else None
            self.api.on_answer(request)
            self.answer(request)

    do_GET = do_PUT = do_POST = do_DELETE = handle_any

    def reply(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        cut = getattr(self, "cut_after", None)
        self.wfile.write(body if cut is None else body[:cut])
        if cut is not None:
            self.cut_after = None
            self.close_connection = True

    def reply_json(self, status: int, document: Any, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(document).encode()
        self.reply(status, body, {"content-type": "application/json", **(headers or {})})

    def reply_problem(self, status: int, **document: Any) -> None:
        kind = {"content-type": "application/problem+json"}
        self.reply_json(status, {"type": "about:blank", "status": status, **document}, kind)

    def answer(self, request: Request) -> None:
        parts = urlsplit(request.path)
        routes: list[tuple[str, str, Callable[..., None]]] = [
            ("GET", r"/api/v1/health", lambda r: self.reply_json(200, {"status": "ok", "version": "9.9"})),
            ("GET", r"/api/v1/operations", lambda r: self.reply_json(200, {"operations": OPERATIONS})),
            ("GET", r"/api/v1/presets", lambda r: self.reply_json(200, {"presets": PRESETS})),
            ("GET", r"/api/v1/ready", lambda r: self.reply_json(200, {"status": "ready"})),
            ("POST", r"/api/v1/uploads", self.new_upload),
            ("POST", r"/api/v1/plans", self.make_plan),
            ("POST", r"/api/v1/jobs", self.new_job),
            ("GET", r"/api/v1/jobs", self.list_jobs),
            ("GET", r"/api/v1/jobs/([^/]+)/tiles", self.list_tiles),
            ("GET", r"/api/v1/jobs/([^/]+)/result", self.get_result),
            ("GET", r"/api/v1/jobs/([^/]+)/preview", self.get_preview),
            ("POST", r"/api/v1/batches", self.new_batch),
            ("GET", r"/api/v1/batches", self.list_batches),
            ("GET", r"/api/v1/batches/([^/]+)", self.get_batch),
            ("POST", r"/api/v1/batches/([^/]+)/cancel", self.cancel_batch),
            ("POST", r"/api/v1/jobs/([^/]+)/cancel", self.cancel_job),
            ("POST", r"/api/v1/jobs/([^/]+)/retry", self.retry_job),
            ("GET", r"/api/v1/jobs/(.+)", self.get_job),
            ("DELETE", r"/api/v1/jobs/(.+)", self.delete_job),
            ("PUT", r"/blob/(.+)", self.put_blob),
            ("GET", r"/blob/(.+)", self.get_blob),
        ]
        for method, pattern, handler in routes:
            match = re.fullmatch(pattern, parts.path)
            if match and method == request.method:
                with self.api.lock:
                    handler(request, *(unquote(group) for group in match.groups()))
                return
        self.reply(404)

    def new_upload(self, request: Request) -> None:
        if "job" in request.json:
            self.copy(request.json["job"], request.json["of"])
            return
        upload_id = f"upload-{self.api.uploads}"
        self.api.uploads += 1
        url = f"{self.api.url}/blob/uploads/{upload_id}?sp=cw&{SIGNATURE}"
        expires = (datetime.now(UTC) + self.api.lifetime).isoformat()
        document = {"id": upload_id, "url": url, "expires_at": expires, "max_bytes": self.api.max_bytes,
                    "some_future_field": 1}  # fmt: skip
        self.reply_json(201, document)

    def copy(self, job_id: str, of: str) -> None:
        if not (script := self.script_of(job_id)):
            return
        source, name = f"uploads/{self.api.sources.get(job_id)}", "photo.jpg"
        if of == "result":
            if not script[-1].get("result"):
                self.reply_problem(409, title="There is no result", code="no-result")
                return
            source, name = "results/out", script[-1]["result"].get("name", "result.png")
        if source not in self.api.blobs:
            self.reply_problem(
                410, title="The input is no longer there", code="input-gone", hint="Upload it again."
            )
            return
        upload_id, data = f"upload-{self.api.uploads}", self.api.blobs[source]
        self.api.uploads += 1
        self.api.blobs[f"uploads/{upload_id}"] = data
        self.reply_json(201, {"id": upload_id, "name": name, "size": len(data), "some_future_field": 1})

    def new_job(self, request: Request) -> None:
        key = request.headers["idempotency-key"]
        if f"uploads/{request.json['upload_id']}" not in self.api.blobs:
            self.reply_problem(404, title="No such upload", code="upload_not_found")
            return
        job_id = self.api.keys.setdefault(key, f"job-{len(self.api.jobs) + 1}")
        self.api.sources[job_id] = request.json["upload_id"]
        script = self.api.script or [self.api.job_document(), self.api.succeeded()]
        self.api.jobs.setdefault(job_id, deque({"id": job_id, **entry} for entry in script))
        headers = {"location": f"/api/v1/jobs/{job_id}", "retry-after": "1"}
        self.reply_json(202, {"id": job_id, "state": "queued"}, headers)

    def make_plan(self, request: Request) -> None:
        self.reply_json(200, PLAN)

    def script_of(self, job_id: str) -> deque[dict[str, Any]] | None:
        """Return what a job answers; where there is none, say so to the client."""
        script = self.api.jobs.get(job_id)
        if not script:
            self.reply_problem(
                404, title="No such job", code="job-not-found", hint="Jobs are kept for a day."
            )
        return script

    def get_job(self, request: Request, job_id: str) -> None:
        if not (script := self.script_of(job_id)):
            return
        document = script.popleft() if len(script) > 1 else script[0]
        etag = f'W/"{hashlib.sha256(json.dumps(document).encode()).hexdigest()[:32]}"'
        headers = {"etag": etag, "retry-after": "1"}
        if request.headers.get("if-none-match") == etag:
            self.reply(304, b"", headers)
        else:
            self.reply_json(200, document, headers)

    def list_jobs(self, request: Request) -> None:
        query = {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}
        listed = [
            {"id": job_id, "state": script[0]["state"], "created_at": "2026-11-23T18:00:00Z",
             "name": "photo.jpg", "operations": ["canny"], "format": "png", "width": 40, "height": 30}
            for job_id, script in reversed(self.api.jobs.items())
            if query.get("state") in (None, script[0]["state"])
            and query.get("text", "").casefold() in "photo.jpg canny"
            and query.get("since", "") <= "2026-11-23" <= query.get("until", "9999")
        ]  # fmt: skip
        first = int(query.get("cursor", 0))
        last = first + min(int(query.get("limit", 20)), self.api.page)
        self.reply_json(200, {"jobs": listed[first:last], "next": str(last) if last < len(listed) else None})

    def list_tiles(self, request: Request, job_id: str) -> None:
        if not self.script_of(job_id):
            return
        first = int(parse_qs(urlsplit(request.path).query).get("first", ["0"])[0])
        tiles = [
            {"index": 0, "stage": 1, "rect": [0, 0, 40, 15], "state": "done", "attempts": 2, "seconds": 0.25},
            {"index": 1, "stage": 1, "rect": [0, 15, 40, 30], "state": "begun", "attempts": 1},
            {"index": 2, "stage": 2, "rect": [0, 0, 40, 15], "state": "waiting", "attempts": 0},
        ]
        last = first + self.api.page
        page = {"tiles": tiles[first:last], "total": 3, "next": last if last < 3 else None}
        self.reply_json(200, page)

    def get_result(self, request: Request, job_id: str) -> None:
        if not (script := self.script_of(job_id)):
            return
        if not script[-1].get("result"):
            self.reply_problem(409, title="There is no result", code="no-result")
        else:
            self.reply_json(200, script[-1]["result"])

    def get_preview(self, request: Request, job_id: str) -> None:
        if not self.script_of(job_id):
            return
        address = f"{self.api.url}/blob/previews"
        self.reply_json(
            200,
            {
                of: {"url": f"{address}/{of}?{SIGNATURE}", "expires_at": "2026-11-24T00:00:00Z",
                     "media_type": "image/jpeg"} if f"previews/{of}" in self.api.blobs else None
                for of in ("input", "result")
            },
        )  # fmt: skip

    def new_batch(self, request: Request) -> None:
        batch_id = f"batch-{len(self.api.batches) + 1}"
        entries = []
        for each in request.json["inputs"]:
            job_id = f"job-{len(self.api.jobs) + 1}"
            self.api.jobs[job_id] = deque([{"id": job_id, **self.api.succeeded(), "batch": batch_id}])
            entries.append({**each, "job": job_id, "state": "succeeded", "size": 15, "some_future_field": 1})
        common = {"id": batch_id, "created_at": "2026-11-23T18:00:00Z"}
        self.api.batches[batch_id] = {
            **common, "state": "succeeded", "total": len(entries), "done": len(entries), "failed": 0,
            "finished_at": "2026-11-23T18:00:09Z", "manifest": entries,
            "tolerated_failures": request.json["tolerated_failures"],
        }  # fmt: skip
        self.reply_json(202, {**common, "state": "running"}, {"retry-after": "1"})

    def list_batches(self, request: Request) -> None:
        query = {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}
        listed = [
            {"operations": ["canny"], "format": "png"}
            | {name: value for name, value in batch.items() if name != "manifest"}
            for batch in reversed(self.api.batches.values())
        ]
        first = int(query.get("cursor", 0))
        last = first + min(int(query.get("limit", 20)), self.api.page)
        page = {"batches": listed[first:last], "next": str(last) if last < len(listed) else None}
        self.reply_json(200, page)

    def get_batch(self, request: Request, batch_id: str) -> None:
        if batch_id in self.api.batches:
            self.reply_json(200, self.api.batches[batch_id])
        else:
            self.reply_problem(404, title="No such batch", code="batch-not-found")

    def cancel_batch(self, request: Request, batch_id: str) -> None:
        batch = self.api.batches[batch_id]
        batch["state"] = "cancelling"
        self.reply_json(202, {name: batch[name] for name in ("id", "state", "created_at")})

    def cancel_job(self, request: Request, job_id: str) -> None:
        if not (script := self.script_of(job_id)):
            return
        if script[0]["state"] in ("succeeded", "failed", "cancelled"):
            self.reply_problem(409, title="The job is over", code="job-is-over")
            return
        self.api.jobs[job_id] = deque([{"id": job_id, **self.api.job_document(state="cancelled")}])
        self.reply_json(202, {"id": job_id, "state": "cancelling"}, {"retry-after": "1"})

    def retry_job(self, request: Request, job_id: str) -> None:
        if not (script := self.script_of(job_id)):
            return
        if script[0]["state"] not in ("failed", "cancelled"):
            self.reply_problem(409, title="The job can't be taken up again", code="not-retryable")
            return
        self.api.jobs[job_id] = deque([{"id": job_id, **entry} for entry in self.api.retried])
        self.reply_json(202, {"id": job_id, "state": "queued"}, {"retry-after": "1"})

    def delete_job(self, request: Request, job_id: str) -> None:
        if self.script_of(job_id):
            del self.api.jobs[job_id]
            self.reply(204)

    def put_blob(self, request: Request, name: str) -> None:
        query = parse_qs(urlsplit(request.path).query)
        digest = base64.b64encode(hashlib.md5(request.body, usedforsecurity=False).digest()).decode()
        if query.get("sig") != ["T0pSecret+="] or "x-functions-key" in request.headers:
            self.reply(403, b"", {"x-ms-error-code": "AuthenticationFailed"})
        elif query.get("comp") == ["blocklist"]:
            self.commit(request, name)
        elif request.headers.get("content-md5") != digest:
            self.reply(400, b"", {"x-ms-error-code": "Md5Mismatch"})
        elif query.get("comp") == ["block"]:
            staged = self.api.blocks.setdefault(name, {})
            staged[query["blockid"][0]] = request.body
            uneven = len({len(base64.b64decode(block_id)) for block_id in staged}) > 1
            self.reply(
                400 if uneven else 201, b"", {"x-ms-error-code": "InvalidBlobOrBlock"} if uneven else {}
            )
        elif request.headers.get("x-ms-blob-type") == "BlockBlob":
            self.api.blobs[name] = request.body
            self.api.blob_types[name] = request.headers.get("content-type")
            self.reply(201)
        else:
            self.reply(400, b"", {"x-ms-error-code": "MissingRequiredHeader"})

    def commit(self, request: Request, name: str) -> None:
        ids = [entry.text or "" for entry in ElementTree.fromstring(request.body)]
        staged = self.api.blocks.get(name, {})
        if set(ids) <= set(staged):
            self.api.blobs[name] = b"".join(staged[block_id] for block_id in ids)
            self.api.blob_types[name] = request.headers.get("x-ms-blob-content-type")
            self.reply(201)
        else:
            self.reply(400, b"", {"x-ms-error-code": "InvalidBlockList"})

    def get_blob(self, request: Request, name: str) -> None:
        data = self.api.blobs[name]
        etag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
        wanted = re.fullmatch(r"bytes=(\d+)-", request.headers.get("range", ""))
        if request.headers.get("if-match", etag) != etag:
            self.reply(412, b"", {"x-ms-error-code": "ConditionNotMet"})
        elif wanted:
            self.reply(206, data[int(wanted[1]) :], {"etag": etag})
        else:
            self.reply(200, data, {"etag": etag})


class Server(ThreadingHTTPServer):
    """Does not report a client that goes away in the middle; any other error is a fault of the fake."""

    daemon_threads = True

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)
