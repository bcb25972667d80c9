"""The public pages of roles, without sign-in, as wide as a phone, a tablet and a desk. Made for ``make browser``."""

from lrs.matching.roles import roles
from tests.browser.test_sessions import day, offered, pytestmark
from tests.browser.test_staff import URI

__all__ = ["day", "pytestmark"]

ROLES = f"""role,role_label,competency,label,framework,level,importance,source,valid_from
operator,Aseptic manufacturing operator,GOWN,,{URI},2,,Made-up council of skills,2026-01-01
operator,,GMP,Good manufacturing practice,{URI},1,optional,,
later,Filling line lead of a later day,GOWN,,{URI},1,,,2031-01-01
"""


def test_everybody_reads_the_roles_and_another_site_shows_one(day):
    offered(day)
    for role in roles.read_roles(ROLES.encode())[0]:
        day.write(lambda tx, role=role: roles.keep(tx, role))
    day.browser.call("Network.clearBrowserCookies")
    for width in (390, 768, 1280):
        day.at(width)
        day.open("/roles", "roles")
        day.open("/roles?on=2031-02-01", "roles-later")
        day.open("/roles/one?role=operator", "role")
        day.open("/roles/embed?role=operator", "role-embedded")
