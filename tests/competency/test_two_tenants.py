"""Two tenants in one worker: each learner is judged by the rules of the tenant that got the statement, and no other."""

from __future__ import annotations

from dataclasses import replace

from lrs.composition.steps import LANES, steps_of
from lrs.tenancy.root_keys import Secrets
from lrs.work.worker import Crew
from tests.builders import Always
from tests.competency.world import ANN, RULES, World, statement
from tests.programs import until

HARDER = RULES.replace(",80,", ",95,")


def done(*worlds):
    """Whether no step that judges is owed any more, nor in hand."""
    return not [one for world in worlds for one in world.store.backlog() if one.step in {"match", "evaluate"}]


def test_two_tenants_in_one_worker_go_by_their_own_rules_and_share_no_learner(tmp_path):
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    one, other = World(tmp_path / "one"), World(tmp_path / "other", HARDER)
    other.tenant = replace(other.tenant, id="other", secrets=Secrets(b"o" * 32))
    for number in range(5):
        for world in (one, other):
            world.send(statement(f"{number}", timestamp=f"2026-11-20T10:00:0{number}Z"))
    crew = Crew([steps_of(lane) for lane in LANES], Always(one.tenant, other.tenant), idle=0.05)
    try:
        until(lambda: done(one, other), "both to be worked for")
        held = [[len(award["evidence"]) for award in world.awards()] for world in (one, other)]
        other.apply(RULES)
        one.apply(HARDER)
        until(lambda: done(one, other), "both to be worked for by their new rules")
        swapped = [[len(award["evidence"]) for award in world.awards()] for world in (one, other)]
    finally:
        crew.close()

    assert held == [[5], []]
    assert swapped == [[], [5]]
    assert one.person(ANN) != other.person(ANN)
    one.close()
    other.close()
