"""Keeping the documents that some operations make beside the image."""

from activities.store import Store
from tessera import naming


def write_report(job: str, place: int, document: bytes, store: Store) -> None:
    """Keep the JSON *document* that operation *place* of the job's pipeline made."""
    store.write(naming.JOBS, naming.report(job, place), document, media_type="application/json")
