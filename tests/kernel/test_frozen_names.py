"""What stores are searched by and secrets are made of never changes: else what was stored before is found no more."""

from __future__ import annotations

import re
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from adapters.lms.lti import courses, grades, platforms, users
from adapters.reading.people import Ifi
from adapters.training_centre import attendees, centre_sessions, checklists, learner_routes
from badges.content.awards import credential_uuid
from lrs.competency import evidence, uncompletions
from lrs.competency.frameworks.framework import item_id
from lrs.competency.shapes import RuleRef
from lrs.kernel.keys import pair
from lrs.kernel.names import hash_name
from lrs.kernel.sealed import digest_of
from lrs.matching.outcomes import outcome_id
from lrs.people import joins, suggestions
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


@each_of(
    "made, kept",
    [
        (uncompletions.uncompletion_id("Statement", "Identifier"), "579302d5-79bd-5eeb-9f02-f5c793e35fdc"),
        (evidence.evidence_id("Statement", RuleRef("Rule", "2"), "Identifier"), "a97cbba4-0aae-5960-a5bf-533310f43802"),
        (evidence.former_id("Statement", RuleRef("Rule", "2"), "Identifier"), "71c5c265-c0e3-5ba1-9a27-5933602daeb0"),
        (item_id("Framework", "Code"), "f05bd976-e0bd-564c-80d0-950fea7d83e0"),
        (item_id("Framework", "CODE"), "f05bd976-e0bd-564c-80d0-950fea7d83e0"),
        (outcome_id("Service", "Called"), "f57bd4b3-062a-52c6-90f4-523b9b7ff74e"),
        (suggestions.suggestion_id("First", "Second"), "7b1d9508-81bd-5be3-a6bd-5292484f5be8"),
        (joins.link_id("One", "Other"), "d4ea0ed9-8045-5ddc-a8bd-7f3776c2779b"),
        (joins.link_id("Other", "One"), "d4ea0ed9-8045-5ddc-a8bd-7f3776c2779b"),
        (attendees.attendee_id("Session", "Learner"), "51296e82-48b9-50cc-b961-3842c3f2a7fc"),
        (checklists.checklist_id("Centre", "Id"), "aec50d0b-5dc1-56f0-aeef-680969c10681"),
        (centre_sessions.session_id("Centre", "Number"), "0e750075-533c-5c9f-92fe-1ee4a9aa4fab"),
        (learner_routes.route_id("Centre", Ifi("https://H.example", "L2")), "58883e15-2079-539e-9869-a9315d367fd7"),
        (users.user_id("Platform", "Sub"), "8ffe5683-e117-5955-b95e-0ad613b93e0d"),
        (courses.course_id("Platform", "Deployment", "Context"), "b2aa5c21-13a6-5e99-8db7-1940ceabf0e4"),
        (courses.member_id("Course", "User"), "23d3d399-ce44-566d-910c-cc586cd3d04f"),
        (courses.link_id("Platform", "Deployment", "Resource"), "8faaa4d8-8afc-55b0-8d8d-4a1ba42b42a1"),
        (grades.grade_id("Link", "User"), "7275bd7f-95d6-5927-80d8-897358a8eef8"),
        (grades.delivery_id("Grade"), "637e13dc-9859-508a-a3dd-549ccda5c443"),
        (platforms.platform_id("Issuer", "Client"), "5ddc9614-06d3-5384-ac88-c9caf5f59dd5"),
        (credential_uuid("Award"), "4d8b4faa-5854-5fa7-b796-be3952f183aa"),
    ],
)
def test_ids_of_records_are_what_stores_have_and_large_letters_are_not_small_ones(made, kept):
    assert made == kept


class Kept:
    """Secrets of a tenant: each is its own name."""

    def secret(self, purpose):
        return purpose.encode().ljust(32, b".")[:32]


def test_the_first_keys_that_sign_follow_from_the_secrets_as_ever():
    jwt = first_for_jwt(Kept()).public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)

    assert first_public(Kept()) == "81GYPkRdi_7md1S6qV4lp2c4LP34hyiU0iVCu4_pjmY"
    assert jwt.hex() == "024973b85f9cfe104dbd784ecd2e3da88f525c0eee84d787cfc2efe17ede449518"
