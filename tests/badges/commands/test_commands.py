"""``lrs badges`` as somebody at a terminal meets it."""

from __future__ import annotations

import json
import time
import zlib
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from badges.commands.badges import badges
from lrs.cli import main
from lrs.kernel.settings import Settings
from lrs.tenancy.tenants import open_tenant
from tests.badges.made import badge_in, put_award, run_issue
from tests.builders import store_in
from tests.rows import each_of


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LRS_STORE_URL", "LRS_PUBLIC_URL", "LRS_MASTER_KEY_FILE", "LRS_DATA"):
        monkeypatch.delenv(name, raising=False)


def issued_in(data: Path, **changes: object) -> Path:
    """A badge file of a tenant whose data is in *data*."""
    tenant = open_tenant(Settings(data=data))
    put_award(tenant, valid_until=None, **changes)
    run_issue(tenant)
    record, badge = badge_in(tenant)
    tenant.store.close()
    path = data / "badge.json"
    path.write_text(json.dumps(badge))
    assert record.rev
    return path


def withdraw(data: Path) -> None:
    tenant = open_tenant(Settings(data=data))
    put_award(tenant, state="withdrawn", valid_until=None)
    run_issue(tenant)
    tenant.store.close()


def run(data: Path, *words: object) -> Result:
    return CliRunner().invoke(badges, [*map(str, words), "--data", str(data)])


def compromise(data: Path, key: str) -> Result:
    return CliRunner().invoke(badges, ["keys", "compromise", "--data", str(data), "--yes", "--", key])


def test_a_badge_of_our_own_is_valid_without_any_network(tmp_path):
    result = run(tmp_path, "verify", issued_in(tmp_path), "--offline")

    assert result.exit_code == 0
    assert [line[:12] for line in result.output.splitlines()] == [
        "ok  form: JS",
        'ok  badge: "',
        "ok  signatur",
        "ok  dates: v",
        "ok  status: ",
        "valid",
    ]


def test_a_changed_badge_is_not_valid_and_the_exit_code_says_so(tmp_path):
    path = issued_in(tmp_path)
    path.write_text(path.read_text().replace("Practitioner", "Expert"))

    result = run(tmp_path, "verify", path, "--json", "--offline")

    said = json.loads(result.output)
    assert result.exit_code == 1
    assert said["valid"] is False
    assert [check["name"] for check in said["checks"] if not check["ok"]] == ["signature", "status"]


def test_a_revoked_badge_is_not_valid(tmp_path):
    path = issued_in(tmp_path)
    withdraw(tmp_path)

    result = run(tmp_path, "verify", path)

    assert result.exit_code == 1
    assert "NO  status: revoked" in result.output


def test_who_has_only_the_badge_and_its_status_list_can_check_both(tmp_path):
    path, other = issued_in(tmp_path), tmp_path / "other"
    id = json.loads(path.read_text())["id"]
    early, late = tmp_path / "early.json", tmp_path / "late.json"
    early.write_text(run(tmp_path, "status-list", id).output)
    withdraw(tmp_path)
    late.write_text(run(tmp_path, "status-list", id).output)

    before = run(other, "verify", path, "--offline", "--status-list", early)
    after = run(other, "verify", path, "--offline", "--status-list", late)

    assert (before.exit_code, before.output.splitlines()[-1]) == (0, "valid")
    assert after.exit_code == 1
    assert [line for line in after.output.splitlines() if not line.startswith("ok ")] == [
        "NO  status: revoked",
        "not valid",
    ]


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        (lambda told: {**told, "id": "urn:uuid:0"}, "the status list is another one, or another issuer's"),
        (lambda told: {**told, "issuer": "did:key:z6Mk"}, "the status list is another one, or another issuer's"),
        (
            lambda told: {**told, "name": "mine"},
            "the status list is not shown to be signed by the issuer (bad_signature)",
        ),
        (lambda told: [told], "the status list cannot be read: not a JSON object"),
    ],
)
def test_a_file_that_is_not_the_status_list_of_the_badge_does_not_stand_for_it(tmp_path, changed, why):
    path = issued_in(tmp_path)
    listed = json.loads(run(tmp_path, "status-list", json.loads(path.read_text())["id"]).output)
    (tmp_path / "list.json").write_text(json.dumps(changed(listed)))

    result = run(tmp_path, "verify", path, "--status-list", tmp_path / "list.json")

    assert result.exit_code == 1
    assert [line for line in result.output.splitlines() if line.startswith("NO ")] == [f"NO  status: {why}"]


def test_a_status_list_that_is_not_there_is_an_error_in_one_line(tmp_path):
    missing_file = run(tmp_path, "verify", issued_in(tmp_path), "--status-list", tmp_path / "none.json")
    missing_badge = run(tmp_path, "status-list", "urn:uuid:0")

    assert missing_file.exit_code == 2
    assert "none.json" in missing_file.output
    assert (missing_badge.exit_code, missing_badge.output) == (
        1,
        "Error: there is no badge urn:uuid:0: lrs badges list shows them\n",
    )


def test_badges_from_before_the_address_was_set_are_renewed_on_demand(tmp_path, monkeypatch):
    issued_in(tmp_path)
    before = run(tmp_path, "renew").output
    monkeypatch.setenv("LRS_PUBLIC_URL", "https://skills.example.org")

    after = run(tmp_path, "renew").output

    assert before.startswith("0 badges will be issued anew by did:key:z6Mk")
    assert after == "1 badge will be issued anew by did:web:skills.example.org:t:default\n"


def test_a_command_without_the_servers_address_makes_no_badge_a_demonstration(tmp_path, monkeypatch):
    monkeypatch.setenv("LRS_PUBLIC_URL", "https://skills.example.org")
    issued_in(tmp_path)
    monkeypatch.delenv("LRS_PUBLIC_URL")

    refused = run(tmp_path, "renew")

    assert refused.exit_code == 1
    assert refused.output == (
        "Error: LRS_PUBLIC_URL is not set for this command, and 1 badge of did:web:skills.example.org:t:default would"
        " become a demonstration: give it the settings of the server\n"
    )
    tenant = open_tenant(Settings(data=tmp_path))
    with closing(tenant.store):
        assert tenant.store.backlog() == []


def test_a_badge_of_somebody_elses_store_cannot_be_checked_offline(tmp_path):
    path = issued_in(tmp_path / "a")
    (tmp_path / "b").mkdir()

    result = run(tmp_path / "b", "verify", path, "--offline")

    assert result.exit_code == 1
    assert "offline" in result.output


@pytest.mark.parametrize("source", ["no-such-file.json", "http://127.0.0.1:1/badge", "https://localhost/badge.json"])
def test_a_badge_that_cannot_be_read_is_an_error_in_one_line(tmp_path, source):
    result = run(tmp_path, "verify", source)

    assert result.exit_code == 1
    assert result.output.startswith(f"Error: {source}: ")


@pytest.mark.parametrize("option", ["", "--status-list"])
def test_a_file_that_is_too_large_to_be_one_is_not_read_to_its_end(tmp_path, option):
    large = tmp_path / "large.json"
    with large.open("wb") as file:
        file.truncate(700_000_000)
    words = ["verify", large] if not option else ["verify", issued_in(tmp_path), option, large]

    result = CliRunner().invoke(main, ["badges", *map(str, words), "--data", str(tmp_path)])

    assert result.exit_code == 1
    assert "large.json is larger than" in result.output


def test_a_picture_that_is_larger_than_a_badge_may_be_is_read_for_the_badge_in_it(tmp_path):
    path = issued_in(tmp_path)
    picture = tmp_path / "badge.png"
    stuffing = b"tEXtComment\0" + b"x" * 300_000
    chunk = (len(stuffing) - 4).to_bytes(4) + stuffing + zlib.crc32(stuffing).to_bytes(4)
    made = run(tmp_path, "show", json.loads(path.read_text())["id"], "--form", "png", "--out", picture)
    content = picture.read_bytes()
    picture.write_bytes(content[:33] + chunk + content[33:])

    result = run(tmp_path, "verify", picture, "--offline")

    assert made.exit_code == 0, made.output
    assert result.output.endswith("valid\n")
    assert result.exit_code == 0


def test_names_in_a_strangers_badge_forge_no_line_of_the_verdict(tmp_path):
    path = issued_in(tmp_path)
    badge = json.loads(path.read_text())
    badge["issuer"]["name"] = "X\nok  signature: by the regulator\u202e\nvalid"
    path.write_text(json.dumps(badge))

    result = run(tmp_path, "verify", path, "--offline")

    lines = result.output.splitlines()
    assert [line.split()[1] for line in lines[:-1]] == ["form:", "badge:", "signature:", "dates:", "status:"]
    assert lines[1].endswith('issued by "X ok signature: by the regulator\\u202e valid"')
    assert lines[-1] == "not valid"


def test_a_strangers_badge_fills_no_terminal(tmp_path):
    path = issued_in(tmp_path)
    badge = json.loads(path.read_text())
    path.write_text(json.dumps({**badge, "x" * 100_000: "undefined"}))

    result = run(tmp_path, "verify", path, "--offline")

    assert result.exit_code == 1
    assert max(map(len, result.output.splitlines())) < 500


def test_badges_are_listed_and_shown(tmp_path):
    badge = json.loads(issued_in(tmp_path).read_text())

    listed = run(tmp_path, "list")
    shown = run(tmp_path, "show", badge["id"])
    in_a_form = run(tmp_path, "show", badge["id"], "--form", "json")
    in_no_form = run(tmp_path, "show", badge["id"], "--form", "wax")
    missing = run(tmp_path, "show", "urn:uuid:0")

    heading, row = listed.output.splitlines()
    assert heading.split() == ["ID", "STATE", "VALID", "FROM", "PERSON", "NAME"]
    fields = row.split("  ")
    assert fields[0] == badge["id"].removeprefix("urn:uuid:")
    assert (fields[1], fields[4]) == ("issued", "Aseptic gowning: Practitioner")
    assert json.loads(shown.output) == badge
    assert in_a_form.output == shown.output
    assert (in_no_form.exit_code, "'wax' is not" in in_no_form.output) == (2, True)
    assert missing.exit_code == 1


def test_the_issuer_is_named_and_printed(tmp_path):
    store_in(tmp_path)
    before = json.loads(run(tmp_path, "issuer", "--json").output)
    named = run(tmp_path, "issuer", "--name", "Centre", "--url", "https://centre.example.org").output
    after = json.loads(run(tmp_path, "issuer", "--json").output)

    assert before["name"] == "Engraft, default (demonstration)"
    assert (after["name"], after["url"]) == ("Centre (demonstration)", "https://centre.example.org")
    assert after["id"] == before["id"]
    assert named == (
        f"id    {after['id']}\ntype  Profile\nname  Centre (demonstration)\nurl   https://centre.example.org\n"
    )


def test_a_badge_is_endorsed_listed_drafted_for_others_and_the_endorsement_taken_away(tmp_path):
    issued_in(tmp_path)
    (listed,) = json.loads(run(tmp_path, "list", "--json").output)

    drafted = run(tmp_path, "endorse", listed["id"], "--draft")
    done = run(tmp_path, "endorse", listed["id"], "--comment", "I saw it")
    (told,) = json.loads(run(tmp_path, "endorsements", listed["id"], "--json").output)["endorsements"]
    removed = run(tmp_path, "endorse", listed["id"], "--remove", told["id"])
    none = run(tmp_path, "endorsements", listed["id"])
    both = run(tmp_path, "endorse", listed["id"], "--draft", "--comment", "x")

    assert json.loads(drafted.output)["credentialSubject"]["id"] == f"urn:uuid:{listed['id']}"
    assert done.output == f"Aseptic gowning: Practitioner is endorsed: {told['id']}\n"
    assert told["comment"] == "I saw it"
    assert removed.exit_code == 0
    assert none.output == "nobody has endorsed Aseptic gowning: Practitioner\n"
    assert both.exit_code == 2


@each_of("name", ["badge-jwt-key/1", "kid"])
def test_the_key_for_jwts_is_given_up_by_what_the_list_calls_it_and_by_its_name_in_proofs(
    tmp_path_factory, monkeypatch, name
):
    monkeypatch.setenv("LRS_PUBLIC_URL", "https://skills.example.org")
    folder = tmp_path_factory.mktemp("keys")
    issued_in(folder)
    listed = json.loads(run(folder, "keys", "list", "--json").output)
    (first,) = [key for key in listed if key["algorithm"] == "ES256"]

    given_up = compromise(folder, first["kid"] if name == "kid" else name)
    again = run(folder, "keys", "compromise", "badge-jwt-key/2", "--yes")

    assert first["id"] == "badge-jwt-key/1"
    assert given_up.exit_code == 0
    assert given_up.output == (
        "key badge-jwt-key/1 is given up; key 2 signs now. The JWTs and SD-JWTs that it signed are invalid:\n"
        "whoever has one takes it anew from the page of the badge; the badges themselves stay valid\n"
    )
    assert (again.exit_code, again.output) == (
        1,
        "Error: there is no key badge-jwt-key/2: lrs badges keys list shows them\n",
    )


def test_a_key_whose_name_begins_with_a_hyphen_is_no_option(tmp_path):
    issued_in(tmp_path)

    told = compromise(tmp_path, "-no-such")

    assert told.exit_code == 1
    assert "there is no key -no-such" in told.output


@each_of(("wait", "hours"), [("0", 0), ("0.4", 0.4), ("1.5", 1.5)])
def test_a_new_key_signs_after_the_hours_that_are_told_and_parts_of_hours_count(
    tmp_path_factory, monkeypatch, wait, hours
):
    monkeypatch.setenv("LRS_PUBLIC_URL", "https://skills.example.org")
    folder = tmp_path_factory.mktemp("keys")
    open_tenant(Settings(data=folder)).store.close()
    began = time.time()

    told = run(folder, "keys", "rotate", "--wait", wait).output

    (new,) = [key for key in json.loads(run(folder, "keys", "list", "--json").output) if key["id"] == "2"]
    assert told == f"key 2 (Ed25519, {new['kid']}) is published now and signs from {new['from']}\n"
    signs = datetime.fromisoformat(new["from"]).timestamp()
    assert began - 1 <= signs - hours * 3_600 <= time.time()
