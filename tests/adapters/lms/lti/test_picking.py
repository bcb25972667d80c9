"""Deep linking: what a teacher chooses, and the signed answer that goes back to the platform."""

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from msgspec.structs import replace

from adapters.lms.lti.picking import Picking
from lrs.competency.rules import rulesets
from lrs.competency.rules.rules import Ruleset
from lrs.kernel.sealed import hide, reveal
from lrs.kernel.times import HOUR, MINUTE
from tests.adapters.lms.lti.platform import CLAIM, ISSUER, MEMBERSHIP, PATH, TOOL
from tests.pages.conftest import forms_of, text_of
from tests.web.site import COMPETENCY, RULE

SETTINGS = "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings"
DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"
RETURN = f"{ISSUER}/mod/lti/contentitem_return.php?course=2"


@pytest.fixture(scope="module", autouse=True)
def rules(world):
    rules = Ruleset(1, (RULE,), (COMPETENCY,))
    world.store.write(lambda tx: rulesets.put(tx, rules, "test")).result()


def asking(world, roles=(MEMBERSHIP + "Instructor",), drop=(), **settings):
    told = {"deep_link_return_url": RETURN, "accept_types": ["ltiResourceLink"], "data": "kept <as> it is"} | settings
    return world.launch(
        sub="9",
        drop=(CLAIM + "resource_link", *drop),
        **{CLAIM + "message_type": "LtiDeepLinkingRequest", CLAIM + "roles": list(roles), SETTINGS: told},
    )


def choose(world, page, *opens):
    (form,) = (one for one in forms_of(page.text) if one["action"] == f"{PATH}/pick")
    return world.browser.ask("POST", f"{PATH}/pick", data={"picking": form["fields"]["picking"], "opens": list(opens)})


def said(world, answer):
    (form,) = (one for one in forms_of(answer.text) if one["action"] == RETURN)
    keys = KeySet.import_key_set(world.browser.get(f"{PATH}/jwks").json())
    return jwt.decode(form["fields"]["JWT"], keys, algorithms=["RS256"]).claims


def test_a_teacher_chooses_several_and_each_becomes_a_link(world):
    page = asking(world, accept_multiple=True)

    answer = choose(world, page, "skills", f"skill:{COMPETENCY.id}")
    told = said(world, answer)

    assert 'type="checkbox"' in page.text
    assert (told["iss"], told["aud"], told["exp"] - told["iat"]) == ("tool", [ISSUER], 300)
    assert told[CLAIM + "message_type"] == "LtiDeepLinkingResponse"
    assert (told[CLAIM + "version"], told[CLAIM + "deployment_id"]) == ("1.3.0", "1")
    assert told[DL + "data"] == "kept <as> it is"
    assert len(told["nonce"]) == 32
    assert told[DL + "content_items"] == [
        {
            "type": "ltiResourceLink",
            "title": "My skills",
            "text": "Each learner sees their own skills and badges.",
            "url": f"{TOOL}/launch",
            "custom": {"engraft_opens": "skills"},
        },
        {
            "type": "ltiResourceLink",
            "title": COMPETENCY.label,
            "text": f"Learners see their skills; {COMPETENCY.label} goes into the gradebook once somebody holds it.",
            "url": f"{TOOL}/launch",
            "custom": {"engraft_opens": f"skill:{COMPETENCY.id}"},
            "lineItem": {
                "label": COMPETENCY.label,
                "scoreMaximum": 100,
                "resourceId": f"skill:{COMPETENCY.id}",
                "tag": "skill",
            },
        },
    ]


def test_the_answer_may_be_sent_to_the_platform_and_nowhere_else(world):
    answer = choose(world, asking(world), "skills")

    policy = answer.headers["content-security-policy"]
    assert f"form-action 'self' {ISSUER};" in policy
    assert f"frame-ancestors {ISSUER};" in policy
    assert f'action="{RETURN}" data-send' in answer.text


def test_where_no_column_is_taken_none_is_offered_and_data_that_was_not_given_is_not_answered(world):
    told = said(world, choose(world, asking(world, accept_lineitem=False, data=None), f"skill:{COMPETENCY.id}"))

    assert "lineItem" not in told[DL + "content_items"][0]
    assert DL + "data" not in told


@pytest.mark.parametrize(
    ("opens", "says"),
    [
        ((), "Choose what the link shall open"),
        (("skills", f"skill:{COMPETENCY.id}"), "takes one link at a time"),
        (("skill:made-up",), "is not there any more"),
    ],
)
def test_a_choice_that_cannot_be_is_shown_again(world, opens, says):
    answer = choose(world, asking(world), *opens)

    assert answer.status_code == 400
    assert says in text_of(answer)
    assert choose(world, answer, "skills").status_code == 200


@pytest.mark.parametrize("picking", ["", "made-up"])
def test_a_form_that_was_not_shown_is_refused(world, picking):
    answer = world.browser.ask("POST", f"{PATH}/pick", data={"picking": picking, "opens": "skills"})

    assert answer.status_code == 403


def test_a_choice_is_taken_for_an_hour(world):
    (form,) = (one for one in forms_of(asking(world).text) if one["action"] == f"{PATH}/pick")
    secret = world.tenant.secret("lti-picking")
    shown = reveal(secret, form["fields"]["picking"], Picking)
    over = hide(secret, replace(shown, until=world.tenant.clock()))

    answer = world.browser.ask("POST", f"{PATH}/pick", data={"picking": over, "opens": ["skills"]})

    assert 59 * MINUTE < shown.until - world.tenant.clock() <= HOUR
    assert answer.status_code == 403
    assert "shown over an hour ago" in text_of(answer)


def test_a_learner_puts_nothing_into_a_course(world):
    answer = asking(world, roles=(MEMBERSHIP + "Learner",))

    assert answer.status_code == 403
    assert "Only who teaches" in text_of(answer)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"accept_types": ["file"]}, "does not take links to this tool"),
        ({"accept_types": 7}, "does not take links to this tool"),
        ({"deep_link_return_url": "javascript:alert(1)"}, "return address is none"),
        ({"deep_link_return_url": ""}, "where the choice goes"),
    ],
)
def test_a_platform_that_asks_for_what_cannot_be_is_told_so(world, settings, says):
    answer = asking(world, **settings)

    assert answer.status_code == 400
    assert says in text_of(answer)


def test_a_teacher_whom_the_platform_does_not_name_may_choose_too(world):
    assert asking(world, drop=("sub",)).status_code == 200
