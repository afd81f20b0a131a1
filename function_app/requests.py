"""What requests may hold. Unknown members are refused."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from tessera.messages import JobId
from tessera.pipeline import MAX_STEPS
from tessera.plan import Output, Step

type FileName = Annotated[str, Field(max_length=1000)]


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class UploadRequest(_Request):
    """Body of ``POST /uploads``: what the client knows of its file. *size* is in bytes.

    *content_type* isn't used: the first bytes decide what a file is.
    """

    name: FileName | None = None
    size: int | None = Field(None, ge=0)
    content_type: Annotated[str, Field(max_length=200)] | None = None


class JobRequest(_Request):
    """Body of ``POST /jobs``. *name* is the input's file name, from which the result's is made."""

    upload_id: JobId
    pipeline: Annotated[tuple[Step, ...], Field(max_length=MAX_STEPS)]
    output: Output = Output()
    name: FileName | None = None
