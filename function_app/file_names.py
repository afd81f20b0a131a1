"""Names of files as people gave them and get them back; no blob is ever named by them."""

import re
from collections.abc import Sequence
from urllib.parse import quote

MOST_CHARACTERS = 200
_LONGEST_SUFFIX = 20
_MOST_NAMED_OPERATIONS = 3


def base_name(name: str) -> str | None:
    r"""Return the last part of a path as a file name, or None if nothing is left of it.

    Control characters and quotes go; a long name keeps its suffix.

    >>> base_name("C:\\photos\\caf\u00e9.jpg"), base_name("../..")
    ('café.jpg', None)
    """
    last = re.split(r"[/\\]", name)[-1]
    last = "".join(character for character in last if character.isprintable() and character not in '"<>|:*?')
    last = last.strip(" .")
    if len(last) > MOST_CHARACTERS:
        stem, dot, suffix = last.rpartition(".")
        if dot and len(suffix) < _LONGEST_SUFFIX:
            return f"{stem[: MOST_CHARACTERS - len(suffix) - 1]}.{suffix}"
    return last[:MOST_CHARACTERS] or None


def content_disposition(file_name: str) -> str:
    """Return the header that saves a download as *file_name*: ASCII for old clients, UTF-8 (RFC 6266).

    >>> content_disposition("caf\u00e9.png")
    'attachment; filename="caf_.png"; filename*=UTF-8\\'\\'caf%C3%A9.png'
    """
    ascii_name = re.sub(r"[^A-Za-z0-9 ._()-]", "_", file_name)
    return f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(file_name, safe='')}"


def result_name(given: str | None, job: str, operations: Sequence[str], extension: str) -> str:
    """Return the file name of a job's result: that of the input, and what was done to it.

    >>> result_name("photo.jpg", "0" * 32, ["canny"], "png")
    'photo-canny.png'
    """
    stem = given.rpartition(".")[0] or given if given else f"tessera-{job[:8]}"
    done = "-".join(operations[:_MOST_NAMED_OPERATIONS])
    more = "-etc" if len(operations) > _MOST_NAMED_OPERATIONS else ""
    return f"{stem}-{done}{more}.{extension}"
