"""A start opens what it must, however many tenants there are; what it does not open is not forgotten."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import structlog

from lrs.composition.steps import LANES, steps_of
from lrs.kernel.errors import Misconfigured, Refused
from lrs.kernel.settings import Settings
from lrs.ops.backup.restore import restore
from lrs.ops.backup.take import back_up
from lrs.storage import Owed, Record
from lrs.tenancy import states
from lrs.tenancy.control import open_control
from lrs.tenancy.master_key import OtherKey
from lrs.tenancy.open_tenants import Tenants
from lrs.tenancy.tenants import open_tenant
from lrs.work.worker import Crew
from tests.contract.test_migrations import FROZEN
from tests.programs import until
from tests.tenancy.test_damaged import break_head, break_inside, store_of, tenants_in
from tests.watching import asked_of_sqlite

MANY = 30
OWING = Record("statement", "a", meta={"source": "s"}, owed=(Owed("refs"),))


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A folder of 31 tenants at rest."""
    folder = tmp_path_factory.mktemp("many")
    tenants_in(folder, *(f"t{number}" for number in range(MANY)))
    tenants = Tenants(Settings(data=folder))
    tenants.start()
    for name in tenants.control.tenants():
        tenants.control.due.clear(name)
    tenants.close()
    return folder


@pytest.fixture
def settings(tmp_path):
    tenants_in(tmp_path, "acme", "other")
    return Settings(data=tmp_path)


def die_with(settings, tenant):
    """What a process leaves that was killed between a commit and its note: the store with its log."""
    path = store_of(settings.data, tenant)
    left = path.parent / "left"
    opened = open_tenant(settings, tenant)
    opened.store.write(lambda tx: tx.insert(OWING)).result()
    shutil.copytree(path.parent, left, ignore=shutil.ignore_patterns("left"))
    opened.store.close()
    for file in left.iterdir():
        if file.is_file():
            shutil.copy(file, path.parent)
    shutil.rmtree(left)


def test_a_start_beside_many_tenants_at_rest_opens_one_of_them(many):
    with asked_of_sqlite() as asked:
        tenants = Tenants(Settings(data=many))
        assert tenants.start() == []
        tenants.close()

    assert {name for name in asked.opened if name != "control"} == {"default"}
    assert asked.count("control") < 2 * MANY


def test_what_a_process_that_died_had_not_noted_is_due_after_a_start_and_worked_for(settings):
    die_with(settings, "acme")
    tenants = Tenants(settings)
    assert tenants.due() == []

    tenants.start()

    assert tenants.due() == ["acme"]
    assert not tenants.opened("acme")
    crew = Crew([steps_of(names) for names in LANES], tenants, idle=0.01)
    try:
        with tenants.hold("acme") as acme:
            until(lambda: acme.store.backlog() == [], "the work that was left")
        until(lambda: tenants.due() == [], "that nothing is due any more")
    finally:
        crew.close()
        tenants.close()


def test_a_store_of_an_older_schema_is_due_after_a_start_and_migrated_before_it_is_used(settings, tmp_path):
    path = store_of(tmp_path, "acme")
    shutil.copy(FROZEN / "sqlite-1.db", path)
    tenants = Tenants(settings)

    tenants.start()

    assert (schema_of(path), tenants.due()) == (1, ["acme"])
    with tenants.hold("acme") as acme:
        assert schema_of(path) == 4
        assert acme.store.get("document", "b").body == b"new"
        assert acme.secrets.has_root
    tenants.close()


def schema_of(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA user_version").fetchone()[0]


def newer(folder, tenant):
    with closing(sqlite3.connect(store_of(folder, tenant))) as connection:
        connection.execute("PRAGMA user_version = 99")


def of_another_program(folder, tenant):
    with closing(sqlite3.connect(store_of(folder, tenant))) as connection:
        connection.execute("PRAGMA application_id = 7")


def a_folder(folder, tenant):
    store_of(folder, tenant).unlink()
    store_of(folder, tenant).mkdir()


@pytest.mark.parametrize("odd", [break_head, newer, of_another_program, a_folder], ids=lambda odd: odd.__name__)
def test_a_store_that_looks_from_outside_as_if_it_could_not_be_opened_is_told_at_the_start(settings, tmp_path, odd):
    odd(tmp_path, "other")
    tenants = Tenants(settings)

    assert [one.tenant for one in tenants.start()] == ["other"]

    assert [tenant.id for tenant in tenants.each()] == ["default", "acme"]
    tenants.close()


def test_a_store_that_is_not_there_is_made_by_the_start(settings, tmp_path):
    shutil.rmtree(store_of(tmp_path, "acme").parent)
    tenants = Tenants(settings)

    tenants.start()

    assert store_of(tmp_path, "acme").exists()
    tenants.close()


def test_damage_inside_a_store_is_met_by_who_uses_it_and_by_nobody_else(settings, tmp_path):
    break_inside(tmp_path, "other")
    tenants = Tenants(settings)

    assert tenants.start() == []

    with tenants.hold("other") as other, pytest.raises(sqlite3.DatabaseError, match="malformed"):
        other.store.backlog()
    with tenants.hold("acme") as acme:
        assert acme.store.backlog() == []
    tenants.close()


def test_a_tenant_of_another_master_key_is_told_when_it_is_asked_for_and_the_others_are_served(settings, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    tenants_in(tmp_path / "elsewhere", "other")
    shutil.copy(store_of(tmp_path / "elsewhere", "other"), store_of(tmp_path, "other"))
    tenants = Tenants(settings)
    assert tenants.start() == []

    with structlog.testing.capture_logs() as logged, pytest.raises(Refused) as refused:
        tenants.take("other")

    assert isinstance(refused.value.__cause__, OtherKey)
    assert [line["tenant"] for line in logged] == ["other"]
    with tenants.hold("acme") as acme:
        assert acme.id == "acme"
    tenants.close()


def test_where_the_first_tenant_has_another_master_key_nothing_starts(settings, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    tenants_in(tmp_path / "elsewhere")
    shutil.copy(store_of(tmp_path / "elsewhere", "default"), store_of(tmp_path, "default"))

    with pytest.raises(Misconfigured, match="is not the master key of this store"):
        Tenants(settings).start()


def test_where_every_tenant_is_suspended_a_start_opens_none_and_does_not_fail(settings):
    control = open_control(settings)
    for name in control.tenants():
        states.suspend(settings, control, name)
    control.close()
    tenants = Tenants(settings)

    assert tenants.start() == []

    assert [name for name in tenants.control.tenants() if tenants.opened(name)] == []
    tenants.close()


def test_after_a_restore_every_tenant_is_due(settings, tmp_path, clock):
    opened = open_tenant(settings, "acme")
    opened.store.write(lambda tx: tx.insert(OWING)).result()
    opened.store.close()
    back_up(settings, tmp_path / "backup", b"pass", clock=clock)
    fresh = Settings(data=tmp_path / "fresh")

    restore(fresh, tmp_path / "backup", b"pass", clock=clock)

    tenants = Tenants(fresh, clock)
    assert sorted(tenants.due()) == ["acme", "default", "other"]
    tenants.close()


def test_many_that_are_to_be_looked_into_are_noted_in_few_commits(tmp_path, clock):
    control = open_control(Settings(data=tmp_path), clock=clock)
    names = [f"t{number}" for number in range(250)]
    before = control.store.load().commits

    control.due.look_into(names)

    assert control.store.load().commits - before == 3
    assert sorted(control.due.tenants()) == sorted(names)
    assert control.due.rest("t7", lambda: None) is True
    assert "t7" not in control.due.tenants()
    control.due.look_into(["t7"])
    assert sorted(control.due.tenants()) == sorted(names)
    control.close()


def test_no_file_and_no_thread_is_left_of_a_start(many):
    files = Path("/proc/self/fd")
    tenants = Tenants(Settings(data=many))
    before = len(list(files.iterdir())) if files.exists() else 0

    tenants.start()

    assert not before or len(list(files.iterdir())) <= before
    tenants.close()
