"""What the documentation tells people to type, found in its pages."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from itertools import dropwhile, groupby
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
SHELL = ("sh", "console")
OTHERS = ("kusto", "markdown", "mermaid", "python", "text", "toml")
"""Languages of blocks that hold no commands."""

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
_SUBSTITUTION = re.compile(r"\$\(([^()]*)\)")
_READ = ("az", "azd", "make", "tessera")


class Block(NamedTuple):
    """A fenced block of a page, which is named by its path in the repository."""

    page: str
    language: str
    text: str

    @property
    def commands(self) -> list[str]:
        """Return its lines without prompts and comments."""
        lines = (line.removeprefix("$ ").partition(" # ")[0].rstrip() for line in self.text.splitlines())
        return [line for line in lines if line and not line.startswith("#")]


def pages() -> list[str]:
    """Return every page under version control."""
    listing = subprocess.run(
        ["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    found = listing.stdout.split() or [str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")]
    return [page for page in found if page != "CHANGELOG.md"]


def blocks(page: str) -> list[Block]:
    """Return the fenced blocks of a page."""
    return [Block(page, *match) for match in _FENCE.findall((ROOT / page).read_text())]


def prose(page: str) -> str:
    """Return a page without its fenced blocks."""
    return _FENCE.sub("", (ROOT / page).read_text())


def programs(text: str) -> Iterator[list[str]]:
    """Yield the words of each call of az, azd, make or tessera with arguments in some lines for a shell."""
    for inner in _SUBSTITUTION.findall(text):
        yield from programs(inner)
    joined = _SUBSTITUTION.sub("…", text).replace("\\\n", " ")
    lexer = shlex.shlex(joined, posix=True, punctuation_chars=";|&\n")
    lexer.whitespace, lexer.whitespace_split = " \t", True
    for _, command in groupby(lexer, key=lambda word: set(word) <= set(";|&\n")):
        call = list(dropwhile(lambda word: word == "$" or "=" in word, command))
        if len(call) > 1 and call[0] in _READ:
            yield call


def calls(page: str) -> Iterator[list[str]]:
    """Yield the words of each call of these programs on a page, in blocks and in the text."""
    for block in blocks(page):
        if block.language in SHELL:
            yield from programs(block.text)
    for text in _INLINE.findall(prose(page)):
        if text.split()[0] in _READ or "$(" in text:
            yield from programs(text)
