"""Learning platforms, told whole: launches that are believed and not, users, rosters, grades, and what services answer."""

from __future__ import annotations

import json
from functools import partial
from urllib.parse import parse_qs

import msgspec
import pytest
from joserfc import jws
from joserfc.jwk import RSAKey

from adapters.lms.courses.structure import AssignableUnit, Structure
from adapters.lms.lti import (
    courses,
    enrolments,
    grades,
    launch_token,
    picking,
    platform_keys,
    platforms,
    registration,
    results,
    rosters,
    services,
    skill_grades,
    tool_keys,
    users,
    words,
)
from adapters.lms.lti.courses import LtiCourse, LtiLink, LtiMember
from adapters.lms.lti.grades import Reached
from adapters.lms.lti.platforms import LtiPlatform, platform_id
from adapters.lms.lti.registration import Tool
from adapters.lms.lti.users import SeenUser
from adapters.lms.sessions.session import Registration, UnitProgress
from lrs.composition.subscriptions import SUBSCRIPTIONS
from lrs.kernel import outbound
from lrs.kernel.outbound import Response
from lrs.kernel.sealed import digest_of
from lrs.kernel.times import DAY, HOUR, MINUTE, SECOND
from lrs.outbox import deliveries
from lrs.storage import Record
from tests.badges.made import NOON
from tests.matching.world import held, put_profile
from tests.told.scene import Scene
from tests.told.story import Story, inline, plain, tree, tried

ISSUER, HOST = "https://moodle.example.org", "https://moodle.example.org/mod/lti"
NOW = NOON // SECOND
KINDS = (
    *("lti-platform", "lti-course", "lti-member", "lti-link", "lti-user", "lti-grade", "lti-enrolment", "lti-key"),
    *("person", "identifier", "link", "suggestion", "delivery", "one-time"),
)


def described(client: str = "tool", issuer: str = ISSUER, **more) -> LtiPlatform:
    told = {"name": "Moodle", "authorization": f"{HOST}/auth", "token": f"{HOST}/token", "jwks": f"{HOST}/certs"}
    told |= {"created": NOON, "state": "approved", "deployments": ("1",)} | more
    return LtiPlatform(platform_id(issuer, client), issuer=issuer, client_id=client, **told)


PLATFORM = described()
COURSE = courses.course_id(PLATFORM.id, "1", "2")
LINK = courses.link_id(PLATFORM.id, "1", "3")


class There(Scene):
    """The tool, and what platforms answer it: *answers* are taken in turn, *asked* is what was sent."""

    def __init__(self, folder, monkeypatch):
        super().__init__(folder, KINDS, {"lti-key": lambda one: {"state": json.loads(one.body)["state"]}})
        self.answers, self.asked, self.waits = [], [], []
        monkeypatch.setattr(outbound, "ask", lambda url, headers, _: self._next("GET", url, headers))
        monkeypatch.setattr(outbound, "post", lambda url, body, headers, _: self._next("POST", url, headers, body))
        monkeypatch.setattr(outbound, "fetch", lambda url, _: self._next("GET", url, {}).body)
        real = outbound.check
        monkeypatch.setattr(
            outbound, "check", lambda url, settings: real(url, settings, resolve=lambda *_: ["93.184.216.34"])
        )
        monkeypatch.setattr(services, "TOKENS", services.AccessTokens())
        self.given(lambda: self.write(lambda tx: platforms.add(tx, PLATFORM, "test")))
        self.given(lambda: tool_keys.ensure(self.tenant))

    def _next(self, method, url, headers, body=b""):
        self.asked.append(f"{method} {url} {inline(_sent(dict(headers), body))}")
        found = self.answers.pop(0) if self.answers else Response(404)
        if isinstance(found, Exception):
            raise found
        return found

    def calls(self):
        """What was sent since this was asked last."""
        self.story.extend(f"    -> {one}" for one in self.asked)
        self.asked.clear()

    def says(self, *answers, token=False):
        gives = [json_of({"access_token": "t", "expires_in": 3600})] if token else []
        self.answers = [*gives, *answers]


def _sent(headers, body):
    if b"client_assertion" in body:
        form = {name: one[0] for name, one in parse_qs(body.decode()).items()}
        claims = jws.extract_compact(form.pop("client_assertion").encode()).payload
        return form | {"assertion": {name: one for name, one in json.loads(claims).items() if name != "jti"}}
    return {name: one for name, one in headers.items() if name != "user-agent"} | (
        {"body": body.decode()} if body else {}
    )


def json_of(told, status=200, **headers):
    return Response(status, {name.replace("_", "-"): one for name, one in headers.items()}, json.dumps(told).encode())


@pytest.fixture
def there(tmp_path, draws, monkeypatch):
    assert draws
    made = There(tmp_path, monkeypatch)
    yield made
    made.store.close()


# -- launches ---------------------------------------------------------------------------------------------------------

ROLES = "http://purl.imsglobal.org/vocab/lis/v2/"
CLAIMS = {
    "iss": ISSUER,
    "aud": "tool",
    "sub": "5",
    "iat": NOW,
    "exp": NOW + 60,
    "nonce": "n",
    words.MESSAGE_TYPE: "LtiResourceLinkRequest",
    words.VERSION: "1.3.0",
    words.DEPLOYMENT: "1",
    words.LINK: {"id": "3"},
    words.ROLES: [],
}
DEEP = {words.MESSAGE_TYPE: "LtiDeepLinkingRequest", words.LINK: None}
OTHERWISE: list[tuple[str, dict]] = [
    ("as it is", {}),
    ("of another issuer", {"iss": "https://other.example"}),
    ("for another tool", {"aud": "other"}),
    ("for two, with our name", {"aud": ["other", "tool"], "azp": "tool"}),
    ("for two, without", {"aud": ["other", "tool"]}),
    ("for us, given to another", {"azp": "other"}),
    ("for a number", {"aud": 5}),
    ("without an end", {"exp": None}),
    ("without a beginning", {"iat": None}),
    ("an end that is a word", {"exp": "later"}),
    ("an end that is true", {"exp": True}),
    ("ended a minute ago", {"exp": NOW - 60}),
    ("ended just under a minute ago", {"exp": NOW - 59}),
    ("made ten minutes ago", {"iat": NOW - 600}),
    ("made a second earlier", {"iat": NOW - 601}),
    ("made in a minute", {"iat": NOW + 60}),
    ("made a second later", {"iat": NOW + 61}),
    ("not before a minute", {"nbf": NOW + 60}),
    ("not before a second later", {"nbf": NOW + 61}),
    ("another nonce", {"nonce": "m"}),
    ("no nonce", {"nonce": None}),
    ("LTI 1.1", {words.VERSION: "1.1"}),
    ("another message", {words.MESSAGE_TYPE: "LtiSubmissionReviewRequest"}),
    ("no deployment", {words.DEPLOYMENT: None}),
    ("an empty deployment", {words.DEPLOYMENT: ""}),
    ("a deployment of 255", {words.DEPLOYMENT: "x" * 255}),
    ("a deployment of 256", {words.DEPLOYMENT: "x" * 256}),
    ("anonymous", {"sub": None}),
    ("a user that is a number", {"sub": 5}),
    ("no roles", {words.ROLES: None}),
    ("no link", {words.LINK: None}),
    ("a link with a blank id", {words.LINK: {"id": " "}}),
    ("a link of 256", {words.LINK: {"id": "x" * 256}}),
    ("a choice, without an address", DEEP),
    ("a choice, with one", {**DEEP, words.DEEP_LINKING: {"deep_link_return_url": f"{HOST}/return"}}),
]


def test_launches_that_are_believed(told, draws):
    assert draws
    story = Story()
    key, other = (RSAKey.generate_key(2048, {"kid": "one"}, private=True) for _ in range(2))
    public = key.as_dict(private=False)

    def verified(claims=CLAIMS, keys=(public,), by=key, header=None, drop=()):
        made = {"alg": "RS256", "kid": "one"} | (header or {})
        body = {name: one for name, one in claims.items() if one is not None and name not in drop}
        token = jws.serialize_compact(made, json.dumps(body).encode(), by, algorithms=["RS256", "RS384", "PS256"])
        return launch_token.verified(token, keys, PLATFORM, digest_of("n"), NOW)

    for case, changes in OTHERWISE:
        story.say(f"{case}: {tried(partial(verified, CLAIMS | changes), lambda _: 'believed')}")
    story.head("keys and signatures")
    for case, more in {
        "another key": {"by": other},
        "two of its name": {"keys": (public, public)},
        "another name": {"keys": ({**public, "kid": "two"},)},
        "a key to encipher with": {"keys": ({**public, "use": "enc"},)},
        "a key for another algorithm": {"keys": ({**public, "alg": "RS384"},)},
        "a key without its numbers": {"keys": ({"kid": "one", "kty": "RSA"},)},
        "an elliptic key": {"keys": ({**public, "kty": "EC"},)},
        "signed with RS384": {"header": {"alg": "RS384"}},
        "signed with PS256": {"header": {"alg": "PS256"}},
        "without a name of the key": {"header": {"kid": ""}},
    }.items():
        story.say(f"{case}: {tried(partial(verified, **more), lambda _: 'believed')}")
    for token in ("", "no token", "e30.e30.x", "bm9uZQ.x.y", "\u00e9.x.y", "W10.x.y", "x" * 70_000 + ".x.y"):
        story.say(f"{token[:12]!r}: {tried(lambda token=token: launch_token.kid_of(token))}")
    story.head("names of users")
    for claims in (
        {"name": " Ann Arden "},
        {"given_name": "Ann", "family_name": "Arden"},
        {"family_name": "Arden"},
        {"name": 5},
        {},
    ):
        story.say(f"{inline(claims)}: {launch_token.full_name(claims)!r}")
    for role in (
        "Learner",
        "Learner#x",
        ROLES + "membership#Mentor",
        ROLES + "membership/Instructor#TeachingAssistant",
        ROLES + "institution/person#Administrator",
        "urn:x",
    ):
        story.say(f"{role}: {words.short_role(role)!r}")

    told(str(story))


# -- platforms --------------------------------------------------------------------------------------------------------


def test_platforms_that_may_launch(told, there):
    act, story = there.act, there.story
    add = lambda one: lambda: there.write(lambda tx: platforms.add(tx, one, "staff"))
    act("the same again", add(PLATFORM))
    act("of one issuer, keys at another host", add(described("two", jwks="https://other.example/certs")))
    act(
        "of one issuer, keys at that host in capitals",
        add(described("two", jwks="https://MOODLE.example.org/other", state="pending", deployments=())),
    )
    for case, more in {
        "no name": {"name": " "},
        "a name of 256": {"name": "x" * 256},
        "an issuer that is no address": {"issuer": "moodle"},
        "a client of 256": {"client": "x" * 256},
        "a token address that is none": {"token": "ftp://x"},
        "an address of 2001": {"authorization": "https://x.example/" + "x" * 1_983},
        "an empty deployment": {"deployments": ("",)},
        "a deployment of 256": {"deployments": ("x" * 256,)},
    }.items():
        act(case, add(described(**{"client": "three", **more})))
    for address in ("http://moodle.example.org/token", "https://moodle.example.org/token"):
        act(
            f"by {address[:5]}",
            lambda address=address: platforms.check_https(described(token=address), there.tenant.settings),
        )
    two = described("two").id
    on = lambda decide, *given: lambda: there.write(lambda tx: decide(tx, *given))
    act("approved", on(platforms.set_state, two, "approved", "staff"))
    act("suspended", on(platforms.set_state, two, "suspended", "staff"))
    act("one that is none", on(platforms.set_state, "none", "approved", "staff"))
    act("a deployment waits", on(platforms.note_deployment, two, "9"))
    act("it waits again", on(platforms.note_deployment, two, "9"))
    act("one that is too long", on(platforms.note_deployment, two, "x" * 256))
    act("20 more wait", lambda: [on(platforms.note_deployment, two, f"d{at}")() for at in range(20)])
    act("one that waits is accepted", on(platforms.accept_deployment, two, "d5", "staff"), told=str)
    act("again", on(platforms.accept_deployment, two, "d5", "staff"), told=str)
    act("one that is empty", on(platforms.accept_deployment, two, "", "staff"), told=str)
    act(
        "origins",
        on(platforms.note_origins, two, ["https://a.example", "", "https://moodle.example.org", "https://a.example"]),
    )
    act("8 more", on(platforms.note_origins, two, [f"https://{at}.example" for at in range(8)]))
    act("results", on(platforms.set_results, two, ["b", "a", "b"], "staff"))
    act("no results", on(platforms.set_results, two, [], "staff"))
    for name in ("Moodle", two, "none"):
        story.say(f"{name[:6]}: {tried(lambda name=name: platforms.named(there.store, name).client_id)}")
    act("removed", on(platforms.remove, two, "staff"))
    act("removed again", on(platforms.remove, two, "staff"))
    act("the next key signs", lambda: tool_keys.rotate(there.tenant, by="staff"), told=lambda _: "done")
    for wait in (30 * DAY - 1, 1):
        there.clock.now += wait
        story.say(f"published: {len(tool_keys.published(there.store, there.clock.now))}")
    act("once more, a month later", lambda: tool_keys.rotate(there.tenant, by="staff"), told=lambda _: "done")
    there.audited()

    told(str(story))


CONFIGURATION = f"{HOST}/openid"
SAYS = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{HOST}/auth",
    "token_endpoint": f"{HOST}/token",
    "jwks_uri": f"{HOST}/certs",
    "registration_endpoint": f"{HOST}/register",
    "scopes_supported": ["openid", words.READ_MEMBERS, words.WRITE_SCORE],
    words.PLATFORM_SETUP: {"product_family_code": "moodle", "variables": ["User.username"]},
}


def test_platforms_that_describe_themselves(told, there):
    describe = lambda address=CONFIGURATION: registration.describe(there.tenant, address)
    cases = {
        "as it is": {},
        "of another host": {"issuer": "https://other.example"},
        "with a path": {"issuer": f"{ISSUER}/path"},
        "with a query": {"issuer": f"{ISSUER}?x=1"},
        "no issuer": {"issuer": None},
        "Canvas, from its own host": {"issuer": "https://canvas.instructure.com"},
        "no keys": {"jwks_uri": None},
        "a token address that is none": {"token_endpoint": "moodle"},
        "without https": {"registration_endpoint": "http://moodle.example.org/register"},
        "an audience": {"authorization_server": "https://audience.example"},
        "no setup": {words.PLATFORM_SETUP: None},
    }
    for case, more in cases.items():
        there.says(json_of(SAYS | more))
        there.act(case, describe, told=lambda one: tree(plain(one)))
    there.says(json_of(SAYS | {"issuer": "https://canvas.instructure.com"}))
    there.act(
        "Canvas, from one of its hosts",
        lambda: describe("https://sso.canvaslms.com/config"),
        told=lambda one: one.issuer,
    )
    for case, answer in {
        "no JSON": Response(200, {}, b"<html>"),
        "a list": json_of([]),
        "not there": Response(404, {}, b"not here"),
        "in trouble": Response(503),
        "blocked": outbound.Blocked("10.0.0.1 is not public"),
        "silent": outbound.Unreachable("no answer"),
    }.items():
        there.says(answer)
        there.act(case, describe)
    there.act("no address", lambda: describe("moodle"))
    there.says(json_of(SAYS))
    found = describe()
    for pseudonymous in (False, True):
        there.story.say(
            tree(
                registration.tool_setup(found, Tool("https://skills.example.org/t/default/lti", "Skills", pseudonymous))
            )
        )

    told(str(there.story))


# -- users and rosters ------------------------------------------------------------------------------------------------


def test_users_of_platforms(told, there):
    learn = lambda platform=PLATFORM, **seen: (
        lambda: there.write(lambda tx: users.learn(tx, there.tenant, platform, SeenUser(**seen)))
    )
    act = there.act
    act("Ann", learn(sub="u5", name="Ann Arden", email="ann@example.org", username="ann", number=" 77 "))
    act("Ann again, told less", learn(sub="u5"))
    act("Ann, married", learn(sub="u5", name="Ann Birch", email="no address", username="ann2"))
    act("Ben, with her address", learn(sub="u6", email="ANN@example.org"))
    act("Cleo, called like a user", learn(sub="u7", username="u5"))
    act("Dan, with her number", learn(sub="u8", number="77"))
    act("numbers as users", learn(sub="9", username="10"))
    act("a number, and a word", learn(sub="11", username="eve"))
    act("a name in a link, known", learn(sub="u12", parameter="eve"))
    act("a name in a link, unknown", learn(sub="u13", parameter="nobody"))
    act("a test user", learn(sub="u14", test=True, number="78"))
    act("no longer a test user", learn(sub="u14", number="78"))
    canvas = described("c", "https://canvas.instructure.com", jwks="https://sso.canvaslms.com/certs")
    there.given(lambda: there.write(lambda tx: platforms.add(tx, canvas, "test")))
    act("of one of many institutions", learn(canvas, sub="a", username="fay", home="https://college.example"))
    act("again, home not told", learn(canvas, sub="b", username="fay"))
    for address in ("https://x.example/", "https://x.example", "x.example", ""):
        there.story.say(f"{address}: {users.home_of(address)!r}")

    told(str(there.story))


def member(sub, status="Active", role="Learner", **more):
    return {"user_id": sub, "status": status, "roles": [role]} | more


def test_rosters_as_they_are_read(told, there):
    act, story = there.act, there.story
    address = f"{HOST}/members?course=2"
    put = lambda **more: there.write(
        lambda tx: courses.put_course(tx, LtiCourse(PLATFORM.id, "1", "2", "Gowning", address, **more))
    )
    act("a course", lambda: put(scopes=(words.READ_MEMBERS,)))
    act(
        "told less of it",
        lambda: there.write(
            lambda tx: courses.put_course(tx, LtiCourse(PLATFORM.id, "1", "2", items=f"{HOST}/items", scopes=("a",)))
        ),
    )
    visitor = LtiMember(COURSE, users.user_id(PLATFORM.id, "visitor"), "v", "learner")
    act("somebody who is not enrolled comes", lambda: there.write(lambda tx: courses.put_member(tx, visitor)))
    read = lambda: rosters.read(there.tenant, COURSE)
    page = lambda *found, **headers: json_of({"members": list(found)}, **headers)
    first = page(
        member("1", name="Ann", email="ann@example.org"),
        member("2", role="Instructor"),
        link=f'<{HOST}/more>; rel="prev", <{HOST}/more>; rel="next"',
    )
    there.says(
        first,
        page(
            member("3", "Inactive"),
            member("4", role=words.TEST_USER),
            {"user_id": 5},
            member("x" * 256),
            member(""),
            "none",
        ),
        token=True,
    )
    act("two pages", read, told=inline)
    there.calls()
    there.says(page(member("1"), member("6", None)))
    act("the next day, without some", read, told=inline)
    there.calls()
    for case, answer in {
        "in trouble": Response(503, {"retry-after": "60"}, b"busy " * 100),
        "no JSON": Response(200, {}, b"<html>"),
        "no members": json_of({}),
        "a page elsewhere": page(link='<https://evil.example/more>; rel="next"'),
        "refused twice": Response(401, {}, b"no"),
        "blocked": outbound.Blocked("10.0.0.1"),
        "silent": outbound.Unreachable("no answer in 10 s"),
    }.items():
        there.says(
            answer,
            *(
                [json_of({"access_token": "u", "expires_in": 3600}), Response(401, {}, b"no")]
                if case == "refused twice"
                else []
            ),
        )
        act(case, partial(_failing, read))
        there.calls()
    there.says(page(member("2", role="Instructor")))
    act("and well again", read, told=inline)
    there.given(lambda: there.write(lambda tx: platforms.set_state(tx, PLATFORM.id, "suspended", "staff")))
    act("of a platform that is suspended", read, told=inline)
    story.head("when it is owed")
    for case, is_teacher, now in (
        ("a learner comes", False, NOON),
        ("a teacher comes after 9 minutes", True, NOON + 10 * MINUTE - 1),
        ("after 10", True, NOON + 10 * MINUTE),
    ):
        owing = _Owing(there.store)
        rosters.owe(owing, COURSE, is_teacher=is_teacher, now=now)  # type: ignore[arg-type]  # no other is asked for
        story.say(f"{case}: in {(owing.due - now) // MINUTE} minutes")

    told(str(story))


class _Owing:
    """A transaction that only says when what is owed is due."""

    def __init__(self, store):
        self.get, self.due = store.get, 0

    def owe(self, _kind, _id, owed):
        self.due = owed.due


def _failing(act):
    try:
        return act()
    except services.ServiceFailed as failed:
        raise platforms.Refused(
            f"{failed.why} (retry after {failed.retry_after})", status=failed.status or 500, error="service_failed"
        ) from failed


# -- tokens and keys --------------------------------------------------------------------------------------------------


def test_tokens_and_keys_of_platforms(told, there, monkeypatch):
    story, now = there.story, [1_000.0]
    monkeypatch.setattr(services.time, "monotonic", lambda: now[0])
    access = services.access_to(there.tenant, PLATFORM, ("b", "a"))
    call = lambda body=None: services.call(access, there.tenant.settings, f"{HOST}/x", {"accept": "x"}, body).status
    fine = Response(200, {}, b"ok")
    there.says(json_of({"access_token": "one", "expires_in": 120}), fine)
    there.act("first", partial(_failing, call), told=str)
    for wait, answers in (
        (59.0, (fine,)),
        (1.0, (json_of({"access_token": "two", "expires_in": 1}), fine)),
        (0.0, (json_of({"access_token": "three", "expires_in": 99_999}), fine)),
        (3_539.0, (fine,)),
        (1.0, (json_of({"access_token": "four"}), Response(401), json_of({"access_token": "five"}), fine)),
    ):
        now[0] += wait
        there.says(*answers)
        there.act(f"{wait:.0f} s later", partial(_failing, call), told=str)
        there.calls()
    for case, answer in {
        "no token": json_of({}),
        "a token of signs that cannot be sent": json_of({"access_token": "\u00e9"}),
        "a token with a line end": json_of({"access_token": "a\n"}),
        "a list": json_of([]),
        "no JSON": Response(200, {}, b"<"),
        "refused": Response(400, {"retry-after": "9"}, b'{"error": "invalid_client"}'),
        "blocked": outbound.Blocked("10.0.0.1"),
        "silent": outbound.Unreachable("no answer"),
    }.items():
        there.says(answer)
        now[0] += 10_000
        there.act(case, partial(_failing, call), told=str)
    for url, part, query in (
        (f"{HOST}/item", "scores", {}),
        (f"{HOST}/item/?type_id=1", "results", {"user_id": "a b"}),
        (f"{HOST}/item", "results", {"user_id": "5"}),
    ):
        story.say(services.below(url, part, **query))
    for link in (
        '<https://x/1>; rel="next"',
        "<https://x/1>; rel=next; title=x",
        '<https://x/1>; rel="prev", <https://x/2>; rel="next"',
        "https://x/1; rel=next",
        "",
    ):
        story.say(f"{link}: {services.next_page({'link': link})!r}")
    story.head("keys")
    known = platform_keys.PlatformKeys(lambda: now[0])
    keys = lambda kid: ",".join(one["kid"] for one in known.find(there.tenant, PLATFORM, kid))
    jwks = lambda *kids, **headers: json_of({"keys": [{"kid": kid} for kid in kids]}, **headers)
    for wait, kid, answer in (
        *(
            (0, "a", Response(503)),
            (29, "a", jwks("a")),
            (1, "a", jwks("a")),
            (3_599, "a", jwks("b")),
            (1, "a", jwks("b", cache_control="max-age=1")),
            (599, "b", jwks("c")),
            (1, "b", jwks("b")),
        ),
        *(
            (9, "c", jwks("b")),
            (0, "c", jwks("b")),
            (0, "c", jwks("b", "c")),
            (0, "d", jwks("d")),
            (599, "d", jwks("d")),
            (1, "d", jwks("d", cache_control="max-age=999999")),
        ),
        *(
            (86_399, "d", jwks("e")),
            (1, "d", outbound.Unreachable("no answer")),
            (601, "d", jwks("f")),
        ),
    ):
        now[0] += wait
        there.says(answer)
        story.say(f"{wait} s later, {kid}: {tried(partial(keys, kid), str)}{'' if there.answers else ' (asked)'}")
    for case, body in {
        "no JSON": b"<",
        "no list": b"{}",
        "an empty one": b'{"keys": []}',
        "51 keys": json.dumps({"keys": [{}] * 51}).encode(),
        "words": b'{"keys": ["a", {"kid": "b"}]}',
    }.items():
        story.say(f"{case}: {tried(lambda body=body: platform_keys.keys_in(PLATFORM, body))}")

    told(str(story))


# -- grades -----------------------------------------------------------------------------------------------------------


def _with_column(there):
    """A course with a link that has a column, and Ann, who opened it."""

    def decide(tx):
        courses.put_course(
            tx, LtiCourse(PLATFORM.id, "1", "2", "Gowning", scopes=(words.WRITE_SCORE, words.READ_RESULT))
        )
        courses.put_link(tx, LINK, LtiLink(COURSE, "3", "Gown", "skill:gown", f"{HOST}/item?type_id=1"))
        ann = users.learn(tx, there.tenant, PLATFORM, SeenUser("5", "Ann Arden", "ann@example.org"))
        user = users.user_id(PLATFORM.id, "5")
        courses.put_member(
            tx, LtiMember(COURSE, user, ann.person, "learner", opened=skill_grades.opened(LINK, "skill:gown"))
        )
        return user, ann.person

    return there.given(lambda: there.write(decide))


def test_grades_for_a_gradebook(told, there):
    user, _ = _with_column(there)
    act, story = there.act, there.story
    owe = lambda given, at=NOON, link=LINK, who=user, **more: (
        lambda: there.write(lambda tx: grades.owe(tx, link, who, Reached(given, 100.0, at, **more), there.clock()))
    )
    act("a first grade", owe(50.0, is_done=False), told=str)
    act("the same", owe(50.0, NOON + HOUR), told=str)
    act("done now, with the same points", owe(50.0, NOON + HOUR, comment="Done"), told=str)
    act("not done after all", owe(50.0, NOON + HOUR, comment="Done", is_done=False), told=str)
    act("a better one, in the same second", owe(60.0, NOON + HOUR), told=str)
    act("a better one, from before", owe(70.0, NOON), told=str)
    act("a day later", owe(80.0, NOON + DAY, comment="Well done"), told=str)
    act("for no link", owe(1.0, link="none"), told=str)
    act("for nobody", owe(1.0, who="none"), told=str)
    plain_link = courses.link_id(PLATFORM.id, "1", "4")
    there.given(lambda: there.write(lambda tx: courses.put_link(tx, plain_link, LtiLink(COURSE, "4", "No column"))))
    act("for a link without a column", owe(1.0, link=plain_link), told=str)
    there.given(lambda: there.write(lambda tx: users.learn(tx, there.tenant, PLATFORM, SeenUser("6", test=True))))
    act("for a test user", owe(1.0, who=users.user_id(PLATFORM.id, "6")), told=str)

    story.head("sent")
    score = json_of({"resultUrl": "x"})
    results_of = lambda *found: json_of([{"userId": "5", **one} for one in found])
    outcomes = {
        "taken": [score],
        "taken without words": [Response(204)],
        "moved": [Response(302, {"location": "https://x.example"})],
        "refused": [Response(422, {}, b"no such user")],
        "not found": [Response(404)],
        "too much": [Response(429, {"retry-after": "120"}, b"slow down")],
        "in trouble": [Response(500, {}, b"<b>Error</b>")],
        "newer, and it is ours": [Response(409), results_of({"resultScore": 0.8, "resultMaximum": 1})],
        "newer, ours of what was asked": [Response(409), results_of({"resultScore": 80})],
        "newer, and it is another": [Response(409), results_of({"resultScore": 0.81, "resultMaximum": 1})],
        "newer, another's": [Response(409), json_of([{"userId": "6", "resultScore": 80}])],
        "newer, no points": [Response(409), results_of({}, {"resultScore": 80})],
        "newer, of nothing": [Response(409), results_of({"resultScore": 0, "resultMaximum": 0})],
        "newer, and no list": [Response(409), json_of({})],
        "newer, and no JSON": [Response(409), Response(200, {}, b"<")],
        "newer, not to be seen": [Response(409), Response(403)],
        "newer, silent then": [Response(409), outbound.Unreachable("no answer")],
        "silent": [outbound.Unreachable("no answer")],
    }

    def send():
        record = next(
            iter(
                there.store.get(deliveries.KIND, grades.delivery_id(grades.grade_id(LINK, user)))
                and [there.store.get(deliveries.KIND, grades.delivery_id(grades.grade_id(LINK, user)))]
            )
        )
        destination = grades.CHANNEL.own.find(there.tenant, PLATFORM.id)
        return grades.compose(there.tenant, record, destination).send(there.tenant.settings)

    there.says(token=True)
    services.TOKENS.get(
        services.access_to(there.tenant, PLATFORM, (words.WRITE_SCORE, words.READ_RESULT)), there.tenant.settings
    )
    there.asked.clear()
    for case, answers in outcomes.items():
        there.says(*answers)
        act(case, send, told=lambda one: inline(plain(one)))
        if case in {"taken", "newer, and it is ours"}:
            there.calls()
        there.asked.clear()

    story.head("not sent")
    failing = lambda: _undeliverable(send)
    there.given(
        lambda: there.write(
            lambda tx: courses.write_course(tx, COURSE, LtiCourse(PLATFORM.id, "1", "2", scopes=(words.READ_RESULT,)))
        )
    )
    act("without the right", failing)
    there.given(
        lambda: there.write(lambda tx: tx.put(Record(courses.LINK, LINK, msgspec.json.encode(LtiLink(COURSE, "3")))))
    )
    act("without the column", failing)
    for state in ("suspended", "pending", "approved"):
        there.given(lambda state=state: there.write(lambda tx: platforms.set_state(tx, PLATFORM.id, state, "staff")))
        story.say(f"{state}: {inline(plain(grades.CHANNEL.own.find(there.tenant, PLATFORM.id)))}")
    story.say(inline([plain(one) for one in grades.those_of(there.store, [LINK, plain_link], user)]))

    told(str(story))


def _undeliverable(act):
    try:
        return act()
    except grades.Undeliverable as error:
        raise platforms.Refused(str(error), status=500, error="undeliverable") from error


def unit(at: int, **more) -> AssignableUnit:
    return AssignableUnit(f"u{at}", {"en": f"Unit {at}"}, {}, f"u{at}.html", f"https://x.example/u{at}", **more)


def test_points_of_a_course(told, draws):
    assert draws
    story, units = Story(), (unit(0, move_on="Passed"), unit(1, move_on="CompletedOrPassed"), unit(2))
    structure = Structure("c", {"en": "Course"}, {}, units, "https://x.example/c")
    done = UnitProgress(attempted=True, completed=True, passed=True, satisfied=True)
    score = lambda number, **more: UnitProgress(attempted=True, score=number, **more)
    cases: dict[str, dict[int, UnitProgress]] = {
        "nothing": {},
        "begun": {0: UnitProgress(attempted=True)},
        "one done": {0: done},
        "one passed with 0.8": {0: score(0.8, passed=True, satisfied=True)},
        "one failed with 0.4": {0: score(0.4, failed=True)},
        "one below nothing": {0: score(-0.5, failed=True)},
        "one with nothing": {0: score(0.0, failed=True)},
        "all done": {0: done, 1: done, 2: score(0.333, satisfied=True)},
        "one waived": {0: done, 1: UnitProgress(satisfied=True, waived="Tested Out"), 2: score(0.5)},
    }
    for case, progress in cases.items():
        found = Registration(
            "r", 1, "c", 1, {}, NOON, {f"https://x.example/u{at}": one for at, one in progress.items()}
        )
        reached = [enrolments.reached_in(found, structure, index, NOON) for index in ("", "0", "2", "9")]
        story.say(
            f"{case}: {inline([one and [one.given, one.is_done] for one in reached])} {enrolments.state_of(progress.get(0, UnitProgress()))}"
        )

    told(str(story))


def of_gmp(code: str, **more) -> dict:
    entry = held(code, **more)
    entry["competency"]["framework"] = "https://standards.example/gmp"
    return entry


def test_skills_as_grades_and_as_statements(told, there):
    _, ann = _with_column(there)
    act, story = there.act, there.story
    gown = lambda **more: of_gmp("gown", **more)

    def follow(*competencies):
        def decide():
            put_profile(there.tenant, ann, *competencies)
            there.write(lambda tx: skill_grades.owe_in(tx, ann, there.clock()))
            there.clock.now += MINUTE

        return decide

    act("holds nothing", follow())
    act("holds another", follow(of_gmp("other")))
    act("holds it", follow(gown()))
    act("holds it at a higher level", follow(gown(ordinal=3)))
    act("holds it no more", follow(gown(ordinal=3, state="expired")))
    act("holds it twice, once ended", follow(gown(state="expired"), gown()))
    act("held since another day", follow(gown(since="2026-11-01")))
    courses_of = lambda **more: (
        lambda: there.write(
            lambda tx: courses.put_member(tx, msgspec.structs.replace(courses.members_of_course(tx, COURSE)[0], **more))
        )
    )
    there.given(courses_of(active=False))
    act("lost after she left the course", follow())
    there.given(courses_of(active=True))
    there.given(lambda: there.write(lambda tx: courses.put_link(tx, LINK, LtiLink(COURSE, "3", "Gown", "skill:other"))))
    act("the link leads elsewhere since", follow(of_gmp("other")))

    story.head("told as statements")
    there.given(lambda: results.turn_on(there.tenant, PLATFORM, ["https://standards.example/gmp"], by="staff"))
    record = Record("profile", ann, b"")
    tell = lambda *found: (
        lambda: (
            put_profile(there.tenant, ann, *found),
            results.follow(there.tenant, [_Claimed(record)], SUBSCRIPTIONS),
        )
    )
    act("holds it", tell(gown(), of_gmp("else", award="award-2")))
    act("the same", tell(gown(), of_gmp("else", award="award-2")))
    act("at a higher level", tell(gown(ordinal=3), of_gmp("else", award="award-2")))
    act("at a lower one", tell(gown(ordinal=1), of_gmp("else", award="award-2")))
    act("one has ended", tell(gown(ordinal=1, state="expired"), of_gmp("else", award="award-2")))
    act("and counts again", tell(gown(ordinal=1), of_gmp("else", award="award-2")))
    story.say(inline(results.told_of(there.store, PLATFORM)))
    act(
        "another with her address",
        lambda: there.write(lambda tx: users.learn(tx, there.tenant, PLATFORM, SeenUser("9", email="ann@example.org"))),
    )
    act("nobody can be told apart", tell())
    story.say(inline(results.told_of(there.store, PLATFORM)))
    act(
        "she has a number",
        lambda: there.write(lambda tx: users.learn(tx, there.tenant, PLATFORM, SeenUser("5", number="77"))),
    )
    act("and is told by it", tell(gown()))
    for known, wanted in ((["a"], ["a"]), (["a"], []), (["a"], ["a", "b"])):
        story.say(f"{known} {wanted}: {tried(lambda k=known, w=wanted: results.check_frameworks(k, w))}")

    told(str(story))


class _Claimed(msgspec.Struct):
    record: Record


def test_what_teachers_can_pick(told, there):
    from adapters.lms.lti.launch import LaunchMessage  # noqa: PLC0415 (one place)

    story = there.story
    settings = {"accept_types": ["link", "ltiResourceLink"], "deep_link_return_url": f"{HOST}/return", "data": "kept"}
    names = LaunchMessage.__struct_fields__

    def asked(**more):
        claims = {words.DEEP_LINKING: settings | more}
        given = {"platform": PLATFORM, "deployment": "1", "claims": claims}
        return picking.asked(LaunchMessage(**{name: given.get(name) for name in names}), NOON)

    for case, more in {
        "as it is": {},
        "takes files alone": {"accept_types": ["file"]},
        "one type, as a text": {"accept_types": "ltiResourceLink"},
        "no address": {"deep_link_return_url": "moodle"},
        "several": {"accept_multiple": "true", "accept_lineitem": "false"},
        "none of it": {"accept_multiple": False, "accept_lineitem": None, "data": 5},
    }.items():
        story.say(f"{case}: {tried(lambda more=more: asked(**more), lambda one: inline(plain(one)))}")
    story.extend(f"{one.opens}: {inline(plain(one))}" for one in picking.choices(there.store))
    form = picking.kept(there.tenant, asked())
    for wait in (HOUR - 1, 1):
        there.clock.now += wait
        story.say(f"shown again: {tried(lambda: picking.shown_again(there.tenant, form).data)}")
    story.say(f"changed: {tried(lambda: picking.shown_again(there.tenant, form[:-2] + 'xx'))}")
    for wanted in ([], ["skills"], ["skills", "skills"], ["skills", "badges"], ["none"]):
        for several in (False, True):
            one = msgspec.structs.replace(asked(), several=several)
            story.say(
                f"{wanted} {several}: {tried(lambda w=wanted, o=one: picking.chosen(there.store, o, w), lambda found: inline([each.opens for each in found]))}"
            )

    told(str(story))
