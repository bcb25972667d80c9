"""What stored statements owe is something that the worker knows how to do."""

from lrs.composition.steps import LANES, STEPS
from lrs.composition.subscriptions import SUBSCRIPTIONS


def test_every_subscribed_step_is_a_step_of_a_lane():
    in_lanes = {name for lane in LANES for name in lane}

    assert "match" in SUBSCRIPTIONS
    assert set(SUBSCRIPTIONS) <= set(STEPS)
    assert set(SUBSCRIPTIONS) <= in_lanes
