"""What a link of a platform opens that is about badges: those of the learner, or the form for the code of an event."""

from badges.claims import event_codes
from badges.claims.event_codes import EventCode
from lrs.kernel.times import DAY
from tests.adapters.lms.lti.platform import CLAIM, PATH
from tests.pages.conftest import text_of

EVENT = "https://centre.example/open-day"


def launch(world, opens):
    return world.launch(**{CLAIM + "custom": {"engraft_opens": opens}})


def test_a_link_to_badges_leads_to_those_of_the_learner(world):
    browser = world.new_browser()

    launched = launch(world, "badges")

    assert launched.headers["location"] == f"{PATH}/me#badges"
    assert 'id="badges"' in browser.get(f"{PATH}/me").text


def test_a_link_to_the_code_of_an_event_leads_to_its_form_in_the_frame(world):
    made = event_codes.create(world.tenant, EventCode(EVENT, "Open day", world.tenant.clock() + DAY, None, "test"))
    browser = world.new_browser()
    launched = launch(world, "code")
    page = browser.get(f"{PATH}/me/code")

    used = browser.send(page, f"{PATH}/me/code", code=made.code)

    assert launched.headers["location"] == f"{PATH}/me/code"
    assert "Noted: you were at Open day" in text_of(used)
