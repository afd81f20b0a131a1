"""The ``tessera`` command: its arguments. What each command does is in ``tessera_client.commands``.

The commands are imported when they run: `tessera --help` answers without loading an HTTP client.
"""

import os
import sys

# Importing them registers the commands, in the order of the help.
from tessera_client.cli import images, jobs, reference  # noqa: F401
from tessera_client.cli.root import app

__all__ = ["app", "main"]


def main() -> None:
    """Run the command line; an error that was not foreseen becomes one line too."""
    try:
        app()
    except Exception as unforeseen:
        if os.environ.get("TESSERA_DEBUG"):
            raise
        print(f"tessera: internal error: {type(unforeseen).__name__}: {unforeseen}", file=sys.stderr)
        print("  Set TESSERA_DEBUG=1 to see where, and report it.", file=sys.stderr)
        sys.exit(1)
