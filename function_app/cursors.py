"""Cursors of lists: where a page ended, in a form that says nothing to the caller."""

import base64

from function_app.problems import InvalidCursor


def cursor_of(kind: str, token: str | None) -> str | None:
    """Return the cursor of the page after, or None on the last; *kind* names the list."""
    return base64.urlsafe_b64encode(f"{kind} after {token}".encode()).decode() if token else None


def token_of(kind: str, cursor: str | None) -> str | None:
    """Return what storage goes on with.

    Raises
    ------
    InvalidCursor
        If the cursor is none that this list gave.
    """
    if not cursor:
        return None
    try:
        text = base64.b64decode(cursor, altchars=b"-_", validate=True).decode()
    except ValueError as error:
        raise bad_cursor() from error
    token = text.removeprefix(f"{kind} after ")
    if token in (text, "") or not token.isprintable():
        raise bad_cursor()
    return token


def bad_cursor() -> InvalidCursor:
    """Return the error for a cursor that was never given."""
    return InvalidCursor(
        "the cursor is none that was given", pointer="/cursor", hint="begin again without a cursor"
    )
