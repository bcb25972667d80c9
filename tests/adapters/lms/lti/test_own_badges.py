"""What a link of a platform opens that is about badges: those of the learner, or the form for the code of an event."""

from badges.claims import event_codes
from badges.claims.event_codes import EventCode
from lrs.composition.steps import drain
from lrs.kernel.times import DAY
from lrs.people.ids import identified, ids_of
from lrs.people.persons import ensure, minter
from lrs.storage import each
from tests.adapters.lms.lti.platform import CLAIM, ISSUER, PATH, cookies
from tests.badges.made import put_award
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
    welsh = browser.get(f"{PATH}/me/code?lang=cy")

    assert launched.headers["location"] == f"{PATH}/me/code"
    assert "Noted: you were at Open day" in text_of(used)
    assert cookies(welsh)["engraft.language"].endswith("SameSite=None; Partitioned")  # else the frame does not keep it


def person_of(world, agent):
    found, mint = identified(agent, ids_of(world.tenant)), minter(world.tenant.secret("person-ids"))
    return world.tenant.store.write(lambda tx: ensure(tx, (found,), mint)[found.id]).result()


def test_a_platform_that_states_another_persons_address_name_or_number_shows_and_hands_out_none_of_their_badges(world):
    ann = {"mbox": "mailto:ann@mail.example"}
    elsewhere = {"account": {"homePage": "https://elsewhere.example", "name": "ann"}}
    for number, agent in enumerate((ann, elsewhere)):
        put_award(world.tenant, f"award-{number}", person=person_of(world, agent))
    drain(world.tenant, ("issue",))
    held = [one.id for one in each(world.tenant.store, "credential")]
    browser = world.new_browser()

    world.launch(sub="66", email="ann@mail.example", **{CLAIM + "ext": {"user_username": "ann"}})
    pages = [browser.get(f"{PATH}/me/badges/{id}{way}") for id in held for way in ("", "/take", "?form=pdf")]
    shared = [browser.ask("POST", f"{PATH}/me/badges/{id}/take", data={"act": "share"}) for id in held]

    assert len(held) == 2
    assert f"frame-ancestors {ISSUER};" in pages[1].headers["content-security-policy"]
    assert {one.status_code for one in pages} == {404}
    assert {one.status_code for one in shared} <= {400, 403, 404}
    assert not any(id in browser.get(f"{PATH}/me").text for id in held)
