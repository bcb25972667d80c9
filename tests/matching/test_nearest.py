"""The nearest roles: in which order, what is lacking, and on which day."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from lrs.competency.shapes import ProfileEntry
from lrs.matching.roles import roles
from lrs.matching.roles.gap import Requirement, Role
from lrs.matching.roles.nearest import nearest
from lrs.matching.roles.roles import read_roles
from lrs.pages.me.roles_view import near
from lrs.tenancy.tenants import Tenant
from tests.matching.test_pull import put_learners, subject_of
from tests.matching.world import agree, bearer, put_service, receiver, run_all, web
from tests.matching.world import held as as_json

DAY = date(2026, 11, 21)


def held(id: str, ordinal: int = 2) -> ProfileEntry:
    return msgspec.convert(as_json(id, ordinal), ProfileEntry)


def role(id: str, *asked: tuple[str, int, bool], **days: date) -> Role:
    wanted = tuple(Requirement(name, level=level, essential=essential) for name, level, essential in asked)
    return Role(id, id, wanted, **days)


def test_the_nearest_role_comes_first_and_what_it_lacks_is_told_essentials_first() -> None:
    found = nearest(
        [
            role("far", ("weld", 2, True), ("paint", 2, True)),
            role("near", ("inspect", 2, False), ("fill", 4, True), ("gown", 2, True), ("clean", 1, True)),
            role("there", ("gown", 2, True)),
        ],
        [held("gown"), held("fill", 2), held("clean", 1)],
        DAY,
        10,
    )

    assert [(one["role"]["id"], one["match"], one["full"]) for one in found] == [
        ("there", 100.0, True),
        ("near", 62.5, False),
        ("far", 0.0, False),
    ]
    assert found[1]["essentials"] == {"required": 3, "met": 2, "match": 83.3}
    assert [(row["competency"], row["result"], row["shortfall"]) for row in found[1]["lacking"]] == [
        ("fill", "shortfall", 2),
        ("inspect", "missing", None),
    ]


def test_of_two_roles_with_one_match_the_one_with_more_essentials_met_is_nearer_and_then_the_id_decides() -> None:
    asked = [
        role("c", ("gown", 2, True), ("fill", 2, False)),
        role("b", ("gown", 2, True), ("fill", 2, False)),
        role("a", ("gown", 2, False), ("fill", 2, True)),
    ]

    assert [one["role"]["id"] for one in nearest(asked, [held("gown")], DAY, 10)] == ["b", "c", "a"]
    assert [one["role"]["id"] for one in nearest(asked, [held("gown")], DAY, 1)] == ["b"]


@pytest.mark.parametrize(
    ("day", "ids"),
    [
        (date(2027, 12, 31), ["now"]),
        (date(2028, 1, 1), ["now", "of 2028"]),
        (date(2028, 12, 31), ["now", "of 2028"]),
        (date(2029, 1, 1), ["now"]),
    ],
)
def test_a_role_of_2028_is_compared_on_the_days_of_2028(day: date, ids: list[str]) -> None:
    asked = [
        role("now", ("gown", 2, True)),
        role("of 2028", ("gown", 2, True), valid_from=date(2028, 1, 1), valid_until=date(2028, 12, 31)),
        role("asks for nothing"),
    ]

    assert [one["role"]["id"] for one in nearest(asked, [], day, 10)] == ids


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("tech,gown,2028-13-01,", "valid_from must be a date such as 2028-01-31"),
        ("tech,gown,2028-02-01,2028-01-01", "valid_until is before valid_from"),
        ("tech,gown,2028-01-01,\ntech,fill,2029-01-01,", "valid_from is another one than in the first row of the role"),
    ],
)
def test_days_that_are_none_or_contradict_each_other_leave_the_role_as_it_was(row: str, reason: str) -> None:
    found, problems = read_roles(f"role,competency,valid_from,valid_until\n{row}\n".encode())

    assert found == []
    assert [one.reason for one in problems] == [f"{reason}; the role tech is left as it was"]


def test_a_service_gets_the_nearest_roles_of_a_learner_who_agreed_to_gaps(tenant: Tenant) -> None:
    made = put_service(tenant)
    one, other = put_learners(tenant, 2)
    text = "role,competency,valid_from\nnow,gown,\nlater,gown,2028-01-01\n"
    found, _ = read_roles(text.encode())
    tenant.store.write(lambda tx: [roles.keep(tx, role) for role in found]).result()
    agree(tenant, one, scopes=("profiles:read", "gap:read"))
    agree(tenant, other)
    agreed, not_agreed = (f"/api/profiles/{subject_of(tenant, person)}/roles" for person in (one, other))

    with web(tenant) as client:
        headers = bearer(client, made)
        today = client.get(agreed, headers=headers).json()
        in_2028 = client.get(agreed, headers=headers, params={"on": "2028-06-01", "limit": 1}).json()
        refused = [
            client.get(not_agreed, headers=headers).status_code,
            client.get(agreed, headers=headers, params={"on": "soon"}).status_code,
            client.get(agreed, headers=headers, params={"limit": 0}).status_code,
        ]

    assert [one["role"]["id"] for one in today["roles"]] == ["now"]
    assert ([one["role"]["id"] for one in in_2028["roles"]], in_2028["on"]) == (["later"], "2028-06-01")
    assert refused == [404, 400, 400]


def test_an_event_has_the_nearest_roles_for_a_service_that_the_learner_lets_see_gaps(tenant: Tenant) -> None:
    with receiver() as receiving:
        put_service(tenant, receiving.url)
        put_service(tenant, receiving.url, name="Other")
        found, _ = read_roles(b"role,competency,level,valid_until\ntechnician,gown,4,\nformer,gown,1,2025-01-01\n")
        tenant.store.write(lambda tx: [roles.keep(tx, one) for one in found]).result()
        (person,) = put_learners(tenant, 1)
        agree(tenant, person, scopes=("profiles:read", "gap:read"))
        agree(tenant, person, "other")
        run_all(tenant)

    told = {len(one.json["data"]): one.json["data"] for one in receiving.of("profile.updated")}
    (with_roles, without) = (told[5], told[4])
    assert [(one["role"]["id"], one["match"]) for one in with_roles["nearestRoles"]] == [("technician", 50.0)]
    assert "nearestRoles" not in without


def test_a_match_is_said_in_whole_percent_and_as_100_only_where_nothing_is_missing():
    told = {"role": {"id": "lead", "label": "Lead"}, "essentials": {"met": 0, "required": 0}}

    shown = near([told | {"match": match} for match in (100.0, 99.9, 99.4, 88.9, 0.0)])

    assert [one["match"] for one in shown] == [100, 99, 99, 89]
