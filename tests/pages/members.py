"""Members of staff for tests: made as records, and signed in without a password."""

from __future__ import annotations

from uuid import uuid4

from lrs.access import staff
from lrs.access.roles import granted
from lrs.access.sessions import open_session
from lrs.access.staff import ACTIVE, Member
from lrs.web.origins import session_cookie
from tests.pages.conftest import Browser


def signed_in(site, *roles, tenant=None, name="Mo"):
    """A browser in which a member with these *roles* is signed in; ``member`` is its id."""
    tenant = tenant or site.tenant
    id = uuid4().hex
    made = Member(f"{id}@example.org", tenant.clock(), name, tuple(map(granted, roles)), state=ACTIVE)
    tenant.store.write(lambda tx: staff.put(tx, id, made)).result()
    browser = Browser(site.app)
    browser.cookies.set(session_cookie(tenant), open_session(tenant, staff.SUBJECT + id))
    browser.member = id
    return browser
