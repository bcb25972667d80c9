"""The newest refusals of each source, in its tenant's store: what is kept, what is not, and how many."""

import httpx
import pytest

from lrs.kernel.admission import AGE, CREDENTIALS, RetryLater
from lrs.kernel.errors import Refused
from lrs.web import kept_refusals
from lrs.web.kept_refusals import MOST, all_refusals, keeping, refusals_of
from lrs.web.refusals import Noted, Refusals, refusal_of
from tests.programs import until
from tests.served import serving, statement


def noted(number=0, *, tenant="default", source="moodle", method="POST", resource="statements", refused=None, key=""):
    refused = refused or Refused("zoe.secret", pointer="/actor/zoe.secret", rule=f"rule {number}")
    about = {"tenant": tenant, "source": source, "method": method, "resource": resource, "request": "r"}
    return Noted(refusal_of(refused, **about), key)


@pytest.fixture(scope="module")
def lrs(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("lrs")) as made:
        made.app.tenants.control.add("other")
        yield made


@pytest.fixture
def keep(lrs):
    yield keeping(lrs.app.tenants)
    for name in ("default", "other"):
        with lrs.app.tenants.hold(name) as tenant:
            for source in all_refusals(tenant.store):
                tenant.store.write(lambda tx, source=source: tx.delete("refusals", source)).result()


@pytest.mark.usefixtures("keep")
def test_what_is_refused_to_a_source_is_kept_for_it_without_what_was_sent(lrs):
    lrs.post([statement(), statement(actor={"mbox": "mailto:zoe.secret@example.org", "zoe.secret": 1})])

    until(lambda: refusals_of(lrs.tenant.store, "tests").count, "the refusal")

    (one,) = refusals_of(lrs.tenant.store, "tests").newest
    body = lrs.tenant.store.get("refusals", "tests").body
    assert (one.method, one.resource, one.status, one.error) == ("POST", "statements", 400, "invalid_statement")
    assert (one.index, one.place, one.rule) == (1, "/1/actor/…", "xAPI 1.0.3 Data 2.2")
    assert b"secret" not in body


@pytest.mark.usefixtures("keep")
def test_a_wrong_secret_is_kept_for_the_source_of_the_key_and_a_made_up_key_for_nobody(lrs):
    lrs.post(statement(), auth=("default.0000000000000000", "wrong"))
    lrs.post(statement(), auth=(lrs.auth[0], "wrong"))

    until(lambda: all_refusals(lrs.tenant.store), "the refusal")

    assert {source: [one.status for one in kept.newest] for source, kept in all_refusals(lrs.tenant.store).items()} == {
        "tests": [401]
    }


@pytest.mark.usefixtures("keep")
def test_a_request_without_a_version_is_kept_for_the_key_it_came_with_unless_the_secret_was_wrong(lrs):
    wrong = (lrs.auth[0], "wrong")
    answers = [httpx.post(f"{lrs.address}/xapi/statements", json=statement(), auth=auth) for auth in (wrong, lrs.auth)]

    until(lambda: all_refusals(lrs.tenant.store), "the refusal")

    (one,) = refusals_of(lrs.tenant.store, "tests").newest
    assert [each.status_code for each in answers] == [400, 400]
    assert one.key == lrs.auth[0]
    assert one.says == "The header X-Experience-API-Version is missing: send 1.0.3 or 2.0.0."


@pytest.mark.usefixtures("keep")
def test_a_sentence_of_ours_is_kept_and_what_was_sent_is_cut_from_it(lrs):
    lacks = statement()
    del lacks["verb"]
    for one in (lacks, statement(verb={"id": "zoe.secret"}), statement(**{"zoe.secret": 1})):
        lrs.post(one)

    until(lambda: refusals_of(lrs.tenant.store, "tests").count == 3, "the refusals")

    kept = refusals_of(lrs.tenant.store, "tests").newest
    assert [one.says for one in kept] == [
        'A statement must have "verb".',
        "The verb's id must be an IRI with a scheme, such as https://example.com/thing.",
        "",
    ]
    assert {one.key for one in kept} == {lrs.auth[0]}
    assert b"secret" not in lrs.tenant.store.get("refusals", "tests").body


def test_the_oldest_go_and_all_are_counted(lrs, keep):
    keep([noted(number) for number in range(MOST - 1)])
    keep([noted(number) for number in range(MOST - 1, MOST + 20)])

    kept = refusals_of(lrs.tenant.store, "moodle")

    assert kept.count == MOST + 20
    assert [one.rule for one in kept.newest] == [f"rule {number}" for number in range(20, MOST + 20)]
    assert len(lrs.tenant.store.get("refusals", "moodle").body) < 300 * MOST


@pytest.mark.parametrize(
    "one",
    [
        noted(refused=RetryLater(AGE)),
        noted(refused=RetryLater(CREDENTIALS)),
        noted(refused=Refused("failed", status=500, error="internal_error")),
        noted(method="GET", refused=Refused("none", status=404, error="not_found")),
        noted(resource="/console/sources", refused=Refused("no", status=403, error="forbidden")),
        noted(source=""),
        noted(tenant=""),
        noted(tenant="nobody"),
    ],
    ids=["come back", "guesses", "our fault", "not there", "a page", "no source", "no tenant", "unknown tenant"],
)
def test_refusals_that_the_source_need_not_correct_are_not_stored(lrs, keep, one):
    keep([one, noted(1, source="other")])

    assert all_refusals(lrs.tenant.store).keys() == {"other"}


def test_each_tenant_keeps_its_own(lrs, keep):
    keep([noted(1), noted(2, tenant="other")])

    with lrs.app.tenants.hold("other") as other:
        kept = refusals_of(other.store, "moodle")
    assert [one.rule for one in kept.newest] == ["rule 2"]
    assert [one.rule for one in refusals_of(lrs.tenant.store, "moodle").newest] == ["rule 1"]


def test_a_store_that_cannot_be_written_holds_up_nothing(lrs, tmp_path, monkeypatch):
    def fails(*_args, **_more):
        raise OSError

    monkeypatch.setattr(kept_refusals, "add", fails)
    writer = Refusals(tmp_path, keeping(lrs.app.tenants))
    writer.note(noted().refusal)
    writer.close()

    assert (tmp_path / "refusals.jsonl").read_text().count("\n") == 1
