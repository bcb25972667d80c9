"""A tenant in a temporary folder with people, profiles, badges, a service, and a receiver on a free port."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from lrs.app import create_app
from lrs.composition.channels import CHANNELS
from lrs.composition.steps import delivering
from lrs.kernel import outbound
from lrs.kernel.keys import key
from lrs.kernel.settings import Settings
from lrs.matching import registry
from lrs.matching.consent import answers, consent, links
from lrs.matching.consent.answers import ConsentAnswer, GuardianWanted, Posted
from lrs.matching.consent.consent import Grant, Subject
from lrs.matching.consent.links import Wish
from lrs.matching.registry import Registered
from lrs.matching.resync import resync
from lrs.matching.services import Service
from lrs.matching.sync import sync
from lrs.outbox import listing
from lrs.outbox.channel import Channels
from lrs.outbox.deliver import Sending
from lrs.outbox.senders import Senders
from lrs.people.ids import identified, ids_of
from lrs.people.persons import ensure, minter
from lrs.storage import Claim, Owed, Record
from lrs.tenancy.tenants import Tenant, open_tenant
from lrs.work.worker import drain
from lrs.xapi.statements.identity import Identifier
from tests.programs import PATIENCE

START = 1_795_000_000_000_000
"""18 November 2026, 11:06:40 UTC, in microseconds."""
SECOND = 1_000_000
HOUR = 3_600 * SECOND
LEASE = 60 * SECOND
PURPOSE = "To suggest jobs that fit what you can do"


class Clock:
    """Time that moves only when a test says so."""

    def __init__(self, now: int = START) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


def settings_in(folder: Path, **changed: Any) -> Settings:
    return Settings(data=folder, outbound_allow=("127.0.0.0/8",), **changed)


@contextmanager
def tenant_in(folder: Path, clock: Clock, **changed: Any) -> Iterator[Tenant]:
    tenant = open_tenant(settings_in(folder, **changed), clock=clock)
    try:
        yield tenant
    finally:
        tenant.store.close()


def identifier(tenant: Tenant, agent: dict[str, Any]) -> Identifier:
    found = identified(agent, ids_of(tenant))
    assert found
    return found


def put_person(tenant: Tenant, mbox: str) -> str:
    """A person known by *mbox*, as the first statement about them would make one; the person's id."""
    known = identifier(tenant, {"mbox": mbox})
    mint = minter(tenant.secret("person-ids"))
    return tenant.store.write(lambda tx: ensure(tx, [known], mint)).result()[known.id]


def held(id: str, ordinal: int = 2, state: str = "held", **more: Any) -> dict[str, Any]:
    return {
        "competency": {"id": id, "label": f"About {id}", "framework": "gmp", "version": 1, "code": id.upper()},
        "level": {"ordinal": ordinal, "code": f"t{ordinal}", "label": f"Tier {ordinal}"},
        "state": state,
        "since": "2026-10-01",
        "valid_until": "2027-09-30",
        "evidence_count": 3,
        "award": f"award-{id}",
        **more,
    }


def put_profile(tenant: Tenant, person: str, *competencies: dict[str, Any]) -> None:
    """What ``evaluate`` writes: the profile's next version, owing ``sync``."""
    known = tenant.store.get("profile", person)
    version = json.loads(known.body)["version"] + 1 if known else 1
    body = {"v": 1, "person": person, "version": version, "competencies": list(competencies)}
    record = Record("profile", person, json.dumps(body).encode(), owed=(Owed("sync"),))
    tenant.store.write(lambda tx: tx.put(record)).result()


def put_badge(tenant: Tenant, person: str, id: str, state: str = "issued") -> None:
    """What ``issue`` writes: the credential, and ``sync`` owed by the profile."""
    credential = {
        "id": f"urn:uuid:{id}",
        "validFrom": "2026-11-01T09:00:00Z",
        "credentialSubject": {
            "identifier": [{"type": "IdentityObject", "identityHash": "sha256$abc", "hashed": True}],
            "achievement": {"id": "https://lrs.test/achievements/1", "name": "Gowning"},
        },
    }
    record = Record(
        "credential",
        id,
        json.dumps(credential).encode(),
        meta={"person": person, "state": state},
        keys=(key("credential.person", person),),
    )

    def write(tx):
        tx.put(record)
        tx.owe("profile", person, Owed("sync"))

    tenant.store.write(write).result()


def put_service(
    tenant: Tenant,
    webhook: str | None = None,
    *,
    name: str = "Career Converter",
    scopes: tuple[str, ...] = ("profiles:read", "profiles:read.evidence", "badges:read", "roles:read", "gap:read"),
) -> Registered:
    return registry.register(tenant, name, webhook=webhook, scopes=scopes, purpose=PURPOSE, by="test")


def put_waiting(tenant: Tenant, service: Service, mbox: str, name: str) -> str:
    """A link to which a learner under age, called *name*, agreed; the last part of their guardian's address."""
    known = identifier(tenant, {"mbox": mbox}).id
    wish = Wish(Subject(identifier=known), reference="under-age")
    link = links.mint(tenant, service, wish, id=f"waits-{known[:8]}", by=f"service {service.id}")
    token = links.address(tenant, link, "").rpartition("/")[2]
    waits = answers.decide(tenant, token, ConsentAnswer(agree=True, guardian=GuardianWanted(name)), Posted("", "en"))
    return answers.guardian_address(tenant, waits, "").rpartition("/")[2]


def agree(tenant: Tenant, person: str, service: str = "career-converter", **more: Any) -> None:
    wanted = {"scopes": ("profiles:read",), "reference": "ref-1", "how": "operator", **more}
    grant = Grant(subject=Subject(person=person), service=service, purpose=PURPOSE, by="test", **wanted)
    tenant.store.write(lambda tx: consent.give(tx, grant)).result()


def take_back(tenant: Tenant, person: str, **only: Any) -> None:
    tenant.store.write(lambda tx: consent.withdraw(tx, [Subject(person=person)], by="test", **only)).result()


def run_sync(tenant: Tenant) -> None:
    while claims := tenant.store.claim(["resync"], limit=100, lease=LEASE):
        resync(tenant, claims)
    while claims := tenant.store.claim(["sync"], limit=100, lease=LEASE):
        sync(tenant, claims)


def run_deliver(tenant: Tenant, jitter: Callable[[], float] = lambda: 0.0) -> int:
    """Works through what is due now; how many were tried."""
    return deliver(tenant, CHANNELS, jitter)


def deliver(tenant: Tenant, channels: Channels, jitter: Callable[[], float] = lambda: 0.0) -> int:
    """The same with other *channels*: waits for all calls."""
    senders = Senders()
    step = replace(delivering(channels, senders), aside=partial(Sending, channels, senders, jitter=jitter))
    return drain(tenant, {"deliver": step})


def send(tenant: Tenant, claims: Sequence[Claim], channels: Channels = CHANNELS) -> None:
    """Sends what was claimed by hand, and waits for it."""
    sending = Sending(channels, Senders())
    sending.begin(tenant, claims, tenant.clock() + LEASE)
    while sending.claims:
        sending.wait()
        sending.put_down(tenant)
    sending.rest(tenant)


def listed(tenant: Tenant, **only: Any) -> Iterator[dict[str, Any]]:
    """What ``lrs deliveries list`` shows."""
    return listing.listed(tenant, CHANNELS, **only)


def resend(tenant: Tenant, **only: Any) -> int:
    """What ``lrs deliveries resend`` does."""
    if "id" not in only:
        return listing.resend_all(tenant, CHANNELS, by="operator", **only)
    listing.resend(tenant, only["id"], by="operator")
    return 1


def run_all(tenant: Tenant) -> None:
    run_sync(tenant)
    run_deliver(tenant)


@dataclass
class Got:
    """One request that a receiver got."""

    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    """What came in; *answers* decides on the status and headers of each answer."""

    url: str
    got: list[Got] = field(default_factory=list)
    answers: Callable[[Got], tuple[int, dict[str, str]]] = lambda _: (204, {})

    @property
    def events(self) -> list[str]:
        return [one.json["type"] for one in self.got]

    def of(self, event: str) -> list[Got]:
        return [one for one in self.got if one.json["type"] == event]


def only(event: str, status: int, **headers: str) -> Callable[[Got], tuple[int, dict[str, str]]]:
    """Answers *status* to *event*, and 204 to all others."""
    return lambda got: (status, headers) if got.json["type"] == event else (204, {})


class Waiting(ThreadingHTTPServer):
    """A server with room for all who come at once: with the usual five, a busy machine turns some away for seconds."""

    request_queue_size = 128


@contextmanager
def patient() -> Iterator[None]:
    """Whoever is called has a minute for each answer, however busy the machine is: our limits are not what is tried."""
    limits = outbound.SECONDS, outbound.IN_ALL
    outbound.SECONDS = outbound.IN_ALL = PATIENCE
    try:
        yield
    finally:
        outbound.SECONDS, outbound.IN_ALL = limits


@contextmanager
def receiver() -> Iterator[Receiver]:
    """A matching service's web server, on a free port of the loopback interface."""

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if len(body) < int(self.headers["content-length"]):
                return  # its sender was killed in the middle of it: no receiver takes that for a request
            one = Got({name.lower(): value for name, value in self.headers.items()}, body)
            with lock:
                here.got.append(one)
                status, headers = here.answers(one)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    lock = threading.Lock()
    server = Waiting(("127.0.0.1", 0), Door)
    here = Receiver(f"http://127.0.0.1:{server.server_port}/hook")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        with patient():
            yield here
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def web(tenant: Tenant) -> Iterator[httpx.Client]:
    """The application in front of *tenant*, served on a free port, and a client for it."""
    app = create_app(tenant.settings, clock=tenant.clock)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}", trust_env=False) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()
            app.tenants.close()


def token(client: httpx.Client, made: Registered, scope: str | None = None) -> str:
    form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
    answer = client.post("/oauth/token", data=form, auth=(made.service.id, made.client_secret))
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


def bearer(client: httpx.Client, made: Registered, scope: str | None = None) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(client, made, scope)}"}


def answer_form(client: httpx.Client, url: str, answer: str = "agree", **given: Any) -> Any:
    """Opens the link, fills in what is *given*, ticks everything unless that says otherwise, and presses a button."""
    page = client.get(url)
    assert page.status_code == 200, page.text
    found = re.search(r'name="form" value="([^"]+)"', page.text)
    assert found
    ticked = {"scope": re.findall(r'name="scope" value="([^"]+)"', page.text)} | given
    return client.post(url, data={"form": found[1], "answer": answer, **ticked}, follow_redirects=True)
