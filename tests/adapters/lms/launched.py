"""A learner's content as a client: launched by a platform, it fetches its token and sends what cmi5 lets it send."""

import copy
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from tests.adapters.lms.made import package
from tests.served import new_id

API = "/t/default/cmi5/api/v1"
VERBS = "http://adlnet.gov/expapi/verbs/"
CMI5 = "https://w3id.org/xapi/cmi5/context/categories/cmi5"
MOVE_ON = "https://w3id.org/xapi/cmi5/context/categories/moveon"
EXTENSIONS = "https://w3id.org/xapi/cmi5/context/extensions/"
MASTERY = f"{EXTENSIONS}masteryscore"
VERSION = {"X-Experience-API-Version": "1.0.3"}
RESULTS = {
    "completed": {"completion": True, "duration": "PT1S"},
    "passed": {"success": True, "duration": "PT1S"},
    "failed": {"success": False, "duration": "PT1S"},
    "terminated": {"duration": "PT2M"},
}


def learner(name=None):
    return {"objectType": "Agent", "account": {"homePage": "https://lms.example", "name": name or new_id()}}


class PlatformClient:
    """A platform as a client of the routes of CATAPULT's player."""

    def __init__(self, lrs, code="platform"):
        self.lrs, self.client = lrs, lrs.clients[0]
        self.key = lrs.as_key("courses", name=code)
        self.id = self.with_key("POST", "tenant", json={"code": code}).json()["id"]
        given = self.with_key("POST", "auth", json={"tenantId": self.id, "audience": "tests"})
        self.headers = {"Authorization": f"Bearer {given.json()['token']}"}

    def with_key(self, method, path, **more):
        answer = self.client.request(method, f"{self.lrs.address}{API}/{path}", auth=self.key.auth, **more)
        assert answer.status_code < 300, answer.text
        return answer

    def ask(self, method, path, **more):
        headers = {**self.headers, **more.pop("headers", {})}
        return self.client.request(method, f"{self.lrs.address}{API}/{path}", headers=headers, **more)

    def bring(self, text, **files):
        """Imports a package with this structure; its course."""
        content = package(text, files)
        answer = self.ask("POST", "course", content=content, headers={"Content-Type": "application/zip"})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def launch(self, course, index=0, actor=None, **asked):
        """Launches a unit; its content."""
        answer = self.ask("POST", f"course/{course}/launch-url/{index}", json={"actor": actor or learner(), **asked})
        assert answer.status_code == 200, answer.text
        return Content(self.client, answer.json())


@dataclass
class Content:
    """What was launched; ``start`` does what cmi5 wants at the start."""

    client: object
    launched: dict
    auth: str = ""
    data: dict = field(default_factory=dict)

    def __post_init__(self):
        self.url = self.launched["url"]
        told = {name: values[0] for name, values in parse_qs(urlsplit(self.url).query).items()}
        self.told, self.endpoint, self.registration = told, told["endpoint"], told["registration"]
        self.actor, self.activity = json.loads(told["actor"]), told["activityId"]

    def fetch(self):
        answer = self.client.post(self.told["fetch"]).json()
        self.auth = f"Basic {answer['auth-token']}" if "auth-token" in answer else self.auth
        return answer

    def ask(self, method, resource, *, headers=None, **more):
        sent = {**VERSION, "Authorization": self.auth, **(headers or {})}
        return self.client.request(method, f"{self.endpoint}/{resource}", headers=sent, **more)

    def state(self, method, document, **more):
        params = {
            "agent": json.dumps(self.actor),
            "activityId": self.activity,
            "registration": self.registration,
            **({"stateId": document} if document else {}),
        }
        return self.ask(method, "activities/state", params=params | more.pop("params", {}), **more)

    def preferences(self, method, **more):
        params = {"agent": json.dumps(self.actor), "profileId": "cmi5LearnerPreferences"}
        return self.ask(method, "agents/profile", params=params | more.pop("params", {}), **more)

    def read_launch_data(self):
        self.data = self.state("GET", "LMS.LaunchData").json()

    def start(self, *, initialize=True):
        self.fetch()
        self.preferences("GET")
        self.read_launch_data()
        if initialize:
            assert self.send("initialized").status_code == 204
        return self

    @property
    def session(self):
        return self.data["contextTemplate"]["extensions"][f"{EXTENSIONS}sessionid"]

    def statement(self, verb, *, defined=True, **parts):
        """A statement of this content; *defined* by cmi5, with all that it must have."""
        context = copy.deepcopy(self.data["contextTemplate"])
        categories = [CMI5, *([MOVE_ON] if verb in {"completed", "passed", "failed"} else [])] if defined else []
        context["registration"] = self.registration
        if categories:
            context["contextActivities"]["category"] = [{"id": one} for one in categories]
        result = {"result": copy.deepcopy(RESULTS[verb])} if defined and verb in RESULTS else {}
        return {
            "id": new_id(),
            "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "actor": self.actor,
            "verb": {"id": VERBS + verb},
            "object": {"id": self.activity},
            "context": context,
            **result,
            **parts,
        }

    def put(self, statement, **more):
        headers = {"Content-Type": "application/json"}
        params = {"statementId": statement["id"]}
        return self.ask("PUT", "statements", params=params, content=json.dumps(statement), headers=headers, **more)

    def post(self, statements):
        headers = {"Content-Type": "application/json"}
        return self.ask("POST", "statements", content=json.dumps(statements), headers=headers)

    def send(self, verb, **how):
        return self.put(self.statement(verb, **how))

    def scored(self, verb, scaled, mastery):
        """A statement with a score."""
        told = self.statement(verb)
        told["result"]["score"] = {"scaled": scaled}
        told["context"]["extensions"][MASTERY] = mastery
        return told


def verbs_of(lrs, registration):
    """The last words of the verbs of all statements of a registration, in their order."""
    found = lrs.get(registration=registration, ascending="true", limit="100").json()["statements"]
    return [one["verb"]["id"].rpartition("/")[2] for one in found]


def statements_of(lrs, registration):
    return lrs.get(registration=registration, ascending="true", limit="100").json()["statements"]
