"""The inputs of the benchmarks are the same wherever they are made, and results replace those before."""

import os
from pathlib import Path

import numpy as np
import pytest

from benchmarks import results
from benchmarks.large_inputs import large_image, photograph
from benchmarks.processes import cpu_seconds, peak


def test_an_image_follows_from_its_size_and_the_seed() -> None:
    first, second = (photograph(700, 300, 3).numpy() for _ in range(2))
    assert np.array_equal(first, second)
    assert first.std() > 20
    part = photograph(500, 200, 3).numpy()
    assert np.array_equal(part, first[:200, :500])


def test_a_file_is_made_once(tmp_path: Path) -> None:
    path = large_image(tmp_path, "png-gray", 300, 200)
    before = path.stat().st_mtime_ns
    assert large_image(tmp_path, "png-gray", 300, 200).stat().st_mtime_ns == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_process_has_used_memory_and_time() -> None:
    assert peak(os.getpid()) > 1 << 20
    assert cpu_seconds(os.getpid()) > 0


def test_a_section_takes_the_place_of_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "RESULTS", tmp_path / "RESULTS.md")
    table = results.Table(("a", "b"), [["1", "2"]]).markdown()
    for name, text in (("one", "old"), ("two", table), ("one", "new")):
        results.write_section(name, name.title(), text)
    text = (tmp_path / "RESULTS.md").read_text()
    assert "old" not in text
    assert text.index("new") < text.index("| 1 | 2 |")
