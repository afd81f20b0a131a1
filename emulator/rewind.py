"""Rewinding a failed orchestration to before its failures."""

import sqlite3

from emulator.checkpoints import Effects
from emulator.errors import InstanceConflictError


def rewind(db: sqlite3.Connection, instance_id: str, reason: str | None) -> Effects:
    """Let a failed orchestration go on (stub)."""
    raise InstanceConflictError(f"not yet: {instance_id} {reason}")
