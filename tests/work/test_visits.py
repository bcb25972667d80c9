"""Whom upkeep visits: all for whom there was something to do, and of the others a few at a time, each in its turn."""

from lrs.work.visits import QUIET, Visits

NAMES = [f"t{number}" for number in range(35)]


def test_each_quiet_tenant_has_its_turn_and_none_twice_before_all_had_theirs():
    visits = Visits()

    walks = [list(visits.walk(NAMES)) for _ in range(4)]

    assert [len(walk) for walk in walks] == [QUIET] * 4
    assert sorted([*walks[0], *walks[1], *walks[2], *walks[3][:5]]) == sorted(NAMES)
    assert set(walks[3][5:]) <= set(walks[0])


def test_who_was_heard_of_is_visited_in_the_next_walk_once():
    visits = Visits()
    known = [name for _ in range(4) for name in visits.walk(NAMES)]
    newest = known[-1]

    visits.hear(newest)
    visits.hear(newest)

    assert next(visits.walk(NAMES)) == newest
    assert newest not in list(visits.walk(NAMES))


def test_who_is_heard_of_while_it_is_visited_is_visited_again():
    visits = Visits()
    visits.hear("t3")
    for name in visits.walk(NAMES):
        if name == "t3":
            visits.hear("t3")

    assert next(visits.walk(NAMES)) == "t3"


def test_a_walk_that_is_broken_off_loses_nobody():
    visits = Visits()
    for name in NAMES[:3]:
        visits.hear(name)
    walk = visits.walk(NAMES)
    first = next(walk)
    walk.close()

    assert {first, *list(visits.walk(NAMES))[:2]} == set(NAMES[:3])


def test_tenants_that_are_gone_are_forgotten():
    visits = Visits()
    visits.hear("gone")

    assert "gone" not in list(visits.walk(["a", "b"]))
    assert sorted(visits.walk(["a", "b"])) == ["a", "b"]


def test_few_tenants_are_all_visited_in_each_walk():
    visits = Visits()

    assert [sorted(visits.walk(["a", "b"])) for _ in range(3)] == [["a", "b"]] * 3
