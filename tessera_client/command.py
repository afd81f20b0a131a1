"""Entry of the ``tessera`` command: Ctrl-C ends it without a word while it still loads."""

import signal


def main() -> None:
    """Load the command line, and run it."""
    handler = signal.signal(signal.SIGINT, signal.SIG_DFL)
    from tessera_client.cli import main as run

    signal.signal(signal.SIGINT, handler)
    run()
