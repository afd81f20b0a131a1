"""From the command line to what is to be done with each file; mistakes cost nothing."""

import glob
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import typer

from tessera_client.cli.options import OnInterrupt
from tessera_client.commands.target import choose_output, choose_path, is_folder
from tessera_client.errors import InvalidPipeline
from tessera_client.models import Output, Preset, Step
from tessera_client.pipeline import load_pipeline, parse_step

STDIO = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is written on the command line of ``run``, ``plan`` and ``submit``."""

    inputs: list[str]
    operations: list[str] = field(default_factory=list)
    pipeline_file: Path | None = None
    preset: str | None = None
    target: str | None = None
    page: int = 0
    file_format: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    force: bool = False
    skip_existing: bool = False
    at_once: int = 1
    on_interrupt: OnInterrupt = OnInterrupt.ASK

    def steps(self, presets: Callable[[], Iterable[Preset]]) -> list[Step]:
        """Put the pipeline together: the preset, the file, the operations.

        Raises
        ------
        InvalidPipeline
            When there is none, or a part of it is written wrongly or doesn't exist.
        """
        steps = list(find_preset(presets(), self.preset).pipeline) if self.preset else []
        if self.pipeline_file:
            steps += load_pipeline(self.pipeline_file)
        steps += [parse_step(text) for text in self.operations]
        if not steps:
            raise InvalidPipeline("no operation is given", "Add --op, --preset or --pipeline.")
        return steps

    def output(self) -> Output:
        """Choose the file format.

        Raises
        ------
        typer.BadParameter
            When format, suffix and options do not go together.
        """
        path = None if self.target in (None, STDIO) else self.target
        return choose_output(self.file_format, self.options, path, folder=self.is_several())

    def label(self, steps: Sequence[Step]) -> str:
        """Return what the results are named after: the preset, the file, and the operations beside them."""
        shown = steps[len(steps) - len(self.operations) :]
        named = [self.preset, self.pipeline_file.stem if self.pipeline_file else None]
        return "-".join([name for name in named if name] + [step.operation for step in shown])

    def is_several(self) -> bool:
        """Say whether the inputs may be more than one."""
        return len(self.inputs) > 1 or (self.inputs[0] != STDIO and glob.has_magic(self.inputs[0]))


@dataclass(frozen=True, slots=True)
class Source:
    """An image to be sent: where its bytes are, and what it is called."""

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done with one image; *target* is None for stdout."""

    source: Source
    steps: list[Step]
    output: Output
    target: Path | None = None
    page: int = 0

    @property
    def shown(self) -> str:
        """Return the target in words."""
        return str(self.target) if self.target else "stdout"


@contextmanager
def opened(inputs: Sequence[str]) -> Iterator[list[Source]]:
    """Find the input files; stdin is kept in a temporary file until the context ends.

    Raises
    ------
    typer.BadParameter
        When a file or a match of a pattern is missing, or stdin is a terminal or not alone.
    """
    if STDIO not in inputs:
        yield [Source(path, path.name) for text in inputs for path in _found(text)]
        return
    if len(inputs) > 1 or sys.stdin.isatty():
        raise typer.BadParameter("- reads one image from a pipe or a file.", param_hint="INPUT")
    with tempfile.NamedTemporaryFile(prefix="tessera-stdin-") as file:
        _copy(sys.stdin.buffer, file.file)
        yield [Source(Path(file.name), "stdin")]


def orders(request: Request, sources: Sequence[Source], steps: list[Step], output: Output) -> list[Order]:
    """Choose for each source where its result goes.

    Raises
    ------
    typer.BadParameter
        When two would be the same file, or the result would be shown on a terminal.
    """
    if request.target == STDIO or (request.target is None and request.inputs == [STDIO]):
        if len(sources) > 1 or sys.stdout.isatty():
            raise typer.BadParameter(
                "one result is written to a pipe or a file; name a file or a folder.", param_hint="--output"
            )
        return [Order(sources[0], steps, output, page=request.page)]
    several, label = request.is_several(), request.label(steps)
    if request.target and is_folder(request.target, several=several):
        Path(request.target).mkdir(parents=True, exist_ok=True)
    found: dict[Path, Order] = {}
    for source in sources:
        path = choose_path(source.name, label, output, request.target, several=several)
        if path in found:
            raise typer.BadParameter(
                f"{found[path].source.path} and {source.path} would both become {path}.", param_hint="INPUT"
            )
        found[path] = Order(source, steps, output, path, request.page)
    return list(found.values())


def find_preset(presets: Iterable[Preset], name: str) -> Preset:
    """Look a stored pipeline up.

    Raises
    ------
    InvalidPipeline
        When there is none of that name.
    """
    by_name = {preset.name: preset for preset in presets}
    if name not in by_name:
        known = ", ".join(by_name) or "none"
        raise InvalidPipeline(f"there is no preset '{name}'", f"There are: {known}.")
    return by_name[name]


def _found(text: str) -> list[Path]:
    path = Path(text)
    if path.is_dir():
        raise typer.BadParameter(f"'{text}' is a folder; write '{path / '*'}'.", param_hint="INPUT")
    if path.exists():
        return [path]
    if not glob.has_magic(text):
        raise typer.BadParameter(f"File '{text}' does not exist.", param_hint="INPUT")
    matches = [Path(match) for match in sorted(glob.glob(text, recursive=True)) if Path(match).is_file()]
    if not matches:
        raise typer.BadParameter(f"No file matches '{text}'.", param_hint="INPUT")
    return matches


def _copy(source: IO[bytes], target: IO[bytes]) -> None:
    while piece := source.read(1 << 20):
        target.write(piece)
    target.flush()
