"""What somebody is shown of all that is kept about them: every kind that names them, nothing of others, no secret."""

import json
import re

import msgspec
import pytest

from lrs.composition.kinds import TENANT
from lrs.matching.consent.links import AskedGuardian
from lrs.outbox.mail import send_mail
from lrs.people.ids import ids_of
from lrs.people.persons import whose
from lrs.storage import Record, each
from lrs.storage.about import Whose
from lrs.subjects import access
from tests.everything import Everything
from tests.rows import each_of

ABOUT_PEOPLE = sorted(name for name, kind in TENANT.items() if kind.subjects is not None)
LINK, CODE = "https://lrs.example/sign-in/link/s3cret", "428301"
NOT_FOUND = {("anne", "statement")}
"""A statement that only says that Anne is the same as its actor: it is the actor's until somebody joins the two."""


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    lived = Everything(tmp_path_factory.mktemp("everything"))
    person = lived.person("ann")
    values = {"link": LINK, "code": CODE, "minutes": "15"}
    lived.write(lambda tx: send_mail(tx, lived.tenant, "ann@example.org", "learner-sign-in", values, person=person))
    yield lived
    lived.close()


@pytest.fixture(scope="module")
def told(everything):
    """The file of Ann, and its text."""
    pieces = access.as_file(everything.tenant, TENANT, everything.person("ann at work"), by="learner ann")
    text = b"".join(pieces).decode()
    return json.loads(text), text


@each_of("kind", ABOUT_PEOPLE)
@each_of("who", ["ann", "ann at work", "anne"])
def test_what_is_found_by_keys_is_all_that_is_about_somebody(everything, who, kind):
    store, ids, declared = everything.tenant.store, ids_of(everything.tenant), TENANT[kind]
    mine = whose(store, everything.person(who))

    each_found = [record.id for record in access.records(everything.tenant, declared, mine, ids)]

    found = set(each_found)
    named = {record.id: declared.subjects(record) for record in each(store, kind)}
    about = {
        id
        for id, one in named.items()
        if set(one.persons) & set(mine.persons) or set(map(ids, one.identifiers)) & set(mine.identifiers)
    }
    assert (about - found != set()) is ((who, kind) in NOT_FOUND)
    assert found - about == set()
    assert len(each_found) == len(found)


def test_the_file_has_each_kind_that_names_its_learner(everything, told):
    file, _ = told

    assert sorted(file["records"]) == ABOUT_PEOPLE
    assert {kind for kind, records in file["records"].items() if not records} == {"consent-link", "centre-session"}
    assert {everything.person("ann"), everything.person("ann at work")} == {
        one["id"] for one in file["records"]["person"]
    }


def test_nothing_of_others_is_in_it(everything, told):
    _, text = told

    for who in ("anne", "ray", "new", "system"):
        assert everything.identifier(who) not in text
    assert everything.person("anne") not in text
    for named in ("anne@example.org", "ray@centre.example", "new@example.org", "https://lrs.example"):
        assert named not in text


def test_no_secret_is_in_it(everything, told):
    _, text = told

    for secret in (LINK, CODE, everything.sign_in_link, everything.invitation, everything.link.id):
        assert secret not in text
    assert not re.search(r"argon2|\"(password|factor|recovery|values)\"", text)


def test_a_consent_link_is_shown_without_what_opens_it_and_without_the_guardians_address(everything):
    asked = AskedGuardian("Noor", "n0nce", 1_795_262_400_500_000, "mum@example.org")
    link = msgspec.structs.replace(everything.link, guardian=asked)
    whom = Whose((), (everything.identifier("new"),), ())

    shown = TENANT["consent-link"].shown(Record("consent-link", link.id, msgspec.json.encode(link)), whom)

    assert shown["guardian"] == {"learner": "Noor", "expires": "2026-11-21T12:00:00.500000Z", "answered": None}
    assert not {link.id, asked.nonce, asked.address} & set(re.findall(r'[^"]+', json.dumps(shown)))


def test_a_document_that_is_no_text_stands_in_it_in_base64(everything):
    document = next(one for one in each(everything.tenant.store, "state") if "blob" not in one.meta)
    whom = whose(everything.tenant.store, everything.person("ann"))

    shown = TENANT["state"].shown(msgspec.structs.replace(document, body=b"\xff\x00"), whom)

    assert (shown["content"], shown["encoding"]) == ("/wA=", "base64")


def test_a_number_stands_in_it_as_it_was_sent(told):
    file, text = told

    (passed,) = (one for one in file["records"]["statement"] if "result" in one)
    assert passed["actor"] == {"name": "Ann", "mbox": "mailto:ann@example.org"}
    assert passed["source"] == "vle"
    assert '"raw":90' in text


def test_taking_the_file_is_in_the_record_of_actions(everything, told):
    assert told
    actions = [json.loads(record.body) for record in each(everything.tenant.store, "audit")]

    (taken,) = (one for one in actions if one["action"] == "own-data.taken")
    assert (taken["by"], taken["about"]) == ("learner ann", {"person": everything.person("ann at work")})


def test_of_many_records_the_page_shows_the_first_and_says_that_there_are_more(everything):
    found = access.first_of_each(everything.tenant, TENANT, everything.person("ann"), 2)

    sizes = {one.kind: (len(one.records), one.more) for one in found}
    assert sizes["statement"] == (2, True)
    assert sizes["profile"] == (1, False)
    assert "consent-link" not in sizes
