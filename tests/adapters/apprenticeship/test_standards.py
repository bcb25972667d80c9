"""Records of apprenticeship standards: what is read of them, and that returns name standards by them."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from adapters.apprenticeship.standard_records import every_standard, keep, lars_codes, read_standards, standard_called
from adapters.imports.here import try_here
from adapters.imports.run import Order
from lrs.cli import main
from lrs.kernel.errors import Refused
from lrs.tenancy import audit
from tests.adapters.apprenticeship.returns import aim, learner, made, uln
from tests.adapters.apprenticeship.standard_files import guid, record
from tests.adapters.conftest import by_job


def read(*records):
    return read_standards(json.dumps(list(records)).encode())


def add(tenant, *records):
    found, faults = read(*records)
    assert faults == []
    return [tenant.store.write(lambda tx, one=one: keep(tx, one, by="operator")).result() for one in found]


def test_a_code_is_a_place_in_the_list_of_a_version_and_the_identifier_stays(tenant):
    outcomes = add(tenant, record("1.0", (1, 2, 3)), record("1.1", (4, 1, 3)))

    codes = {(one.version, it.code): it.guid for one in every_standard(tenant.store) for it in one.criteria}
    assert outcomes == ["new", "new"]
    assert (codes["1.0", "K1"], codes["1.1", "K1"], codes["1.1", "K2"]) == (guid(1), guid(4), guid(1))
    assert [it.code for it in standard_called(tenant.store, "st1406").criteria] == ["K1", "K2", "K3", "S1", "S2", "B1"]


def test_the_newest_version_is_told_unless_one_is_named_and_1_10_comes_after_1_9(tenant):
    add(tenant, record("1.9"), record("1.10"))

    assert standard_called(tenant.store, "ST1406").version == "1.10"
    assert standard_called(tenant.store, "ST1406", "1.9").version == "1.9"
    with pytest.raises(Refused, match=r"ST1406 2.0 is not here"):
        standard_called(tenant.store, "ST1406", "2.0")


def test_the_same_record_again_changes_nothing_and_a_corrected_one_is_updated(tenant):
    assert add(tenant, record()) == ["new"]
    assert add(tenant, record()) == ["unchanged"]
    assert add(tenant, record(title="Science manufacturing technician (corrected)")) == ["updated"]
    assert [one.title for one in every_standard(tenant.store)] == ["Science manufacturing technician (corrected)"]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"referenceNumber": "1406"}, "no reference of a standard"),
        ({"version": "one", "versionNumber": None}, "version"),
        ({"title": ""}, "title is empty"),
        ({"knowledges": [{"detail": "no identifier"}]}, "K1 has no identifier"),
        ({"skills": [{"skillId": guid(1), "detail": "the same"}]}, "one identifier stands for two"),
        ({"knowledges": [], "skills": None, "behaviours": []}, "no knowledges, skills and behaviours"),
        ({"knowledges": "K1"}, "knowledges is no list"),
    ],
)
def test_a_record_that_cannot_be_used_is_left_out_with_the_reason_and_the_others_come_in(wrong, says):
    found, faults = read(record(**wrong), record("1.1"))

    assert [one.version for one in found] == ["1.1"]
    assert [(one.place, says in one.reason) for one in faults] == [(1, True)]


@pytest.mark.parametrize("content", [b"", b"reference,title", b"[]", b"[1]", b'"ST1406"', b"\xff\xfe"])
def test_what_is_no_record_of_a_standard_is_refused(content):
    with pytest.raises(Refused) as refused:
        read_standards(content)

    assert (refused.value.status, refused.value.error) == (400, "bad_file")


def test_what_came_in_of_a_standard_is_in_the_record_of_actions_and_what_changed_nothing_is_not(tenant):
    add(tenant, record("1.0"))
    add(tenant, record("1.0"))
    add(tenant, record("1.0", title="Corrected"))

    told = [(entry.by, entry.about) for entry, _ in audit.walk(tenant.store) if entry.action == "standard.changed"]

    assert told == [
        ("operator", {"standard": "ST1406", "version": "1.0", "outcome": "new"}),
        ("operator", {"standard": "ST1406", "version": "1.0", "outcome": "updated"}),
    ]


def test_a_return_names_a_standard_by_its_reference_once_its_record_is_here(tenant, endpoint, tmp_path):
    path = tmp_path / "return.xml"
    path.write_text(made([learner("L1", uln(1), aim(StdCode="28"))]), encoding="utf-8")
    order = Order("ilr", "north", path, "return.xml")
    standards = lambda: {  # noqa: E731 (said twice below)
        one["object"]["id"].rpartition("/")[2] for one in endpoint.valid() if "/standards/" in one["object"]["id"]
    }

    by_job(tenant, order)
    before = standards()
    add(tenant, record(referenceNumber="ST0028", larsCode=28))
    add(tenant, record(referenceNumber="ST0029", larsCode=0))  # as of one that is not approved yet
    again = by_job(tenant, order)

    assert lars_codes(tenant.store) == {28: "ST0028"}
    assert (before, standards(), again.told.counts["updated"]) == ({"LARS-28"}, {"ST0028"}, 1)
    assert try_here(tenant, order).counts["unchanged"] == 1


def test_the_commands_bring_standards_in_list_and_show_them(tenant, tmp_path):
    data = str(tenant.settings.data)
    (tmp_path / "standards.json").write_text(json.dumps([record(), record(version="x", versionNumber="x")]))
    tenant.store.close()

    def run(*words):
        return CliRunner().invoke(main, ["standards", *words, "--data", data])

    brought = run("import", str(tmp_path / "standards.json"))
    listed, shown, missing = run("list"), run("show", "ST1406", "--json"), run("show", "ST9999")

    assert brought.exit_code == 1
    assert "record 2 ST1406: left out, version is no version, such as 1.0" in brought.output
    assert "ST1406 1.0" in listed.output
    assert [one["code"] for one in json.loads(shown.output)["criteria"]] == ["K1", "K2", "K3", "S1", "S2", "B1"]
    assert (missing.exit_code, "lrs standards import FILE" in missing.output) == (1, True)
