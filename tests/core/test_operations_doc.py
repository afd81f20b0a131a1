"""The page of operations is what the catalogue gives, and has all its pictures."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tessera.operations import CATALOGUE
from tessera.pipeline import bind
from tessera.plan import Step
from tessera.whole import run_whole
from tests.support.images import textured

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_up_to_date() -> None:
    check = [sys.executable, "-m", "scripts.operations_doc", "--check"]
    done = subprocess.run(check, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_every_picture_of_the_page_is_there_and_small() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    pictures = {ROOT / "docs" / name for name in re.findall(r"\]\((operations/[^)]+\.jpg)\)", page)}
    assert pictures == set((ROOT / "docs" / "operations").glob("*.jpg"))
    assert all(picture.stat().st_size < 60_000 for picture in pictures)


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_page_tells_what_comes_out_where_it_is_another_kind_of_pixels(name: str) -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    _, section = page.split(f"\n## {name}\n")
    facts = section.partition("\n## ")[0].partition("Class ")[2].splitlines()[0]
    told = facts.partition(" Makes ")[2].partition(".")[0]
    image = textured(40, 50, 4, max(CATALOGUE[name].depths))
    made = run_whole(image, bind([Step(operation=name)]))
    assert ("alpha dropped" in told) == (made.shape[2] in (1, 3))
    assert ("gray" in told) == (made.shape[2] in (1, 2))
    assert ("8 bits" in told) == (made.itemsize < image.itemsize)
