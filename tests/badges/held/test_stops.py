"""Badges that are revoked or suspended by hand, and what takes that back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from badges.commands.badges import badges
from badges.credentials.status import bits_of
from badges.held import stops
from lrs.kernel.errors import Refused
from lrs.kernel.settings import Settings
from lrs.kernel.times import HOUR
from lrs.storage import each
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant, open_tenant
from tests.badges.made import (
    AWARD,
    again,
    badge_in,
    failed,
    list_in,
    put_award,
    run_issue,
    verdict_on,
)

pytestmark = pytest.mark.mongo_in_soak

WHY = "The assessment was not supervised"
OTHER = "7d2f3c1a-0c64-5b3e-8a52-2f4f6f1d0a02"


def stop(tenant: Tenant, state: Any = "suspended", ids: list[str] | None = None) -> int:
    count = stops.stop(tenant, ids or [badge_in(tenant)[0].id], state, reason=WHY, by="operator")
    run_issue(tenant)
    return count


def bits_set(tenant: Tenant) -> int:
    return sum(map(int.bit_count, bits_of(list_in(tenant), "revocation")))


@pytest.fixture
def held(tenant: Tenant) -> Tenant:
    put_award(tenant)
    run_issue(tenant)
    tenant.clock.now += HOUR
    return tenant


@pytest.mark.parametrize("state", ["revoked", "suspended"])
def test_what_is_stopped_is_revoked_for_whoever_checks_and_stays_so_whatever_the_award_does(held, state):
    badge = badge_in(held)[1]

    assert stop(held, state) == 1
    again(held)
    run_issue(held)
    put_award(held, valid_until=None)
    run_issue(held)

    assert failed(verdict_on(held, badge)) == [("status", "revoked")]
    assert badge_in(held)[1] == badge
    assert stops.stop_of(held.store, badge_in(held)[0].id) == stops.Stop(1, state, WHY, held.clock(), "operator")
    assert WHY not in json.dumps(list_in(held))


def test_a_suspension_that_ends_issues_the_badge_anew_under_its_id_at_another_place(held):
    first = badge_in(held)[1]
    stop(held)
    held.clock.now += HOUR

    stops.resume(held, badge_in(held)[0].id, by="operator")
    run_issue(held)

    second = badge_in(held)[1]
    assert second["id"] == first["id"]
    assert second["credentialStatus"]["statusListIndex"] != first["credentialStatus"]["statusListIndex"]
    assert failed(verdict_on(held, first)) == [("status", "revoked")]
    assert failed(verdict_on(held, second)) == []
    assert [entry.action for entry in audit.newest(held.store, 5)] == [
        "badge.issued",
        "badge.resumed",
        "badge.revoked",
        "badge.suspended_by_hand",
        "badge.issued",
    ]


def test_a_badge_that_was_revoked_is_issued_again_when_somebody_says_so_and_not_by_resuming(held):
    id = badge_in(held)[0].id
    stop(held, "revoked")

    with pytest.raises(Refused, match="is not suspended"):
        stops.resume(held, id, by="operator")
    assert stops.issue_again(held, AWARD, by="operator") == id
    run_issue(held)

    assert failed(verdict_on(held, badge_in(held)[1])) == []


def test_a_suspended_badge_is_not_issued_behind_its_suspension(held):
    stop(held)

    with pytest.raises(Refused, match="is suspended: lrs badges resume"):
        stops.issue_again(held, badge_in(held)[0].id, by="operator")


def test_a_suspension_may_become_a_revocation_and_not_the_other_way_round(held):
    id = badge_in(held)[0].id

    assert [stop(held), stop(held), stop(held, "revoked"), stop(held)] == [1, 0, 1, 0]

    assert stops.stop_of(held.store, id).state == "revoked"
    assert bits_set(held) == 1


def test_an_award_whose_badge_is_missing_owes_it_again(tenant):
    put_award(tenant)
    claims = tenant.store.claim(["issue"], limit=1, lease=HOUR)
    tenant.store.settle(claims, lambda _tx: None).result()  # lost, as by a restore

    with pytest.raises(Refused, match="there is no badge"):
        stops.issue_again(tenant, OTHER, by="operator")
    stops.issue_again(tenant, AWARD, by="operator")
    run_issue(tenant)

    assert failed(verdict_on(tenant, badge_in(tenant)[1])) == []


def test_many_are_revoked_with_one_signature_and_none_if_one_of_them_is_not_there(held, monkeypatch):
    monkeypatch.setattr(stops, "_AT_ONCE", 2)
    for number in range(5):
        put_award(held, f"6d2f3c1a-0c64-5b3e-8a52-{number:012d}")
    run_issue(held)
    ids = [record.id for record in each(held.store, "credential")]
    revision = held.store.get("status-list", "revocation-1").rev

    with pytest.raises(Refused, match="there is no badge nothing-such"):
        stop(held, "revoked", [*ids, "nothing-such"])
    before = bits_set(held)
    assert stop(held, "revoked", [*ids, ids[0]]) == 6

    assert (before, bits_set(held)) == (0, 6)
    assert held.store.get("status-list", "revocation-1").rev == revision + 1


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501, "a\x07b"])
def test_a_reason_that_says_nothing_or_too_much_is_refused(held, reason):
    with pytest.raises(Refused, match=r"the reason .* say in a sentence why"):
        stops.stop(held, [badge_in(held)[0].id], "revoked", reason=reason, by="operator")

    assert held.store.count("badge-stop") == 0


def test_the_badge_of_an_award_that_is_gone_says_so(held):
    held.store.write(lambda tx: tx.delete("award", AWARD)).result()

    with pytest.raises(Refused, match="is not there any more"):
        stops.stop(held, [badge_in(held)[0].id], "revoked", reason=WHY, by="operator")


# -- the commands -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("commands")
    with_badge(folder, put_award)
    return folder


def with_badge(folder, act) -> str:
    tenant = open_tenant(Settings(data=folder, public_url="https://skills.example.org"))
    act(tenant)
    run_issue(tenant)
    id = badge_in(tenant)[0].id
    tenant.store.close()
    return id


def run(folder, *words: object) -> Result:
    env = {"LRS_PUBLIC_URL": "https://skills.example.org"}
    return CliRunner().invoke(badges, [*map(str, words), "--data", str(folder)], env=env)


def test_the_commands_suspend_resume_revoke_and_issue_and_the_list_says_so(data, tmp_path):
    id = with_badge(data, lambda _: None)
    urn = f"urn:uuid:{id}"  # as it stands in the badge
    not_missing = run(data, "issue", id)
    (tmp_path / "ids").write_text(f"\n{urn}\n")

    told = [run(data, "suspend", urn, "--reason", WHY).output]
    with_badge(data, lambda _: None)
    told += [json.loads(run(data, "list", "--json").output)[0]["state"]]
    told += [run(data, "resume", urn).output]
    with_badge(data, lambda _: None)
    told += [json.loads(run(data, "list", "--json").output)[0]["state"]]
    told += [run(data, "revoke", "--list", tmp_path / "ids", "--reason", WHY).output]
    again = [run(data, command, id, "--reason", WHY) for command in ("revoke", "suspend")]
    told += [run(data, "issue", urn).output]
    with_badge(data, lambda _: None)

    assert [(one.exit_code, one.output) for one in (not_missing, *again)] == [
        (1, f"Error: badge {id} is not missing: lrs badges show prints it\n"),
        (1, "Error: nothing was changed: 1 badge is revoked already\n"),
        (1, "Error: nothing was changed: 1 badge is suspended or revoked already\n"),
    ]
    assert told == [
        "1 badge is suspended; the server publishes it\n",
        "suspended",
        f"badge {id} is issued anew by the server; copies from before stay revoked\n",
        "issued",
        "1 badge is revoked; the server publishes it\n",
        f"badge {id} will be issued by the server, if its award is held\n",
    ]


def test_ids_that_are_named_and_ids_of_a_list_are_revoked_together(tmp_path):
    tenant = open_tenant(Settings(data=tmp_path))
    for award in (AWARD, OTHER):
        put_award(tenant, award)
    run_issue(tenant)
    one, other = (record.id for record in each(tenant.store, "credential"))
    tenant.store.close()
    (tmp_path / "ids").write_text(f"{other}\n{one}\n")

    told = run(tmp_path, "suspend", one, "--list", tmp_path / "ids", "--reason", WHY).output
    (tmp_path / "ids").write_text(f"{other}\n")
    told += run(tmp_path, "revoke", one, "--list", tmp_path / "ids", "--reason", WHY).output

    assert told == ("2 badges are suspended; the server publishes it\n2 badges are revoked; the server publishes it\n")


def test_revoking_nothing_is_an_error(data):
    answer = run(data, "revoke", "--reason", WHY)

    assert answer.exit_code == 2
    assert "say which badges" in answer.output


def test_an_export_has_a_file_for_each_badge_and_form(data, tmp_path):
    id = with_badge(data, lambda _: None)
    out = tmp_path / "out"

    told = run(data, "export", "--out", out, "--form", "json", "--form", "png", "--json")

    assert json.loads(told.output) == {"files": 2, "left": []}
    assert sorted(one.name for one in out.iterdir()) == [f"{id}.json", f"{id}.png"]
    assert json.loads((out / f"{id}.json").read_text())["id"] == f"urn:uuid:{id}"
