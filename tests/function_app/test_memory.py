"""What an activity leaves behind in the memory of its worker."""

import gc
import weakref
from collections.abc import Iterator

import numpy as np
import pytest

from function_app.memory import images_freed


@pytest.fixture(autouse=True)
def no_other_collections() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def fail_and_keep_the_frame() -> None:
    """Do as the storage SDK does where a blob is missing."""
    try:
        raise LookupError
    except LookupError as error:
        kept = error
        assert kept.__traceback__ is not None


def activity() -> "weakref.ref[np.ndarray]":
    image = np.zeros((10, 10), np.uint8)
    fail_and_keep_the_frame()
    return weakref.ref(image)


def test_an_image_goes_with_its_activity() -> None:
    left = activity()
    assert left() is not None, "this would show nothing"
    with images_freed():
        image = activity()
    assert image() is None
