"""What became of learners, as services tell it: by whom, while who agrees, once, corrected and taken back."""

from __future__ import annotations

import json
from datetime import date

import pytest
from click.testing import CliRunner

from lrs.cli import main
from lrs.kernel.errors import Refused
from lrs.matching import outcomes, services
from lrs.matching.outcomes import WhatCameOfIt
from lrs.matching.roles import roles
from lrs.storage import each
from lrs.tenancy.tenants import Tenant
from tests.matching.world import (
    START,
    Clock,
    agree,
    bearer,
    held,
    put_person,
    put_profile,
    put_service,
    run_sync,
    take_back,
    web,
)

SCOPES = ("profiles:read", "outcomes:write")
HIRED = {"outcome": "hired", "date": "2026-11-16", "role": "operator"}


def put_learner(tenant: Tenant, mbox: str = "mailto:ana@example.org", scopes: tuple[str, ...] = SCOPES) -> str:
    person = put_person(tenant, mbox)
    put_profile(tenant, person, held("gown"))
    agree(tenant, person, scopes=scopes)
    run_sync(tenant)
    return person


def subject_of(tenant: Tenant, person: str, service: str = "career-converter") -> str:
    return services.pairwise(tenant, service, person)


def put_role(tenant: Tenant) -> None:
    found, _ = roles.read_roles(b"role,role_label,competency\noperator,Aseptic operator,gown\n")
    tenant.store.write(lambda tx: [roles.keep(tx, role) for role in found]).result()


def done(tenant: Tenant) -> list[tuple[str, str]]:
    found = [json.loads(record.body) for record in each(tenant.store, "audit")]
    return [(one["action"], one["by"]) for one in found if one["action"].startswith("outcome.")]


def test_an_outcome_is_told_once_corrected_and_taken_back_and_each_is_in_the_record_of_actions(tenant: Tenant) -> None:
    made = put_service(tenant, scopes=SCOPES)
    subject = subject_of(tenant, put_learner(tenant))
    put_role(tenant)
    told = {"id": "app-1", "subject": subject, **HIRED, "outcome": "shortlisted"}

    with web(tenant) as client:
        client.headers = bearer(client, made)
        first = client.post("/api/outcomes", json=told)
        again = client.post("/api/outcomes", json=told)
        other = client.post("/api/outcomes", json={**told, "date": "2026-11-15"})
        corrected = client.put("/api/outcomes/app-1", json=HIRED)
        counted = len(list(outcomes.hired(tenant)))
        same = client.put("/api/outcomes/app-1", json=HIRED)
        gone = [client.delete("/api/outcomes/app-1").status_code for _ in range(2)]
        late = client.post("/api/outcomes", json={**told, "outcome": "hired"})
        anew = client.put("/api/outcomes/app-1", json=HIRED)
        unknown = client.delete("/api/outcomes/app-2")

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json() == {
        "id": "app-1",
        "subject": subject,
        "outcome": "shortlisted",
        "date": "2026-11-16",
        "role": "operator",
        "told": "2026-11-18T11:06:40Z",
        "corrected": None,
    }
    assert (other.status_code, other.json()["error"], other.json()["pointer"]) == (409, "conflict", "/id")
    assert (corrected.status_code, corrected.json()["outcome"]) == (200, "hired")
    assert gone == [204, 204]
    assert (same.status_code, same.json()) == (200, corrected.json())
    assert (counted, list(outcomes.hired(tenant))) == (1, [])
    assert [(one.status_code, one.json()["error"]) for one in (late, anew)] == [(409, "outcome_withdrawn")] * 2
    assert (unknown.status_code, unknown.json()["error"]) == (404, "outcome_unknown")
    by = "service career-converter"
    assert done(tenant) == [("outcome.told", by), ("outcome.corrected", by), ("outcome.withdrawn", by)]


def test_without_a_consent_of_its_own_nothing_can_be_told_and_what_was_told_can_be_taken_back(tenant: Tenant) -> None:
    put_service(tenant, scopes=SCOPES)
    ana = put_learner(tenant)
    bob = put_learner(tenant, "mailto:bob@example.org", ("profiles:read",))
    hired = WhatCameOfIt("hired", date(2026, 11, 16))
    outcomes.tell(tenant, "career-converter", "one", subject_of(tenant, ana), hired)
    assert [one.person for one in outcomes.hired(tenant)] == [ana]

    take_back(tenant, ana, scope="outcomes:write")

    assert list(outcomes.hired(tenant)) == []
    for person, called in ((ana, "two"), (bob, "three"), ("nobody", "four")):
        with pytest.raises(Refused, match="no consent to outcomes:write") as refused:
            outcomes.tell(tenant, "career-converter", called, subject_of(tenant, person), hired)
        assert refused.value.status == 404
    with pytest.raises(Refused, match="no consent to outcomes:write"):
        outcomes.correct(tenant, "career-converter", "one", WhatCameOfIt("shortlisted", date(2026, 11, 1)))
    assert outcomes.withdraw(tenant, "career-converter", "one", by="service career-converter").withdrawn == START


def test_what_cannot_be_an_outcome_is_refused_with_its_place_and_nothing_is_kept(tenant: Tenant, clock: Clock) -> None:
    made = put_service(tenant, scopes=SCOPES)
    put_role(tenant)
    told = {"id": "x", "subject": subject_of(tenant, put_learner(tenant)), **HIRED}

    with web(tenant) as client:
        client.headers = bearer(client, made)

        def refused(**changed: object) -> tuple[int, str, str]:
            answer = client.post("/api/outcomes", json={**told, **changed})
            return answer.status_code, answer.json()["pointer"], answer.json()["error"]

        assert refused(date="2026-11-19") == (400, "/date", "bad_date")
        assert refused(date="2026-02-30") == (400, "/date", "bad_date")
        assert refused(date=1) == (400, "/date", "bad_request")
        assert refused(role="pilot") == (400, "/role", "role_unknown")
        assert refused(outcome="fired") == (400, "/outcome", "bad_request")
        assert refused(id="a/b") == (400, "/id", "bad_request")
        assert refused(salary=1) == (400, "/salary", "bad_request")
        assert refused(subject="nobody") == (404, "/subject", "profile_unknown")
        assert client.put("/api/outcomes/-", json=HIRED).status_code == 400
        assert client.post("/api/outcomes", content=b"{").status_code == 400

    assert list(outcomes.everything(tenant.store)) == []
    clock.now = 1_814_398_200_000_000  # 30 June 2027, 23:30 UTC: the first of July in the organisation's zone
    tomorrow = WhatCameOfIt("hired", date(2027, 7, 1))
    assert outcomes.tell(tenant, "career-converter", "y", told["subject"], tomorrow).is_new


def test_one_service_tells_a_bounded_number_of_outcomes_of_one_learner(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcomes, "MOST", 2)
    put_service(tenant, scopes=SCOPES)
    subject, hired = subject_of(tenant, put_learner(tenant)), WhatCameOfIt("hired", date(2026, 11, 16))
    for called in ("one", "two"):
        outcomes.tell(tenant, "career-converter", called, subject, hired)

    with pytest.raises(Refused, match="at most 2 outcomes") as refused:
        outcomes.tell(tenant, "career-converter", "three", subject, hired)

    assert refused.value.status == 409


def test_the_command_lists_outcomes_and_takes_one_back_once(tenant: Tenant) -> None:
    put_service(tenant, scopes=SCOPES)
    person = put_learner(tenant)
    hired = WhatCameOfIt("hired", date(2026, 11, 16))
    outcomes.tell(tenant, "career-converter", "one", subject_of(tenant, person), hired)
    run, folder = CliRunner().invoke, ["--data", str(tenant.settings.data)]

    before = json.loads(run(main, ["outcomes", "list", "ana@example.org", "--json", *folder]).stdout)
    first = run(main, ["outcomes", "withdraw", "career-converter", "one", *folder])
    second = run(main, ["outcomes", "withdraw", "career-converter", "one", *folder])
    stranger = run(main, ["outcomes", "list", "nobody@example.org", *folder])
    other = run(main, ["outcomes", "list", "--service", "other", *folder])

    assert [(one["id"], one["outcome"], one["date"], one["state"]) for one in before] == [
        ("one", "hired", "2026-11-16", "told")
    ]
    assert (first.exit_code, first.stdout) == (0, "taken back: one of career-converter\n")
    assert (second.exit_code, second.stderr) == (1, "Error: it was taken back before\n")
    assert (stranger.exit_code, other.exit_code) == (1, 1)
    assert done(tenant) == [("outcome.told", "service career-converter"), ("outcome.withdrawn", "operator")]
