"""``lrs sources`` and ``lrs quarantine`` on a store of its own."""

import json
from contextlib import closing

import pytest
from click.testing import CliRunner

from lrs.access.keys import create_key
from lrs.cli import main
from lrs.kernel.settings import Settings
from lrs.ops import sender_commands
from lrs.tenancy.tenants import open_tenant
from tests.builders import store_in
from tests.served import statement
from tests.xapi.statements.switched import send

GROUP = {"objectType": "GroupActivity", "id": "https://lms.example/group"}
EMPTY = {"score": {"min": 0, "max": 0}}


@pytest.fixture
def lrs(tmp_path):
    """Runs a command on a store of one source, "vle"; ``lrs.sent`` are the ids of what is in quarantine."""
    store_in(tmp_path)
    with closing((tenant := open_tenant(Settings(data=tmp_path))).store):
        create_key(tenant, "vle", ["statements/write"])
        sent = send(tenant, statement(object=GROUP), statement(object=GROUP, result=EMPTY), statement(result=EMPTY))

    def run(*words):
        return CliRunner().invoke(main, [*words, "--data", str(tmp_path)])

    run.sent = sent
    return run


def told(answer):
    return json.loads(answer.stdout)


def test_a_switch_is_turned_on_and_off_and_the_others_stay(lrs):
    on = told(lrs("sources", "switch", "vle", "--on", "deduplicate", "--on", "quarantine", "--json"))
    off = told(lrs("sources", "switch", "vle", "--off", "deduplicate", "--json"))

    assert on["on"] == ["deduplicate", "quarantine"]
    counted = {"quarantined": 3, "quarantinedEver": 3}
    assert off == {"id": "vle", "name": "vle", "shown": "", "on": ["quarantine"], **counted}
    assert told(lrs("sources", "list", "--json")) == [off]


@pytest.mark.parametrize("words", [["vle"], ["vle", "--on", "quarantine", "--off", "quarantine"]])
def test_a_switch_has_to_be_named_and_either_on_or_off(lrs, words):
    answer = lrs("sources", "switch", *words)

    assert answer.exit_code == 2
    assert "--on or --off" in answer.stderr


def test_a_source_without_a_key_has_no_switches(lrs):
    answer = lrs("sources", "switch", "vlee", "--on", "quarantine")

    assert answer.exit_code == 1
    assert "no key is called vlee" in answer.stderr


def test_the_quarantine_is_listed_and_one_is_shown_as_it_came(lrs):
    listed = told(lrs("quarantine", "list", "--source", "vle", "--json"))
    shown = told(lrs("quarantine", "show", lrs.sent[1], "--json"))

    assert [one["mends"] for one in listed] == [
        ["empty-score-range"],
        ["group-activity", "empty-score-range"],
        ["group-activity"],
    ]
    assert listed[1]["place"] == "/object/objectType"
    assert shown["statement"]["object"] == GROUP
    assert shown["says"].startswith("The objectType must be one of")
    assert "GroupActivity" in lrs("quarantine", "show", lrs.sent[1]).stdout
    assert lrs("quarantine", "list", "--source", "other").stderr == "nothing is in quarantine\n"


def test_those_of_a_source_are_stored_that_need_just_these_mends_however_many_came_since(lrs, monkeypatch):
    monkeypatch.setattr(sender_commands, "_MOST", 1)
    assert len(told(lrs("quarantine", "list", "--json"))) == 1
    monkeypatch.setattr(sender_commands, "_MOST", 2)

    answer = lrs("quarantine", "replay", "--source", "vle", "--mend", "group-activity", "--json")

    assert answer.exit_code == 0
    assert told(answer) == {"stored": 1, "statements": [{"id": lrs.sent[0], "state": "stored", "problem": ""}]}
    assert len(told(lrs("quarantine", "list", "--json"))) == 2


def test_one_is_stored_after_all_its_mends_and_refused_after_some(lrs):
    some = lrs("quarantine", "replay", lrs.sent[1], "--mend", "group-activity", "--json")
    both = lrs("quarantine", "replay", lrs.sent[1], "--mend", "group-activity", "--mend", "empty-score-range", "--json")

    assert (some.exit_code, told(some)["statements"][0]["state"]) == (1, "quarantined")
    assert told(some)["statements"][0]["problem"] == "The score's min must be less than its max."
    assert (both.exit_code, told(both)["statements"][0]["state"]) == (0, "stored")


def test_nothing_to_store_ends_with_one_and_says_so(lrs):
    answer = lrs("quarantine", "replay", "--source", "vle", "--mend", "no-iri")

    assert answer.exit_code == 1
    assert "no statement in quarantine needs just these mends" in answer.stderr
    assert lrs("quarantine", "replay").exit_code == 2
    assert lrs("quarantine", "show", "00000000-0000-4000-8000-000000000000").exit_code == 1
