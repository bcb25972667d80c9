"""What launched content costs: a launch, and its endpoint against the plain one with the same statements."""

from __future__ import annotations

import base64
import itertools
import json
import time
import uuid
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from adapters.lms.courses.courses import Course
from adapters.lms.importing import import_course
from adapters.lms.launching.launching import LaunchOrder, launch
from adapters.lms.sessions.acts import enrol_in
from adapters.lms.sessions.place import LmsPlace
from adapters.lms.sessions.session import LaunchSession, put_session
from lrs.composition.subscriptions import SUBSCRIPTIONS
from lrs.kernel.sealed import digest_of
from lrs.kernel.settings import Settings
from lrs.kernel.times import timestamp_of_micros
from lrs.tenancy.tenants import Tenant, open_tenant
from tests.adapters.lms.made import structure, unit
from tests.bench.load import HOST, run
from tests.bench.report import Row, row_of
from tests.bench.rows import Plan, faults, timing
from tests.bench.server import Server, create_key, serving

LAUNCH_MS = 50.0
CONNECTIONS = 16
_SECRET = "a secret"
_PUT = "PUT %s/statements?statementId=%s HTTP/1.1\r\n%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
Json = dict[str, Any]


def content(folder: Path, plan: Plan) -> Iterator[Row]:
    """The rows. Each learner is launched once; statements are "allowed" ones, so that a session takes any number."""
    data = folder / "content"
    headers = create_key(data)
    tenant = open_tenant(Settings(data=data))
    try:
        costs, sessions = _launched(tenant, max(CONNECTIONS, plan.bounded))
    finally:
        tenant.store.close()
    yield row_of("launch", [(1e3 * sum(costs) / len(costs), LAUNCH_MS)], note=f"{len(costs)} launches", less=True)
    with serving(data, headers, {"LRS_WORKER": "false"}) as server:
        pairs, loads = [], []
        for turn in range(plan.rounds + 1):
            made = [_statement(one) for one in itertools.islice(itertools.cycle(sessions), plan.singles)]
            plain = run(server.port, [_to_plain(server, one) for one in made], CONNECTIONS)
            made = [_statement(one) for one in itertools.islice(itertools.cycle(sessions), plan.singles)]
            own = run(server.port, [_to_content(one) for one in made], CONNECTIONS)
            if turn:  # the first one only warms the server up
                pairs.append((own.rate, plain.rate))
                loads += [own, plain]
    yield row_of("content-c16", pairs, note=timing(loads), invalid=faults(loads))


def _launched(tenant: Tenant, count: int) -> tuple[list[float], list[LaunchSession]]:
    """CPU seconds of each launch, and the sessions, initialized."""
    text = structure(unit(url="https://content.example/", moveOn="CompletedOrPassed", masteryScore="0.8"))
    course = import_course(tenant, BytesIO(text), "cmi5.xml", "bench").course
    place = LmsPlace(tenant, SUBSCRIPTIONS, f"http://{HOST}/t/default")
    costs, sessions = [], []
    for place_of in range(count):
        registration = _enrolled(tenant, place, course, f"learner-{place_of}")
        begun = time.process_time()
        session = launch(place, LaunchOrder(registration, 0)).session
        costs.append(time.process_time() - begun)
        sessions.append(session)
    for session in sessions:
        ready = replace(session, token=digest_of(_SECRET), launch_data=True, preferences=True, initialized=1)
        tenant.store.write(lambda tx, ready=ready: put_session(tx, ready)).result()
    return costs, sessions[:CONNECTIONS]


def _enrolled(tenant: Tenant, place: LmsPlace, course: Course, name: str) -> str:
    actor = {"account": {"homePage": "https://lms.example", "name": name}}
    id, session = str(uuid.uuid4()), str(uuid.uuid4())
    return tenant.store.write(lambda tx: enrol_in(tx, place, course, actor, id=id, session=session)).result().id


def _statement(session: LaunchSession) -> tuple[LaunchSession, str, str]:
    id = str(uuid.uuid4())
    told: Json = {
        "id": id,
        "actor": session.actor,
        "verb": {"id": "http://adlnet.gov/expapi/verbs/experienced", "display": {"en": "experienced"}},
        "object": {"id": f"{session.activity}/page", "definition": {"name": {"en": "A page of the unit"}}},
        "context": {**session.template, "registration": session.registration},
        "timestamp": timestamp_of_micros(session.launched),
    }
    return session, id, json.dumps(told)


def _to_plain(server: Server, made: tuple[LaunchSession, str, str]) -> bytes:
    return _put("/xapi", server.headers.decode(), made)


def _to_content(made: tuple[LaunchSession, str, str]) -> bytes:
    token = base64.b64encode(f"{made[0].id}:{_SECRET}".encode()).decode()
    headers = f"Host: {HOST}\r\nX-Experience-API-Version: 1.0.3\r\nAuthorization: Basic {token}\r\n"
    return _put("/cmi5/xapi", headers, made)


def _put(path: str, headers: str, made: Sequence[Any]) -> bytes:
    return (_PUT % (path, made[1], headers, len(made[2]), made[2])).encode()
