"""Searching instances, and purging them."""

import sqlite3
from dataclasses import dataclass

from emulator.errors import InvalidRequestError
from emulator.records import INSTANCE_COLUMNS, TERMINAL, Instance, to_instance
from emulator.transactions import delete

DEFAULT_PAGE = 100


@dataclass(frozen=True)
class InstanceFilter:
    """Which instances to select; times in ISO 8601 and UTC, both inclusive."""

    created_from: str | None = None
    created_to: str | None = None
    statuses: frozenset[str] = frozenset()
    prefix: str | None = None

    def clause(self) -> tuple[str, list[str]]:
        """Write the filter in SQL.

        Returns
        -------
        tuple
            Condition and its parameters.
        """
        conditions, values = ["1"], []
        if self.created_from is not None:
            conditions.append("created >= ?")
            values.append(self.created_from)
        if self.created_to is not None:
            conditions.append("created <= ?")
            values.append(self.created_to)
        if self.statuses:
            conditions.append(f"status IN ({', '.join('?' * len(self.statuses))})")
            values.extend(sorted(self.statuses))
        if self.prefix is not None:
            conditions.append("substr(instance_id, 1, ?) = ?")
            values.extend([str(len(self.prefix)), self.prefix])
        return " AND ".join(conditions), values


def list_instances(
    db: sqlite3.Connection, wanted: InstanceFilter, size: int, after: str | None
) -> tuple[list[Instance], str | None]:
    """Select a page of instances, in the order of their ids.

    Parameters
    ----------
    db
        Connection to the state file.
    wanted
        The filter.
    size
        Largest number of instances.
    after
        Continuation token of the page before, or None for the first.

    Returns
    -------
    tuple
        The instances, and the continuation token when there are more.
    """
    condition, values = wanted.clause()
    rows = db.execute(
        f"SELECT {INSTANCE_COLUMNS} FROM instances WHERE {condition} AND instance_id > ? "
        "ORDER BY instance_id LIMIT ?",
        [*values, after or "", size + 1],
    ).fetchall()
    page = [to_instance(row) for row in rows[:size]]
    return page, page[-1].instance_id if len(rows) > size else None


def purge_one(db: sqlite3.Connection, instance_id: str) -> int | None:
    """Remove an ended instance.

    Parameters
    ----------
    db
        Connection to the state file.
    instance_id
        The instance.

    Returns
    -------
    int or None
        Number of removed instances, 0 when it hasn't ended; None when there is none.
    """
    row = db.execute("SELECT status FROM instances WHERE instance_id = ?", (instance_id,)).fetchone()
    if row is None:
        return None
    if row[0] not in TERMINAL:
        return 0
    delete(db, instance_id)
    return 1


def purge_many(db: sqlite3.Connection, wanted: InstanceFilter) -> int:
    """Remove the ended instances that a filter selects.

    Parameters
    ----------
    db
        Connection to the state file.
    wanted
        The filter.

    Returns
    -------
    int
        Number of removed instances.

    Raises
    ------
    InvalidRequestError
        When the filter asks for instances that haven't ended.
    """
    if wanted.statuses - TERMINAL:
        raise InvalidRequestError(
            f"only instances that have ended can be purged: {', '.join(sorted(TERMINAL))}"
        )
    condition, values = wanted.clause()
    ended = ", ".join(f"'{status}'" for status in sorted(TERMINAL))
    query = f"SELECT instance_id FROM instances WHERE {condition} AND status IN ({ended})"
    found = [instance_id for (instance_id,) in db.execute(query, values)]
    for instance_id in found:
        delete(db, instance_id)
    return len(found)
