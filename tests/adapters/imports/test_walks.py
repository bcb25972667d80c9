"""How many files one process reads at a time, and that no organisation's files keep those of others waiting."""

import pytest

from adapters.imports.walks import FileWalk, FileWalks


@pytest.fixture
def walks():
    made = FileWalks(each=2, most=3, patience=60.0)
    yield made
    for place in list(made._walks):  # noqa: SLF001 (their threads end)
        made.drop(*place)


def begun(walks, tenant, job, owner=None):
    walk = FileWalk(lambda ask, _breathe: ask(job), job, owner)
    walks.begin(tenant, job, walk)
    return walk


def test_one_tenant_reads_two_files_at_a_time_and_all_together_three(walks):
    room = []
    for tenant, job in (("one", "a"), ("one", "b"), ("other", "c")):
        begun(walks, tenant, job)
        room.append({name: walks.has_room(name) for name in ("one", "other", "third")})

    assert room == [
        {"one": True, "other": True, "third": True},
        {"one": False, "other": True, "third": True},
        {"one": False, "other": False, "third": False},
    ]


def test_a_file_that_nobody_reads_on_makes_room_and_one_of_a_store_that_was_closed_is_begun_anew(walks):
    store = object()
    for job in ("left", "read"):
        begun(walks, "one", job, store)
    walks.get("one", "left", store).touched -= 61

    assert walks.has_room("one")
    assert walks.get("one", "left", store) is None
    assert walks.get("one", "read", store) is not None
    assert walks.get("one", "read", object()) is None
    assert walks.get("one", "read", store) is None
