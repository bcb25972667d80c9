"""Sessions: records that hold for hours, end at once, and do not pile up."""

import threading

import pytest

from lrs.access.keys import create_key, revoke_key
from lrs.access.sessions import Session, end_session, find_session, list_sessions, open_session
from lrs.kernel.settings import Settings
from lrs.kernel.times import MINUTE
from lrs.storage import each
from lrs.tenancy import audit
from lrs.tenancy.tenants import open_tenant
from tests.programs import until

HOUR = 60 * MINUTE
ANN = "key default.0123456789abcdef"


@pytest.fixture
def tenant(tmp_path, clock):
    opened = open_tenant(Settings(data=tmp_path), clock=clock)
    yield opened
    opened.store.close()


def settle(tenant):
    """Waits for the notes that nobody waits for."""
    tenant.store.write(lambda _: None).result()


def test_the_token_opens_the_session_and_is_stored_nowhere(tenant):
    token = open_session(tenant, ANN)

    found = find_session(tenant, token)

    now = tenant.clock()
    assert found == Session(found.id, ANN, now, now)
    [record] = each(tenant.store, "session")
    assert len(token) == 43
    assert token.encode() not in record.body
    assert token not in record.id


@pytest.mark.parametrize("token", ["", "unknown", "\ud800", "x" * 10_000])
def test_another_token_opens_nothing(tenant, token):
    open_session(tenant, ANN)

    assert find_session(tenant, token) is None


def test_signing_in_and_out_stand_in_the_record_of_actions(tenant):
    token = open_session(tenant, ANN)
    end_session(tenant, find_session(tenant, token).id, by=ANN)

    entries = [(entry.action, entry.by, dict(entry.about)) for entry, _ in audit.walk(tenant.store)]
    about = {"key": "default.0123456789abcdef"}
    assert entries[-2:] == [("session.opened", ANN, about), ("session.ended", ANN, about)]


def test_a_use_is_noted_every_five_minutes_at_most(tenant):
    token = open_session(tenant, ANN)
    revisions = []
    for _ in range(3):
        tenant.clock.now += 4 * MINUTE
        find_session(tenant, token)
        settle(tenant)
        revisions.append(tenant.store.get("session", find_session(tenant, token).id).rev)

    assert revisions == [1, 2, 2]


def test_a_session_ends_two_hours_after_its_last_use_and_eight_after_its_first(tenant):
    used, unused = open_session(tenant, ANN), open_session(tenant, ANN)
    alive = []
    for _ in range(4):
        tenant.clock.now += 2 * HOUR - 1
        alive.append((find_session(tenant, used) is not None, find_session(tenant, unused) is not None))
        settle(tenant)
        if len(alive) == 1:
            end_session(tenant, find_session(tenant, unused).id, by="test")

    tenant.clock.now += 4

    assert alive == [(True, True), (True, False), (True, False), (True, False)]
    assert find_session(tenant, used) is None


def test_a_session_that_nobody_used_for_two_hours_has_ended(tenant):
    token = open_session(tenant, ANN)

    tenant.clock.now += 2 * HOUR - 1
    just_before = list_sessions(tenant.store, tenant.clock.now)
    tenant.clock.now += 1

    assert [session.subject for session in just_before] == [ANN]
    assert find_session(tenant, token) is None
    assert list_sessions(tenant.store, tenant.clock.now) == []


def test_an_ended_session_is_not_brought_back_by_a_note_on_its_way(tenant):
    token = open_session(tenant, ANN)
    id = find_session(tenant, token).id
    tenant.clock.now += 10 * MINUTE

    find_session(tenant, token)
    assert end_session(tenant, id, by="test")
    settle(tenant)

    assert find_session(tenant, token) is None
    assert not end_session(tenant, id, by="test")


def test_nor_by_a_note_that_is_written_after_the_end(tenant):
    token = open_session(tenant, ANN)
    id = find_session(tenant, token).id
    tenant.clock.now += 10 * MINUTE
    begun, over = threading.Event(), threading.Event()

    def held(_tx):
        begun.set()
        over.wait(60)

    tenant.store.write(held)
    assert begun.wait(60)  # so that what comes now is in no group with it
    ending = threading.Thread(target=end_session, args=(tenant, id), kwargs={"by": "test"})
    ending.start()
    until(lambda: tenant.store.load().waiting, "the end to be on its way")

    assert find_session(tenant, token)  # and its note comes after the end
    over.set()
    ending.join()
    settle(tenant)

    assert find_session(tenant, token) is None


def test_revoking_a_key_ends_the_sessions_of_that_key_alone(tenant):
    keys = [create_key(tenant, "operator", ["admin"]).key for _ in range(2)]
    tokens = [open_session(tenant, f"key {key}") for key in keys for _ in range(2)]

    revoke_key(tenant, keys[0])

    assert [find_session(tenant, token) is not None for token in tokens] == [False, False, True, True]
    assert [one.subject for one in list_sessions(tenant.store, tenant.clock())] == [f"key {keys[1]}"] * 2


def test_expired_sessions_go_when_somebody_signs_in_and_nobody_has_more_than_fifty(tenant):
    old = [open_session(tenant, f"key {number}") for number in range(60)]
    tenant.clock.now += 8 * HOUR
    kept = [open_session(tenant, ANN) for _ in range(51)]

    assert tenant.store.count("session") == 50
    assert [find_session(tenant, token) is not None for token in (old[0], old[59], kept[0], kept[1])] == [
        False,
        False,
        False,
        True,
    ]


def test_a_session_of_one_tenant_is_none_in_another(tenant, tmp_path):
    token = open_session(tenant, ANN)
    other = open_tenant(Settings(data=tmp_path), "other", clock=tenant.clock)

    assert find_session(other, token) is None
    other.store.close()


def test_another_process_sees_the_end_at_once(tenant, tmp_path):
    token = open_session(tenant, ANN)
    beside = open_tenant(Settings(data=tmp_path), clock=tenant.clock)
    before = find_session(beside, token)

    end_session(tenant, before.id, by="test")

    assert find_session(beside, token) is None
    beside.store.close()


def test_on_each_engine_a_session_opens_and_ends_with_its_key(each_lrs):
    new = create_key(each_lrs.tenant, "operator", ["admin"])
    ended, revoked = (open_session(each_lrs.tenant, f"key {new.key}") for _ in range(2))
    found = find_session(each_lrs.tenant, ended)

    end_session(each_lrs.tenant, found.id, by="test")
    after_one = [find_session(each_lrs.tenant, token) is not None for token in (ended, revoked)]
    revoke_key(each_lrs.tenant, new.key)

    assert found.subject == f"key {new.key}"
    assert after_one == [False, True]
    assert find_session(each_lrs.tenant, revoked) is None
