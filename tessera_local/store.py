"""A folder with the semantics of block blobs, shared by processes that may die at any moment.

``<folder>/<container>/<name>/`` holds one blob: ``content`` lists the parts of the committed blob,
``staged-*`` are its uncommitted blocks. Everything appears under its name at once and complete, by a rename
or a hard link, and a part that ``content`` lists is never changed: who reads while another writes sees the
one blob or the other, and what a process that died left half written has no name that counts.
"""

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple, Self
from urllib.parse import quote, unquote
from uuid import uuid4

from activities.store import OCTETS, BlobChanged, BlobExists, BlobMissing, Stat

_CONTENT = "content"
_STAGED = "staged-"
_TRIES = 3


class _Part(NamedTuple):
    """A file that holds some bytes of a blob; *block* is its id, empty for a blob without blocks."""

    block: str
    file: str
    size: int


class _Content(NamedTuple):
    """What a committed blob is made of."""

    etag: str
    parts: tuple[_Part, ...]

    @property
    def size(self) -> int:
        return sum(part.size for part in self.parts)

    @classmethod
    def load(cls, folder: Path) -> Self | None:
        try:
            etag, parts = json.loads((folder / _CONTENT).read_bytes())
        except FileNotFoundError:
            return None
        return cls(etag, tuple(_Part(*part) for part in parts))


class FolderStore:
    """A `activities.store.Store` in *folder*, which has to allow hard links.

    Any number of processes may use the same folder at the same time.
    """

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder)

    def stat(self, container: str, name: str) -> Stat:
        """Return size and ETag; raise `BlobMissing` if there is no such blob."""
        content = self._content(container, name)
        return Stat(content.size, content.etag)

    def exists(self, container: str, name: str) -> bool:
        """Tell whether there is a committed blob of this name."""
        return (self._blob(container, name) / _CONTENT).exists()

    def read(
        self,
        container: str,
        name: str,
        offset: int = 0,
        length: int | None = None,
        *,
        etag: str | None = None,
    ) -> bytes:
        """Return *length* bytes from *offset* (all from there if None); fewer only at the end.

        Raises
        ------
        BlobMissing
            If there is no such blob.
        BlobChanged
            If *etag* is given and is not the blob's, or an adopted file is no longer what it was.
        """
        content = self._content(container, name)
        if etag is not None and content.etag != etag:
            raise BlobChanged(f"{container}/{name} was changed")
        end = content.size if length is None else min(offset + length, content.size)
        return b"".join(self._pieces(self._blob(container, name), content, offset, end))

    def write(
        self, container: str, name: str, data: bytes, *, media_type: str = OCTETS, new: bool = False
    ) -> None:
        """Write a whole blob; with *new*, raise `BlobExists` if the name is taken."""
        folder = self._made(container, name)
        if new and (folder / _CONTENT).exists():
            raise BlobExists(f"{container}/{name} exists")
        part = f"part-{uuid4().hex}"
        if data:
            (folder / part).write_bytes(data)
        content = _Content(uuid4().hex, (_Part("", part, len(data)),) if data else ())
        try:
            _publish(folder, content, new=new)
        except FileExistsError:
            (folder / part).unlink(missing_ok=True)
            raise BlobExists(f"{container}/{name} exists") from None

    def put_block(self, container: str, name: str, block: str, data: bytes) -> None:
        """Upload an uncommitted block; a second one of the same id takes its place."""
        folder = self._made(container, name)
        unfinished = folder / f"part-{uuid4().hex}"
        unfinished.write_bytes(data)
        unfinished.replace(folder / (_STAGED + quote(block, safe="")))

    def blocks(self, container: str, name: str) -> dict[str, int]:
        """Return the bytes of each block by its id, committed or not; nothing if there are none."""
        folder = self._blob(container, name)
        content = _Content.load(folder)
        committed = {part.block: part.size for part in content.parts if part.block} if content else {}
        return committed | dict(_staged(folder))

    def commit(self, container: str, name: str, blocks: Sequence[str], *, media_type: str = OCTETS) -> None:
        """Make the blob of these blocks, in this order; raise `BlobMissing` if one wasn't uploaded."""
        folder = self._blob(container, name)
        for _ in range(_TRIES):
            # Another process that commits the same blob takes the uncommitted blocks away in between.
            with suppress(FileNotFoundError):
                return self._commit(folder, f"{container}/{name}", blocks)
        raise BlobMissing(f"{container}/{name} goes away while it is committed")

    def names(self, container: str, prefix: str) -> Iterator[str]:
        """Yield the names that begin with *prefix*, of blobs and of uncommitted ones."""
        try:
            found = sorted(unquote(entry) for entry in os.listdir(self._folder / container))
        except FileNotFoundError:
            return
        yield from (name for name in found if name.startswith(prefix))

    def delete(self, container: str, name: str) -> None:
        """Remove a blob with its uncommitted blocks; a missing one is success."""
        folder = self._blob(container, name)
        # Without its content the blob is gone, whatever happens before the rest is.
        (folder / _CONTENT).unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)

    def adopt(self, container: str, name: str, file: Path) -> None:
        """Make a blob of a file where it is; once the file has changed, reading raises `BlobChanged`."""
        facts = file.stat()
        part = _Part("", str(file.absolute()), facts.st_size)
        _publish(self._made(container, name), _Content(_etag(facts), (part,)), new=False)

    def export(self, container: str, name: str, target: BinaryIO) -> int:
        """Write a blob to an open file, piece by piece, and return its size."""
        content = self._content(container, name)
        for part in content.parts:
            with (self._blob(container, name) / part.file).open("rb") as source:
                shutil.copyfileobj(source, target, 1 << 20)
        return content.size

    def _commit(self, folder: Path, what: str, blocks: Sequence[str]) -> None:
        staged, before = dict(_staged(folder)), _Content.load(folder)
        committed = {part.block: part for part in before.parts} if before else {}
        if missing := [block for block in blocks if block not in staged and block not in committed]:
            raise BlobMissing(f"{what} lacks {len(missing)} blocks, such as {missing[0]}")
        token, parts = uuid4().hex, []
        for index, block in enumerate(blocks):
            if block in staged:
                part = _Part(block, f"part-{token}-{index}", staged[block])
                os.link(folder / (_STAGED + quote(block, safe="")), folder / part.file)
            else:
                part = committed[block]
            parts.append(part)
        _publish(folder, _Content(token, tuple(parts)), new=False)
        for block in staged:
            (folder / (_STAGED + quote(block, safe=""))).unlink(missing_ok=True)

    def _pieces(self, folder: Path, content: _Content, start: int, end: int) -> Iterator[bytes]:
        begin = 0
        for part in content.parts:
            first, last = max(start - begin, 0), min(end - begin, part.size)
            begin += part.size
            if first >= last:
                continue
            with (folder / part.file).open("rb") as file:
                if os.path.isabs(part.file) and _etag(os.fstat(file.fileno())) != content.etag:
                    raise BlobChanged(f"{part.file} was changed while it was read")
                file.seek(first)
                yield file.read(last - first)

    def _content(self, container: str, name: str) -> _Content:
        content = _Content.load(self._blob(container, name))
        if content is None:
            raise BlobMissing(f"there is no {container}/{name}")
        return content

    def _made(self, container: str, name: str) -> Path:
        folder = self._blob(container, name)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _blob(self, container: str, name: str) -> Path:
        return self._folder / container / quote(name, safe="")


def _publish(folder: Path, content: _Content, *, new: bool) -> None:
    """Put the list of parts in its place; with *new*, raise FileExistsError if there is one."""
    unfinished = folder / f"part-{uuid4().hex}"
    unfinished.write_text(json.dumps(content))
    if not new:
        unfinished.replace(folder / _CONTENT)
        return
    try:
        os.link(unfinished, folder / _CONTENT)
    finally:
        unfinished.unlink()


def _staged(folder: Path) -> Iterator[tuple[str, int]]:
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return
    for entry in entries:
        if entry.name.startswith(_STAGED):
            # A commit by another process may take it away in between.
            with suppress(FileNotFoundError):
                yield unquote(entry.name.removeprefix(_STAGED)), entry.stat().st_size


def _etag(facts: os.stat_result) -> str:
    return f"{facts.st_size}-{facts.st_mtime_ns}"
