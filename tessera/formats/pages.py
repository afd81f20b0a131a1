"""The choice of a page."""

from tessera.errors import UnsupportedFormat
from tessera.formats.base import Limits, check_limit


def check_page(page: int, pages: int, limits: Limits) -> None:
    """Refuse a page that isn't there, and a file of too many.

    Raises
    ------
    LimitExceeded
        If *pages* exceeds ``limits.pages``.
    UnsupportedFormat
        If *page* is none of 0 to *pages* - 1.
    """
    check_limit("the file", pages, limits.pages, "pages")
    if not 0 <= page < pages:
        raise UnsupportedFormat(
            f"there is no page {page}: the file has {pages}", hint=f"ask for a page from 0 to {pages - 1}"
        )
