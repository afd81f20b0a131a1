"""What the query of a request may hold. Unknown parameters are refused."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from function_app.responses import JobState

MOST_PER_PAGE = 100


class _Query(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class JobsQuery(_Query):
    """Query of ``GET /jobs``."""

    state: JobState | None = Field(None, description="only jobs in this state")
    limit: int = Field(20, ge=1, le=MOST_PER_PAGE, description="jobs at most in the page")
    cursor: Annotated[str, Field(max_length=1000, pattern=r"^([A-Za-z0-9_-]+={0,2})?$")] | None = Field(
        None, description="`next` of the page before: go on after it"
    )


class TilesQuery(_Query):
    """Query of ``GET /jobs/{id}/tiles``."""

    first: int = Field(0, ge=0, le=1_000_000, description="index of the first tile, over all stages")
    limit: int = Field(1000, ge=1, le=10_000, description="tiles at most in the page")
