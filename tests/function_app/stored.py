"""Jobs for tests: uploads, records and plans as they stand in storage."""

import uuid
from datetime import UTC, datetime, timedelta

from activities.store import Store
from function_app import records
from function_app.owners import KEY_HOLDER
from function_app.records import JobRecord
from tessera import naming
from tessera.messages import Outcome
from tessera.plan import ImageInfo, Output, Pixels, Plan, Step
from tessera.planner import Limits, make_plan
from tests.support.images import encode, textured

PNG = encode(textured(16, 20))
STEPS = (Step(operation="median_blur", parameters={"ksize": 3}), Step(operation="canny"))


def upload(store: Store, data: bytes = PNG) -> str:
    """Put an upload and return its id."""
    name = uuid.uuid4().hex
    store.write(naming.UPLOADS, name, data)
    return name


def record(
    store: Store,
    *,
    age: timedelta = timedelta(),
    name: str | None = "photo.png",
    owner: str = KEY_HOLDER,
) -> JobRecord:
    """Put the record of a job of two stages that was asked for *age* ago."""
    made = JobRecord(
        job=uuid.uuid4().hex,
        upload=upload(store),
        pipeline=STEPS,
        output=Output(),
        name=name,
        created_at=(datetime.now(UTC) - age).isoformat(),
        owner=owner,
    )
    records.write_new(made, store)
    return made


def plan(store: Store, job: str, *, direct: bool = False) -> Plan:
    """Put the plan of a job: four tiles to a stage, or one for the whole."""
    image = ImageInfo(format="png", width=300, height=512, pixels=Pixels(channels=3), size=68, etag="e")
    made = make_plan(image, STEPS, Output(), Limits(band_rows=512 if direct else 128))
    store.write(naming.JOBS, naming.plan(job), made.model_dump_json().encode())
    return made


def outcome(store: Store, job: str, ended: Outcome) -> None:
    """Put the outcome of a job."""
    store.write(naming.JOBS, naming.outcome(job), ended.model_dump_json().encode())
