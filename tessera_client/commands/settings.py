"""What every command is told."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """Options that every command has.

    Attributes
    ----------
    api : str or None
        Address of the service; default: the environment's.
    json : bool
        Print JSON to stdout.
    quiet : bool
        No progress on stderr, and only the bare result on stdout.
    api_key : str or None
        The key that the configuration file holds; the environment's comes first.
    config : Path or None
        The configuration file, if it isn't at the default place.
    """

    api: str | None = None
    json: bool = False
    quiet: bool = False
    api_key: str | None = field(default=None, repr=False)
    config: Path | None = None
