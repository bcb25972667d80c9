"""The commands, on a store in a temporary folder, as a person types them."""

import json
import re

import pytest
from click.testing import CliRunner

from lrs.competency.commands import framework, rules
from lrs.competency.evaluate import evaluate, match
from lrs.competency.rules import applying
from lrs.competency.source_commands import persons  # with its commands of this room
from lrs.composition.steps import drain
from lrs.kernel.settings import Settings
from lrs.ops.rebuild_commands import rebuild
from lrs.storage import Owed, Record, Walk
from lrs.tenancy.tenants import open_tenant
from lrs.xapi.statements.keys import keys_of, source_key
from tests.builders import store_in
from tests.competency.world import ANN, ANN_ACCOUNT, PASSED, RULES, SHEET, URI, statement

ATTEMPT = "http://adlnet.gov/expapi/activities/attempt"
FACE = "activity,verb,competency,level,threshold,valid for,trusted source\n"


def quiz_attempt(number):
    """As Moodle sends it: each attempt is an activity of its own, under its quiz."""
    one = statement(f"attempt {number}", activity=f"urn:attempt:{number}")
    one["object"]["definition"] = {"type": ATTEMPT, "name": {"en": f"A quiz, attempt {number}"}}
    quiz = {"id": "urn:quiz", "definition": {"name": {"de": "Ein Quiz", "en-GB": "A quiz\x1b[31m"}}}
    return {**one, "context": {"contextActivities": {"parent": [quiz, {"id": "urn:course"}]}}}


@pytest.fixture
def run(tmp_path):
    store_in(tmp_path / "data")

    def run(command, *words, exit_code=0):
        result = CliRunner().invoke(command, [*map(str, words), "--data", str(tmp_path / "data")])
        assert result.exit_code == exit_code, result.output
        return result.output

    return run


@pytest.fixture
def file(tmp_path):
    def file(name, text):
        path = tmp_path / name
        path.write_text(text)
        return path

    return file


@pytest.fixture
def send(tmp_path):
    def send(statement, source="vle"):
        tenant = open_tenant(Settings(data=tmp_path / "data"))
        record = Record(
            "statement",
            statement["id"],
            json.dumps(statement).encode(),
            {"source": source},
            (*keys_of(statement), source_key(source)),
            owed=(Owed("match"),),
        )
        tenant.store.write(lambda tx: tx.insert(record)).result()
        for step, brought in (("match", match), ("evaluate", evaluate)):
            brought(tenant, tenant.store.claim([step], limit=100, lease=60_000_000))
        tenant.store.close()

    return send


@pytest.fixture
def set_up(run, file):
    run(framework, "import", file("sheet.csv", SHEET), "--id", URI, "--title", "Advanced therapies")
    run(framework, "publish", URI)
    run(rules, "apply", file("rules.csv", RULES))


@pytest.mark.usefixtures("set_up")
def test_a_table_of_which_no_row_can_be_used_takes_nothing_away(run, file):
    run(framework, "import", file("twin.csv", SHEET), "--id", "https://example.org/twin")
    run(framework, "publish", "https://example.org/twin")

    told = run(rules, "apply", file("rules.csv", RULES), exit_code=1)

    assert "is in 2 frameworks; name one in the column framework" in told
    assert "no row can be used, so nothing was changed" in told


def test_a_framework_is_imported_listed_and_published(run, file):
    sheet = file("my sheet.csv", SHEET)

    assert "urn:engraft:framework:my-sheet: version 1 (draft), 6 items, 6 changes" in run(framework, "import", sheet)
    assert "no changes" in run(framework, "import", sheet)
    assert "version 1 is published" in run(framework, "publish", "urn:engraft:framework:my-sheet")
    listed = json.loads(run(framework, "list", "--json"))
    assert [(one["id"], one["version"], one["status"]) for one in listed] == [
        ("urn:engraft:framework:my-sheet", 1, "published")
    ]
    assert "no framework urn:other" in run(framework, "publish", "urn:other", exit_code=1)


@pytest.mark.usefixtures("set_up")
@pytest.mark.parametrize("source", ["engraft codes", "engraft courses north", "engraft prior badges"])
def test_a_rule_may_trust_what_is_made_here(run, file, source):
    assert "warning" not in run(rules, "check", file("rules.csv", f"{FACE}urn:b,passed,GOWN,1,,,{source}\n"))


@pytest.mark.usefixtures("set_up")
def test_checking_names_each_bad_row_and_fails(run, file):
    table = file("bad.csv", FACE + "urn:a,passed,NOPE,1,,,vle\nurn:b,passed,GOWN,1,,,vle\n")

    output = run(rules, "check", table, exit_code=1)

    assert "row 2, competency: no published framework has 'NOPE'" in output
    assert "row 3, trusted source: no key is called 'vle', and nothing came from it (warning)" in output
    assert "1 rule can be used" in output


@pytest.mark.usefixtures("set_up")
def test_a_browser_key_that_writes_passed_is_explained_as_not_trusted(run, send):
    send(statement("one"), source="browser-content")

    output = run(rules, "explain", "ann@example.org")

    assert "GOWN Gowning, level 1 Awareness: not held" in output
    assert "does not count: source not trusted" in output


@pytest.mark.usefixtures("set_up")
def test_an_award_is_explained_in_words_and_as_json(run, send):
    send(statement("one"))

    assert "held from 2026-11-20" in run(rules, "explain", "ann@example.org")
    found = json.loads(run(rules, "explain", "ann@example.org", "--competency", "GOWN", "--json"))
    assert [one["reason"] for one in found["answers"][0]["evidence"]] == [None]
    assert "no evidence" in run(rules, "explain", "ann@example.org", "--competency", "ASEP")
    assert "nobody is known as zoe" in run(rules, "explain", "zoe", exit_code=1)


@pytest.mark.usefixtures("set_up")
def test_a_dry_run_says_who_loses_and_changes_nothing(run, file, send):
    send(statement("one"))
    harder = file("harder.csv", RULES.replace(",80,", ",95,"))

    output = run(rules, "apply", harder, "--dry-run")

    assert "loses  " in output
    assert "(ann@example.org)  GOWN level 1 (Gowning)" in output
    assert "dry run: 0 gained, 1 lost" in output
    assert "nothing changed" in run(rules, "apply", file("rules.csv", RULES))


BAD_ROW = "https://vle.example/quiz,passed,NOPE,1,80,,vle\n"


@pytest.mark.usefixtures("set_up")
@pytest.mark.parametrize("skip", [(), ("--skip-unusable",)])
def test_a_table_of_which_no_row_can_be_used_takes_no_rule_away_and_an_empty_one_all(run, file, skip):
    refused = run(rules, "apply", file("elsewhere.csv", FACE + BAD_ROW), *skip, exit_code=1)
    still = run(rules, "apply", file("rules.csv", RULES))
    emptied = run(rules, "apply", file("empty.csv", FACE))

    assert "row 2, competency: no published framework has 'NOPE'" in refused
    assert "no row can be used, so nothing was changed" in refused
    assert "nothing changed: rules version 1 is in force" in still
    assert "rules version 2 with 0 rules" in emptied


@pytest.mark.usefixtures("set_up")
def test_a_table_with_a_row_that_cannot_be_used_is_refused_unless_such_rows_are_to_be_left_out(run, file):
    table = file("one-bad.csv", RULES.rstrip("\n") + "\n" + BAD_ROW.replace(",80,", ",80,", 1))

    refused = run(rules, "apply", table, exit_code=1)
    dry = run(rules, "apply", table, "--dry-run", exit_code=1)
    applied = run(rules, "apply", table, "--skip-unusable")

    assert "row 4, competency: no published framework has 'NOPE'" in refused
    assert "1 row cannot be used, so nothing was changed" in refused
    assert "1 row cannot be used" in dry
    assert "nothing changed: rules version 1 is in force" in applied


@pytest.mark.usefixtures("set_up")
def test_a_loss_is_named_and_needs_the_right_number(run, file, send):
    send(statement("one"))
    send(statement("two", {"mbox": "mailto:bob@example.org"}))
    harder = file("harder.csv", RULES.replace(",80,", ",95,"))

    refused = run(rules, "apply", harder, exit_code=1)
    wrong = run(rules, "apply", harder, "--expect-loss", "1", exit_code=1)
    done = run(rules, "apply", harder, "--expect-loss", "2")
    needless = run(rules, "apply", file("rules.csv", RULES), "--expect-loss", "2", exit_code=1)

    for name in ("ann@example.org", "bob@example.org"):
        assert any(line.startswith("loses  ") and f"({name})" in line for line in refused.splitlines())
    assert "GOWN level 1 (Gowning)" in refused
    assert "2 held levels would go or end earlier, so nothing was changed" in refused
    assert "run it again with --expect-loss 2" in refused
    assert "2 held levels would go or end earlier, not 1, so nothing was changed" in wrong
    assert "rules version 2 with 2 rules" in done
    assert "2 held levels will go, and until" in done
    assert "lrs rules restore 1 brings them back" in done
    assert "0 held levels would go or end earlier, not 2, so nothing was changed" in needless


@pytest.mark.usefixtures("set_up")
def test_the_number_can_be_typed_where_a_terminal_is_there(file, send, tmp_path, monkeypatch):
    send(statement("one"))
    harder = file("harder.csv", RULES.replace(",80,", ",95,"))
    monkeypatch.setattr("lrs.competency.rules.commands._somebody_is_there", lambda: True)

    def typed(number):
        words = ["apply", str(harder), "--data", str(tmp_path / "data")]
        return CliRunner().invoke(rules, words, input=f"{number}\n")

    wrong, right = typed(3), typed(1)

    assert "1 held level would go or end earlier. Type that number to go on: " in wrong.output
    assert (wrong.exit_code, right.exit_code) == (1, 0)
    assert "not 3" in wrong.output
    assert "rules version 2 with 2 rules" in right.output


@pytest.mark.usefixtures("set_up")
def test_a_number_that_changed_between_the_look_and_the_applying_is_refused_with_the_right_one(
    run, file, send, monkeypatch
):
    send(statement("one"))
    harder = file("harder.csv", RULES.replace(",80,", ",95,"))
    look_at, looks = applying.look_at, []

    def look_and_be_overtaken(*given):
        seen = look_at(*given)
        if not looks:
            send(statement("two", {"mbox": "mailto:bob@example.org"}))
        looks.append(seen)
        return seen

    monkeypatch.setattr(applying, "look_at", look_and_be_overtaken)
    refused = run(rules, "apply", harder, "--expect-loss", "1", exit_code=1)

    assert len(looks) == 1  # what came meanwhile is added to the first look
    assert "2 held levels would go or end earlier, not 1, so nothing was changed" in refused
    assert "nothing changed: rules version 1 is in force" in run(rules, "apply", file("rules.csv", RULES))


@pytest.mark.usefixtures("set_up")
def test_rule_sets_are_kept_listed_shown_and_restored(run, file, send):
    send(statement("one"))
    run(rules, "apply", file("harder.csv", RULES.replace(",80,", ",95,")), "--expect-loss", "1")

    table = run(rules, "show", "1")
    restored = run(rules, "restore", "1")

    assert table.splitlines()[1].startswith(
        "https://vle.example/gowning,activity,http://adlnet.gov/expapi/verbs/passed,"
    )
    assert "nothing changed: rules version 3 is in force" in run(rules, "apply", file("shown.csv", table))
    assert "1 level is gained, or held again" in restored
    assert "rules version 3 with 2 rules" in restored
    heading, *listed = [re.split("  +", line) for line in run(rules, "list").splitlines()]
    assert heading == ["VERSION", "STATE", "RULES", "APPLIED", "BY", "RESTORES", "LOSSES IN REVIEW UNTIL"]
    assert [(line[:3], line[5]) for line in listed] == [
        (["1", "former", "2"], "-"),
        (["2", "former", "2"], "-"),
        (["3", "in force", "2"], "1"),
    ]
    assert [(one["version"], one["restores"]) for one in json.loads(run(rules, "list", "--json"))] == [
        (1, None),
        (2, None),
        (3, 1),
    ]
    assert json.loads(run(rules, "show", "2", "--json"))["ruleset"]["rules"][0]["threshold"] == 95
    assert "nothing changed: rules version 3 is in force" in run(rules, "restore", "1")
    assert "there are no rules of version 9" in run(rules, "restore", "9", exit_code=1)


@pytest.mark.usefixtures("set_up")
def test_what_no_rule_is_about_is_listed_most_frequent_first(run, send):
    send(statement("one", activity="urn:rare"))
    send(statement("two", activity="urn:frequent"))
    send(statement("three", activity="urn:frequent"))
    send(statement("four"))

    found = json.loads(run(rules, "unmatched", "--json"))

    assert [(one["activity"], one["count"]) for one in found] == [("urn:frequent", 2), ("urn:rare", 1)]
    assert run(rules, "unmatched") == (
        f"COUNT  VERB{' ' * 34} ACTIVITY      NAME  MATCH     ATTEMPTS\n"
        f"2      {PASSED}  urn:frequent  -     activity  -\n"
        f"1      {PASSED}  urn:rare      -     activity  -\n"
    )
    assert run(rules, "unmatched", "--limit", 1).count("\n") == 2


@pytest.mark.usefixtures("set_up")
def test_what_no_rule_is_about_is_shown_with_names_and_attempts_under_what_they_are_attempts_at(run, send):
    for number in (1, 2):
        send(quiz_attempt(number))

    (one,) = json.loads(run(rules, "unmatched", "--json"))

    assert one == {
        "activity": "urn:quiz",
        "verb": PASSED,
        "count": 2,
        "name": "A quiz\x1b[31m",
        "match": "parent",
        "attempts": 2,
    }
    assert run(rules, "unmatched").splitlines()[1] == f"2      {PASSED}  urn:quiz  A quiz\\x1b[31m  parent  2"


@pytest.mark.usefixtures("set_up")
def test_what_a_source_never_sent_is_told_when_rules_are_checked(run, file, send):
    send(statement("one"))
    send(statement("two", activity="https://vle.example/aseptic"))

    told = run(rules, "check", file("rules.csv", RULES)).splitlines()

    completed = "http://adlnet.gov/expapi/verbs/completed"
    assert [line for line in told if line.startswith("never")] == [
        f"never seen from centre: https://vle.example/aseptic with {completed} or {PASSED}",
        f"never seen from vle: https://vle.example/aseptic with {completed}; with other verbs of its row it was",
    ]


@pytest.mark.usefixtures("set_up")
def test_persons_are_listed_merged_and_parted(run, send):
    send(statement("one"))
    send(statement("two", ANN_ACCOUNT))
    heading, *listed = run(persons, "list").splitlines()
    assert heading.split() == ["PERSON", "NAME", "IDENTIFIERS"]
    assert [line.split()[1:] for line in listed] == [["-", "ann@example.org"], ["-", "https://vle.example|ann"]]

    assert "are one person" in run(persons, "merge", "ann@example.org", "https://vle.example|ann")
    (one,) = json.loads(run(persons, "list", "--json"))
    assert one["identifiers"] == [ANN, ANN_ACCOUNT]
    assert len(json.loads(run(persons, "show", "ann@example.org", "--json"))["members"]) == 2
    assert "\nidentifiers  ann@example.org, https://vle.example|ann\n" in run(persons, "show", "ann@example.org")
    assert "stands alone" in run(persons, "unmerge", "ann@example.org")
    assert "not merged" in run(persons, "unmerge", "ann@example.org", exit_code=1)
    assert "nobody is known" in run(persons, "merge", "ann@example.org", "zoe@example.org", exit_code=1)


@pytest.mark.usefixtures("set_up")
def test_suggestions_are_listed_until_their_source_is_trusted(run, send):
    both = {"extensions": {"https://w3id.org/engraft/extensions/identifiers": [ANN_ACCOUNT]}}
    send(statement("one", context=both), source="registry")
    assert "one row carries both  registry  -\n" in run(persons, "suggestions")
    assert [one["source"] for one in json.loads(run(persons, "suggestions", "--json"))] == ["registry"]
    pair = ("ann@example.org", "https://vle.example|ann")
    assert run(persons, "dismiss", *pair) == "1 suggestion taken off the list\n"
    nothing = "nothing is suggested: no two persons look like one\n"
    assert run(persons, "suggestions") == nothing
    assert "one row carries both" in run(persons, "suggestions", "--dismissed")
    assert "nothing of the kind is suggested" in run(persons, "dismiss", *pair, exit_code=1)
    assert run(persons, "dismiss", "--back", *pair) == "1 suggestion back on the list\n"
    assert "one row carries both" in run(persons, "suggestions")

    assert run(persons, "trust", "registry") == "registry is an identity authority\n"
    send(statement("two", context=both), source="registry")

    assert run(persons, "suggestions") == nothing
    assert len(run(persons, "list").splitlines()) == 2


def test_a_source_that_is_trusted_before_it_is_known_is_told_of(run):
    told = run(persons, "trust", "regstry")

    assert told == (
        "regstry is an identity authority\nWARNING: no key is called regstry, and nothing came from it: see lrs keys"
        " list; it joins nobody until a key of that name sends\n"
    )


@pytest.mark.usefixtures("set_up")
def test_a_rebuild_prints_what_it_put_right(run, send, tmp_path):
    send(statement("one"))
    tenant = open_tenant(Settings(data=tmp_path / "data"))
    drain(tenant, ["match", "evaluate"])
    (award,) = tenant.store.find(Walk("award")).records
    tenant.store.write(lambda tx: tx.delete("award", award.id)).result()
    tenant.store.close()

    assert f"+ award {award.id}" in run(rebuild, "--dry-run")
    assert "1 added, 0 removed, 0 changed" in run(rebuild)
    assert "0 added, 0 removed, 0 changed" in run(rebuild)
