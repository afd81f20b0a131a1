from dataclasses import fields

import pytest

from tessera.prices import DEFAULT, Prices, Usage, billed_seconds, cost, override


def test_a_job_is_priced_by_hand() -> None:
    usage = Usage(
        gb_seconds=1000,
        executions=500_000,
        writes=20_000,
        reads=10_000,
        queue_operations=30_000,
        table_operations=10_000,
        byte_months=5 * 2**30,
        bytes_out=2**31,
    )
    made = cost(usage)
    assert made.compute == pytest.approx(0.026)
    assert made.executions == pytest.approx(0.20)
    assert made.operations == pytest.approx(2 * 0.055 + 0.0044 + 3 * 0.004 + 0.00036)
    assert made.capacity == pytest.approx(5 * 0.018)
    assert made.transfer == pytest.approx(2 * 0.087)
    parts = (made.compute, made.executions, made.operations, made.capacity, made.transfer)
    assert made.total == pytest.approx(sum(parts))


def test_nothing_used_costs_nothing() -> None:
    assert cost(Usage()).total == 0


@pytest.mark.parametrize("member", [field.name for field in fields(Usage)])
def test_more_of_anything_costs_more(member: str) -> None:
    assert cost(Usage(**{member: 1})).total > 0


def test_a_busy_instance_is_billed_for_a_second_at_least_and_in_tenths() -> None:
    assert [billed_seconds(seconds) for seconds in (0, 0.3, 1, 1.01, 1.1, 2.34, 7.0)] == [
        1, 1, 1, 1.1, 1.1, 2.4, 7,
    ]  # fmt: skip


def test_the_table_says_when_where_and_from_whom() -> None:
    assert len(DEFAULT.date) == len("2025-05")
    assert DEFAULT.region
    assert DEFAULT.source.startswith("https://")
    figures = [getattr(DEFAULT, field.name) for field in fields(Prices) if field.type is float]
    assert figures
    assert min(figures) > 0


def test_figures_of_another_region_replace_the_default() -> None:
    other = override({"region": "Australia East", "gb_second": 0.00004})
    assert (other.region, other.gb_second, other.date) == ("Australia East", 0.00004, DEFAULT.date)
    assert cost(Usage(gb_seconds=100), other).compute == pytest.approx(0.004)


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        ({"gb_seconds": 1}, "'gb_seconds' is no price; choose from date, .*gb_second"),
        ({"gb_second": -1}, "gb_second must be a finite number .*not negative"),
        ({"gb_second": float("nan")}, "gb_second must be a finite number"),
        ({"gb_second": "1"}, "gb_second must be a finite number .*'1'"),
        ({"gb_second": True}, "gb_second must be a finite number"),
        ({"region": 3}, "region must be a text"),
    ],
)
def test_a_price_that_cant_be_is_refused(overrides: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        override(overrides)
