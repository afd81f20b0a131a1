"""What a job would take, before it starts; and why it can't, said at the operation that is the reason."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict

import streamlit as st
from rich.filesize import decimal
from streamlit.delta_generator import DeltaGenerator

from frontend_streamlit import access
from frontend_streamlit.words import plain, show_error
from tessera_client import ApiError, Output, Plan, Step, TesseraClientError
from tessera_client.commands.report import duration, money

_STEP = re.compile(r"/?pipeline/(\d+)")
_KEPT, _SECONDS = 64, 600


def show(
    upload_id: str, steps: Sequence[Step], output: Output, places: Sequence[DeltaGenerator], page: int = 0
) -> Plan | None:
    """Show the plan, or the refusal where it belongs.

    Parameters
    ----------
    upload_id : str
    steps : sequence of Step
    output : Output
    places : sequence of DeltaGenerator
        For each step, where to say what is wrong with it.
    page : int
        Of the file, from 0.

    Returns
    -------
    Plan or None
        None where there is none: then the job would be refused too.
    """
    try:
        plan = _made(upload_id, json.dumps([[asdict(step) for step in steps], asdict(output)]), page)
    except TesseraClientError as error:
        place = place_of(error, places)
        if place is None:
            show_error(error)
        else:
            with place.container():
                show_error(error)
            st.error("An operation above can't be applied: see there.", icon=":material/error:")
        return None
    _show(plan)
    return plan


def place_of(error: TesseraClientError, places: Sequence[DeltaGenerator]) -> DeltaGenerator | None:
    """Return the place of the operation that an error points to, if it points to one."""
    pointer = error.problem.pointer if isinstance(error, ApiError) else None
    found = _STEP.match(pointer or "")
    index = int(found[1]) if found else len(places)
    return places[index] if index < len(places) else None


@st.cache_data(show_spinner="Making a plan", max_entries=_KEPT, ttl=_SECONDS)
def _made(upload_id: str, work: str, page: int) -> Plan:
    steps, output = json.loads(work)
    return access.client().plan(upload_id, [Step(**step) for step in steps], Output(**output), page=page)


def _show(plan: Plan) -> None:
    parts = "one part" if plan.tiles == 1 or plan.direct else f"{plan.tiles:,} parts"
    passes = f" in {len(plan.stages)} passes" if len(plan.stages) > 1 and not plan.direct else ""
    facts = {
        "Result": f"{plan.width:,} × {plan.height:,} pixels" if plan.width and plan.height else "",
        "Work": f"{parts}{passes}",
        "Time": _span(plan),
        "Memory": f"{decimal(plan.memory)} for each part" if plan.memory else "",
        "Cost": money(plan.cost),
    }
    cells = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts.items() if value)
    st.html(f"<dl class='facts'>{cells}</dl>")
    for warning in plan.warnings:
        st.caption(f":material/info: {plain(warning[:1].upper() + warning[1:])}")


def _span(plan: Plan) -> str:
    if plan.seconds is None:
        return ""
    low, high = duration(plan.seconds.low), duration(plan.seconds.high)
    return f"about {low}" if low == high else f"{low} to {high}"
