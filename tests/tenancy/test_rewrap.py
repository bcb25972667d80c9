"""The master key is changed: what it wraps is wrapped by another one, and no secret changes."""

from contextlib import closing

import pytest
from click.testing import CliRunner

from lrs.access.keys import check_key, create_key
from lrs.cli import main
from lrs.kernel.errors import Misconfigured
from lrs.kernel.settings import Settings
from lrs.storage import Walk, open_store
from lrs.tenancy import audit, root_keys, states
from lrs.tenancy import rewrap as rewrapping
from lrs.tenancy.audit_head import lines_of
from lrs.tenancy.control import open_control
from lrs.tenancy.rewrap import rewrap
from lrs.tenancy.tenants import CONTROL, is_there, open_tenant, store_url
from tests.audits import broken_at
from tests.builders import opened_installation

ONE, OTHER, THIRD = "ab" * 32, "cd" * 32, "ef" * 32


@pytest.fixture
def settings(tmp_path):
    """Two tenants under the key ONE, and the key OTHER in a file."""
    (tmp_path / "master.key").write_text(ONE)
    (tmp_path / "other.key").write_text(OTHER)
    made = Settings(data=tmp_path)
    control = open_control(made)
    control.add("acme")
    control.add("never-opened")
    control.close()
    for name in ("default", "acme"):
        open_tenant(made, name).store.close()
    return made


def used(settings, name="default"):
    """What a tenant's key does: a login, a secret, the chain of what was done."""
    tenant = open_tenant(settings, name)
    new = create_key(tenant, "one", ["all"])
    secret = tenant.secret("webhook")
    tenant.store.close()
    return new, secret


def test_the_secrets_of_the_installation_are_wrapped_with_the_others_and_stay(settings, tmp_path):
    with opened_installation(settings.data) as before:
        secret = before.secret("tries")

    rewrap(settings, tmp_path / "other.key")

    (tmp_path / "other.key").rename(tmp_path / "master.key")
    with opened_installation(settings.data) as after:
        assert after.secret("tries") == secret


def test_afterwards_only_the_new_key_opens_and_no_secret_is_another(settings, tmp_path):
    new, secret = used(settings)

    done = rewrap(settings, tmp_path / "other.key")

    assert sorted(done) == ["acme", "default"]
    with pytest.raises(Misconfigured, match=r"master\.key is not the master key of this store"):
        open_tenant(settings)
    with pytest.raises(Misconfigured, match=r"master\.key is not the master key of this store"):
        open_control(settings)
    (tmp_path / "other.key").rename(tmp_path / "master.key")
    open_control(settings).close()
    tenant = open_tenant(settings)
    assert tenant.secret("webhook") == secret
    assert check_key(tenant, new.key, new.secret) is not None
    assert broken_at(tenant.store) is None
    tenant.store.close()


def test_broken_off_nothing_starts_and_run_again_it_goes_on(settings, tmp_path, monkeypatch):
    secrets = {name: used(settings, name)[1] for name in ("default", "acme")}
    real, done = root_keys.rewrap, []

    def killed_at_the_second(store, tenant, *keys):
        if done:
            raise KeyboardInterrupt
        if tenant != "control":  # that of the installation comes first, in the commit that begins
            done.append(tenant)
        return real(store, tenant, *keys)

    monkeypatch.setattr(root_keys, "rewrap", killed_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        rewrap(settings, tmp_path / "other.key")
    monkeypatch.undo()
    for key, reason in (("master.key", "is not the master key of this store"), ("other.key", "is being changed")):
        with pytest.raises(Misconfigured, match=reason):
            open_control(Settings(data=tmp_path, master_key_file=tmp_path / key))

    left = rewrap(settings, tmp_path / "other.key")

    assert sorted([*left, *done]) == ["acme", "default"]
    after = Settings(data=tmp_path, master_key_file=tmp_path / "other.key")
    assert {name: used(after, name)[1] for name in secrets} == secrets
    open_control(after).close()
    assert rewrap(settings, tmp_path / "other.key") == []


@pytest.mark.parametrize("kept", [0, 4096])
def test_a_store_that_cannot_be_read_is_named_before_anything_is_changed(settings, tmp_path, kept):
    """From the first change on nothing starts, so one damaged tenant would stop all of them for ever."""
    path = tmp_path / "tenants" / "acme" / "store.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:kept] + b"\xff" * (len(whole) - kept))

    with pytest.raises(Misconfigured, match="the store of tenant 'acme' cannot be read"):
        rewrap(settings, tmp_path / "other.key")

    open_control(settings).close()
    open_tenant(settings).store.close()
    path.write_bytes(whole)
    assert sorted(rewrap(settings, tmp_path / "other.key")) == ["acme", "default"]


def test_a_third_key_and_the_same_one_change_nothing(settings, tmp_path):
    (tmp_path / "third.key").write_text(THIRD)
    (tmp_path / "same.key").write_text(ONE)

    with pytest.raises(Misconfigured, match=r"same\.key holds the master key that"):
        rewrap(settings, tmp_path / "same.key")
    with pytest.raises(Misconfigured, match=r"third\.key is not the master key of this store"):
        rewrap(Settings(data=tmp_path, master_key_file=tmp_path / "third.key"), tmp_path / "other.key")
    with pytest.raises(Misconfigured, match="does not exist"):
        rewrap(settings, tmp_path / "gone.key")
    with pytest.raises(Misconfigured, match="there is no store in"):
        rewrap(Settings(data=tmp_path / "none", master_key_file=tmp_path / "same.key"), tmp_path / "other.key")

    open_tenant(settings).store.close()


@pytest.mark.usefixtures("settings")
def test_the_command_says_what_to_do_next(tmp_path):
    words = ["tenants", "rewrap", str(tmp_path / "other.key"), "--data", str(tmp_path)]

    done, again = CliRunner().invoke(main, words), CliRunner().invoke(main, words)
    wrong = CliRunner().invoke(main, [*words[:2], str(tmp_path / "gone"), *words[3:]])

    assert (done.exit_code, again.exit_code, wrong.exit_code) == (0, 0, 1)
    assert f"put {tmp_path}/other.key in the place of {tmp_path}/master.key before anything is started" in done.stdout
    assert "of tenants: default, acme" in done.stdout
    assert "none, all were already" in again.stdout


def test_each_tenant_has_an_entry_of_the_change_in_its_record_of_actions(settings, tmp_path):
    heads = tmp_path / "heads"
    rewrap(settings.model_copy(update={"audit_head": heads}), tmp_path / "other.key")

    (tmp_path / "other.key").rename(tmp_path / "master.key")
    for name in ("default", "acme"):
        with closing(open_tenant(settings, name).store) as store:
            (entry,) = audit.newest(store, 1)
            assert (entry.by, entry.action, sorted(entry.about)) == ("operator", "master-key.changed", ["from", "to"])
            assert broken_at(store) is None
            assert [line.number for line in lines_of(heads, store)[0]] == [entry.number]


def test_a_tenant_that_is_made_while_keys_are_wrapped_is_wrapped_too_or_refused(settings, tmp_path, monkeypatch):
    """Its store would have the former key, and nobody would wrap it any more."""
    beside = open_control(settings)
    real, refused = rewrapping._check_readable, []  # noqa: SLF001 (the moment before the change begins)

    def made_just_before(*given):
        if not beside.has("early"):
            states.create(settings, beside, "early", "")
        real(*given)

    def made_meanwhile(tx, tenant, *keys):
        if tenant == CONTROL:  # its own commit: nobody else writes to the control store before that is over
            return wrapped(tx, tenant, *keys)
        with pytest.raises(Misconfigured, match="the master key is being changed") as error:
            states.create(settings, beside, "late", "")
        refused.append(error)
        return wrapped(tx, tenant, *keys)

    wrapped = root_keys.rewrap
    monkeypatch.setattr(rewrapping, "_check_readable", made_just_before)
    monkeypatch.setattr(root_keys, "rewrap", made_meanwhile)

    done = rewrap(settings, tmp_path / "other.key")

    assert sorted(done) == ["acme", "default", "early"]
    assert len(refused) == 3
    with pytest.raises(Misconfigured, match="the master key was changed meanwhile"):
        states.create(settings, beside, "later", "")
    with pytest.raises(Misconfigured, match="the master key was changed meanwhile"):
        beside.add("later")
    assert [is_there(store_url(settings, name)) for name in ("early", "late", "later")] == [True, False, False]
    beside.close()


def test_keys_that_another_process_has_wrapped_meanwhile_are_not_wrapped_over(settings, tmp_path):
    rewrap(settings, tmp_path / "other.key")
    with closing(open_store(store_url(settings, "default"))) as store:
        before = [(record.id, record.rev) for record in store.find(Walk("wrapped-key")).records]
        assert len(before) == 1

        assert rewrap(settings, tmp_path / "other.key") == []

        assert [(record.id, record.rev) for record in store.find(Walk("wrapped-key")).records] == before
