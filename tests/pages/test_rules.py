"""Rules in a browser: a table is sent, what it would change is seen, and it bites only after the number is typed."""

from __future__ import annotations

import pytest

from lrs.access import staff_acts
from lrs.access.roles import granted
from lrs.competency.frameworks.frameworks import keep, publish
from lrs.competency.frameworks.levels import PRESETS
from lrs.competency.frameworks.sheets import framework_from_sheet
from lrs.competency.rules import drafts, rulesets
from lrs.competency.rules.drafts import RulesChange
from lrs.competency.rules.rules import RuleCompetency, Ruleset
from lrs.composition.steps import drain
from lrs.kernel.errors import Refused
from lrs.kernel.times import DAY
from lrs.pages import rules_view
from lrs.storage import each
from tests.competency.world import RULES, SHEET, URI, statement
from tests.pages.conftest import Site, forms_of, text_of
from tests.pages.members import signed_in

PLACE = "/staff/rules"
HARDER = RULES.replace(",80,", ",95,")
NONE = RULES.partition("\n")[0] + "\n"
BOB = {"name": "Bob", "mbox": "mailto:bob@example.org"}


@pytest.fixture
def site(tmp_path):
    """Two learners hold gowning, with a badge each."""
    made = Site(tmp_path)
    made.world.send(statement("one"))
    made.world.send(statement("two", BOB))
    drain(made.tenant)
    yield made
    made.close()


@pytest.fixture
def steward(site):
    return signed_in(site, "steward")


def send(site, browser, table, name="rules.csv", place=PLACE, tenant=None):
    """Sends a table and waits until it is weighed; the address of what it would change."""
    token = forms_of(browser.get(place).text)[-1]["fields"]["form"]
    answer = browser.ask("POST", place, data={"form": token}, files={"file": (name, table.encode())})
    if answer.status_code != 303:
        return answer
    drain(tenant or site.tenant, ("weigh",))
    return answer.headers["location"]


def apply(site, browser, place, **given):
    answer = browser.send(browser.get(place), f"{place.removesuffix('/changes')}/apply", **given)
    drain(site.tenant, ("weigh",))
    return answer


def version(site):
    return rulesets.current(site.tenant.store).version


def test_a_table_that_would_revoke_every_badge_bites_only_after_the_number_is_typed(site, steward):
    site.world.send(statement("three", {"mbox": "mailto:cy@example.org"}, activity="https://vle.example/new"))
    place = send(site, steward, NONE + "https://vle.example/new,passed,ASEP,1,,,vle\n")
    seen = text_of(steward.get(place))
    assert "Held levels that would go or end earlier 2" in seen
    assert "Learners who would lose 2 Badges that would be revoked 2" in seen
    assert "Loses Bob (bob@example.org) GOWN Gowning 1 Awareness Would be revoked" in seen
    assert "Taken out : GOWN Gowning , level 1" in seen

    for typed in ("", "1", "-2", "two", "9" * 12):
        refused = apply(site, steward, place, expected=typed)
        assert refused.status_code == 409
        assert 'role="alert"' in refused.text
    assert version(site) == 1
    assert apply(site, steward, place, expected="2").status_code == 303

    assert version(site) == 2
    changed = text_of(steward.get(place))
    assert "What these rules changed" in changed
    assert "Version 2 is in force. 2 held levels go, or end earlier." in changed
    assert "The review lasts until" in changed
    assert "Bring version 1 back: see what that would change" in changed
    assert ("rules.applied", f"staff {steward.member}") in site.audit()
    drain(site.tenant)
    assert {one["state"] for one in site.world.all("award")} == {"held"}  # in review
    site.world.clock.now += 400 * DAY
    assert "in review" not in text_of(signed_in(site, "steward").get(place))


def test_a_rule_whose_row_cannot_be_used_is_not_said_to_be_taken_out_and_the_draft_is_found_again(site, steward):
    head, row = RULES.splitlines()[:2]
    other = RULES.splitlines()[2]
    for place, cell in (("80", "most"), ("GOWN", "GOWM"), ("https://vle.example/gowning", "#REF!")):
        assert place in row
        seen = text_of(steward.get(send(site, steward, "\n".join([head, row.replace(place, cell), other]))))
        assert "Cannot be read (row 2: it goes if the row is left out): GOWN Gowning" in seen
        assert "Taken out" not in seen
    gone = send(site, steward, f"{head}\nhttps://vle.example/elsewhere,passed,GOWN,1,most,,vle\n{other}", "x.csv")
    assert "Taken out : GOWN Gowning" in text_of(steward.get(gone))

    page = steward.get(PLACE)
    assert "Looked at, and not in force yet" in text_of(page)
    assert gone in page.text
    assert apply(site, steward, gone, expected="2", without="yes").status_code == 303
    assert "Looked at, and not in force yet" not in text_of(steward.get(PLACE))


def test_a_level_is_called_as_its_own_framework_calls_it_also_where_another_has_the_same_code():
    about = [
        RuleCompetency(label, "GOWN", label, label, 1, PRESETS[scale])
        for label, scale in (("Gowning", "tiers"), ("Gown making", "dreyfus"))
    ]
    found = [RulesChange("p", "Ann", "GOWN", one.label, 1, "loses") for one in about]

    rows = rules_view.changes(found, [Ruleset(1, (), tuple(about))])

    assert [row.shown["level"] for row in rows] == ["1 Awareness", "1 Novice"]


def test_a_badge_is_said_to_go_also_where_another_framework_has_a_competency_with_the_same_code(site, steward):
    other, faults = framework_from_sheet(SHEET.encode(), uri=f"{URI}/other", title="Other", scale=PRESETS["tiers"])
    assert faults == ()
    site.world.write(lambda tx: (keep(tx, other), publish(tx, other.id, "test")))
    head, gowning = RULES.splitlines()[:2]
    rows = [f"{gowning},{URI}", f"{gowning.replace('/gowning', '/other')},{other.id}"]
    site.world.apply("\n".join([f"{head},framework", *rows]))
    site.world.send(statement("elsewhere", activity="https://vle.example/other"))
    drain(site.tenant, ("match", "evaluate"))  # no badge is signed yet for the level of the other framework
    table = "\n".join([f"{head},framework", rows[1]])

    seen = text_of(steward.get(send(site, steward, table)))

    assert "Held levels that would go or end earlier 2" in seen  # Bob's, too
    assert "Badges that would be revoked 2" in seen


def test_a_version_is_brought_back(site, steward):
    harder = send(site, steward, HARDER)
    apply(site, steward, harder, expected="2")
    drain(site.tenant)
    page = steward.get(f"{PLACE}/versions/1/rules")

    back = steward.send(page, f"{PLACE}/restore").headers["location"]
    drain(site.tenant, ("weigh",))
    assert "What bringing version 1 back would change" in text_of(steward.get(back))
    assert "Keeps, out of review" in text_of(steward.get(back))
    apply(site, steward, back)

    assert "Version 3 is in force, and is as version 1 was." in text_of(steward.get(back))
    assert "<title>Version 1 was brought back" in steward.get(back).text
    assert "Version 2 was put in force. Version 3 is in force now." in text_of(steward.get(harder))
    assert "Bring version 1 back" not in text_of(steward.get(harder))
    rows = steward.get(f"{PLACE}.json").json()
    assert [(one["version"], one["restores"], one["state"]) for one in rows] == [
        (3, 1, "In force"),
        (2, None, "Former"),
        (1, None, "Former"),
    ]
    assert rows[0]["by"] == "Mo"


def test_the_number_is_counted_again_when_it_is_put_in_force(site, steward):
    place = send(site, steward, HARDER)
    site.world.send(statement("three", {"mbox": "mailto:cy@example.org"}))
    drain(site.tenant, ("match", "evaluate"))

    apply(site, steward, place, expected="2")

    assert version(site) == 1
    assert "Meanwhile 3 held levels would go or end earlier, not 2." in text_of(steward.get(place))
    apply(site, steward, place, expected="3")
    assert version(site) == 2


def test_a_table_that_is_sent_twice_is_looked_at_once_by_each_sender_and_again_once_that_is_over(site, steward):
    other = signed_in(site, "administrator")

    first, again, theirs = send(site, steward, NONE), send(site, steward, NONE), send(site, other, NONE)
    by = drafts.find(site.tenant.store, theirs.split("/")[-2]).by
    site.world.write(lambda tx: drafts.change(tx, first.split("/")[-2], state="refused"))
    after = send(site, steward, NONE)

    assert first == again
    assert (by, len({first, theirs, after})) == (f"staff {other.member}", 3)


def test_who_agrees_after_somebody_else_did_changes_nothing_and_what_was_refused_is_not_agreed_to(site, steward):
    id = send(site, steward, HARDER).split("/")[-2]
    store, write = site.tenant.store, site.world.write
    write(lambda tx: drafts.agree(tx, id, 2, "first"))

    write(lambda tx: drafts.agree(tx, id, 99, "second"))
    agreed = drafts.find(store, id)
    write(lambda tx: drafts.change(tx, id, state="refused"))
    with pytest.raises(Refused, match="cannot be put in force") as refused:
        write(lambda tx: drafts.agree(tx, id, 2, "third"))

    assert (agreed.state, agreed.expected, agreed.by) == ("agreed", 2, "first")
    assert (refused.value.status, drafts.find(store, id).by) == (409, "first")


def test_two_tabs_and_two_stewards_do_not_put_in_force_what_the_other_has_overtaken(site, steward):
    other = signed_in(site, "administrator")
    mine, theirs = send(site, steward, HARDER), send(site, other, NONE)
    page = steward.get(mine)

    apply(site, other, theirs, expected="2")
    late = steward.send(page, f"{mine.removesuffix('/changes')}/apply", expected="2")

    assert late.status_code == 409
    assert "Other rules came into force since" in text_of(late)
    assert "Other rules came into force since" in text_of(steward.get(mine))
    assert version(site) == 2


def test_rows_that_cannot_be_used_are_named_and_left_out_only_if_that_is_said(site, steward):
    table = RULES + "https://vle.example/x,passed,NOPE,1,80,,vle\n"
    place = send(site, steward, table.replace("P12M", "P6M"))

    assert "row 4, competency" in text_of(steward.get(place))
    parts = ("Rows that cannot be used", "Leave out the row", "Put these rules in force")
    told = text_of(steward.get(place))
    assert [told.count(part) for part in parts] == [1, 1, 1]
    assert sorted(parts, key=told.index) == list(parts)
    assert apply(site, steward, place, without="").status_code == 409
    assert apply(site, steward, place, without="yes").status_code == 303
    assert version(site) == 2


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("", "the file is empty"),
        ("%PDF-1.7", "the file is a PDF"),
        ("a,b\n1,2\n", "no header is known"),
        (NONE + "https://x.example/1,passed,NOPE,1,,,vle\n", "No row of this table can be used"),
    ],
)
def test_a_table_of_which_nothing_can_come_is_refused_on_the_page_and_nothing_is_kept(site, steward, table, says):
    answer = send(site, steward, table)

    assert answer.status_code == 400
    assert says.casefold() in text_of(answer).casefold()
    assert list(each(site.tenant.store, drafts.KIND)) == []


def test_the_table_in_force_changes_nothing_and_a_version_is_a_table_to_send_again(site, steward):
    table = steward.get(f"{PLACE}/versions/1/rules.csv").content.decode("utf-8-sig")

    page = text_of(steward.get(send(site, steward, table)))

    assert "These are the rules in force: nothing would change." in page
    assert steward.get(f"{PLACE}/versions/1/rules.json").json()[0]["activity"] == "https://vle.example/gowning"
    assert steward.get(f"{PLACE}/versions/9/rules").status_code == 404
    assert steward.get(f"{PLACE}/versions/x/rules").status_code == 404


def test_another_organisation_and_other_roles_see_nothing_of_it(site, steward):
    place = send(site, steward, NONE)
    other, provider = signed_in(site, "steward", tenant=site.other), signed_in(site, "provider:vle")

    assert {one["name"] for one in steward.get(f"{place}.json").json()} == {"ann@example.org", "Bob (bob@example.org)"}
    for at in (place, f"{place}.csv", f"{place}.json"):
        assert other.get(f"/t/other{at}").status_code == 404
        assert provider.get(at).status_code == 403
    assert other.get(f"/t/other{PLACE}.json").json() == []
    assert site.other.store.get(drafts.KIND, place.split("/")[-2]) is None


def test_a_role_taken_away_while_the_page_is_open_changes_nothing(site, steward):
    place = send(site, steward, NONE)
    page = steward.get(place)
    staff_acts.set_roles(site.tenant, steward.member, [granted("planner")], by="test")

    answer = steward.send(page, f"{place.removesuffix('/changes')}/apply", expected="2")

    assert answer.headers["location"].startswith("/sign-in")
    assert version(site) == 1


def test_what_was_looked_at_is_gone_after_some_days(site, steward):
    place = send(site, steward, NONE)
    site.world.clock.now += 31 * 86_400_000_000

    drain(site.tenant, ("weigh",))

    assert list(each(site.tenant.store, drafts.KIND)) == []
    assert signed_in(site, "steward").get(place).status_code == 404
