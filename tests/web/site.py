"""A server full of scripts: in documents, statements, names and badges. And who may ask it for each address."""

import json
import re

import msgspec

from adapters.catalogue import offerings
from adapters.catalogue.offerings import Offering
from adapters.lms.sessions.acts import enrol_in
from adapters.lms.sessions.place import LmsPlace
from adapters.pages import acts
from adapters.planning import demand, figures
from adapters.planning.counts import Count
from adapters.planning.demand import Demand
from adapters.planning.figures import ShownPlanning
from adapters.training_centre import hosts
from adapters.training_centre.centre_sessions import Gives
from adapters.training_centre.checklists import ChecklistStep
from badges.claims import claims
from badges.held import shares
from badges.wallets import exchanges
from lrs.access import learners, operators, staff
from lrs.access.keys import create_key
from lrs.access.roles import LEARNER, OPERATOR, ROLES, Granted
from lrs.access.sessions import SigningIn, open_session
from lrs.access.staff import Member
from lrs.competency.frameworks.levels import PRESETS
from lrs.competency.rules import drafts, rulesets
from lrs.competency.rules.drafts import RulesChange, RulesDraft
from lrs.competency.rules.rules import Rule, RuleCompetency, Ruleset
from lrs.composition.steps import drain
from lrs.composition.subscriptions import SUBSCRIPTIONS
from lrs.matching.consent import answers
from lrs.people import questions
from lrs.web.origins import session_cookie
from tests.adapters.lms.made import imported, structure, unit
from tests.adapters.training_centre.made import Centre
from tests.badges.made import BODY, badge_in, put_award, run_issue
from tests.matching.world import agree, held, put_person, put_profile, put_service, put_waiting, run_sync
from tests.served import statement
from tests.xapi.statements.multipart import attached, part
from tests.xapi.statements.switched import send, sender

SCRIPT = "<script>fetch('/pages/work/retry')</script>"
FILE = f"""given_names,learner_ref,standard_ref,standard_version,Ref of evidence,ksb_code,evidence_date,evidence_status
{SCRIPT},P-1,ST1406,1.0,E-1,K1,2025-11-03,accepted
{SCRIPT},P-2,ST1406,1.0,E-2,{SCRIPT},2025-13-33,accepted
שלומית לוי,P-3,ST1406,1.0,E-3,{"K" * 300},2025-11-03,accepted
"""
COMPETENCY = RuleCompetency("gown", "GOWN", SCRIPT, "https://example.org/f", 1, PRESETS["tiers"])
RULE = Rule(
    item="r",
    version=1,
    match="activity",
    activity="https://vle.example/" + "x" * 200,
    verbs=("http://adlnet.gov/expapi/verbs/passed",),
    competency=COMPETENCY.key,
    level=1,
    threshold=80.0,
    valid_for="P12M",
    window=None,
    sources=("vle",),
)
SOURCES = ("north", "tests", "asks")
"""Those that sent a file, and statements, and that have a key."""
MAILBOX = "mailto:ana@example.org"
AGENT = json.dumps({"mbox": MAILBOX})
ACTIVITY = "https://example.org/script"
BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"
"""What a browser says that it takes."""
DOCUMENTS = {
    "activities/state": {"activityId": ACTIVITY, "agent": AGENT, "stateId": SCRIPT},
    "activities/profile": {"activityId": ACTIVITY, "profileId": SCRIPT},
    "agents/profile": {"agent": AGENT, "profileId": SCRIPT},
}
ENROLLED = "33333333-3333-4333-8333-333333333333"
"""The registration of the learner in the course."""
TYPES = {
    "activities/state": "text/html",
    "activities/profile": "image/svg+xml",
    "agents/profile": "application/xhtml+xml",
}


class Site:
    """A server full of scripts; ``key`` may do everything; ``cookie`` is an administrator's, and so on."""

    def __init__(self, lrs):
        self.lrs, self.client = lrs, lrs.clients[0]
        tenant = lrs.tenant
        self.key = lrs.as_key("all", "admin", "import", "statements/write", "profile", name="asks")
        for resource, named in DOCUMENTS.items():
            headers = {"Content-Type": TYPES[resource], "If-None-Match": "*"}
            put = lrs.ask("PUT", resource, params=named, content=f"<svg>{SCRIPT}</svg>".encode(), headers=headers)
            assert put.status_code == 204, put.text
        self.statement = attached(SCRIPT.encode(), contentType="text/html")
        self.statement["actor"] = {"mbox": MAILBOX, "name": SCRIPT}
        self.statement["object"] = {"id": ACTIVITY, "definition": {"name": {"en": SCRIPT}}}
        mixed = b"--b\r\nContent-Type: application/json\r\n\r\n" + json.dumps(self.statement).encode() + b"\r\n--b\r\n"
        mixed += part(SCRIPT.encode(), Content_Type="text/html") + b"\r\n--b--\r\n"
        stored = lrs.post(mixed, type="multipart/mixed; boundary=b")
        assert stored.status_code == 200
        person = put_person(tenant, MAILBOX)
        service = put_service(tenant)
        put_profile(tenant, person, held("gown"))
        agree(tenant, person, scopes=("profiles:read", "gap:read"))
        run_sync(tenant)
        put_award(tenant, person=person, competency=BODY["competency"] | {"label": SCRIPT})
        run_issue(tenant)
        badge, said = badge_in(tenant)
        form = {"grant_type": "client_credentials", "client_id": service.service.id}
        answer = self.client.post(f"{lrs.address}/oauth/token", data=form | {"client_secret": service.client_secret})
        self.token = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        self.cookie = {"Cookie": self._session(create_key(tenant, "operator", ["admin"]))}
        self.client.cookies.clear()
        self.learner = self._of_learner(person)
        self.provider = self._of_member(Granted("provider", "north"))
        self.operator = self._of_operator()
        self.named = {
            "tenant": "default",
            "organisations": "default",
            "platform": "moodle",
            "key": self.key.auth[0],
            "name": said["credentialStatus"]["statusListCredential"].rpartition("/")[2],
            "person": person,
            "one": person,
            "other": person,
            "achievements": said["credentialSubject"]["achievement"]["id"].rpartition("/")[2],
            "achievement": badge.meta["achievement"],
            "criteria": said["credentialSubject"]["achievement"]["id"].rpartition("/")[2],
            "credentials": badge.id,
            "badges": badge.id,
            "badge": badge.id,
            "services": service.service.id,
            "statements": stored.json()[0],
        }
        claim = tenant.store.write(lambda tx: claims.make(tx, tenant, badge)).result()
        share = tenant.store.write(lambda tx: shares.share(tx, tenant, badge, with_name=True, by="test")).result()
        exchange = tenant.store.write(lambda tx: exchanges.make(tx, tenant, badge)).result()
        self.named |= {
            "claim": claim.token,
            "share": share.token,
            "exchange": exchange,
            "offer": exchanges.offer_code(tenant, exchange),
        }
        link = self.client.post(
            f"{lrs.address}/api/links",
            headers=self.token,
            json={"reference": SCRIPT, "learner": {"mbox": MAILBOX}},
        )
        self.named["imports"] = self._checked(FILE)
        self.named |= {"drafts": self._rules(person), "version": "1"}
        self.named["courses"], self.named["registration"] = self._course(), ENROLLED
        group = {"id": ACTIVITY, "objectType": "GroupActivity", "definition": {"name": {"en": SCRIPT}}}
        aside = statement(object=group, result={"response": SCRIPT})
        self.named |= {"source": "asks", "quarantine": send(tenant, aside, who=sender("asks"))[0]}
        self.named |= self._session_of_centre()
        self.named["token"] = link.json()["link"].rpartition("/")[2]
        self.named["guardian"] = put_waiting(tenant, service.service, MAILBOX, SCRIPT)
        matter = questions.Matter("gown", SCRIPT, SOURCES)
        asked = tenant.store.write(lambda tx: questions.ask(tx, person, matter, SCRIPT, by="test")).result()
        self.named["questions"] = asked.id
        self.named["receipt"] = answers.waiting(tenant.store)[0].receipt

    def _checked(self, text):
        """The id of a file that was sent by the pages and checked."""
        tenant = self.lrs.tenant
        job = acts.sent(tenant, "test", "north", f"{SCRIPT}.csv", tenant.store.blobs.put([text.encode()]))
        tenant.store.write(lambda tx: acts.add(tx, job, "test")).result()
        drain(tenant, ("import",))
        return job.id

    def _course(self):
        """The number of a course full of scripts, which somebody is in."""
        tenant, said = self.lrs.tenant, SCRIPT.replace("<", "&lt;")
        text = structure(unit(title=said, url="https://content.example/"), title=said)
        course = imported(tenant, text, f"{SCRIPT}.xml").course
        place = LmsPlace(tenant, SUBSCRIPTIONS, "https://lrs.example/t/default")
        actor = {"name": SCRIPT, "account": {"homePage": "https://lms.example", "name": SCRIPT}}
        names = {"id": ENROLLED, "session": "44444444-4444-4444-8444-444444444444"}
        tenant.store.write(lambda tx: enrol_in(tx, place, course, actor, **names)).result()
        return course.id

    def _session_of_centre(self):
        """What a training session full of scripts is called, in which somebody has marks of every sort."""
        centre, said = Centre(self.lrs.tenant), f"{SCRIPT}, {MAILBOX.removeprefix('mailto:')}"
        centre.now[0] = self.lrs.tenant.clock()
        known = centre.checklist(ChecklistStep("hands", SCRIPT, critical=True), title=SCRIPT, signatures=2)
        session = centre.session(known, said, title=SCRIPT, place=SCRIPT, host=SCRIPT, kind="placement", hours="37.5")
        who = centre.who(session, SCRIPT)
        centre.came(session, SCRIPT, "late")
        centre.saw(session, SCRIPT, "hands", "pass")
        hosts.ask(centre.day(), session.id, who.id, (SCRIPT, "sue@host.example"), self.lrs.address)
        told = Offering("scripts", SCRIPT, SCRIPT, SCRIPT, SCRIPT, (Gives(SCRIPT, 1),), place=SCRIPT, language=SCRIPT)
        self.lrs.tenant.store.write(lambda tx: offerings.keep(tx, told, "test")).result()
        wanted = Demand(SCRIPT, SCRIPT, 2028, 40, SCRIPT)
        self.lrs.tenant.store.write(lambda tx: demand.keep(tx, [wanted], "test")).result()
        ending = {Count("ending", SCRIPT, SCRIPT, "when", SCRIPT): 40, Count("seats", SCRIPT, SCRIPT): 9}
        self.lrs.tenant.store.write(lambda tx: figures.put(tx, ShownPlanning(at=1, counts=ending))).result()
        return {
            "catalogue": "scripts",
            "sessions": session.id,
            "who": who.id,
            "step": "hands",
            "checklists": known.content.record,
        }

    def _rules(self, person):
        """The id of rules of which it was worked out what they would change."""
        store = self.lrs.tenant.store
        told = [RulesChange(person, SCRIPT, "GOWN", SCRIPT, 1, does, badge=True) for does in ("gains", "loses")]
        blob = store.blobs.put([msgspec.json.encode(told)])
        draft = RulesDraft(Ruleset(2), 1, "test", "rules.csv", state="seen", faults=("row 4, level: 'x' is no level",))
        seen = msgspec.structs.replace(draft, unusable=1, lost=1, gained=1, people=1, badges=1, blobs={"changes": blob})
        store.write(lambda tx: rulesets.put(tx, Ruleset(1, (RULE,), (COMPETENCY,)), "test")).result()
        store.write(lambda tx: tx.insert(drafts.record_of("a-draft", seen))).result()
        return "a-draft"

    def _session(self, key):
        address = f"{self.lrs.address}/pages/sign-in"
        page = self.client.get(address)
        form = {"form": re.search(r'name="form" value="([^"]+)"', page.text)[1], "key": key.key, "secret": key.secret}
        cookie = page.headers["set-cookie"].partition(";")[0]  # by hand: it is for https only
        answer = self.client.post(address, data=form, headers={"Cookie": cookie})
        return answer.headers["set-cookie"].partition(";")[0]

    def _of_learner(self, person):
        """The cookie of the learner *person*."""
        tenant = self.lrs.tenant
        tenant.store.write(lambda tx: learners.open_account(tx, person, by="test")).result()
        return self._cookie(open_session(tenant, learners.SUBJECT + person, SigningIn("link")))

    def _of_operator(self):
        """The cookie of an operator of the installation."""
        own = self.lrs.app.tenants.installation
        made = Member("olga@example.org", own.clock(), SCRIPT, operators.ROLE, state=staff.ACTIVE)
        own.store.write(lambda tx: staff.put(tx, "olga", made)).result()
        return {"Cookie": f"{session_cookie(own)}={open_session(own, f'{staff.SUBJECT}olga')}"}

    def cookie_of(self, role):
        """The cookie of somebody with *role*, for the source or the service that this site has."""
        if role in {LEARNER, OPERATOR}:
            return self.learner if role == LEARNER else self.operator
        bound = {"source": SOURCES, "service": (self.named["services"],)}.get(ROLES[role].bound, ("",))
        return self._of_member(*(Granted(role, of) for of in bound))

    def _of_member(self, *roles):
        """The cookie of a member of staff with *roles*."""
        tenant, id = self.lrs.tenant, "-".join(map(str, roles)).replace(":", "-")
        made = Member(f"{id}@example.org", tenant.clock(), SCRIPT, roles, state=staff.ACTIVE)
        tenant.store.write(lambda tx: staff.put(tx, id, made)).result()
        return self._cookie(open_session(tenant, staff.SUBJECT + id))

    def _cookie(self, token):
        return {"Cookie": f"{session_cookie(self.lrs.tenant)}={token}"}

    def path(self, pattern):
        """A path of the route *pattern* that leads to something where there is something."""
        named = self.named | {"id": next((self.named[one] for one in self.named if f"/{one}/" in pattern), "none")}
        path = re.sub(r"\{(\w+)\}", lambda found: named.get(found[1], "none"), pattern)
        return f"{path}?activity={ACTIVITY}" if pattern.startswith("/arrivals/course") else path

    def answers(self, method, pattern, **more):
        """What nobody and a session are answered as a browser asks; and nobody, a key and a service as programs do."""
        programs = [("*/*", who) for who in ({}, {"auth": self.key.auth}, {"headers": self.token})]
        for accept, sent in ((BROWSER, {}), (BROWSER, {"headers": self.cookie}), *programs):
            headers = {"Accept": accept, **sent.get("headers", {}), **more.get("headers", {})}
            asked = {**more, "headers": headers, "auth": sent.get("auth")}
            yield self.client.request(method, self.lrs.address + self.path(pattern), **asked)
            self.client.cookies.clear()
