"""Says when the conformance tests ran on the emulator only."""

import pytest

from tests.emulator.conftest import HOSTS


def test_the_conformance_tests_also_run_on_the_official_host() -> None:
    if "func" not in HOSTS:
        pytest.skip("Azure Functions Core Tools (`func`) aren't on PATH: the tests run on the emulator only")
    assert HOSTS == ["emulator", "func"]
