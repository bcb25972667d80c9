"""The registry of forms, and what is true of each; how they are asked for stands in test_routes and test_commands."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from badges.forms import FORMS, NotInThisForm, StoredBadge, form_named
from badges.keys.issuer import issuer_of, rename
from badges.keys.ring import ring_of
from lrs.tenancy.root_keys import Secrets
from lrs.web.accept import preferred
from tests.badges.made import badge_in, issued_with_subject_id, put_award, run_issue, tenant_in


@pytest.fixture
def issued(tmp_path):
    tenant = tenant_in(tmp_path)
    issued_with_subject_id(tenant)
    yield tenant
    tenant.store.close()


def badge_of(tenant: Any) -> StoredBadge:
    record, _ = badge_in(tenant)
    return StoredBadge(record.id, record.body, ring_of(tenant))


def test_the_first_form_is_the_badge_as_it_is_stored(issued):
    badge = badge_of(issued)

    assert FORMS[0].make(badge) == badge.credential
    assert (FORMS[0].media_type, FORMS[0].ending) == ("application/vc", ".json")


def test_names_and_media_types_of_forms_are_each_of_one_form():
    assert len({form.name for form in FORMS}) == len({form.media_type for form in FORMS}) == len(FORMS)


def test_the_places_of_forms_on_the_page_of_a_badge_are_each_of_one_form():
    assert len({form.place for form in FORMS}) == len(FORMS)


def test_a_program_that_takes_any_text_and_everything_else_gets_json():
    usual = "application/json, text/plain, */*"  # what axios and Angular ask for

    assert preferred(usual, tuple(form.media_type for form in FORMS)) == FORMS[0].media_type


def test_a_form_is_found_by_its_name():
    assert form_named("json") is FORMS[0]
    with pytest.raises(KeyError):
        form_named("wax")


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_every_form_gives_the_same_bytes_for_the_same_badge(issued, form):
    assert form.make(badge_of(issued)) == form.make(badge_of(issued)) != b""


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_every_form_is_had_of_a_revoked_badge_too(issued, form):
    put_award(issued, state="withdrawn")
    run_issue(issued)

    record, _ = badge_in(issued)

    assert record.meta["state"] == "revoked"
    assert form.make(badge_of(issued)) != b""


def test_a_form_signs_as_the_issuer_that_the_badge_names_whatever_it_is_called_now(issued):
    named = json.loads(badge_of(issued).credential)["issuer"]
    rename(issued, "Another name", "https://another.example.org")

    signer = badge_of(issued).signer()

    assert signer.profile() == named
    assert signer.name == "Engraft, default"
    assert signer.method == issuer_of(issued).method


def test_a_demonstration_is_signed_as_the_demonstration_that_it_names(tmp_path):
    tenant = tenant_in(tmp_path, public_url=None)
    issued_with_subject_id(tenant)

    signer = badge_of(tenant).signer()
    record, badge = badge_in(tenant)
    lost = StoredBadge(record.id, record.body, ring_of(replace(tenant, secrets=Secrets(bytes(32)))))
    tenant.store.close()

    assert (signer.profile(), signer.demonstration) == (badge["issuer"], True)
    with pytest.raises(NotInThisForm, match="signs no more"):
        lost.signer()


def test_a_badge_whose_key_is_not_ours_any_more_has_no_signer(issued):
    record, _ = badge_in(issued)
    badge = StoredBadge(record.id, record.body, ring_of(replace(issued, secrets=Secrets(bytes(32)))))

    with pytest.raises(NotInThisForm, match="signs no more") as refused:
        badge.signer()

    assert refused.value.status == 406
