"""LTI 1.3 against an independent platform, ``lti1p3platform`` (PyPI): login, launch, deep link, token for services.

It signs the launches, and checks with its own code (PyJWT, jwcrypto) what this tool signs.
"""

import json
import time
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from joserfc.jwk import RSAKey
from jwt import InvalidSignatureError
from lti1p3platform.ltiplatform import LTI1P3PlatformConfAbstract
from lti1p3platform.message_launch import LTIAdvantageMessageLaunchAbstract
from lti1p3platform.oidc_login import OIDCLoginAbstract
from lti1p3platform.registration import Registration

from adapters.lms.lti import services, tool_keys
from adapters.lms.lti.words import WRITE_SCORE
from tests.adapters.lms.lti.platform import FOREIGN, PATH, TOOL, Platform, World
from tests.adapters.lms.lti.test_launch import BAD, FromNow
from tests.pages.conftest import forms_of, text_of
from tests.rows import each_of

ISSUER = "https://independent.example"
ROLES = "http://purl.imsglobal.org/vocab/lis/v2/membership#"


class Config(LTI1P3PlatformConfAbstract):
    def init_platform_config(self, **given):
        self._registration = given["registration"]

    def get_registration_by_params(self, **_):
        return self._registration


class Login(OIDCLoginAbstract):
    def set_lti_message_hint(self, **given):
        self._lti_message_hint = given["hint"]

    def get_redirect(self, url):
        return url


class Launch(LTIAdvantageMessageLaunchAbstract):
    def render_launch_form(self, launch_data, **_):
        return launch_data


class Signing(Registration):
    """A registration whose platform signs what *spoil* makes of a message and of the header of its token."""

    spoil = None

    def platform_encode_and_sign(self, payload, expiration=None):
        if self.spoil is None:
            return super().platform_encode_and_sign(payload, expiration)
        now = int(time.time())
        told, header = self.spoil({**payload, "iat": now, "exp": now + expiration}, {"kid": self.get_kid()})
        algorithm = header.pop("alg", "RS256")
        key = {"none": None, "HS256": "a secret that is long enough for the library"}.get(algorithm)
        signed = self.get_platform_private_key() if algorithm.startswith("RS") else key
        return jwt.encode(told, signed, algorithm, headers=header)


class Independent:
    """The independent platform, and the tool of *world*, which it is registered with."""

    def __init__(self, world, platform):
        self.world, self.key = world, RSAKey.generate_key(2048, private=True)
        made = Signing()
        made.set_iss(ISSUER).set_client_id("tool").set_deployment_id("1")
        made.set_launch_url(f"{TOOL}/launch").set_deeplink_launch_url(f"{TOOL}/launch")
        made.set_oidc_login_url(f"{TOOL}/login").set_tool_key_set_url(f"{TOOL}/jwks")
        made.set_platform_public_key(self.key.as_pem(private=False).decode())
        made.set_platform_private_key(self.key.as_pem(private=True).decode())
        made.set_tool_key_set(world.browser.get(f"{PATH}/jwks").json())
        self.config, self.registration = Config(registration=made), made
        platform.says("/independent", {"keys": json.loads(json.dumps(made.get_jwks()))})
        changes = {"jwks": f"{platform.address}/independent", "authorization": f"{ISSUER}/auth"}
        world.add(platform.described("tool", issuer=ISSUER, **changes))

    def asked(self):
        """What the tool asks of the platform once somebody is on their way."""
        login = Login(None, self.config)
        login.set_lti_message_hint(hint="link 3")
        url = login.prepare_preflight_url("user 5")
        answer = self.world.browser.ask("GET", url.removeprefix("https://skills.example.org"))
        assert answer.status_code == 303, text_of(answer)
        return {name: one[0] for name, one in parse_qs(urlsplit(answer.headers["location"]).query).items()}

    def launch(self, role="Learner", prepare=lambda _: None, keep=lambda _: None):
        """The answer to a launch that the platform has made of what the tool asked."""
        made = Launch(SimpleNamespace(get_data=self.asked(), form_data={}), self.config)
        made.set_user_data("5", [ROLES + role], "Ann Learner", "ann@independent.example")
        made.set_resource_link_claim("3", title="Skills")
        made.set_extra_claims({"https://purl.imsglobal.org/spec/lti/claim/context": {"id": "2", "title": "Gowning"}})
        prepare(made)
        told = made.lti_launch()
        place = urlsplit(told.pop("launch_url")).path
        keep(told)
        return self.world.browser.ask("POST", place, data=told, headers=FOREIGN)


@pytest.fixture(scope="module")
def independent(tmp_path_factory):
    platform = Platform()
    world = World(tmp_path_factory.mktemp("independent"), platform)
    yield Independent(world, platform)
    world.close()
    platform.close()


def test_a_learner_is_launched(independent):
    answer = independent.launch()

    assert answer.headers["location"] == f"{PATH}/me"
    assert independent.world.browser.get(f"{PATH}/me").status_code == 200


def test_a_teacher_is_launched_with_roster_and_gradebook(independent):
    def prepare(made):
        made.set_nrps(f"{ISSUER}/members")
        made.set_ags(f"{ISSUER}/items", f"{ISSUER}/item/1")

    answer = independent.launch("Instructor", prepare)

    assert answer.headers["location"].startswith(f"{PATH}/courses/")


def _spoiled(changes):
    """What changes a message and its header: *changes* are claims, ``drop`` and ``header`` as in ``BAD``."""

    def spoil(payload, header):
        now = int(time.time())
        told = {name: now + one.seconds if isinstance(one, FromNow) else one for name, one in changes.items()}
        drop, heads = told.pop("drop", ()), told.pop("header", {})
        payload.pop("azp")  # this platform always says it
        kept = {name: one for name, one in {**payload, **told}.items() if name not in drop}
        return kept, {name: one for name, one in {**header, **heads}.items() if one is not None}

    return spoil


ALGORITHMS = {one: ({"header": {"alg": one}}, "token_algorithm") for one in ("none", "HS256", "RS384")}


@each_of("name", BAD | ALGORITHMS)
def test_each_bad_token_that_the_platform_signs_is_refused_with_its_reason(independent, name):
    changes, code = (BAD | ALGORITHMS)[name]
    independent.world.new_browser()
    independent.registration.spoil = _spoiled(changes)
    try:
        answer = independent.launch()
    finally:
        independent.registration.spoil = None

    assert answer.status_code in {400, 403}
    assert "Go back to your learning platform" in text_of(answer)
    assert independent.world.audit()[-1][1]["why"] == code
    assert independent.world.browser.get(f"{PATH}/me").status_code == 401


def test_a_launch_that_the_platform_signed_works_once(independent):
    sent = []
    independent.world.new_browser()

    first = independent.launch(keep=sent.append)
    again = independent.world.browser.ask("POST", f"{PATH}/launch", data=sent[0], headers=FOREIGN)

    assert (first.status_code, again.status_code) == (303, 403)
    assert "used already" in text_of(again)


def test_what_a_teacher_chose_is_believed_by_the_platform(independent):
    address = f"{ISSUER}/return"

    picker = independent.launch("Instructor", lambda made: made.set_dl(address, accept_types={"ltiResourceLink"}))
    (form,) = (one for one in forms_of(picker.text) if one["action"] == f"{PATH}/pick")
    chosen = {"picking": form["fields"]["picking"], "opens": "skills"}
    answer = independent.world.browser.ask("POST", f"{PATH}/pick", data=chosen)
    (sent,) = (one for one in forms_of(answer.text) if one["action"] == address)
    items = independent.config.validate_deeplinking_resp(sent["fields"])

    assert [(one["title"], one["url"]) for one in items] == [("My skills", f"{TOOL}/launch")]


def test_the_assertion_gets_a_token_and_one_that_was_changed_none(independent):
    access = services.access_to(independent.world.tenant, independent.world.platform.described(), [WRITE_SCORE])
    asked = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": access.assertion,
        "scope": access.scopes,
    }

    token = independent.config.get_access_token(asked)
    head, _, signature = access.assertion.split(".")
    forged = f"{head}.e30.{signature}"

    assert (token["scope"], token["expires_in"]) == (WRITE_SCORE, 3600)
    with pytest.raises(InvalidSignatureError):
        independent.config.get_access_token(asked | {"client_assertion": forged})


def test_a_key_that_was_rotated_is_believed_at_once_for_it_was_published_before(independent):
    known = independent.world.browser.get(f"{PATH}/jwks").json()
    tool_keys.rotate(independent.world.tenant, by="test")
    access = services.access_to(independent.world.tenant, independent.world.platform.described(), [WRITE_SCORE])
    independent.config.get_registration().set_tool_key_set(known)

    claims = independent.config.tool_validate_and_decode(access.assertion)

    assert claims["iss"] == claims["sub"] == "tool"
