from dataclasses import replace

import pytest

from benchmarks.scaling import CHILDREN, Inputs, Simulation, simulate

USUAL = Inputs()


@pytest.mark.parametrize("tiles", [1, CHILDREN, CHILDREN + 1, 1000])
def test_every_tile_is_done_once(tiles: int) -> None:
    simulation = Simulation(USUAL, 7, tiles)
    simulation.run()
    assert simulation.done == tiles
    assert simulation.free == 7


def test_one_instance_works_at_its_own_rate() -> None:
    assert simulate(USUAL, 1, 200).rate == pytest.approx(1 / USUAL.tile_seconds, rel=0.05)


def test_more_instances_are_never_slower() -> None:
    rates = [simulate(USUAL, instances, 2000).rate for instances in (1, 10, 100, 1000)]
    assert rates == sorted(rates)


@pytest.mark.parametrize(
    ("change", "limit", "most"),
    [
        ({"blob_rate": 20.0}, "blob", 10.0),
        ({"queue_rate": 15.0}, "queue", 15.0),
        ({"ingress": 12e6 * 8}, "ingress", 8.0),
        ({"partitions": 1, "checkpoint": 1.0}, "partitions", 32.0),
    ],
    ids=["blob", "queue", "ingress", "partitions"],
)
def test_the_narrowest_part_is_named_and_kept_to(change: dict[str, float], limit: str, most: float) -> None:
    outcome = simulate(replace(USUAL, **change), 500, 2000)  # type: ignore[arg-type]
    assert outcome.limit == limit
    assert outcome.rate <= most
    assert all(0 <= share <= 1.001 for share in outcome.busy.values())
