"""A launch inside a frame of another site, as learners and teachers see it. Made for ``make browser``.

The platform is at 127.0.0.1 and the tool at localhost, which are two sites to a browser. With ``LRS_TEST_PICTURES`` set
to a folder, pictures of each page are put there, to be looked at.
"""

import base64
import html
import os
from contextlib import closing
from io import BytesIO
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from adapters.lms.importing import import_course
from adapters.lms.lti import platforms, tool_keys
from lrs.access.sessions import list_sessions
from lrs.competency.rules import rulesets
from lrs.competency.rules.rules import Ruleset
from tests.adapters.lms.lti.platform import CLAIM, MEMBERSHIP, Platform, learner
from tests.adapters.lms.made import structure, unit
from tests.browser.chromium import Chromium, found
from tests.served import serving
from tests.web.site import COMPETENCY, RULE

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(found() is None, reason="there is no Chromium here: no launch was looked at"),
    pytest.mark.timeout(600),
]
WIDTHS = (390, 768, 1280)
DEEP = "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings"
COURSE = """<!doctype html><title>Course</title><meta name="viewport" content="width=device-width">
<style>body{{margin:0}}iframe{{width:100%;height:100vh;border:0}}</style>
<script>
const kept = {{}};
addEventListener("message", (event) => {{
  const {{ subject, key, value, message_id }} = event.data;
  if (subject === "lti.put_data") kept[key] = value;
  console.log(subject);
  event.source.postMessage({{ subject: subject + ".response", message_id, key, value: kept[key] }}, event.origin);
}});
</script>
<iframe src="{src}"></iframe>"""
SIGN_IN = """<!doctype html><title>Platform</title><form method="post" action="{action}">
<input name="state" value="{state}"><input name="id_token" value="{token}"></form>
<script>document.forms[0].submit()</script>"""


class Course:
    """A page of the platform that shows the tool in a frame; *claims* are those of the next launch."""

    def __init__(self, lrs):
        self.lrs, self.platform, self.claims = lrs, Platform(), {}
        self.tool = f"http://localhost:{urlsplit(lrs.address).port}/t/default/lti"
        self.loses_cookies = False
        issuer = self.platform.address
        made = self.platform.described(issuer=issuer, authorization=f"{issuer}/auth", jwks=f"{issuer}/jwks")
        lrs.tenant.store.write(lambda tx: platforms.add(tx, made, "test")).result()
        tool_keys.ensure(lrs.tenant)
        self.platform.answers["/auth"] = self._signed_in

    def page(self, **given):
        """The address of the page, whose frame begins a launch."""
        asked = {"iss": self.platform.address, "login_hint": "5", "target_link_uri": f"{self.tool}/launch"} | given
        src = html.escape(f"{self.tool}/login?{urlencode(asked)}")
        self._says("/course", COURSE.format(src=src))
        return f"{self.platform.address}/course"

    def _signed_in(self, path):
        asked = {name: one[0] for name, one in parse_qs(urlsplit(path).query).items()}
        claims = learner(asked["nonce"]) | {"iss": self.platform.address} | self.claims
        token = self._token({name: one for name, one in claims.items() if one is not None})
        # The same server by another name, for which the browser has no cookie.
        action = asked["redirect_uri"].replace("localhost", "127.0.0.1" if self.loses_cookies else "localhost")
        body = SIGN_IN.format(action=action, state=asked["state"], token=token)
        return 200, {"content-type": "text/html"}, body.encode()

    def _token(self, claims):
        from joserfc import jwt  # noqa: PLC0415 (beside its one use)

        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.platform.key)

    def _says(self, path, body):
        self.platform.answers[path] = (200, {"content-type": "text/html"}, body.encode())

    @property
    def subjects(self):
        """Who is here by a launch."""
        store, now = self.lrs.tenant.store, self.lrs.tenant.clock()
        return [one.subject.partition(" ")[0] for one in list_sessions(store, now) if one.subject.startswith("lti-")]


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("lti"), outbound_allow=("127.0.0.0/8",)) as lrs:
        store = lrs.tenant.store
        store.write(lambda tx: rulesets.put(tx, Ruleset(1, (RULE,), (COMPETENCY,)), "test")).result()
        text = structure(unit(url="https://content.example/one", title="Putting on a gown"), title="Gowning")
        lrs.course = import_course(lrs.tenant, BytesIO(text), "cmi5.xml", "test").course
        made = Course(lrs)
        yield made
        made.platform.close()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with closing(Chromium(found(), tmp_path_factory.mktemp("chromium"))) as made:
        yield made


def pictures(browser, name):
    """A picture at each width, if a folder for them is named."""
    folder = os.environ.get("LRS_TEST_PICTURES")
    for width in WIDTHS if folder else ():
        browser.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 400
        )
        picture = browser.call("Page.captureScreenshot", format="png")["data"]
        (Path(folder) / f"lti-{name}-{width}.png").write_bytes(base64.b64decode(picture))


def show(browser, course, place, name, claims=None, **given):
    """Shows the platform's page, waits for what the frame shows at *place*, and takes pictures."""
    course.claims = claims or {}
    browser.forget()
    browser.open(course.page(**given))
    assert browser.await_answer(course.tool + place) == 200
    pictures(browser, name)


def test_a_learner_sees_their_skills_in_a_frame_of_another_site(browser, course):
    before = course.subjects.count("lti-learner")

    show(browser, course, "/me", "skills")

    assert course.subjects.count("lti-learner") == before + 1


@pytest.fixture
def without_cookies(course):
    course.loses_cookies = True
    yield course.lrs.address + "/t/default/lti"
    course.loses_cookies = False


def test_where_the_browser_keeps_no_cookie_the_platform_gives_back_what_it_kept(browser, course, without_cookies):
    before = course.subjects.count("lti-learner")
    course.claims = {}
    browser.forget()

    browser.open(course.page(lti_storage_target="_parent"))
    status = browser.await_answer(f"{without_cookies}/me")

    assert status == 200
    assert [one for one in browser.said if one.startswith("lti.")] == ["lti.put_data", "lti.get_data"]
    assert course.subjects.count("lti-learner") == before + 1


def test_where_nothing_was_kept_a_window_is_offered_and_nobody_is_signed_in(browser, course, without_cookies):
    before = len(course.subjects)
    course.claims = {}
    browser.forget()

    browser.open(course.page())
    status = browser.await_answer(f"{without_cookies}/launch")
    pictures(browser, "window")

    assert status == 403
    assert len(course.subjects) == before


def test_a_teacher_sees_the_course_and_chooses_what_a_link_opens(browser, course):
    teacher = {CLAIM + "roles": [MEMBERSHIP + "Instructor"], "sub": "9", "name": "Tess Teacher", "email": ""}
    show(browser, course, "/courses/", "course", teacher)
    told = {"deep_link_return_url": f"{course.platform.address}/return", "accept_types": ["ltiResourceLink"]}
    asks = {CLAIM + "message_type": "LtiDeepLinkingRequest", DEEP: told | {"accept_multiple": True}}

    show(browser, course, "/launch", "picker", teacher | asks)

    assert "lti-teacher" in course.subjects


def test_a_course_opens_in_the_frame(browser, course):
    custom = {CLAIM + "custom": {"engraft_opens": f"course:{course.lrs.course.id}"}}

    show(browser, course, "/learn/", "learn", custom | {CLAIM + "resource_link": {"id": "7", "title": "Gowning"}})

    assert "lti-learner" in course.subjects
