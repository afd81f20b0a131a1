"""What the table of routes is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from pydantic import BaseModel

PREFIX: Final = "v1"

type Method = Literal["GET", "POST", "DELETE"]
type Model = type[BaseModel]


@dataclass(frozen=True)
class Answer:
    """What a route may answer with: JSON of *model*, or nothing, or a text of *media_type*."""

    description: str
    model: Model | None = None
    media_type: str = "application/json"
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Route:
    """One route; *name* is the function's. *problems* are codes of `function_app.problems.STATUS`."""

    name: str
    method: Method
    path: str
    tag: str
    summary: str
    answers: Mapping[int, Answer]
    problems: tuple[str, ...] = ()
    body: Model | None = None
    body_required: bool = True
    most_body_bytes: int = 64 << 10
    query: Model | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    is_open: bool = False

    @property
    def template(self) -> str:
        """Return the route template that the Functions host takes."""
        return f"{PREFIX}{self.path}"
