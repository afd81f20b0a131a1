"""Runs the nightly purge as of some hours from now; a program, since the app wants its settings first."""

import sys
from datetime import UTC, datetime, timedelta

from function_app import purge
from function_app.services import services

if __name__ == "__main__":
    purge.run(services(), datetime.now(UTC) + timedelta(hours=float(sys.argv[1])))
