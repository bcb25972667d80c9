"""Members of staff who are signed in, each in a browser of their own."""

from lrs.access import staff_acts
from lrs.access.roles import Granted
from tests.pages.conftest import Browser

PASSWORD = "four words in row"


def member(site, *roles, email="author@example.org", base="", tenant=None):
    """A browser in which a new member with *roles*, like ``("author", "moodle")``, is signed in."""
    granted = [Granted(*role) for role in roles]
    made = staff_acts.invite(tenant or site.tenant, email, granted, by="test", root="http://lrs.test" + base)
    browser = Browser(site.app)
    path = f"{base}/invitation/" + made.link.rpartition("/")[2]
    answer = browser.send(browser.get(path), path, name="Au Thor", password=PASSWORD, again=PASSWORD)
    assert answer.status_code == 303, answer.text
    browser.member = made.id
    return browser
