"""What all tests need."""

import signal

# Background jobs of a shell begin with SIGINT ignored, and so do their children: Ctrl-C needs the default.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
