"""Whether a log gives away what opens something."""

import re

from emulator.stack import Stack
from tests.support.azurite import KEY

_SIGNATURE = re.compile(r"[?&]sig=|sig%3D", re.IGNORECASE)


def secrets_in(stack: Stack) -> list[str]:
    """Return the lines of the stack's log that hold a signed URL, a key of storage or of the host."""
    host_keys = re.findall(r'"([\w-]{40,})"', stack.log.with_name("keys.json").read_text())
    assert host_keys
    return [
        line
        for line in stack.log.read_text(errors="replace").splitlines()
        if _SIGNATURE.search(line) or any(key in line for key in (KEY, *host_keys))
    ]
