"""Which ids orchestration instances may have."""

import re

from emulator.errors import InvalidRequestError

# Lone surrogates are no characters at all: they couldn't be stored.
_INVALID = re.compile("[/\\\\#?\\x00-\\x1f\\x7f-\\x9f\\ud800-\\udfff]")
_LONGEST = 256


def check_instance_id(instance_id: str) -> None:
    """Refuse an id that can't be used.

    Parameters
    ----------
    instance_id
        The id.

    Raises
    ------
    InvalidRequestError
        When it begins with ``@``, has a character that URLs and storage can't have, or is too long.
    """
    if instance_id.startswith("@"):
        raise InvalidRequestError("Orchestration instance ids must not start with @.")
    if _INVALID.search(instance_id):
        raise InvalidRequestError(
            "Orchestration instance ids must not contain /, \\, #, ?, or control characters."
        )
    if len(instance_id) > _LONGEST:
        raise InvalidRequestError(f"Instance ID lengths must not exceed {_LONGEST} characters.")
