"""What a job took, and what that is against machines that are rented by the month."""

import streamlit as st
from rich.filesize import decimal

from frontend_streamlit.words import phase, plain
from tessera_client import Job
from tessera_client.commands.report import duration, money

MACHINES, MACHINES_A_MONTH = 10, 2000.0


def show_times(job: Job) -> None:
    """Show how long each phase of a job took."""
    rows = [f"| {plain(phase(name))} | {duration(seconds)} |" for name, seconds in job.seconds.items()]
    if job.created_at and job.finished_at:
        whole = duration((job.finished_at - job.created_at).total_seconds())
        rows.append(f"| **From start to end** | **{whole}** |")
    if rows:
        st.markdown("\n".join(["| Phase | Time |", "|:--|--:|", *rows]))


def show(job: Job) -> None:
    """Show what a job cost, where the service says so."""
    taken = job.receipt
    amount = taken.get("amount")
    if not isinstance(amount, int | float):
        return
    st.markdown(f"**Cost: {plain(money(amount))}**")
    facts = {
        "Computing": f"{taken['gigabyte_seconds']:,} GB·s" if "gigabyte_seconds" in taken else "",
        "Tasks begun": f"{taken['executions']:,}" if "executions" in taken else "",
        "Storage calls": f"{taken.get('reads', 0) + taken.get('writes', 0):,}",
        "Written": decimal(int(taken.get("bytes_written", 0))),
        "Begun again": f"{taken.get('retries', 0):,}",
    }
    rows = [f"| {name} | {plain(value)} |" for name, value in facts.items() if value]
    st.markdown("\n".join(["| Receipt | |", "|:--|--:|", *rows]))
    st.caption(plain(compared(float(amount))))
    if "dated" in taken:
        st.caption(plain(f"List prices of {taken['dated']}, {taken.get('region', '')}.".replace(", .", ".")))


def compared(amount: float) -> str:
    """Say how many such jobs a month of rented machines would pay for.

    Parameters
    ----------
    amount : float
        Cost of the job in US dollars.

    Returns
    -------
    str
    """
    machines = f"{MACHINES} machines that are rented all month cost ${MACHINES_A_MONTH:,.0f}"
    if amount <= 0:
        return f"{machines}, busy or not; this job cost nothing worth counting."
    jobs = MACHINES_A_MONTH / amount
    return f"{machines}, busy or not: as much as {jobs:,.0f} jobs like this one."
