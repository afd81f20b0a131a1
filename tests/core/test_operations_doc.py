"""The page of operations is what the catalogue gives, and has all its pictures."""

import re
import subprocess
import sys
from pathlib import Path

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
