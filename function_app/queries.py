"""What the query of a request may hold. Unknown parameters are refused."""

import re
from datetime import date
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from function_app.responses import JobState

MOST_PER_PAGE = 100


class _Query(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _written_out(text: object) -> object:
    """Refuse what else could be read as a day, such as a number of seconds."""
    if isinstance(text, str) and not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError("write a day as 2026-11-24")
    return text


type Cursor = Annotated[str, Field(max_length=1000, pattern=r"^([A-Za-z0-9_-]+={0,2})?$")]
type Day = Annotated[date, BeforeValidator(_written_out)]
_AFTER = "`next` of the page before: go on after it"


class JobsQuery(_Query):
    """Query of ``GET /jobs``."""

    state: JobState | None = Field(None, description="only jobs in this state")
    text: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        None, description="only jobs whose file name, or the name of an operation, contains this"
    )
    since: Day | None = Field(None, description="only jobs of this day (UTC) and later")
    until: Day | None = Field(None, description="only jobs of this day (UTC) and earlier")
    limit: int = Field(20, ge=1, le=MOST_PER_PAGE, description="jobs at most in the page")
    cursor: Cursor | None = Field(None, description=_AFTER)


class BatchesQuery(_Query):
    """Query of ``GET /batches``."""

    limit: int = Field(20, ge=1, le=MOST_PER_PAGE, description="batches at most in the page")
    cursor: Cursor | None = Field(None, description=_AFTER)


class TilesQuery(_Query):
    """Query of ``GET /jobs/{id}/tiles``."""

    first: int = Field(0, ge=0, le=1_000_000, description="index of the first tile, over all stages")
    limit: int = Field(1000, ge=1, le=10_000, description="tiles at most in the page")
