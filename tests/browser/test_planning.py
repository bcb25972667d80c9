"""The page of planning on a phone and on a desk, with charts, and with rows of a file that were left out.

With ``LRS_TEST_PICTURES`` set to a folder, pictures are put there, to be looked at.
"""

from contextlib import closing

import msgspec
import pytest

from adapters.planning import demand, figures
from adapters.planning.counts import Count, Counted
from adapters.planning.figures import Planning
from lrs.access import staff
from lrs.access.roles import Granted
from lrs.access.sessions import open_session
from lrs.access.staff import ACTIVE, Member
from lrs.matching.roles import roles
from lrs.web.origins import session_cookie
from tests.browser.chromium import Chromium, found
from tests.browser.test_sessions import Day
from tests.served import serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(found() is None, reason="there is no Chromium here: no page was looked at"),
    pytest.mark.timeout(600),
]
ROLES = b"role,role_label,competency\nqc,Quality control analyst,GOWN\nop,Manufacturing operator,GOWN\n"
DISTRICTS = b"district,region\nSG1,East of England\nLS1,Yorkshire\n"
DEMAND = b"""role,region,year,headcount,source
qc,East of England,2028,120,Survey
qc,Yorkshire,2028,40,Survey
op,East of England,2028,210,Survey
op,Yorkshire,2028,60,Survey
"""
COUNTS = {
    Count("supply", "op", "held"): 83,
    Count("supply", "op", "held", "region", "East of England"): 61,
    Count("supply", "op", "held", "region", "Yorkshire"): 19,
    Count("supply", "op", "held", "region", "Not known"): 3,
    Count("supply", "op", "on track"): 34,
    Count("supply", "qc", "held"): 22,
    Count("supply", "qc", "on track"): 4,
    Count("path", "", "starts"): 141,
    Count("path", "", "completions"): 97,
    Count("path", "", "badges"): 88,
    Count("path", "", "jobs"): 41,
    Count("ending", "north", "qualifications that end"): 31,
    Count("ending", "north", "qualifications that end", "when", "within 30 days"): 12,
    Count("ending", "north", "qualifications that end", "when", "in 31 to 60 days"): 19,
    Count("seats", "north", "seats"): 36,
    Count("seats", "north", "bookings"): 28,
}


def test_a_planner_reads_the_page_on_a_phone_and_at_a_desk(tmp_path_factory):
    with (
        serving(tmp_path_factory.mktemp("planning")) as lrs,
        closing(Chromium(found(), tmp_path_factory.mktemp("profile"))) as browser,
    ):
        day, store = Day(lrs, browser), lrs.tenant.store
        made, _ = roles.read_roles(ROLES)
        day.write(lambda tx: [roles.keep(tx, one) for one in made])
        demand.take_regions(store, DISTRICTS, "test")
        demand.take(store, DEMAND, "test")
        member = Member("pat@network.example", lrs.tenant.clock(), "Patricia", (Granted("planner"),), state=ACTIVE)
        day.write(lambda tx: staff.put(tx, "pat", member))
        day.cookie(session_cookie(lrs.tenant), open_session(lrs.tenant, f"{staff.SUBJECT}pat"))
        for width in (390, 1280):
            day.at(width)
            day.open("/planning", f"planning-{'empty' if width == 390 else 'empty-desk'}")
        counted = [Counted(*one) for one in COUNTS.items()]
        day.write(lambda tx: figures.put(tx, figures.shown(Planning(at=lrs.tenant.clock(), counts=tuple(counted)))))
        for width in (390, 768, 1280):
            day.at(width)
            day.open("/planning", "planning")
        chief = msgspec.structs.replace(member, roles=(Granted("administrator"),))
        day.write(lambda tx: staff.put(tx, "chief", chief))
        day.cookie(session_cookie(lrs.tenant), open_session(lrs.tenant, f"{staff.SUBJECT}chief"))
        for width in (390, 1280):
            day.at(width)
            day.open("/planning")
            browser.run("document.querySelectorAll('details').forEach(one => { one.open = true })")
            day.check("planning-administrator")
        assert "kept back" in browser.run("document.querySelector('main').innerText")
