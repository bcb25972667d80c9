"""What stores are searched by and secrets are made of never changes: else what was stored before is found no more."""

from __future__ import annotations

import re
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lrs.kernel.keys import pair
from lrs.kernel.names import hash_name
from lrs.kernel.sealed import digest_of
from lrs.tenancy.signing_keys import first_for_jwt, first_public
from lrs.xapi.statements import keys
from lrs.xapi.statements.chains import mark
from tests.rows import each_of

ROOT = Path(__file__).parents[2]
UPPER = "3F2504E0-4F89-41D3-9A0C-0305E82C3301"
NAMES = """
achievement.of attendee.expected attendee.ifi attendee.person attendee.session award badge-certificate.person
badge-claim.badge badge-claim.person badge-exchange.access badge-exchange.badge badge-exchange.offer
badge-exchange.person badge-holder.person badge-name.person badge-share.person badge-share.token badge-stop.person
badge-use.person checklist.centre consent-link.state consent.receipt course-client.code course-opening.course
course-opening.person course.package course.part course.publisher credential.person destination endorsement.person ev
ev-completion ev-counted ev-person-identifier ev-statement event-code-use.person framework identifier identifier-person
import.arrived import.open launch.fetch launch.number launch.open launch.registration learner-route.ifi
learner-route.kind learner.address learner.login lineage link-person lti.alias lti.course-platform lti.enrolment
lti.enrolment-person lti.grade-person lti.issuer lti.link-course lti.member-course lti.member-person lti.user-person
mailbox one-time.about one-time.browser one-time.purpose outcome.of person plan-feed.token prior-badge.person
question.answered question.open question.person question.source refers registration registration.course
registration.learner registration.number registration.trial service session.centre session.ifi session.offering
session.opened session.subject source staff.email staff.login status.list status.revoked told-name.agent
told-name.identifier verb
"""


def test_every_name_of_a_search_key_that_stores_have_is_still_asked_for():
    texts = (path.read_text() for room in ("lrs", "adapters", "badges") for path in (ROOT / room).rglob("*.py"))
    found = {name for text in texts for name in re.findall(r'\bkey\(\s*"([^"]+)"', text)}

    spaced = {"delivery after", "delivery order", "delivery waiting", "forward idle", "related activity"}
    assert {*NAMES.split(), *spaced, "related agent", "voided of agent"} - found == set()


@each_of(
    "made, kept",
    [
        (keys.agent_key("mbox a"), 2819745625860238695),
        (keys.agent_key("mbox a", related=True), 2819745707951168948),
        (keys.verb_key("https://v.example"), 2654612700036924403),
        (keys.activity_key("https://a.example"), 4741682798009740843),
        (keys.activity_key("https://a.example", related=True), 4741682932015107089),
        (keys.registration_key(UPPER), keys.registration_key(UPPER.lower())),
        (keys.registration_key(UPPER), 5956669823600142055),
        (keys.source_key("vle"), 1800062433393052153),
        (keys.refers_key(UPPER), keys.refers_key(UPPER.lower())),
        (keys.refers_key(UPPER), 5956669642726268988),
        (keys.voided_agent_key("mbox a"), 2819745089154690964),
        (pair(1, 2), 99142901628),
        (mark(3), 795829477420),
        (digest_of("token"), "3c469e9d6c5875d37a43f353d4f88e61"),
        (hash_name("a" * 40), "7536e241-fa74-5b88-9d18-ec14edd2c458"),
    ],
)
def test_keys_and_digests_are_what_stores_have(made, kept):
    assert made == kept


class Kept:
    """Secrets of a tenant: each is its own name."""

    def secret(self, purpose):
        return purpose.encode().ljust(32, b".")[:32]


def test_the_first_keys_that_sign_follow_from_the_secrets_as_ever():
    jwt = first_for_jwt(Kept()).public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)

    assert first_public(Kept()) == "81GYPkRdi_7md1S6qV4lp2c4LP34hyiU0iVCu4_pjmY"
    assert jwt.hex() == "024973b85f9cfe104dbd784ecd2e3da88f525c0eee84d787cfc2efe17ede449518"
