"""The step "reword": page by page, so that a kill costs a page; and only badges of former words are owed."""

from __future__ import annotations

import pytest

from badges.achievements import editing
from badges.achievements.wording import OwnWords
from badges.content.attainment import of_award
from badges.content.awards import read_award
from badges.issuing import rewording
from lrs.composition.steps import drain
from lrs.storage import Stale, each
from tests.badges.made import put_award, run_issue, tenant_in

AWARDS = [f"7d2f3c1a-0c64-5b3e-8a52-{number:012d}" for number in range(5)]


@pytest.fixture
def worded(tmp_path, monkeypatch):
    """Five badges of one achievement, whose words a steward replaced for held badges, too; two awards in a page."""
    monkeypatch.setattr(rewording, "PAGE", 2)
    opened = tenant_in(tmp_path)
    for award in AWARDS:
        put_award(opened, award)
    run_issue(opened)
    about = of_award(read_award(opened.store.get("award", AWARDS[0]).body))
    editing.write_words(opened, about, OwnWords(name="Gowning anew"), by="test", anew=True)
    yield opened
    opened.store.close()


def owed(tenant, step):
    return next((one.waiting for one in tenant.store.backlog() if one.step == step), 0)


def versions(tenant):
    return sorted(int(one.meta["version"]) for one in each(tenant.store, "credential"))


def test_each_page_is_a_commit_that_owes_the_next_one(worded):
    seen = []
    while claims := worded.store.claim(["reword"], limit=1, lease=60_000_000):
        rewording.reword(worded, claims)
        seen.append(owed(worded, "issue"))

    assert seen == [2, 4, 5]
    run_issue(worded)
    assert versions(worded) == [2] * 5


def test_a_page_that_was_lost_midway_is_done_again_and_nothing_is_done_twice(worded):
    (claim,) = worded.store.claim(["reword"], limit=1, lease=1)
    worded.clock.now += 1_000_000
    worded.store.claim_lost(["reword"], lease=1)  # the lease ran out: somebody else has it
    with pytest.raises(Stale):
        rewording.reword(worded, [claim])
    worded.clock.now += 1_000_000

    drain(worded, ["reword", "issue"])
    changed = {one.id: one.rev for one in each(worded.store, "credential")}

    assert versions(worded) == [2] * 5
    assert set(changed.values()) == {2}


def test_badges_that_have_the_words_are_owed_nothing(worded):
    drain(worded, ["reword", "issue"])
    about = of_award(read_award(worded.store.get("award", AWARDS[0]).body))
    editing.bring_up_to_date(worded, about, by="test")

    drain(worded, ["reword", "issue"])

    assert versions(worded) == [2] * 5  # the third version is for badges from now on
