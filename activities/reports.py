"""Keeping what global operations have measured of a whole image."""

from collections.abc import Sequence

from activities.store import Store
from tessera import naming, tables


def write_report(job: str, place: int, document: bytes, store: Store) -> None:
    """Keep the JSON *document* that operation *place* of the job's pipeline made."""
    store.write(naming.JOBS, naming.report(job, place), document, media_type="application/json")


def write_merged(job: str, table: int, report: int | None, merged: Sequence[bytes], store: Store) -> None:
    """Keep what merging gave: the document of operation *report* of the pipeline, or tables as *table*."""
    if report is not None:
        return write_report(job, report, merged[0], store)
    store.write(naming.WORK, naming.work(job, naming.table(table)), tables.pack(merged))
