"""What a page costs whose reader has much: the skills of a learner with 5,000 pieces of evidence."""

from __future__ import annotations

import itertools
import json
import urllib.request
from pathlib import Path

from lrs.access import learners
from lrs.access.sessions import SigningIn, open_session
from lrs.people.ids import identified, ids_of
from lrs.tenancy.tenants import Tenant
from lrs.web.origins import session_cookie
from tests.bench.costs import cost, opened
from tests.bench.load import HOST, run, within
from tests.bench.programme import RULES, prepared
from tests.bench.report import Row, row_of
from tests.bench.rows import Plan, faults, timing
from tests.bench.server import serving
from tests.bench.statements import agent, passed

LONGEST_MS = 300.0
"""95 of 100 answers take no longer."""


def learner_page(folder: Path, plan: Plan) -> Row:
    """The first page of a learner whose skills have so many pieces of evidence; one reader at a time."""
    data = folder / "learner-page"
    with opened(prepared(folder), data) as tenant:
        cost(tenant, passed([0] * plan.proofs, RULES, seed=0))
        cookie = _signed_in(tenant)
    headers = f"Host: {HOST}\r\nCookie: {cookie}\r\n"
    with serving(data, headers.encode(), {"LRS_WORKER": "false"}) as server:
        asked = itertools.repeat(f"GET /me HTTP/1.1\r\n{headers}\r\n".encode())
        wrong = _wrong(server.port, cookie)
        loads = [run(server.port, within(plan.seconds, asked), 1) for _ in range(plan.rounds + 1)][1:]
    pairs = [(load.percentile(0.95), LONGEST_MS) for load in loads]
    note = f"{plan.proofs:,} pieces of evidence; {timing(loads)}"
    return row_of("learner-page", pairs, note=note, invalid=wrong or faults(loads), less=True)


def _signed_in(tenant: Tenant) -> str:
    """The cookie of a session of the learner."""
    identifier = identified(json.loads(agent(0)), ids_of(tenant))
    record = tenant.store.get("identifier", identifier.id) if identifier else None
    if record is None:
        raise RuntimeError("the learner is not known")
    person = str(record.meta["person"])
    tenant.store.write(lambda tx: learners.open_account(tx, person, by="bench")).result()
    return f"{session_cookie(tenant)}={open_session(tenant, learners.SUBJECT + person, SigningIn('link'))}"


def _wrong(port: int, cookie: str) -> str:
    """What is wrong with the page, if anything: without a skill it costs nothing."""
    request = urllib.request.Request(f"http://{HOST}:{port}/me", headers={"Cookie": cookie})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return "" if b'id="skill-10"' in answer.read() else "the page has no ten skills"
