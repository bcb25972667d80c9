"""The registry of forms; how they are asked for stands in test_routes and test_commands."""

from __future__ import annotations

from typing import Any

import pytest

from badges.forms import FORMS, Badge, form_named
from badges.issuer import issuer_of
from tests.badges.made import badge_in, put_award, run_issue, tenant_in


@pytest.fixture
def issued(tmp_path):
    tenant = tenant_in(tmp_path)
    put_award(tenant)
    run_issue(tenant)
    yield tenant
    tenant.store.close()


def badge_of(tenant: Any) -> Badge:
    record, _ = badge_in(tenant)
    return Badge(record.id, record.body, issuer_of(tenant))


def test_the_first_form_is_the_badge_as_it_is_stored(issued):
    badge = badge_of(issued)

    assert FORMS[0].make(badge) == badge.credential
    assert (FORMS[0].media_type, FORMS[0].ending) == ("application/vc", ".json")


def test_names_and_media_types_of_forms_are_each_of_one_form():
    assert len({form.name for form in FORMS}) == len({form.media_type for form in FORMS}) == len(FORMS)


def test_a_form_is_found_by_its_name():
    assert form_named("json") is FORMS[0]
    with pytest.raises(KeyError):
        form_named("wax")
