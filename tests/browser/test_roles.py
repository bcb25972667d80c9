"""Every page that each role may see, as somebody with that role sees it: on a phone, at 200 % zoom, without scripts.

The pages are those of the table of rights and the roles those of ``ROLES``, so a new page or a new role is walked, too.
An administrator's are in ``test_pages.py``, at more widths. Made for ``make browser``.
"""

import json
from contextlib import closing

import pytest

from lrs.access import SESSION, Caller
from lrs.access.policy.table import TABLE, admit
from lrs.access.roles import LEARNER, OPERATOR, ROLES, Granted, rights_of_roles
from lrs.kernel.errors import Refused
from tests.browser.chromium import Chromium, found
from tests.browser.test_pages import Scene
from tests.served import serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(found() is None, reason="there is no Chromium here: no page was looked at"),
    pytest.mark.timeout(600),
]
BOUND = {"source": "tests", "service": "career-converter"}
LOOKS = ((390, "light"), (640, "dark"))
"""640 px is a window of 1280 px at 200 % (WCAG 2.2, 1.4.4)."""
FINE = {"scrolls": False, "wide": [], "small": [], "pale": [], "broken": []}
NOTHING_HERE = {
    *("/account/second-factor", "/operator/account/second-factor"),  # for whoever has a password
    "/staff/lms/platforms/{id}",
    "/staff/lms/platforms/{id}/results",
    "author /connect/keys/{key}",  # it may do more than an author
    # courses are nobody's there
    *(f"author /staff/courses/{{id}}{page}" for page in ("", "/chosen", "/learners", "/learners/{registration}")),
}
"""Pages for which this scene has nothing, for everybody or for a role."""
BUTTONS = "[...document.querySelectorAll('main button:not([data-copy]), main summary, main a[href]')].length"
"""What can be pressed; a button that copies is there with scripts only, beside what it copies.

Without scripts there may be more: a link that looks again where a part would follow by itself.
"""


def seen_by(role):
    """The patterns of pages behind the sign-in that *role* may see."""
    one = Granted(role, BOUND.get(ROLES[role].bound, ""))
    rights, own = rights_of_roles([one])
    caller = Caller("staff 1", "", b"", rights, "default", SESSION, own=own)
    return sorted(
        pattern
        for (method, pattern), line in TABLE.items()
        if method == "GET" and line.pages and SESSION in line.via and _is_page(pattern) and _admitted(pattern, caller)
        if pattern.startswith("/operator") is (role == OPERATOR)  # whose pages, and account, lie there
    )


def _is_page(pattern):
    """Whether it shows something, and does not give a file."""
    return not pattern.endswith((".csv", ".json", "/file", "/repairs")) and "/badges/" not in pattern


def _admitted(pattern, caller):
    try:
        admit("GET", pattern, caller)
    except Refused:
        return False
    return True


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    with (
        serving(tmp_path_factory.mktemp("lrs")) as served,
        closing(Chromium(found(), tmp_path_factory.mktemp("chromium"))) as browser,
    ):
        yield Scene(served, browser)


@pytest.mark.parametrize("role", sorted(ROLES))
def test_each_page_of_a_role_fits_can_be_read_and_works_without_scripts(scene, role):
    scene.enter(scene.site.cookie_of(role))
    wrong = []
    for pattern in seen_by(role):
        for width, scheme in LOOKS:
            expected = 404 if NOTHING_HERE & {pattern, f"{role} {pattern}"} else 200
            wrong += [(pattern, width, *one) for one in told(scene, pattern, expected, width, scheme)]
        wrong += [(pattern, "without scripts", *one) for one in without_scripts(scene, pattern)]

    assert "\n".join(map(str, wrong)) == ""


def told(scene, pattern, expected, width, scheme):
    """What is wrong with a page as it is shown, whose status is to be as *expected*."""
    look = scene.show(scene.site.path(pattern), width, scheme)
    found = [("answer", status) for _, status in scene.browser.answers[-1:] if status != expected]
    found += [(name, value) for name, value in look.items() if name != "texts" and value != FINE[name]]
    found += [("axe", one) for one in scene.axe()]
    found += [("console", one) for one in scene.browser.errors if expected == 200]
    scene.picture(f"{pattern.strip('/').replace('/', '-')} {width} {scheme}")
    return found


def without_scripts(scene, pattern):
    """What is wrong with a page where no script runs: whatever can be pressed with scripts is there without them."""
    with_them = scene.browser.run(BUTTONS)
    scene.browser.call("Emulation.setScriptExecutionDisabled", value=True)
    look = scene.show(scene.site.path(pattern), 390, "light")
    there = scene.browser.run(BUTTONS)
    scene.browser.call("Emulation.setScriptExecutionDisabled", value=False)
    return [("fits", json.dumps(look))] * look["scrolls"] + [("to press", there, with_them)] * (there < with_them)


def test_my_skills_and_my_data_are_printed_black_on_white(scene):
    scene.enter(scene.site.cookie_of(LEARNER))
    only_screen = "[...document.querySelectorAll('nav, form, button, .skip')].filter(e => e.offsetParent).length"
    colours = "getComputedStyle(document.body).color + getComputedStyle(document.body).backgroundColor"

    for path in ("/me", "/me/data", "/me/sharing"):
        scene.show(path, 1280, "dark")
        scene.browser.call("Emulation.setEmulatedMedia", media="print")
        found = scene.browser.run(only_screen), scene.browser.run(colours)
        scene.browser.call("Emulation.setEmulatedMedia", media="")

        assert found == (0, "rgb(0, 0, 0)rgb(255, 255, 255)"), path
