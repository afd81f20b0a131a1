"""What operations such as statistics measured, beside the result."""

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from frontend_streamlit import histograms
from frontend_streamlit.words import plain, title
from tessera_client import Job

_FIGURES = {"min": "Least", "max": "Most", "mean": "Mean", "std": "Spread"}


def show(job: Job) -> None:
    """Show the reports of a job, where there are some.

    Parameters
    ----------
    job : Job
    """
    reports = job.document.get("reports")
    if not isinstance(reports, dict) or not reports:
        return
    for place, report in reports.items():
        st.subheader(plain(_name(job, place)), anchor=False)
        channels = report.get("channels")
        if isinstance(channels, dict) and channels:
            _channels(channels)
        else:
            st.json(report)
    st.download_button(
        "Save the figures",
        json.dumps(reports, indent=2),
        f"{job.id}.json",
        "application/json",
        on_click="ignore",
    )


def table(channels: Mapping[str, Mapping[str, Any]]) -> str:
    """Write the figures of each channel as a Markdown table."""
    rows = [
        [title(name), *(_figure(channel.get(key)) for key in _FIGURES)] for name, channel in channels.items()
    ]
    lines = [["Channel", *_FIGURES.values()], [":--", *["--:"] * len(_FIGURES)]]
    lines += [[plain(cell) for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _channels(channels: Mapping[str, Mapping[str, Any]]) -> None:
    st.markdown(table(channels))
    st.caption("Spread is the standard deviation. These are the figures of the whole image at that place.")
    counts = {title(name): channel.get("histogram") or [] for name, channel in channels.items()}
    drawn = {name: numbers for name, numbers in counts.items() if len(numbers) == histograms.LEVELS}
    if drawn:
        histograms.show_counts(drawn, "Histogram of the whole image")


def _name(job: Job, place: str) -> str:
    index = int(place) if place.isdecimal() else len(job.pipeline)
    return title(job.pipeline[index].operation) if index < len(job.pipeline) else f"Report {place}"


def _figure(value: Any) -> str:
    return f"{value:,.2f}" if isinstance(value, float) else str(value)
