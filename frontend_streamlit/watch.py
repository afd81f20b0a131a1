"""How a job is doing: bar, figures, and the board of its parts."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import streamlit as st

from frontend_streamlit import access, components, previews
from frontend_streamlit.words import facts, plain, title
from tessera_client import Job, TesseraClientError, Tile
from tessera_client.commands.report import duration

STATES = {
    "queued": "Waiting for its turn",
    "inspecting": "Looking at the image",
    "running": "Working",
    "stitching": "Putting the parts together",
    "cancelling": "Being cancelled",
}
MOST_TILES = 4000


def show(job: Job) -> None:
    """Show a job that isn't over.

    Parameters
    ----------
    job : Job
    """
    tiles = _tiles(job)
    st.progress(min(1.0, max(0.0, job.progress)), describe(job))
    if line := _figures(job, tiles):
        st.caption(line)
    _board(job, tiles)
    if job.input:
        st.caption(facts(job.input, job.input.format))


def show_board(job: Job) -> None:
    """Show the parts of a job that is over."""
    _board(job, _tiles(job))


def describe(job: Job) -> str:
    """Say in words how far a job is."""
    parts = [STATES.get(job.state, title(job.state))]
    if job.stage:
        name = f" ({plain(job.stage.name.replace('_', ' '))})" if job.stage.name else ""
        parts.append(f"step {job.stage.index} of {job.stage.count}{name}")
    if job.tiles.total:
        parts.append(f"{job.tiles.done:,} of {job.tiles.total:,} parts")
    if job.tiles.retried:
        parts.append(f"{job.tiles.retried:,} begun again")
    return ", ".join(parts)


def _figures(job: Job, tiles: Sequence[Tile]) -> str:
    parts = []
    if job.created_at:
        passed = max(0.0, (datetime.now(UTC) - job.created_at).total_seconds())
        parts.append(f"{duration(passed)} so far")
        done = sum(_pixels(tile) for tile in tiles if tile.state == "done")
        if done and passed:
            parts.append(f"{done / passed / 1e6:.1f} megapixels a second")
    running = sum(tile.state == "begun" for tile in tiles)
    if running:
        parts.append(f"{running:,} {'part' if running == 1 else 'parts'} at work at the same time")
    if job.eta:
        parts.append(f"probably {duration(job.eta)} left")
    return ", ".join(parts)


def _pixels(tile: Tile) -> int:
    if len(tile.rect) != 4:
        return 0
    x0, y0, x1, y1 = tile.rect
    return (x1 - x0) * (y1 - y0)


def _tiles(job: Job) -> list[Tile]:
    try:
        return list(islice(access.client().tiles(job.id), MOST_TILES))
    except TesseraClientError:
        # The bar says enough; this page asks again in a second.
        return []


def _board(job: Job, tiles: Sequence[Tile]) -> None:
    shown = _pass_of(job, tiles)
    if not shown:
        return
    components.board(
        {
            "width": max(tile.rect[2] for tile in shown),
            "height": max(tile.rect[3] for tile in shown),
            "picture": components.data_url(previews.of_input(job.id)),
            "tiles": [_drawn(tile, job) for tile in shown],
        },
        key="board",
    )


def _pass_of(job: Job, tiles: Sequence[Tile]) -> list[Tile]:
    """Return the tiles of the pass that is worked on: the first that isn't all done, else the last."""
    known = [tile for tile in tiles if len(tile.rect) == 4]
    stages = sorted({tile.stage or 0 for tile in known})
    for stage in stages:
        of_stage = [tile for tile in known if (tile.stage or 0) == stage]
        if stage == stages[-1] or any(tile.state != "done" for tile in of_stage):
            return of_stage
    return []


def _drawn(tile: Tile, job: Job) -> dict[str, Any]:
    state = {"done": "done", "begun": "running"}.get(tile.state, "waiting")
    if state == "done" and tile.attempts > 1:
        state = "retried"
    if state == "running" and job.finished:
        state = "failed" if job.state == "failed" else "waiting"
    return {
        "index": tile.index,
        "rect": list(tile.rect),
        "state": state,
        "attempts": tile.attempts,
        "seconds": tile.seconds,
    }
