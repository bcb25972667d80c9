"""A real Moodle: registration, deep link, launch, roster, grades; its log store, and its learning plans.

``LRS_TEST_MOODLE`` names the folder of a Moodle 4.5 that is installed (``php admin/cli/install.php``) with the address
``http://127.0.0.1:PORT``; PHP's own server is started for it. Where the plugins ``logstore_xapi`` and
``tool_lptmanager`` are in it, they are tried, too. It is changed: a course, users and a tool are added with each run.
Run it with ``-n 0``; it takes a minute or two. What it showed stands in DECISIONS.md, 149.
"""

from __future__ import annotations

import http.server
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import threading
import uuid
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from adapters.lms.lti import manual, platforms_view, results, tool_keys
from lrs.access.keys import create_key
from lrs.access.switches import put_switches
from lrs.kernel.settings import Settings
from lrs.storage import each
from lrs.tenancy.tenants import open_tenant
from tests.adapters.lms.made import structure, unit
from tests.interop.moodle.browsing import Person
from tests.pages.conftest import forms_of
from tests.programs import children, programs, until

FOLDER, PHP = os.environ.get("LRS_TEST_MOODLE", ""), shutil.which("php")
pytestmark = [
    pytest.mark.skipif(not FOLDER or PHP is None, reason="no Moodle: LRS_TEST_MOODLE names none, or there is no PHP"),
    pytest.mark.timeout(900),
]
SITE = Path(__file__).parent / "moodle" / "site.php"
PASSWORD = "Interop-1-pass"
FRAMEWORK = "https://standards.example/"
CMI5, MOVEON = (f"https://w3id.org/xapi/cmi5/context/categories/{one}" for one in ("cmi5", "moveon"))


class Moodle:
    """The Moodle, its server, and what this run added to it."""

    def __init__(self):
        self.run, self.people = f"r{secrets.token_hex(3)}", []
        self.__dict__ |= self.php("prepare", run=self.run, password=PASSWORD)

    def php(self, command, **given):
        done = subprocess.run(
            [PHP, "-d", "memory_limit=1500M", str(SITE), FOLDER, command, json.dumps(given)],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout.strip().splitlines()[-1])

    def task(self, name):
        """What a task of its cron prints."""
        words = [PHP, f"{FOLDER}/admin/cli/scheduled_task.php", f"--execute=\\{name}"]
        return subprocess.run(words, capture_output=True, text=True, timeout=300, check=False).stdout

    def person(self, name):
        self.people.append(Person(self.address, name, PASSWORD))
        return self.people[-1]

    def points(self):
        """The points in the gradebook of its course; a column may have none."""
        return [one for one in self.php("grades", course=self.course) if one[2] is not None]

    def newest_tool(self, person):
        """The tool that was registered last, as Manage tools shows it."""
        return max(self.ajax(person, "mod_lti_get_tool_types"), key=lambda one: one["id"])

    def ajax(self, person, method, **args):
        asked = [{"index": 0, "methodname": method, "args": args}]
        service = f"{self.address}/lib/ajax/service.php"
        answer = person.client.post(service, params={"sesskey": person.key, "info": method}, json=asked).json()
        assert answer[0]["error"] is False, answer
        return answer[0]["data"]


@pytest.fixture(scope="module", params=["by invitation", "by hand"])
def moodle(request):
    made = Moodle()
    made.by_hand = request.param == "by hand"
    place = urlsplit(made.address)
    words = [PHP, "-d", "memory_limit=1500M", "-S", f"{place.hostname}:{place.port}", "-t", FOLDER]
    server = subprocess.Popen(
        words, env=os.environ | {"PHP_CLI_SERVER_WORKERS": "4"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until(lambda: _answers(made.address), "Moodle")
        yield made
    finally:
        for person in made.people:
            person.close()
        workers = children(server.pid)  # that server does not end what it started
        for pid in (server.pid, *workers):
            os.kill(pid, signal.SIGTERM)
        server.wait(30)


def _answers(address):
    try:
        return httpx.get(f"{address}/login/index.php", timeout=60, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


class Engraft:
    """This server with its worker, and its store."""

    def __init__(self, address, data):
        self.address, self.root, self.data = address, f"{address}/t/default/lti", data

    @contextmanager
    def tenant(self):
        """Its store, beside the server."""
        settings = Settings(data=self.data, public_url=self.address, outbound_allow=("127.0.0.0/8",))
        made = open_tenant(settings)
        with closing(made.store):
            yield made

    def lrs(self, held, *words):
        done = held.start(*words)
        told, _ = done.communicate(timeout=120)
        assert done.returncode == 0, (words, told, held.log())
        return told


@pytest.fixture(scope="module")
def engraft(tmp_path_factory):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"http://localhost:{port}"
    folder = tmp_path_factory.mktemp("engraft")
    settings = {"public_url": address, "outbound_allow": '["127.0.0.0/8"]', "content_url": "http://content.localhost"}
    with programs(folder, **settings) as held:
        server = held.start("serve", "--port", str(port))
        until(lambda: _up(address) or server.poll() is not None, "the server")
        made = Engraft(address, held.data)
        made.command = lambda *words: made.lrs(held, *words)
        yield made


def _up(address):
    try:
        return httpx.get(f"{address}/health", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture(scope="module")
def joined(moodle, engraft, tmp_path_factory):
    """Both, after the tool is registered and approved on both sides, and a course is imported here."""
    file = tmp_path_factory.mktemp("course") / "cmi5.xml"
    file.write_bytes(structure(unit(url="https://content.example/au.html"), id="https://publisher.example/gowning"))
    engraft.command("courses", "import", str(file))
    (_by_hand if moodle.by_hand else _by_invitation)(moodle, engraft, moodle.person(moodle.admin))
    return moodle, engraft


def _by_invitation(moodle, engraft, admin):
    invite = json.loads(engraft.command("lms", "invite", "Moodle", "--json"))["address"]
    admin.get(f"{moodle.address}/mod/lti/startltiadvregistration.php", url=invite, type=0, sesskey=admin.key)
    registered = admin.submit(0, who="names")
    assert "is registered, and waits until an administrator of Engraft approves it" in registered.text
    engraft.command("lms", "approve", "Moodle")
    moodle.type = moodle.newest_tool(admin)["id"]
    moodle.ajax(admin, "mod_lti_update_tool_type", id=moodle.type, name="Skills", description="", state=1)


def _by_hand(moodle, engraft, admin):
    """What the page of a registration by hand says, entered in Moodle's form; then what Moodle shows, entered here."""
    values = dict(manual.our_values(engraft.root))
    told = {word: value for names, value in values.items() for word in names.split(", ")}
    chosen = {
        "lti_typename": "Skills by hand",
        "lti_toolurl": told["Tool URL"],
        "lti_ltiversion": "1.3.0",
        "lti_keytype": "JWK_KEYSET",
        "lti_publickeyset": told["Public keyset URL"],
        "lti_initiatelogin": told["Initiate login URL"],
        "lti_redirectionuris": told["redirect URI"],
        "lti_customparameters": told["Custom parameters"],
        "lti_coursevisible": "2",  # Show in activity chooser and as a preconfigured tool
        "lti_contentitem": "1",  # Supports Deep Linking
        "ltiservice_gradesynchronization": "2",  # Use this service for grade sync and column management
        "ltiservice_memberships": "1",  # Use this service to retrieve members' information
        "lti_sendname": "1",
        "lti_sendemailaddr": "1",
        "lti_acceptgrades": "1",
    }
    page = admin.get(f"{moodle.address}/mod/lti/typessettings.php", action="add", sesskey=admin.key)
    number = next(at for at, form in enumerate(forms_of(page.text)) if "lti_typename" in form["fields"])
    admin.submit(number, ("cancel", "lti_forcessl"), **chosen)
    tool = moodle.newest_tool(admin)
    assert tool["name"] == "Skills by hand"
    moodle.type, shown = tool["id"], {"name": "Moodle by hand", "product": "moodle", "issuer": tool["platformid"]}
    shown |= {
        "client_id": tool["clientid"],
        "deployments": str(tool["deploymentid"]),
        "jwks": tool["urls"]["publickeyset"],
    }
    shown |= {"authorization": tool["urls"]["authrequest"], "token": tool["urls"]["accesstoken"]}
    proposed = platforms_view.proposed(manual.product("moodle"), moodle.address)
    assert {name: shown[name] for name in manual.ADDRESSES} == {name: proposed[name] for name in manual.ADDRESSES}
    with engraft.tenant() as tenant:
        tool_keys.ensure(tenant)  # as the page does
        manual.register(tenant, shown, "approved", by="test")


@pytest.fixture(scope="module")
def links(joined):
    """The ids of two activities that a teacher chose in the picker: a learner's skills, and the course."""
    moodle, _ = joined
    teacher = moodle.person(f"teacher{moodle.run}")
    place = f"{moodle.address}/mod/lti/contentitem.php"
    picker = teacher.come(place, id=moodle.type, course=moodle.course, title="", text="")
    opens = re.findall(r'name="opens" value="([^"]+)"', picker.text)
    assert opens == ["skills", "badges", "code", "course:1"]
    teacher.submit(0, opens=["skills", "course:1"])
    returned = teacher.submit()
    told = re.search(r'amd\.init\((\{"multiple".*?\]\})\)', returned.text)
    items = json.loads(told[1])["multiple"]
    assert [one["name"] for one in items] == ["My skills", "Course"]
    return moodle.php("add", course=moodle.course, type=moodle.type, items=items)


def launch(moodle, who, activity):
    person = moodle.person(f"{who}{moodle.run}")
    person.come(f"{moodle.address}/mod/lti/launch.php", id=activity)
    return person


def test_a_learner_sees_their_skills_and_a_teacher_the_roster(joined, links):
    moodle, _ = joined

    learner, teacher = launch(moodle, "learner", links[0]), launch(moodle, "teacher", links[1])

    assert "No skill is held at present" in learner.page.text
    assert "learner Interop" in launch(moodle, "teacher", links[1]).page.text
    until(lambda: "The roster was last read on" in teacher.get(str(teacher.page.url)).text, "the roster")


def test_a_unit_that_is_passed_becomes_a_grade_in_the_gradebook(joined, links):
    moodle, _ = joined
    learner = launch(moodle, "learner", links[1])
    begun = learner.submit()
    told = {name: values[0] for name, values in parse_qs(urlsplit(begun.headers["location"]).query).items()}

    content = Unit(told)
    answers = content.passed(0.8)
    content.client.close()
    until(moodle.points, "the grade")

    assert answers == [200, 200, 200, 200]
    assert moodle.points() == [["Course", moodle.learner, 80.0]]


class Unit:
    """Content that was launched with these parameters."""

    def __init__(self, told):
        self.told = told
        token = httpx.post(told["fetch"], trust_env=False).json()["auth-token"]
        headers = {"Authorization": f"Basic {token}", "X-Experience-API-Version": "1.0.3"}
        self.client = httpx.Client(headers=headers, trust_env=False, timeout=60)
        about = {"agent": told["actor"], "activityId": told["activityId"], "registration": told["registration"]}
        launched = {"stateId": "LMS.LaunchData", **about}
        self.context = self.client.get(f"{told['endpoint']}/activities/state", params=launched).json()
        asked = {"profileId": "cmi5LearnerPreferences", "agent": told["actor"]}
        self.client.get(f"{told['endpoint']}/agents/profile", params=asked)

    def passed(self, score):
        finished = {"success": True, "score": {"scaled": score}, "duration": "PT1S"}
        return [
            self._say("initialized", [CMI5]),
            self._say("completed", [CMI5, MOVEON], completion=True, duration="PT1S"),
            self._say("passed", [CMI5, MOVEON], **finished),
            self._say("terminated", [CMI5], duration="PT2S"),
        ]

    def _say(self, verb, categories, **result):
        context = json.loads(json.dumps(self.context["contextTemplate"]))
        context["registration"] = self.told["registration"]
        context.setdefault("contextActivities", {})["category"] = [{"id": one} for one in categories]
        said = {
            "id": str(uuid.uuid4()),
            "actor": json.loads(self.told["actor"]),
            "verb": {"id": f"http://adlnet.gov/expapi/verbs/{verb}"},
            "object": {"id": self.told["activityId"]},
            "context": context,
            "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        }
        said |= {"result": result} if result else {}
        return self.client.post(f"{self.told['endpoint']}/statements", json=said).status_code


@contextmanager
def losing(address):
    """A proxy of *address* that passes each request on, and then closes the connection without an answer."""

    class Losing(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            wanted = {"authorization", "content-type", "x-experience-api-version"}
            headers = {name: value for name, value in self.headers.items() if name.lower() in wanted}
            answers.append(httpx.post(address + self.path, content=body, headers=headers, trust_env=False).status_code)
            self.connection.close()

        def log_message(self, *_):
            pass

    answers = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Losing)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", answers
    finally:
        server.shutdown()
        server.server_close()


def test_what_the_log_store_sends_again_after_a_lost_answer_is_stored_once(joined):
    moodle, engraft = joined
    if "xapi" not in moodle.plugins:
        pytest.skip("this Moodle has no plugin logstore_xapi")
    with engraft.tenant() as tenant:
        key = create_key(tenant, "moodle", ["statements/write"])
        tenant.store.write(lambda tx: put_switches(tx, "moodle", ["deduplicate"], "test")).result()
    sends = {"username": key.key, "password": key.secret}
    moodle.php("logstore", endpoint=f"{engraft.address}/xapi", **sends)
    moodle.person(f"learner{moodle.run}").get(f"{moodle.address}/course/view.php", id=moodle.course)
    moodle.task("logstore_xapi\\task\\emit_task")
    delivered = _of_moodle(engraft)

    with losing(engraft.address) as (address, answers):
        moodle.php("logstore", endpoint=f"{address}/xapi", **sends)
        moodle.person(f"learner{moodle.run}").get(f"{moodle.address}/course/view.php", id=moodle.course)
        moodle.task("logstore_xapi\\task\\emit_task")
    stored = _of_moodle(engraft)
    moodle.php("logstore", endpoint=f"{engraft.address}/xapi", **sends)
    failed, _ = moodle.php("failed")
    for task in ("emit", "failed"):
        moodle.task(f"logstore_xapi\\task\\{task}_task")

    assert delivered
    assert answers[:1] == [200]
    assert failed >= 2
    assert len(stored) >= len(delivered) + failed
    assert moodle.php("failed") == [0, True]
    assert _of_moodle(engraft) == stored


def _of_moodle(engraft):
    """The ids of the statements that the log store sent."""
    with engraft.tenant() as tenant:
        return {one.id for one in each(tenant.store, "statement") if one.meta["source"] == "moodle"}


def test_a_competency_that_is_held_here_is_graded_in_the_learning_plan(joined, links, tmp_path):
    moodle, engraft = joined
    if "lptmanager" not in moodle.plugins:
        pytest.skip("this Moodle has no plugin tool_lptmanager")
    framework, code = FRAMEWORK + moodle.run, "GOWN"
    launch(moodle, "learner", links[0])
    _held(engraft, framework, tmp_path)
    told = json.loads(engraft.command("lms", "results", "Moodle", "--framework", framework, "--json"))
    polls = {"lrs_endpoint": f"{engraft.address}/xapi", "lrs_api_key": told["key"], "lrs_api_secret": told["secret"]}
    about = {"run": moodle.run, "framework": framework, "code": code, "learner": moodle.learner}
    moodle.php("learning_plan", **about, **polls)
    until(lambda: _asserted(engraft), "the statement")

    first, again = (moodle.task("tool_lptmanager\\task\\sync_lrs_competencies") for _ in range(2))

    assert f"Graded competency {code} in plan" in first
    assert "Processed 1 asserted" in first
    assert "Processed 0 asserted" in again
    assert moodle.php("graded", learner=moodle.learner) == [True]


def _held(engraft, framework, folder):
    """Has the learner's result in the imported course prove a competency of *framework*."""
    head = "domain,domain code,capability,capability code,statement,statement code,tier\n"
    (folder / "framework.csv").write_text(head + "Clean,D1,Gowning,GOWN,Gowns without touching the outside,GOWN-1,1\n")
    engraft.command("framework", "import", str(folder / "framework.csv"), "--id", framework, "--title", "GMP")
    engraft.command("framework", "publish", framework)
    with engraft.tenant() as tenant:
        passed = [json.loads(one.body) for one in each(tenant.store, "statement") if b"verbs/passed" in one.body]
    activity = passed[0]["object"]["id"]
    head = "activity,verb,competency,level,threshold,valid for,trusted source\n"
    (folder / "rules.csv").write_text(f"{head}{activity},passed,GOWN,1,70,,engraft courses\n")
    engraft.command("rules", "apply", str(folder / "rules.csv"))


def _asserted(engraft):
    with engraft.tenant() as tenant:
        sources = {one.meta["source"] for one in each(tenant.store, "statement")}
        return any(one.startswith(results.RESULTS_SOURCE) for one in sources)
