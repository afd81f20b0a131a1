import pytest
from hypothesis import given
from hypothesis import strategies as st

from function_app.file_names import MOST_CHARACTERS, base_name, content_disposition, result_name


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("photo.jpg", "photo.jpg"),
        ("/home/me/photo.jpg", "photo.jpg"),
        ("C:\\photos\\café.jpg", "café.jpg"),
        ('a\r\nSet-Cookie: b=".jpg', "aSet-Cookie b=.jpg"),
        ("..", None),
        ("  ", None),
        ("", None),
        ("photo.jpg/", None),
        ("x" * 300 + ".jpeg", "x" * 195 + ".jpeg"),
    ],
)
def test_only_the_last_part_of_a_name_is_kept(given_name: str, kept: str | None) -> None:
    assert base_name(given_name) == kept


@given(st.text())
def test_a_kept_name_is_short_printable_and_no_path(text: str) -> None:
    kept = base_name(text)
    if kept is not None:
        assert 0 < len(kept) <= MOST_CHARACTERS
        assert kept.isprintable()
        assert not set('/\\"') & set(kept)
        assert base_name(kept) == kept


@given(st.text(st.characters(codec="utf-8")))
def test_a_header_has_ascii_only_and_one_line(text: str) -> None:
    name = base_name(text)
    if name is not None:
        header = content_disposition(name)
        assert header.isascii()
        assert header.isprintable()
        assert header.count('"') == 2


@pytest.mark.parametrize(
    ("name", "operations", "expected"),
    [
        ("photo.jpg", ["canny"], "photo-canny.png"),
        ("archive.tar.gz", ["invert"], "archive.tar-invert.png"),
        ("noending", ["invert"], "noending-invert.png"),
        (None, ["invert"], "tessera-01234567-invert.png"),
        ("a.png", ["invert", "canny", "invert", "invert"], "a-invert-canny-invert-etc.png"),
    ],
)
def test_a_result_is_named_after_its_input_and_what_was_done(
    name: str | None, operations: list[str], expected: str
) -> None:
    assert result_name(name, "0123456789abcdef" * 2, operations, "png") == expected
