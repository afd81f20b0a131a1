"""The file of results: a section for each benchmark, with machine, versions, commit and a plot."""

import os
import platform
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "RESULTS.md"
_VERSIONS = ("opencv-python-headless", "numpy", "pyvips-binary", "pillow", "mpi4py", "openmpi")

type Chart = Mapping[str, Mapping[str, float]]
"""Seconds by what was done and by whom."""


@dataclass
class Table:
    """A table in Markdown."""

    columns: Sequence[str]
    rows: list[list[str]] = field(default_factory=list)

    def markdown(self) -> str:
        """Return its text."""
        lines = [self.columns, ["---"] * len(self.columns), *self.rows]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def machine() -> str:
    """Return where and when this runs: processor, cores and their load, versions, commit."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "?")
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    found = ", ".join(f"{name} {_version(name)}" for name in _VERSIONS)
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit {commit}; {model}, {os.cpu_count()} cores"
        f" (load {os.getloadavg()[0]:.1f} at the start), {platform.system()};"
        f" Python {platform.python_version()}, {found}."
    )


def write_section(name: str, title: str, text: str, charts: Mapping[str, Chart] | None = None) -> None:
    """Put a section into the file in place of the one of this name, with a plot of *charts*."""
    if charts:
        picture = RESULTS.with_name(f"{name}.png")
        _plot(charts, picture)
        text += f"\n\n![{title}]({picture.name})"
    section = f"<!-- {name} -->\n## {title}\n\n{text}\n<!-- /{name} -->\n"
    before = RESULTS.read_text() if RESULTS.exists() else "# Results of the benchmarks\n"
    pattern = re.compile(f"<!-- {name} -->.*?<!-- /{name} -->\n", re.DOTALL)
    after = pattern.sub(lambda _: section, before) if pattern.search(before) else f"{before}\n{section}"
    RESULTS.write_text(after)


def save(figure: "Figure", target: Path) -> None:
    """Write a picture, and let go of its memory."""
    import matplotlib.pyplot as plt

    figure.tight_layout()
    figure.savefig(target, dpi=110)
    plt.close(figure)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "-"


def _plot(charts: Mapping[str, Chart], target: Path) -> None:
    """Draw a group of bars for each operation, a panel for each chart."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(charts), figsize=(6 * len(charts), 4), squeeze=False)
    for axis, (title, chart) in zip(axes[0], charts.items(), strict=True):
        names = list(dict.fromkeys(name for row in chart.values() for name in row))
        for number, name in enumerate(names):
            places = [index + number / (len(names) + 1) for index in range(len(chart))]
            axis.bar(places, [row.get(name, 0.0) for row in chart.values()], 1 / (len(names) + 1), label=name)
        axis.set_xticks([index + 0.4 for index in range(len(chart))], list(chart))
        axis.set_title(title)
        axis.set_ylabel("seconds")
    axes[0][0].legend(fontsize="small")
    save(figure, target)
