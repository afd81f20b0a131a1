"""Spans are made of what tasks did, sent where the setting says, and cost nothing where there is none."""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from threading import Barrier, Event
from uuid import uuid4

import pytest

from activities.attempts import begin
from activities.store import Store
from function_app.settings import Settings, SettingsError, read_settings
from function_app.span_export import SpanSender
from function_app.timed_store import BusyTimes, TimedStore
from function_app.tracing import Span, export_job, job_span_id, traced
from tessera import naming
from tessera.checksum import Adler
from tessera.geometry import Rect
from tessera.messages import CleanupOrder, Fault, NotifyOrder, Outcome, Tally, TileOrder
from tessera.parts import part_block
from tessera.plan import ImageInfo, Output, Pixels, Raster, Stage
from tests.support.memory_store import MemoryStore
from tests.support.receivers import insights_items, otlp_spans, receiver

ROOT = Path(__file__).resolve().parents[2]
AZURITE = {"AzureWebJobsStorage": "UseDevelopmentStorage=true"}
JOB = uuid4().hex
SOURCE = Raster(
    name="source",
    frame=Rect(0, 0, 8, 8),
    box=Rect(0, 0, 8, 8),
    channels=3,
    dtype="u1",
    block_width=8,
    block_height=8,
)
TILE = TileOrder(
    job=JOB,
    queued_at="2026-01-01T00:00:00.000+00:00",
    upload="1" * 32,
    image=ImageInfo(format="png", width=8, height=8, pixels=Pixels(channels=3), size=1, etag=""),
    stage=Stage(index=1, source=SOURCE, width=8, height=8, tile_width=8, tile_height=1),
    output=Output(),
    tile=5,
)
SPAN = Span(
    "process_tile", int(JOB, 16), 7, job_span_id(JOB, 1), 10**18, 10**18 + 5 * 10**8, {"tessera.tile": 5}
)
SCRIPT = """
import sys, main
from function_app.services import services
names = ("opentelemetry.exporter", "azure.monitor", "google.protobuf")
print(services().export is not None, [name for name in names if name in sys.modules])
"""


def settings(**variables: str) -> Settings:
    return read_settings({**AZURITE, **variables})


def flaky(order: TileOrder, store: Store) -> Tally:
    """Fail at the first attempt, as when a machine loses its network."""
    attempt = begin(order.job, naming.tile_task(order.stage.index, order.tile), store)
    store.read(naming.WORK, "there")
    if attempt == 1:
        raise ConnectionResetError("https://account/work?sig=secret")
    return Tally(tiles=1, retried=attempt - 1, written=12)


def test_an_attempt_that_fails_and_the_next_one_have_a_span_each() -> None:
    store, spans = MemoryStore(), list[Span]()
    store.write(naming.WORK, "there", b"pixels")
    with pytest.raises(ConnectionResetError):
        traced("process_tile", TILE, flaky, store, spans.append)
    made = traced("process_tile", TILE, flaky, store, spans.append)
    assert made == Tally(tiles=1, retried=1, written=12)
    first, second = spans
    assert (first.error, second.error) == ("ConnectionResetError", "")
    assert [span.attributes["tessera.attempt"] for span in spans] == [1, 2]
    assert first.span_id != second.span_id
    assert {span.trace_id for span in spans} == {int(JOB, 16)}
    assert {span.parent_id for span in spans} == {job_span_id(JOB, 1)}
    assert second.attributes["tessera.queue_wait"] == pytest.approx(second.start / 1e9 - 1767225600, abs=0.01)
    assert "secret" not in repr(spans)


def test_each_tile_of_a_task_has_a_span_and_the_last_one_has_its_error() -> None:
    store, spans = MemoryStore(), list[Span]()

    def work(order: TileOrder, store: Store) -> Tally:
        begin(order.job, naming.tile_task(order.stage.index, order.tile), store)
        for tile in range(order.tile, order.tile + order.count):
            if tile == 7:
                raise TimeoutError
            store.put_block(naming.RESULTS, "it", part_block(tile, 1, 0.1, Adler(), b"part"), b"part")
        return Tally(tiles=order.count)

    several = TILE.model_copy(update={"count": 4})
    with pytest.raises(TimeoutError):
        traced("process_tile", several, work, store, spans.append)
    assert [span.attributes["tessera.tile"] for span in spans] == [5, 6, 7]
    assert [span.attributes["tessera.attempt"] for span in spans] == [1, 1, 1]
    assert [span.error for span in spans] == ["", "", "TimeoutError"]
    assert [span.end for span in spans[:-1]] == [span.start for span in spans[1:]]
    assert len({span.span_id for span in spans}) == 3


def test_a_clock_that_is_behind_gives_no_negative_wait() -> None:
    spans, store = list[Span](), MemoryStore()
    tomorrow = TILE.model_copy(update={"queued_at": "2199-01-01T00:00:00.000Z"})
    traced("process_tile", tomorrow, lambda order, store: Tally(tiles=1), store, spans.append)
    assert spans[0].attributes["tessera.queue_wait"] == 0


def test_the_end_of_a_job_gives_the_same_span_however_often_it_is_delivered() -> None:
    fault = Fault(code="corrupt-image", title="", detail="")
    outcome = Outcome(state="failed", finished_at="2026-01-01T00:00:09.500+00:00", fault=fault, tiles=3)
    order = CleanupOrder(
        job=JOB, upload="1" * 32, run=2, begun_at="2026-01-01T00:00:00.000+00:00", outcome=outcome
    )
    spans = list[Span]()
    export_job(order, spans.append)
    export_job(order, spans.append)
    assert spans[0] == spans[1]
    assert (spans[0].end - spans[0].start) / 1e9 == 9.5
    assert (spans[0].span_id, spans[0].error) == (job_span_id(JOB, 2), "corrupt-image")


def test_what_belongs_to_no_job_is_done_without_a_span() -> None:
    spans = list[Span]()
    assert traced("notify", NotifyOrder(), lambda order, store: None, MemoryStore(), spans.append) is None
    assert spans == []


def test_time_in_the_store_is_counted_once_for_threads_side_by_side() -> None:
    busy = BusyTimes()
    begun = time.perf_counter()
    with busy.inside("read", "either"), busy.inside("read", "either"), busy.inside("written"):
        within = busy.now()
    ended = busy.now()
    took = time.perf_counter() - begun
    assert 0 < within.written <= within.read == within.either
    assert ended.written <= ended.read == ended.either <= took
    assert busy.now()[1:] == ended[1:]


def test_writing_and_listing_in_the_store_are_counted_as_what_they_are() -> None:
    store = TimedStore(MemoryStore())
    store.write(naming.WORK, "name", b"data")
    wrote = store.now()
    assert list(store.names(naming.WORK, "n")) == ["name"]
    listed = store.now()
    assert 0 == wrote.read < wrote.written == wrote.either
    assert listed.written == wrote.written
    assert 0 < listed.read == pytest.approx(listed.either - wrote.either)


def test_no_thread_in_between_keeps_reading_and_writing_from_covering_their_time() -> None:
    store, begun, stop = TimedStore(MemoryStore()), Barrier(3), Event()
    store.write(naming.WORK, "name", b"data")

    def use(reads: bool) -> None:
        begun.wait()
        while not stop.is_set():
            store.read(naming.WORK, "name") if reads else store.write(naming.WORK, "other", b"data")

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor() as threads:
            for reads in (True, False):
                threads.submit(use, reads)
            begun.wait()
            moments = [store.now() for _ in range(2000)]
            stop.set()
    finally:
        sys.setswitchinterval(interval)
    for before, after in pairwise(moments):
        read, written, either = (late - early for early, late in zip(before[1:], after[1:], strict=True))
        assert read + written >= either - 1e-9
    assert moments[-1].read > moments[0].read


def test_a_span_goes_by_otlp_to_an_address() -> None:
    with receiver() as (url, bodies):
        sender = SpanSender(f"{url}/v1/traces", settings())
        sender(SPAN)
        assert sender._processor is not None
        sender._processor.shutdown()
    (span,) = otlp_spans(bodies)
    assert bodies[0][0] == "/v1/traces"
    assert (span.name, span.trace, span.attributes) == ("process_tile", JOB, {"tessera.tile": 5})
    assert (span.parent, span.end - span.start) == (f"{job_span_id(JOB, 1):016x}", 0.5)


def test_a_span_goes_to_application_insights_by_its_connection_string() -> None:
    answer = json.dumps({"itemsReceived": 1, "itemsAccepted": 1, "errors": []}).encode()
    with receiver(answer) as (url, bodies):
        sender = SpanSender(f"InstrumentationKey={uuid4()};IngestionEndpoint={url}/", settings())
        sender(SPAN)
        assert sender._processor is not None
        sender._processor.shutdown()
    (item,) = insights_items(bodies)
    assert item["tags"]["ai.operation.id"] == JOB
    assert item["tags"]["ai.operation.parentId"] == f"{job_span_id(JOB, 1):016x}"
    assert item["data"]["baseData"]["properties"] == {"tessera.tile": "5"}
    assert item["data"]["baseData"]["name"] == "process_tile"


def test_nobody_listening_disturbs_no_work_and_no_end() -> None:
    code = "from tests.function_app.test_tracing import *; "
    code += "SpanSender('http://127.0.0.1:9/v1/traces', settings())(SPAN)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_destination_that_cant_be_opened_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    sender = SpanSender("InstrumentationKey=none-of-the-kind", settings())
    sender(SPAN)
    sender(SPAN)
    assert [record.message for record in caplog.records].count(
        "no spans are sent: look at TESSERA_TRACES"
    ) == 1


@pytest.mark.parametrize("traces", ["", "http://127.0.0.1:4318/v1/traces"])
def test_an_instance_starts_without_the_libraries_that_send(traces: str) -> None:
    environment = {**os.environ, **AZURITE, "TESSERA_TRACES": traces}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == f"{bool(traces)} []", done.stderr


@pytest.mark.parametrize("traces", ["collector", "http://collector.example.org/v1/traces", "secret=1"])
def test_an_address_that_cant_be_used_is_refused_without_being_shown(traces: str) -> None:
    with pytest.raises(
        SettingsError, match="TESSERA_TRACES must be the address of an OTLP receiver"
    ) as caught:
        settings(TESSERA_TRACES=traces)
    assert traces not in str(caught.value).replace("collector.example.org", "")
