"""What requests may hold. Unknown members are refused."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from tessera.messages import JobId
from tessera.pipeline import MAX_STEPS
from tessera.plan import InputFormat, Output, Pixels, Step

MOST_INPUTS = 1000
_OF_A_FILE = ("name", "size", "content_type")
_NULL: dict[str, Any] = {"type": "null"}

type FileName = Annotated[str, Field(max_length=1000)]
type Pipeline = Annotated[tuple[Step, ...], Field(max_length=MAX_STEPS)]


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class UploadRequest(_Request):
    """Body of ``POST /uploads``: what the client knows of its file, or a job of which to take a copy.

    *size* is in bytes. *content_type* isn't used: the first bytes decide what a file is. With *job*, the
    upload is there at once: a copy of that job's input (the default) or result, as *of* says.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {
                    "required": ["job"],
                    "properties": {
                        "job": {"type": "string"},
                        **{member: {"type": "null"} for member in _OF_A_FILE},
                    },
                },
                {"properties": {"job": _NULL, "of": _NULL}},
            ]
        }
    )

    name: FileName | None = None
    size: int | None = Field(None, ge=0)
    content_type: Annotated[str, Field(max_length=200)] | None = None
    job: JobId | None = None
    of: Literal["input", "result"] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.job is None:
            if self.of is not None:
                raise ValueError("of says what to copy of a job: give the job, too")
        elif any(getattr(self, member) is not None for member in _OF_A_FILE):
            raise ValueError(f"give either job, or {', '.join(_OF_A_FILE)} of a file that you send")
        return self


class Webhook(_Request):
    """Where to send word that the job is over: https only, and not to a private address.

    The request is signed with *secret*: HMAC-SHA256 over the time and the body.
    """

    url: Annotated[str, Field(max_length=2000, pattern=r"^https://")]
    secret: SecretStr = Field(min_length=16, max_length=200)


class AssumedImage(Pixels):
    """An image that needn't be there: only its header's facts. *size* is the file's, in bytes."""

    width: int = Field(ge=1)
    height: int = Field(ge=1)
    channels: int = Field(3, ge=1, le=4)
    format: InputFormat = "jpeg"
    size: int | None = Field(None, ge=1)


type Page = Annotated[int, Field(ge=0, le=9999, description="page, frame or directory of the file, from 0")]


class PlanRequest(_Request):
    """Body of ``POST /plans``: an upload, or an image that is only described."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": ["upload_id"], "properties": {"upload_id": {"type": "string"}}},
                {"required": ["image"], "properties": {"image": {"type": "object"}}},
            ]
        }
    )

    upload_id: JobId | None = None
    image: AssumedImage | None = None
    page: Page = 0
    pipeline: Pipeline
    output: Output = Output()

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.upload_id is None) == (self.image is None):
            raise ValueError("give either upload_id or image")
        return self


class JobRequest(_Request):
    """Body of ``POST /jobs``. *name* is the input's file name, from which the result's is made."""

    upload_id: JobId
    page: Page = 0
    pipeline: Pipeline
    output: Output = Output()
    name: FileName | None = None
    webhook: Webhook | None = None


class BatchInput(_Request):
    """One input of a batch."""

    upload_id: JobId
    name: FileName | None = None


class BatchRequest(_Request):
    """Body of ``POST /batches``. After more than *tolerated_failures*, no further job starts."""

    inputs: Annotated[tuple[BatchInput, ...], Field(min_length=1, max_length=MOST_INPUTS)]
    pipeline: Pipeline
    output: Output = Output()
    tolerated_failures: int = Field(0, ge=0, le=MOST_INPUTS)
    webhook: Webhook | None = None
