"""API keys: kept as hashes, shown once, revoked within a second everywhere, guessed in vain."""

import json
import os
import re
import sys
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from click.testing import CliRunner

from lrs.access import CODES_SOURCE, CONTENT_SOURCE, OWN_SOURCE, PRIOR_SOURCE, RESULTS_SOURCE, basic
from lrs.access.basic import BasicAuth
from lrs.access.keys import check_key, create_key, list_keys, revoke_key
from lrs.access.throttle import WRONG_SECRETS
from lrs.cli import main
from lrs.kernel.errors import Misconfigured, Refused
from lrs.kernel.settings import Settings
from lrs.serving.server import first_key
from lrs.storage import Walk
from lrs.tenancy.open_tenants import Tenants
from lrs.tenancy.root_keys import Secrets
from lrs.tenancy.tenants import open_tenant, read_master_key
from tests.audits import broken_at
from tests.builders import store_in
from tests.kept import bytes_below
from tests.programs import PATIENCE, programs, until
from tests.served import new_id, serving, statement


def test_a_secret_is_nowhere_in_the_files(tmp_path):
    with serving(tmp_path) as lrs:
        key, secret = lrs.auth
        assert lrs.store(statement())

    kept = b"".join(bytes_below(tmp_path))

    assert key.encode() in kept
    assert secret.encode() not in kept


def test_a_secret_is_not_kept_on_mongo_either(lrs_on_mongo, mongo_client):
    secret = lrs_on_mongo.as_key("all", name="hidden").auth[1]
    url = lrs_on_mongo.tenant.settings.store_url
    database = mongo_client[f"{url.rpartition('/')[2]}_default"]

    kept = "".join(str(record) for name in database.list_collection_names() for record in database[name].find())

    assert "hidden" in kept
    assert secret not in kept


def test_guesses_at_one_tenant_are_not_told_to_whoever_asks_another_from_the_same_address(tmp_path):
    tenants, door = [open_tenant(Settings(data=tmp_path), name) for name in ("one", "two")], BasicAuth()

    def status_of(tenant):
        with pytest.raises(Refused) as refused:
            door.caller(tenant, "Basic " + b64encode(b"who:what").decode(), "192.0.2.1")
        return refused.value.status

    at_one = [status_of(tenants[0]) for _ in range(WRONG_SECRETS[0] + 1)]

    assert (at_one[-2], at_one[-1], status_of(tenants[1])) == (401, 429, 401)
    for tenant in tenants:
        tenant.store.close()


@pytest.fixture
def tenant(tmp_path):
    opened = open_tenant(Settings(data=tmp_path))
    yield opened
    opened.store.close()


def test_the_hash_is_keyed_by_the_installation(tenant):
    new = create_key(tenant, "one", ["all"])
    body = json.loads(tenant.store.get("key", new.key).body)

    assert set(body) == {"v", "name", "scopes", "hash", "created", "revoked"}
    assert re.fullmatch("[0-9a-f]{64}", body["hash"])
    other = replace(tenant, secrets=Secrets(b"\xab" * 32))
    assert check_key(tenant, new.key, new.secret) is not None
    assert check_key(other, new.key, new.secret) is None


def test_secrets_are_long_and_never_the_same(tenant):
    made = [create_key(tenant, "many", ["all"]) for _ in range(20)]

    assert len({one.secret for one in made}) == len({one.key for one in made}) == 20
    assert all(len(one.secret) >= 43 for one in made)


def test_a_key_says_who_calls_and_what_it_may(tenant):
    new = create_key(tenant, "moodle", ["statements/write", "state", "state"])

    caller = check_key(tenant, new.key, new.secret)

    assert (caller.subject, caller.source, caller.tenant, caller.via) == (f"key {new.key}", "moodle", "default", "key")
    assert caller.rights == {
        "statements.write": "all",
        "statements.void": "own source",
        "state.read": "all",
        "state.write": "all",
        "activities.read": "all",
        "source.read": "own source",
    }
    assert list_keys(tenant.store) == [
        {"key": new.key, "name": "moodle", "scopes": ["state", "statements/write"], "revoked": None}
    ]


@pytest.mark.parametrize("secret", ["", "wrong", "\x00", "é", "🗝" * 100, "x" * 1_000_000])
def test_a_wrong_secret_opens_nothing(tenant, secret):
    new = create_key(tenant, "one", ["all"])

    assert check_key(tenant, new.key, secret) is None
    assert check_key(tenant, "default.ffffffffffffffff", secret) is None


def calls_at_the_door(tenant, user, secret):
    """Every call made in ``lrs/access`` for one wrong login, in order: what is called, in Python or in C."""
    door, header = BasicAuth(), "Basic " + b64encode(f"{user}:{secret}".encode()).decode()
    calls = []

    def note(frame, event, argument):
        if event in {"call", "c_call"} and "/lrs/access/" in frame.f_code.co_filename:
            calls.append(frame.f_code.co_qualname if event == "call" else argument.__qualname__)

    sys.setprofile(note)
    try:
        with pytest.raises(Refused):
            door.caller(tenant, header, "127.0.0.1")
    finally:
        sys.setprofile(None)
    return calls


def test_an_unknown_key_takes_the_same_path_as_a_wrong_secret(tenant):
    """Equal work is what can be counted here; equal time is measured in ``tests/soak``."""
    new = create_key(tenant, "one", ["all"])

    known = calls_at_the_door(tenant, new.key, "wrong")
    unknown = calls_at_the_door(tenant, f"default.{'f' * 16}", "wrong")

    assert unknown == known
    assert [known.count(name) for name in ("_hash", "json_decode", "compare_digest")] == [1, 1, 1]


@pytest.mark.parametrize("wrong", ["secret", "key"])
def test_a_wrong_login_asks_the_store_once(tenant, monkeypatch, wrong):
    new = create_key(tenant, "one", ["all"])
    asked = []
    original = tenant.store.get
    monkeypatch.setattr(tenant.store, "get", lambda kind, id: asked.append(kind) or original(kind, id))

    key = new.key if wrong == "secret" else "default.ffffffffffffffff"
    assert check_key(tenant, key, "wrong") is None

    assert asked == ["key"]


def test_a_right_login_is_remembered_unless_it_is_long(tenant):
    new = create_key(tenant, "one", ["all"])
    door = BasicAuth()
    header = "Basic " + b64encode(f"{new.key}:{new.secret}".encode()).decode()
    padded = header + " " * 1_000

    callers = [door.caller(tenant, sent, "192.0.2.1") for sent in (header, padded)]

    assert [caller.source for caller in callers] == ["one", "one"]
    assert door.known(tenant, header) == callers[0]
    assert door.known(tenant, padded) is None


def test_no_more_logins_are_remembered_than_there_is_room_for(tenant, monkeypatch):
    monkeypatch.setattr(basic, "_FULL", 2)
    new, door = create_key(tenant, "one", ["all"]), BasicAuth()
    header = "Basic " + b64encode(f"{new.key}:{new.secret}".encode()).decode()
    sent = [header + " " * blanks for blanks in range(3)]

    for one in sent:
        door.caller(tenant, one, "192.0.2.1")

    assert [door.known(tenant, one) is not None for one in sent] == [False, False, True]


@pytest.mark.parametrize(
    ("name", "scopes", "message"),
    [
        ("", ["all"], "key name '': use 1 to 80 letters, digits, spaces, dots, hyphens, underscores"),
        ("a\nb", ["all"], None),
        ("x", ["everything"], None),
        ("x", [], "a key without a scope can do nothing: name at least one"),
        (
            "Engraft",
            ["all"],
            "key name 'Engraft': it stands for this store itself, whose statements never prove anything",
        ),
    ],
)
def test_an_unusable_name_or_scope_is_refused(tenant, name, scopes, message):
    with pytest.raises(Misconfigured) as caught:
        create_key(tenant, name, scopes)

    assert message is None or str(caught.value) == message
    assert list_keys(tenant.store) == []


def test_no_key_has_a_source_of_the_product_itself_however_it_is_written(tenant):
    own = (OWN_SOURCE, CONTENT_SOURCE, f"{CONTENT_SOURCE} north", PRIOR_SOURCE, CODES_SOURCE, RESULTS_SOURCE)
    wrong = []
    for name in (*own, f"{RESULTS_SOURCE} abc"):
        for written in (name, name.title(), name.upper()):
            with pytest.raises(Misconfigured, match="it stands for"):
                wrong.append(create_key(tenant, written, ["all"]))

    assert wrong == list_keys(tenant.store) == []
    assert create_key(tenant, "engraft north", ["all"])


def test_a_revoked_key_stays_revoked_and_listed(tenant):
    new = create_key(tenant, "one", ["all"])

    assert revoke_key(tenant, new.key) is True
    first = list_keys(tenant.store)[0]["revoked"]
    assert revoke_key(tenant, new.key) is True
    assert revoke_key(tenant, "default.unknown") is False

    assert check_key(tenant, new.key, new.secret) is None
    assert list_keys(tenant.store)[0]["revoked"] == first


def test_each_key_made_or_revoked_is_one_entry_of_the_audit_chain_without_its_secret(tenant):
    kept = create_key(tenant, "kept", ["state", "all/read"])
    revoke_key(tenant, kept.key)
    revoke_key(tenant, kept.key)

    entries = [json.loads(record.body) for record in tenant.store.find(Walk("audit")).records]
    assert [(entry["by"], entry["action"], entry["about"]) for entry in entries] == [
        ("operator", "key.created", {"key": kept.key, "scopes": "all/read state"}),
        ("operator", "key.revoked", {"key": kept.key}),
    ]
    assert kept.secret not in json.dumps(entries)
    assert broken_at(tenant.store) is None


def test_a_key_of_one_tenant_opens_no_other(tmp_path):
    settings = Settings(data=tmp_path)
    one, two = open_tenant(settings, "one"), open_tenant(settings, "two")
    try:
        new = create_key(one, "x", ["all"])
        assert check_key(two, new.key, new.secret) is None
    finally:
        one.store.close()
        two.store.close()


def test_no_key_is_made_for_a_tenant_that_there_is_not(tmp_path):
    store_in(tmp_path)
    words = ["keys", "create", "--name", "x", "--data", str(tmp_path), "--tenant"]

    unknown, unusable = CliRunner().invoke(main, [*words, "second"]), CliRunner().invoke(main, [*words, "No"])

    assert (unknown.exit_code, unusable.exit_code) == (1, 1)
    assert unknown.output == "Error: there is no tenant 'second'; there are default\n"
    assert "tenant 'No': use 1 to 40 lower-case letters" in unusable.output
    assert not (tmp_path / "tenants" / "second").exists()

    made = CliRunner().invoke(main, ["tenants", "create", "second", "--data", str(tmp_path)])
    assert (made.exit_code, CliRunner().invoke(main, [*words, "second"]).exit_code) == (0, 0)


def test_a_new_master_key_and_its_folder_are_synced(tmp_path, monkeypatch):
    synced, real = [], os.fsync

    def note(descriptor):
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        synced.append((path, (tmp_path / "master.key").exists(), path.stat().st_size if path.is_file() else None))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    read_master_key(Settings(data=tmp_path))

    (draft, linked, size), *folders = synced
    assert (draft.parent, linked, size) == (tmp_path, False, 64)
    assert [(path, linked) for path, linked, _ in folders] == [(tmp_path, True)]


def test_the_first_start_makes_a_key_once_and_there_is_no_default(tmp_path):
    def first_start(folder, *words):
        with closing(Tenants(Settings(data=folder))) as tenants:
            return first_key(tenants, "http://h:1", *words)

    said = first_start(tmp_path)
    again = first_start(tmp_path)
    elsewhere = first_start(tmp_path / "other")

    secret = re.search(r"secret: +(\S+)", said)[1]
    assert "secret" not in again
    assert "lrs keys create --name my-course" in said
    assert "lrs keys create --data '/a folder' --name my-course" in first_start(tmp_path / "third", Path("/a folder"))
    assert secret != re.search(r"secret: +(\S+)", elsewhere)[1]
    assert (tmp_path / "master.key").stat().st_mode & 0o077 == 0
    assert (tmp_path / "other").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("key", ["", "00" * 31, "zz" * 32, "secret"])
def test_an_empty_or_weak_master_key_stops_the_start(tmp_path, key):
    (tmp_path / "key").write_text(key)

    with pytest.raises(Misconfigured, match="64 hexadecimal digits"):
        open_tenant(Settings(data=tmp_path, master_key_file=tmp_path / "key"))


def test_keys_are_made_and_revoked_beside_a_running_server(tmp_path):
    with programs(tmp_path) as ours, httpx.Client(trust_env=False) as client:
        _, address = ours.serve(worker="false")

        def said(*words):
            return ours.start(*words).communicate(timeout=PATIENCE)[0]

        def status(made):
            headers = {"X-Experience-API-Version": "1.0.3"}
            return client.get(
                f"{address}/xapi/statements?limit=1", auth=(made["key"], made["secret"]), headers=headers
            ).status_code

        made = json.loads(said("keys", "create", "--name", "x", "--scope", "all/read", "--json"))
        assert made.keys() == {"key", "secret"}
        assert status(made) == 200

        assert said("keys", "revoke", made["key"]) == f"revoked {made['key']}\n"
        until(lambda: status(made) != 200, "the server to know it")  # how soon, the next test says

        assert status(made) == 401
        listed = said("keys", "list")
        assert f"{made['key']}  x      revoked  all/read\n" in listed
        assert made["secret"] not in listed + ours.log()


def test_a_revoked_key_opens_nothing_one_second_later_whoever_was_let_in_just_before(tmp_path, monkeypatch):
    """By a clock that is set: the promise is measured to the hundredth, however busy the machine is."""
    now = 1_000.0
    monkeypatch.setattr("lrs.access.basic.time", SimpleNamespace(monotonic=lambda: now))
    tenant = open_tenant(Settings(data=tmp_path))
    new = create_key(tenant, "course", ["all"])
    header = "Basic " + b64encode(f"{new.key}:{new.secret}".encode()).decode()
    door = BasicAuth()
    assert door.caller(tenant, header, "here").source == "course"
    revoke_key(tenant, new.key)

    now += 1.0
    known = door.known(tenant, header)
    with pytest.raises(Refused) as refused:
        door.caller(tenant, header, "here")
    tenant.store.close()

    assert known is None
    assert refused.value.status == 401


# -- the door -------------------------------------------------------------------------------------------------------


def test_who_waits_to_be_asked_for_credentials_is_always_asked(tmp_path):
    with serving(tmp_path) as lrs:
        answers = [lrs.get(auth=None) for _ in range(150)]
        guess = lrs.get(auth=("who", "what"))

    assert {answer.status_code for answer in answers} == {401}
    assert answers[-1].headers["www-authenticate"].startswith("Basic ")
    assert guess.status_code == 401


def test_a_thousand_wrong_logins_are_slowed_down_and_the_rightful_caller_is_served(tmp_path):
    with serving(tmp_path) as lrs:

        def guess(number):
            user = lrs.auth[0] if number % 2 else f"default.{number:016x}"
            return lrs.get(auth=(user, f"guess {number}"), limit=1)

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(guess, range(1_000)))
            served = list(pool.map(lambda _: lrs.post(statement()).status_code, range(20)))

        statuses = [answer.status_code for answer in answers]
        assert (statuses.count(401), statuses.count(429)) == (100, 900)
        slowed = [answer for answer in answers if answer.status_code == 429]
        assert all(1 <= int(answer.headers["retry-after"]) <= 61 for answer in slowed)
        assert {answer.json()["error"] for answer in slowed} == {"too_many_attempts"}
        assert served == [200] * 20


def test_unknown_user_and_wrong_secret_get_the_same_answer(lrs):
    known = lrs.get(auth=(lrs.auth[0], "wrong"))
    unknown = lrs.get(auth=(f"default.{new_id()[:8]}", "wrong"))

    assert known.status_code == unknown.status_code == 401
    assert known.json() | {"requestId": ""} == unknown.json() | {"requestId": ""}


def test_a_statement_keeps_who_delivered_it(each_lrs):
    statement_id = each_lrs.as_key("all", name="moodle 4.5").store(statement())[0]

    assert each_lrs.tenant.store.get("statement", statement_id).meta["source"] == "moodle 4.5"
