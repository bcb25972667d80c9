"""Registered by hand at an independent platform, ``lti1p3platform``, by what the page shows alone: launch to grade.

The platform has two deployments under one client id, as Canvas and Blackboard have.
"""

import html
import json
import re
from io import BytesIO
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

from joserfc.jwk import RSAKey
from lti1p3platform.registration import Registration

from adapters.lms.importing import import_course
from adapters.lms.lti import enrolments, rosters
from lrs.composition.steps import drain
from tests.adapters.lms.launched import Content
from tests.adapters.lms.lti.platform import FOREIGN, Platform, World
from tests.adapters.lms.made import structure, unit
from tests.interop.test_lti_platform import ROLES, Config, Launch, Login
from tests.pages.conftest import forms_of, text_of

ISSUER, CLIENT = "https://campus.example", "100000000000042"
CONTEXT = "https://purl.imsglobal.org/spec/lti/claim/context"
CUSTOM = "https://purl.imsglobal.org/spec/lti/claim/custom"


def shown(page):
    """The names and values that the page of a registration by hand says to enter in the platform."""
    pairs = re.findall(r"<h3>(.*?)</h3>\s*<p class=\"copy\"><code id=\"value-\d\">(.*?)</code>", page.text, re.DOTALL)
    return {html.unescape(name): html.unescape(value) for name, value in pairs}


class Campus:
    """The independent platform, set up with the values of the page."""

    def __init__(self, world, values):
        self.world, self.key = world, RSAKey.generate_key(2048, private=True)
        self.custom = dict(line.split("=", 1) for line in values["Custom parameters"].splitlines())
        named = {word: value for name, value in values.items() for word in name.split(", ")}
        self.path = lambda address: address.removeprefix("https://skills.example.org")
        self.made = made = Registration()
        made.set_iss(ISSUER).set_client_id(CLIENT)
        made.set_launch_url(named["Tool URL"]).set_deeplink_launch_url(named["Tool URL"])
        made.set_oidc_login_url(named["Initiate login URL"]).set_tool_key_set_url(named["Public keyset URL"])
        made.set_platform_public_key(self.key.as_pem(private=False).decode())
        made.set_platform_private_key(self.key.as_pem(private=True).decode())
        made.set_tool_key_set(world.browser.get(self.path(named["JWKS URL"])).json())
        self.config = Config(registration=made)
        world.platform.says("/campus", {"keys": json.loads(json.dumps(made.get_jwks()))})

    def launch(self, deployment, sub, role, opens):
        self.made.set_deployment_id(deployment)
        login = Login(None, self.config)
        login.set_lti_message_hint(hint="link")
        self.world.new_browser()
        answer = self.world.browser.ask("GET", self.path(login.prepare_preflight_url(sub)))
        assert answer.status_code == 303, text_of(answer)
        asked = {name: one[0] for name, one in parse_qs(urlsplit(answer.headers["location"]).query).items()}
        made = Launch(SimpleNamespace(get_data=asked, form_data={}), self.config)
        made.set_user_data(sub, [ROLES + role], f"Name {sub}", f"{sub}@campus.example")
        made.set_resource_link_claim(f"link of {deployment}", title="Gowning")
        made.set_nrps(f"{self.world.platform.address}/{deployment}/members")
        services = f"{self.world.platform.address}/{deployment}"
        made.set_ags(f"{services}/items", f"{services}/item")
        custom = {"engraft_opens": opens} | self.custom  # as Moodle does: those of the tool over those of the link
        made.set_extra_claims({CONTEXT: {"id": "2", "title": "Gowning"}, CUSTOM: custom})
        told = made.lti_launch()
        return self.world.browser.ask("POST", self.path(told.pop("launch_url")), data=told, headers=FOREIGN)


def passed(world, launched):
    """What a learner does: opens the part, and its content says that it was passed."""
    page = world.browser.get(launched.headers["location"])
    (form,) = (one for one in forms_of(page.text) if "/learn/" in (one["action"] or ""))
    opened = world.browser.ask("POST", form["action"], data=form["fields"])
    client = SimpleNamespace(request=world.browser.ask, post=lambda address: world.browser.ask("POST", address))
    content = Content(client, {"url": opened.headers["location"]}).start()
    assert content.put(content.scored("passed", 0.9, 0.8)).status_code == 204
    drain(world.tenant, (enrolments.STEP, "deliver"))


def test_two_deployments_of_a_platform_that_was_registered_by_hand_have_launch_roster_and_grade(tmp_path):
    platform = Platform()
    world = World(tmp_path, platform)
    text = structure(unit(url="https://content.example/", moveOn="Passed", masteryScore="0.8"))
    opens = f"course:{import_course(world.tenant, BytesIO(text), 'cmi5.xml', 'test').course.id}"
    platform.says("/token", {"access_token": "a-token", "token_type": "Bearer", "expires_in": 3600})
    for deployment in ("north", "south"):
        members = [{"user_id": sub, "status": "Active", "roles": ["Learner"]} for sub in (f"{deployment}-5", "both")]
        platform.says(f"/{deployment}/members", {"id": "x", "context": {"id": "2"}, "members": members})
        platform.says(f"/{deployment}/item/scores", {})
    staff = world.staff()
    page = staff.get("/staff/lms/new?product=moodle&site=https://campus.example")

    campus = Campus(world, shown(page))
    addresses = {"token": f"{platform.address}/token", "jwks": f"{platform.address}/campus"}
    given = {"name": "Campus", "issuer": ISSUER, "client_id": CLIENT, "deployments": "north", **addresses}
    (form,) = (one for one in forms_of(page.text) if "client_id" in one["fields"])
    made = staff.ask("POST", form["action"], data=form["fields"] | given)
    assert made.status_code == 303, text_of(made)
    place = made.headers["location"].partition("?")[0]
    first = campus.launch("north", "north-5", "Learner", opens)
    passed(world, first)
    waits = campus.launch("south", "south-5", "Learner", opens)
    asked = staff.get(place)
    staff.send(asked, f"{place}/deployments", deployment="south")
    second = campus.launch("south", "south-5", "Learner", opens)
    passed(world, second)
    courses = {}
    for deployment in ("north", "south"):
        location = campus.launch(deployment, f"teacher of {deployment}", "Instructor", opens).headers["location"]
        drain(world.tenant, (rosters.STEP,))
        courses[deployment] = location, text_of(world.browser.get(location))

    assert (waits.status_code, second.status_code) == (403, 303)
    assert "waits until an administrator accepts it under Learning platforms" in text_of(waits)
    assert "This deployment has opened something, and waits: south" in text_of(asked)
    assert courses["north"][0] != courses["south"][0]
    for deployment, other in (("north", "south"), ("south", "north")):
        roster = courses[deployment][1]
        assert f"Name {deployment}-5" in roster
        assert f"Name {other}-5" not in roster
        assert "Gowning: 90 of 100, sent" in roster
        (score,) = (json.loads(one[3]) for one in platform.asked if one[1] == f"/{deployment}/item/scores")
        assert (score["userId"], score["scoreGiven"]) == (f"{deployment}-5", 90.0)
    world.close()
    platform.close()
