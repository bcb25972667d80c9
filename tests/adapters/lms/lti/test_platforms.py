"""Platforms as records: what is refused by name, what waits, and of how much the newest is kept."""

import pytest
from msgspec.structs import replace

from adapters.lms.lti import courses, grades, login, platforms
from adapters.lms.lti.courses import LtiCourse, LtiMember
from adapters.lms.lti.platforms import LtiPlatform, platform_id
from lrs.kernel.errors import Refused
from lrs.kernel.settings import Settings
from tests.rows import each_of

ISSUER = "https://moodle.example.org"


def described(client_id="tool", name="Moodle", **more):
    told = {"authorization": f"{ISSUER}/auth", "token": f"{ISSUER}/token", "jwks": f"{ISSUER}/jwks"} | more
    return LtiPlatform(platform_id(ISSUER, client_id), name, ISSUER, client_id, created=0, **told)


def did(tenant, act, *given):
    return tenant.store.write(lambda tx: act(tx, *given)).result()


def refused(act):
    with pytest.raises(Refused) as told:
        act()
    return told.value.status, told.value.error


def test_a_platform_is_registered_once_and_an_organisation_has_so_many(tenant, monkeypatch):
    one = described()
    did(tenant, platforms.add, one, "test")

    with pytest.raises(Refused) as told:
        did(tenant, platforms.add, replace(one, name="Another"), "test")
    assert (told.value.status, told.value.pointer) == (409, "/client_id")
    assert platforms.platform(tenant.store, one.id).name == "Moodle"
    monkeypatch.setattr(platforms, "MOST", 1)
    assert refused(lambda: did(tenant, platforms.add, described("second"), "test")) == (409, "conflict")


def test_only_an_approved_platform_launches_and_what_is_not_there_is_not_changed(tenant):
    for state, error in (("pending", "platform_pending"), ("suspended", "platform_suspended")):
        assert refused(lambda state=state: login.check_approved(described(state=state))) == (403, error)
    login.check_approved(described(state="approved"))

    acts = ((platforms.set_state, "approved"), (platforms.set_results, ()), (platforms.accept_deployment, "1"))
    for act, more in acts:
        assert refused(lambda act=act, more=more: did(tenant, act, "gone", more, "test")) == (404, "not_found")
    assert refused(lambda: did(tenant, platforms.remove, "gone", "test")) == (404, "not_found")


@each_of("field", ["authorization", "token", "jwks"])
def test_each_address_of_a_platform_is_reached_by_https_unless_the_settings_allow_otherwise(field):
    plain = described(**{field: "http://moodle.example.org/x"})

    with pytest.raises(Refused, match="not reached by https") as told:
        platforms.check_https(plain, Settings(outbound_allow=()))

    assert told.value.pointer == f"/{field}"
    platforms.check_https(plain, Settings(outbound_allow=("127.0.0.0/8",)))
    platforms.check_https(described(), Settings(outbound_allow=()))


def test_a_deployment_waits_until_it_is_accepted_and_the_newest_twenty_are_kept(tenant):
    one = described(deployments=("1",))
    did(tenant, platforms.add, one, "test")
    for number in (*range(1, 23), 22, 5):
        did(tenant, platforms.note_deployment, one.id, str(number))
    waiting = platforms.platform(tenant.store, one.id).waiting

    answers = [did(tenant, platforms.accept_deployment, one.id, name, "test") for name in ("7", "7", "1")]

    assert waiting == tuple(map(str, range(3, 23)))
    assert answers == [True, False, False]
    now = platforms.platform(tenant.store, one.id)
    assert (now.deployments, "7" in now.waiting, len(now.waiting)) == (("1", "7"), False, 19)


def test_of_the_origins_that_launches_name_the_newest_eight_may_show_us(tenant):
    one = described()
    did(tenant, platforms.add, one, "test")
    named = [f"https://n{number}.example" for number in range(10)]

    for place in named:
        did(tenant, platforms.note_origins, one.id, [place, ISSUER, ""])
    did(tenant, platforms.note_origins, one.id, named[-1:])

    now = platforms.platform(tenant.store, one.id)
    assert now.origins == tuple(named[2:])
    assert now.framing == (ISSUER, *named[2:])


def test_a_platform_is_named_by_its_id_or_by_a_name_that_no_other_has(tenant):
    for client, name in (("a", "Moodle"), ("b", "Canvas"), ("c", "Canvas")):
        did(tenant, platforms.add, described(client, name), "test")

    assert platforms.named(tenant.store, "Moodle").client_id == "a"
    assert platforms.named(tenant.store, platform_id(ISSUER, "c")).client_id == "c"
    assert refused(lambda: platforms.named(tenant.store, "Canvas")) == (409, "conflict")
    assert refused(lambda: platforms.named(tenant.store, "canvas")) == (404, "not_found")


def test_what_a_launch_does_not_say_of_its_course_is_kept_and_of_a_member_the_newest_links(tenant, monkeypatch):
    monkeypatch.setattr(courses, "MOST_OPENED", 3)
    whole = LtiCourse("p", "1", "c", "Gowning", f"{ISSUER}/members", f"{ISSUER}/items", ("score",))
    id = did(tenant, courses.put_course, whole)
    did(tenant, courses.put_course, LtiCourse("p", "1", "c", "Gowning 2", scopes=("members",)))
    for number in (1, 2, 3, 4, 2):
        did(tenant, courses.put_member, LtiMember(id, "u", "ann", "learner", opened=((f"l{number}", "skill:x"),)))

    assert courses.course(tenant.store, id) == replace(whole, title="Gowning 2", scopes=("members", "score"))
    assert courses.member(tenant.store, id, "u").opened == tuple((f"l{n}", "skill:x") for n in (3, 4, 2))


@each_of(
    ("body", "there"),
    [
        (b'[{"userId": "5", "resultScore": 80, "resultMaximum": 100}]', True),
        (b'[{"userId": "5", "resultScore": 8}]', True),
        (b'[{"userId": "6", "resultScore": 1}, {"userId": 5, "resultScore": 0.8, "resultMaximum": 1}]', True),
        (b'[{"userId": "5", "resultScore": 80.1, "resultMaximum": 100}]', False),
        (b'[{"userId": "6", "resultScore": 8}]', False),
        (b'[{"userId": "5", "resultScore": 0, "resultMaximum": 0}]', False),
        (b'[{"userId": "5"}]', False),
        (b'{"userId": "5", "resultScore": 8}', False),
        (b"<html>", False),
    ],
)
def test_a_grade_is_there_if_the_result_of_its_user_is_the_same_share(body, there):
    assert grades.is_there(body, {"userId": "5", "scoreGiven": 8.0, "scoreMaximum": 10.0}) is there
