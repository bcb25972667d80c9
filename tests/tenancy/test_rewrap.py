"""The master key is changed: what it wraps is wrapped by another one, and no secret changes."""

import pytest
from click.testing import CliRunner

from lrs.access.keys import check_key, create_key
from lrs.cli import main
from lrs.kernel.errors import Misconfigured
from lrs.kernel.settings import Settings
from lrs.storage import open_store
from lrs.tenancy import audit, root_keys
from lrs.tenancy.control import open_control
from lrs.tenancy.rewrap import rewrap
from lrs.tenancy.tenants import open_tenant, store_url

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
    assert audit.broken_at(tenant.store) is None
    tenant.store.close()


def test_broken_off_nothing_starts_and_run_again_it_goes_on(settings, tmp_path, monkeypatch):
    secrets = {name: used(settings, name)[1] for name in ("default", "acme")}
    real, done = root_keys.rewrap, []

    def killed_at_the_second(store, tenant, *keys):
        if done:
            raise KeyboardInterrupt
        done.append(tenant)
        return real(store, tenant, *keys)

    monkeypatch.setattr(root_keys, "rewrap", killed_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        rewrap(settings, tmp_path / "other.key")
    monkeypatch.undo()
    for key in ("master.key", "other.key"):
        halfway = Settings(data=tmp_path, master_key_file=tmp_path / key)
        with pytest.raises(Misconfigured, match="is not the master key of this store"):
            [open_control(halfway).close(), *(open_tenant(halfway, name) for name in secrets)]

    left = rewrap(settings, tmp_path / "other.key")

    assert sorted([*left, *done]) == ["acme", "default"]
    after = Settings(data=tmp_path, master_key_file=tmp_path / "other.key")
    assert {name: used(after, name)[1] for name in secrets} == secrets
    assert rewrap(settings, tmp_path / "other.key") == []


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


def test_keys_that_another_process_has_wrapped_meanwhile_are_not_wrapped_over(settings, tmp_path):
    rewrap(settings, tmp_path / "other.key")
    store = open_store(store_url(settings, "default"))
    before = [(record.id, record.rev) for record in store.find("wrapped-key").records]

    again = root_keys.rewrap(store, "default", bytes.fromhex(ONE), bytes.fromhex(OTHER), tmp_path / "master.key")

    assert again is False
    assert [(record.id, record.rev) for record in store.find("wrapped-key").records] == before
    store.close()
