"""Pictures of a job's input and result, from the patches that its tasks see on the way."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

from numpy.typing import NDArray

from activities.attempts import refuse_if_stopped
from activities.blocks import Block
from activities.store import Store
from tessera import naming, preview
from tessera.execute import Read
from tessera.geometry import Rect
from tessera.messages import PreviewOrder
from tessera.orientation import upright
from tessera.pipeline import bind_planned
from tessera.plan import ImageInfo, Plan
from tessera.whole import run_whole

type Array = NDArray[Any]
type Of = Literal["input", "result"]

_log = logging.getLogger(__name__)


class Patches:
    """What one task sees of an image of size *frame*; with *brightest*, of an image of thin bright lines."""

    def __init__(self, frame: Rect, *, brightest: bool = False) -> None:
        self._frame, self._brightest = frame, brightest
        self._seen: list[bytes] = []

    def see(self, pixels: Array, box: Rect) -> None:
        """Keep the patch of *box*."""
        self._seen.append(preview.patch(pixels, box, self._frame, brightest=self._brightest))

    def watching(self, read: Read) -> Read:
        """Return *read*, seeing what is read."""

        def watched(box: Rect) -> Array:
            pixels = read(box)
            self.see(pixels, box)
            return pixels

        return watched

    def blocks(self, job: str, of: Of, tile: int) -> list[Block]:
        """Return what keeps the patches of a tile until the picture is put together."""
        name, data = naming.work(job, naming.patches(of)), b"".join(self._seen)
        return [Block(naming.WORK, name, naming.tile_block(tile), data)] if data else []

    def picture(self) -> Array:
        """Return the picture of an image of which nobody else sees anything."""
        return preview.picture(self._seen, self._frame)


def make_previews(order: PreviewOrder, store: Store) -> None:
    """Put the pictures together of which tiles have kept patches; a job without them is no less done.

    Raises
    ------
    tessera.errors.Cancelled
        If the job was asked to stop, or is over.
    """
    refuse_if_stopped(order.job, store)
    try:
        _make(order.job, order.plan, store)
    except Exception:
        _log.exception("no pictures of job %s", order.job)


def _make(job: str, plan: Plan, store: Store) -> None:
    with ThreadPoolExecutor(1) as beside:
        of_input = beside.submit(_make_of_input, job, plan, store)
        if (made := _put_together(job, "result", plan.result.frame, store)) is not None:
            write_preview(job, "result", made, store)
        of_input.result()


def _make_of_input(job: str, plan: Plan, store: Store) -> None:
    if (made := _put_together(job, "input", plan.image.shape.frame, store)) is not None:
        write_input_preview(job, plan.image, made, store)


def write_input_preview(job: str, image: ImageInfo, made: Array, store: Store) -> None:
    """Keep the picture of an input, upright."""
    write_preview(job, "input", run_whole(made, bind_planned(upright(image.orientation))), store)


def write_preview(job: str, of: Of, made: Array, store: Store) -> None:
    """Keep a picture beside the result."""
    name = naming.preview(job, of)
    store.write(naming.RESULTS, name, preview.to_jpeg(made), media_type="image/jpeg")


def _put_together(job: str, of: Of, frame: Rect, store: Store) -> Array | None:
    name = naming.work(job, naming.patches(of))
    blocks: Sequence[str] = sorted(store.blocks(naming.WORK, name))
    if not blocks:
        return None
    store.commit(naming.WORK, name, blocks)
    return preview.picture([store.read(naming.WORK, name)], frame)
