"""The pages about apprenticeships in a browser, on a phone and at a desk. Made for ``make browser``."""

import json
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from adapters.apprenticeship.standard_records import keep, read_standards
from adapters.imports.here import follow, job_here
from adapters.imports.run import Order
from lrs.access import learners, sessions
from lrs.composition.steps import STEPS, drain
from lrs.people.identifiers import ULN_HOME_PAGE
from lrs.people.persons import person_named
from lrs.web.origins import session_cookie
from tests.adapters.apprenticeship.returns import aim, learner, made, uln
from tests.adapters.apprenticeship.standard_files import record
from tests.browser.chromium import Chromium, found
from tests.browser.test_files import Desk
from tests.pages.test_apprenticeship import PORTFOLIO, ULN
from tests.served import serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(found() is None, reason="there is no Chromium here: no page was looked at"),
    pytest.mark.timeout(600),
]


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    (folder / "return.xml").write_text(made([learner("L1", ULN, aim()), learner("L2", uln(900), aim())]))
    (folder / "later.xml").write_text(made([learner("L1", ULN, aim())], at="2026-11-06T09:00:00"))
    (folder / "portfolio.csv").write_text(PORTFOLIO)
    with (
        serving(tmp_path_factory.mktemp("lrs")) as served,
        closing(Chromium(found(), tmp_path_factory.mktemp("chromium"))) as browser,
    ):
        (standard,), _ = read_standards(json.dumps(record()).encode())
        served.tenant.store.write(lambda tx: keep(tx, standard, by="test")).result()
        for adapter, name in (("ilr", "return.xml"), ("eportfolio", "portfolio.csv"), ("ilr", "later.xml")):
            job = job_here(served.tenant, Order(adapter, "north", folder / name, name))
            follow(served.tenant, job, STEPS, theirs=False, say=lambda _: None)
        drain(served.tenant)
        yield Desk(served, browser)


@pytest.mark.parametrize("width", [390, 1280])
def test_a_provider_and_a_learner_see_how_far_an_apprenticeship_is(desk, width):
    tenant = desk.lrs.tenant
    person = person_named(tenant, f"{ULN_HOME_PAGE}|{ULN}")
    desk.sit_down("provider:north", width=width)
    for path in (
        *("/provider", "/staff/missing-learners"),
        *("/provider/apprentices", f"/staff/learners/{person}/apprenticeship"),
    ):
        desk.open(path)
    desk.sit_down("administrator", width=width)
    desk.open(f"/staff/learners/{person}/route")
    tenant.store.write(lambda tx: learners.open_account(tx, person, by="test")).result()
    token = sessions.open_session(tenant, learners.SUBJECT + person, sessions.SigningIn("link", "Firefox"))
    host = urlsplit(desk.lrs.address).hostname
    desk.browser.call("Network.setCookie", name=session_cookie(tenant), value=token, domain=host, path="/")
    for path in ("/me", "/me/apprenticeship"):
        desk.open(path)
