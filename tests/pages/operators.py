"""An installation for tests: an application on an empty folder, and its operator, signed in without a password."""

from __future__ import annotations

from uuid import uuid4

from lrs.access import operators, staff
from lrs.access.sessions import open_session
from lrs.access.staff import ACTIVE, Member
from lrs.app import create_app
from lrs.kernel.settings import Settings
from lrs.web.origins import session_cookie
from tests.pages.conftest import Browser

ROOT = "http://lrs.test"


class Installation:
    """The application, and everything behind it; ``tenant`` is the one of the first start."""

    def __init__(self, folder, **settings):
        self.settings = Settings(data=folder, **settings)
        self.app = create_app(self.settings)
        self.tenants = self.app.tenants
        self.own = self.tenants.installation
        self.tenant = self.tenants.take("default")
        self.operator = operator_of(self, "Olga")

    def close(self):
        self.tenants.close()


def operator_of(installation, name, password=None):
    """A browser in which an operator of this *name* is signed in; ``member`` is its id."""
    own, id = installation.own, uuid4().hex
    made = Member(f"{id}@example.org", own.clock(), name, operators.ROLE, state=ACTIVE, password=password)
    own.store.write(lambda tx: staff.put(tx, id, made)).result()
    browser = Browser(installation.app)
    browser.cookies.set(session_cookie(own), open_session(own, staff.SUBJECT + id))
    browser.member = id
    return browser
