"""A tenant's secrets come from its own root key; what the master key gave before there was one is kept."""

import base64
import json
import shutil
import threading

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from badges.keys.issuer import issuer_of
from lrs.kernel.errors import Misconfigured
from lrs.kernel.settings import Settings
from lrs.storage import Record, Walk, open_store
from lrs.tenancy.root_keys import FROM_MASTER, claim, read
from lrs.tenancy.signing_keys import active
from lrs.tenancy.tenants import open_tenant, open_tenant_to_read, store_url
from tests.audits import broken_at
from tests.kept import bytes_in

MASTER = "ab" * 32
PURPOSES = (*FROM_MASTER, "identifier-ids")


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "master.key").write_text(MASTER)
    return Settings(data=tmp_path)


def secrets_of(settings, name="default"):
    tenant = open_tenant(settings, name)
    found = {purpose: tenant.secret(purpose) for purpose in PURPOSES}
    tenant.store.close()
    return found


def wrapped_in(settings, name="default"):
    store = open_store(store_url(settings, name))
    found = {record.id: json.loads(record.body) for record in store.find(Walk("wrapped-key")).records}
    store.close()
    return found


def old_store(settings, name="default"):
    """A store as 0.2.0 left it: with the fingerprint of its master key, and no root key."""
    path = settings.data / "tenants" / name
    path.mkdir(parents=True)
    store = open_store(f"sqlite:///{path}/store.db")
    fingerprint = "e721c3615ea697db2e6b55c2be78b89923a54cce01664d35af14c55210fea950"
    store.write(lambda tx: tx.insert(Record("master-key", "fingerprint", meta={"fingerprint": fingerprint}))).result()
    store.close()


def test_a_new_tenant_has_a_root_key_of_its_own_and_the_same_secrets_at_each_start(settings):
    first, again = secrets_of(settings), secrets_of(settings)

    assert first == again
    assert len(set(first.values())) == len(PURPOSES)
    assert {len(secret) for secret in first.values()} == {32}
    assert list(wrapped_in(settings)) == ["root/1"]


def test_two_tenants_share_no_secret_and_nor_do_two_installations_with_one_master_key(settings, tmp_path):
    elsewhere = Settings(data=tmp_path / "elsewhere", master_key_file=tmp_path / "master.key")

    one, two, other = secrets_of(settings, "one"), secrets_of(settings, "two"), secrets_of(elsewhere, "one")

    assert len({*one.values(), *two.values(), *other.values()}) == 3 * len(PURPOSES)


def test_no_secret_stands_in_the_store_as_it_is(settings):
    secrets = secrets_of(settings).values()

    kept = bytes_in(settings.data / "tenants" / "default" / "store.db")

    assert not [secret for secret in secrets if secret in kept or secret.hex().encode() in kept]


def test_a_store_of_before_keeps_each_secret_that_the_master_key_gave(settings):
    old_store(settings)

    first, again = secrets_of(settings), secrets_of(settings)

    assert first == again
    assert first["api-key"].hex() == "85b6bc5574f20c2ad3f05fa10819c949553cd813502f53c49d46533c89e78673"
    assert first["badge-signing-key/1"].hex() == "f945f36d15a1085817f192a9612171d8f23b332754e67acf04e278e640923e01"
    assert first["person-ids"].hex() == "ed60e8a13598d148d16feff6ea0367a817e6749a77104dc2defa9022628f4c79"
    assert set(wrapped_in(settings)) == {"root/1", *FROM_MASTER}


def test_a_store_of_before_that_is_only_read_has_its_secrets_and_is_left_as_it_is(settings):
    old_store(settings)

    tenant = open_tenant_to_read(settings)
    read_only = {purpose: tenant.secret(purpose) for purpose in FROM_MASTER}
    with pytest.raises(KeyError):
        tenant.secret("identifier-ids")
    tenant.store.close()

    assert wrapped_in(settings) == {}
    kept = secrets_of(settings)
    assert read_only == {purpose: kept[purpose] for purpose in FROM_MASTER}


def test_a_start_that_was_killed_before_the_fingerprint_was_kept_goes_on_with_the_same_root_key(settings):
    path = settings.data / "tenants" / "default"
    path.mkdir(parents=True)
    store = open_store(f"sqlite:///{path}/store.db")
    secrets = claim(store, "default", bytes.fromhex(MASTER), settings.data / "master.key")
    store.close()

    tenant = open_tenant(settings)

    assert tenant.secret("api-key") == secrets.secret("api-key")
    assert broken_at(tenant.store) is None
    tenant.store.close()


@pytest.mark.parametrize("is_old", [False, True], ids=["new", "of before"])
def test_of_several_that_open_a_tenant_at_once_all_have_the_same_secrets(settings, is_old):
    if is_old:
        old_store(settings)
    found, gate = [], threading.Barrier(4)

    def start():
        gate.wait()
        found.append(secrets_of(settings))

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 4
    assert found == [found[0]] * 4


def test_a_store_whose_keys_another_master_key_wrapped_is_refused_by_the_name_of_the_file(settings):
    secrets_of(settings)
    (settings.data / "master.key").write_text("cd" * 32)
    store = open_store(store_url(settings, "default"))

    with pytest.raises(Misconfigured, match=r"master\.key is not the master key of this store"):
        read(store, "default", bytes.fromhex("cd" * 32), settings.data / "master.key")
    store.close()
    with pytest.raises(Misconfigured, match=r"master\.key is not the master key of this store"):
        open_tenant(settings)


def test_a_store_that_was_put_in_the_place_of_another_tenants_does_not_open(settings):
    secrets_of(settings, "one")
    secrets_of(settings, "two")
    folder = settings.data / "tenants"
    shutil.rmtree(folder / "two")
    shutil.copytree(folder / "one", folder / "two")

    with pytest.raises(Misconfigured, match=r"the key 'root/1' of tenant 'two' cannot be unwrapped"):
        open_tenant(settings, "two")


def test_a_wrapped_key_does_not_open_under_another_purpose(settings):
    old_store(settings)
    secrets_of(settings)
    store = open_store(store_url(settings, "default"))
    swapped = {id: store.get("wrapped-key", id) for id in ("webhook", "api-key")}

    def swap(tx):
        tx.delete("wrapped-key", "webhook")
        tx.insert(Record("wrapped-key", "webhook", swapped["api-key"].body))

    store.write(swap).result()
    store.close()

    with pytest.raises(Misconfigured, match=r"the key 'webhook' of tenant 'default' cannot be unwrapped"):
        open_tenant(settings)


def test_a_store_without_its_root_key_does_not_get_another_one(settings):
    old_store(settings)
    secrets_of(settings)
    store = open_store(store_url(settings, "default"))
    store.write(lambda tx: tx.delete("wrapped-key", "root/1")).result()
    store.close()

    with pytest.raises(Misconfigured, match="the root key of tenant 'default' is not in its store"):
        open_tenant(settings)


@pytest.mark.parametrize("is_old", [False, True], ids=["new", "of before"])
def test_the_key_that_signs_badges_is_a_record_with_its_public_part(settings, is_old):
    if is_old:
        old_store(settings)
    tenant = open_tenant(settings)

    record = tenant.store.get("signing-key", "badge-signing-key/1")
    kept, signed = json.loads(record.body), issuer_of(tenant).key.sign(b"badge")
    tenant.store.close()

    public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(kept.pop("public") + "="))
    public.verify(signed, b"badge")  # raises if it is not that key's
    assert kept == {"v": 1, "algorithm": "Ed25519", "created": record.seq >> 10, "state": "active"}


def test_the_newest_key_that_is_not_retired_signs(store):
    assert active(store) == "badge-signing-key/1"

    for id, state in (("badge-signing-key/1", "retired"), ("badge-signing-key/2", "active")):
        body = {"v": 1, "algorithm": "Ed25519", "public": "x", "created": 1, "state": state}
        store.write(
            lambda tx, id=id, body=body: tx.insert(Record("signing-key", id, json.dumps(body).encode()))
        ).result()

    assert active(store) == "badge-signing-key/2"
