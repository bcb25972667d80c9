"""Consents as facts: what is given, renewed, withdrawn and bound, and what a service may see by them."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from lrs.kernel.keys import key
from lrs.matching import services
from lrs.matching.consent import consent
from lrs.matching.consent.consent import Grant, Subject
from lrs.storage import Record, Walk
from lrs.tenancy.tenants import Tenant
from tests.matching.world import PURPOSE, SECOND, Clock, put_service

ANN = Subject(person="ann")
SCOPES = ("profiles:read", "badges:read", "gap:read")


@pytest.fixture
def service(tenant: Tenant) -> services.Service:
    return put_service(tenant).service


def grant(*scopes: str, **more: object) -> Grant:
    usual = {"subject": ANN, "service": "career-converter", "purpose": PURPOSE, "how": "link", "by": "ann"}
    return Grant(**{**usual, "scopes": scopes or SCOPES, **more})


def give(tenant: Tenant, given: Grant) -> list[consent.Consent]:
    return tenant.store.write(lambda tx: consent.give(tx, given)).result()


def withdraw(tenant: Tenant, **only: str) -> list[str]:
    gone = tenant.store.write(lambda tx: consent.withdraw(tx, [ANN], by="ann", **only)).result()
    return [one.scope for one in gone]


def seen(tenant: Tenant, service: services.Service, at: int | None = None) -> list[str]:
    found = consent.scopes_for(consent.everything(tenant.store), service, tenant.clock() if at is None else at)
    return sorted(found)


def test_what_is_given_says_everything_about_itself_and_owes_what_the_service_is_told(tenant):
    (one,) = give(tenant, grant("badges:read", reference="ours-1", expires=7))

    assert (one.subject, one.service, one.scope, one.purpose) == (ANN, "career-converter", "badges:read", PURPOSE)
    assert (one.how, one.reference, one.expires, one.withdrawn) == ("link", "ours-1", 7, None)
    assert one.given > 0
    record = tenant.store.get("consent", one.id)
    assert consent.read(record) == one
    assert [(each.step, each.waiting) for each in tenant.store.backlog()] == [("sync", 1)]
    assert consent.of_subject(tenant.store, ANN) == [one]
    assert consent.of_subject(tenant.store, Subject(person="bob")) == []


def test_one_that_is_renewed_keeps_its_reference_unless_there_is_a_new_one(tenant):
    (first,) = give(tenant, grant("badges:read", reference="ours-1"))
    (again,) = give(tenant, grant("badges:read"))
    (anew,) = give(tenant, grant("badges:read", reference="ours-2"))

    assert first.id == again.id == anew.id
    assert first.given < again.given < anew.given
    assert [one.reference for one in (again, anew)] == ["ours-1", "ours-2"]
    assert consent.everything(tenant.store) == [anew]


def test_a_consent_holds_until_the_microsecond_in_which_it_ends(tenant, service, clock: Clock):
    end = clock.now + SECOND
    give(tenant, grant("profiles:read"))
    give(tenant, grant("badges:read", expires=end))

    assert seen(tenant, service, end - 1) == ["badges:read", "profiles:read"]
    assert seen(tenant, service, end) == ["profiles:read"]


@pytest.mark.parametrize(("how", "holds"), [("link", False), ("guardian", True), ("operator", True)])
def test_what_somebody_under_age_gave_by_a_link_alone_does_not_hold(tenant, service, how, holds):
    (given,) = give(tenant, grant("profiles:read", how=how))
    now = tenant.clock()

    assert given.holds(now)
    assert given.holds(now, under_age=True) is holds
    assert bool(consent.scopes_for([given], service, now, under_age=True)) is holds


def test_a_consent_has_the_receipt_the_learner_was_told_and_is_found_by_its_service(tenant):
    (one,) = give(tenant, grant("badges:read", receipt="R-1"))

    assert consent.of_subject(tenant.store, ANN)[0].receipt == one.receipt == "R-1"
    assert tenant.store.count("consent", [key("service", "career-converter")]) == 1
    assert tenant.store.count("consent", [key("service", "another")]) == 0


@pytest.mark.parametrize(
    "change",
    [{"id": "another"}, {"purpose": "To sell it"}, {"scopes": ("badges:read", "gap:read")}],
    ids=["another service", "another purpose", "no longer registered for profiles"],
)
def test_a_service_sees_nothing_by_a_consent_that_was_not_given_to_it_for_its_purpose_and_scopes(
    tenant, service, change
):
    give(tenant, grant())

    assert seen(tenant, service) == ["badges:read", "gap:read", "profiles:read"]
    assert seen(tenant, replace(service, **change)) == []


def test_a_scope_that_the_service_is_no_longer_registered_for_is_not_seen_and_the_others_are(tenant, service):
    give(tenant, grant())

    assert seen(tenant, replace(service, scopes=("profiles:read", "gap:read"))) == ["gap:read", "profiles:read"]


def test_one_scope_is_withdrawn_by_itself_and_profiles_with_everything_of_the_same_service(tenant, service):
    give(tenant, grant())
    give(tenant, grant(service="other"))

    assert withdraw(tenant, service="career-converter", scope="badges:read") == ["badges:read"]
    assert seen(tenant, service) == ["gap:read", "profiles:read"]
    assert withdraw(tenant, service="career-converter", scope="badges:read") == []
    assert sorted(withdraw(tenant, service="career-converter", scope="profiles:read")) == ["gap:read", "profiles:read"]
    assert seen(tenant, service) == []
    assert sorted(withdraw(tenant)) == ["badges:read", "gap:read", "profiles:read"]
    assert {one.withdrawn is None for one in consent.everything(tenant.store)} == {False}


def test_withdrawing_is_told_to_the_audit_chain_with_scope_and_service_and_not_twice(tenant):
    give(tenant, grant("badges:read"))
    withdraw(tenant)
    withdraw(tenant)

    entries = [record.body.decode() for record in tenant.store.find(Walk("audit")).records]
    told = [entry for entry in entries if "consent." in entry]
    assert ["consent.given" in entry for entry in told] == [True, False]
    for entry in told:
        assert '"person":"ann"' in entry
        assert '"scope":"badges:read"' in entry
        assert '"service":"career-converter"' in entry


def test_what_was_given_before_anybody_knew_who_it_is_becomes_the_persons_and_the_later_of_two_counts(tenant):
    known, unknown = grant("badges:read", reference="person"), grant("badges:read", reference="identifier")
    waiting = {"subject": Subject(identifier="i1")}
    give(tenant, known)
    (later,) = give(tenant, replace(unknown, **waiting))
    (other,) = give(tenant, replace(grant("gap:read"), subject=Subject(identifier="i2")))

    bound = tenant.store.write(lambda tx: consent.bind(tx, "ann", ["i1", "i2", "nobody's"])).result()

    assert [(one.subject, one.scope, one.reference) for one in bound] == [
        (ANN, "badges:read", "identifier"),
        (ANN, "gap:read", None),
    ]
    assert [one.given for one in bound] == [later.given, other.given]
    assert consent.of_subject(tenant.store, Subject(identifier="i1")) == []
    assert len(consent.everything(tenant.store)) == 2


def test_what_was_given_earlier_under_an_identifier_does_not_take_the_place_of_what_the_person_gave(tenant):
    give(tenant, replace(grant("badges:read", reference="identifier"), subject=Subject(identifier="i1")))
    (kept,) = give(tenant, grant("badges:read", reference="person"))

    bound = tenant.store.write(lambda tx: consent.bind(tx, "ann", ["i1"])).result()

    assert bound == []
    assert consent.everything(tenant.store) == [kept]


def test_a_consent_is_about_the_person_or_the_identifier_that_gave_it(tenant):
    (kind,) = consent.KINDS
    (by_person,) = give(tenant, grant("badges:read"))
    (by_identifier,) = give(tenant, grant("badges:read", subject=Subject(identifier="i1")))

    records: list[Record] = [tenant.store.get("consent", one.id) for one in (by_person, by_identifier)]
    about = [kind.subjects(record) for record in records]

    assert [(set(one.persons), set(one.identifiers)) for one in about] == [({"ann"}, set()), (set(), {"i1"})]
