"""Packages: what is a course, what is none, and what is made to do harm."""

import io
import stat
import struct
import zipfile
from dataclasses import replace

import pytest

from adapters.lms.cmi5.course_xml import read_structure
from adapters.lms.courses import packages
from adapters.lms.courses.courses import course_in, file_in, versions_in
from adapters.lms.courses.in_use import OPEN, opens, switch_in, withdraw_in
from adapters.lms.courses.structure import activities_in, shown_title, units_of
from adapters.lms.pages.view import rule_of
from lrs.kernel.errors import Refused
from lrs.kernel.settings import Settings
from lrs.storage import each
from lrs.tenancy.tenants import open_tenant
from tests.adapters.lms.made import (
    MANIFEST,
    TIN_CAN,
    UNIT,
    block,
    imported,
    open_to_learners,
    package,
    shown_in_catalogue,
    structure,
    unit,
    zipped,
)
from tests.rows import each_of

ABSOLUTE = "https://content.example/index.html"


@pytest.fixture(scope="module")
def tenant(tmp_path_factory):
    opened = open_tenant(Settings(data=tmp_path_factory.mktemp("courses"), public_url="https://lrs.example"))
    yield opened
    opened.store.close()


def refused(tenant, content):
    before = [record.body for record in each(tenant.store, "course-version")]
    with pytest.raises(Refused) as caught:
        imported(tenant, content)
    assert [record.body for record in each(tenant.store, "course-version")] == before
    assert caught.value.status in {400, 413}
    return caught.value


def test_a_package_becomes_a_course_with_a_number_a_version_and_its_files(tenant):
    content = package(structure(block(unit(moveOn="Passed", masteryScore="0.8")), id="https://publisher.example/first"))

    found = imported(tenant, content, "first.zip")

    assert found.is_new
    assert (found.course.version, found.course.title) == (1, {"en": "Course"})
    (au,) = units_of(found.version.structure)
    assert (au.id, au.title, au.move_on, au.mastery_score) == (UNIT, {"en": "Unit"}, "Passed", 0.8)
    assert au.activity.startswith(f"https://lrs.example/t/default/courses/{found.course.id}/")
    assert len(set(activities_in(found.version.structure).values())) == 3
    blob, size = file_in(tenant.store, found.version.package, "index.html")
    assert (b"".join(tenant.store.blobs.open(blob)), size) == (b"<html>unit</html>", 17)
    assert file_in(tenant.store, found.version.package, "other.html") is None
    assert file_in(tenant.store, "made-up", "index.html") is None


def test_the_same_package_once_more_changes_nothing_and_another_form_is_the_next_version(tenant):
    id = "https://publisher.example/again"
    first = imported(tenant, package(structure(id=id)))
    again = imported(tenant, package(structure(id=id)))
    changed = imported(tenant, package(structure(unit(), unit(f"{UNIT}/2"), id=id)))
    other = imported(tenant, package(structure(unit(), unit(f"{UNIT}/2"), id=id), {"more.js": b"1"}))

    assert (first.is_new, again.is_new, changed.is_new, other.is_new) == (True, False, True, True)
    assert again.version == first.version
    assert [changed.version.number, other.version.number] == [2, 3]
    assert {one.course.id for one in (first, again, changed, other)} == {first.course.id}
    units = [units_of(one.version.structure) for one in (first, changed, other)]
    assert len({one[0].activity for one in units}) == 1
    assert len({units[2][0].activity, units[2][1].activity}) == 2
    assert [one.number for one in versions_in(tenant.store, other.course)] == [3, 2, 1]


def test_a_course_of_a_client_is_its_own(tenant):
    id = "https://publisher.example/of-a-platform"
    ours, theirs = (
        imported(tenant, package(structure(id=id))),
        imported(tenant, package(structure(id=id)), client="7"),
    )

    assert ours.course.id != theirs.course.id
    assert course_in(tenant.store, theirs.course.id).client == "7"
    with pytest.raises(Refused, match="there is no course"):
        course_in(tenant.store, ours.course.id, "7")


def test_a_withdrawn_course_serves_no_files_until_it_is_imported_again(tenant):
    content = package(structure(id="https://publisher.example/withdrawn"))
    found = imported(tenant, content)

    tenant.store.write(lambda tx: withdraw_in(tx, found.course, "test")).result()
    gone = file_in(tenant.store, found.version.package, "index.html")
    back = imported(tenant, content)

    assert gone is None
    assert (back.course.id, back.version.number, back.course.withdrawn) == (found.course.id, 2, False)
    assert file_in(tenant.store, back.version.package, "index.html")


def test_a_structure_alone_is_a_course_of_1500_units_elsewhere(tenant):
    parts = [unit(f"{UNIT}/{number}", ABSOLUTE) for number in range(1_500)]

    found = imported(tenant, structure(*parts, id="https://publisher.example/long"), "cmi5.xml")

    assert len(units_of(found.version.structure)) == 1_500
    assert found.version.package == ""


def test_a_zip64_package_is_read(tenant):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in {"cmi5.xml": structure(id="https://publisher.example/64"), "index.html": b"x"}.items():
            with archive.open(name, "w", force_zip64=True) as file:
                file.write(content)
    content = out.getvalue()
    end = content.rindex(b"PK\5\6")
    entries, size, start = struct.unpack("<HLL", content[end + 10 : end + 20])
    zip64 = struct.pack("<4sQHHLLQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, entries, entries, size, start)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, end, 1)
    told = struct.pack("<4sHHHHLLH", b"PK\5\6", 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)

    found = imported(tenant, content[:end] + zip64 + locator + told)

    assert found.is_new


def test_a_further_version_keeps_its_switches_and_the_ids_that_its_parts_were_given_at_a_former_address(tenant):
    id = "https://publisher.example/moved"
    first = imported(tenant, structure(unit(url=ABSOLUTE), id=id), "cmi5.xml")
    shown_in_catalogue(tenant, first.course)
    open_to_learners(tenant, first.course)
    moved = replace(tenant, settings=tenant.settings.model_copy(update={"public_url": "https://moved.example"}))

    second = imported(
        moved, structure(unit(url=ABSOLUTE, title="Anew"), unit(id=UNIT + "2", url=ABSOLUTE), id=id), "a.xml"
    )

    assert (second.course.id, second.version.number, second.is_new) == (first.course.id, 2, True)
    assert (second.course.in_catalogue, second.course.open_to_learners) == (True, True)
    before, after = activities_in(first.version.structure), activities_in(second.version.structure)
    assert after | before == after
    assert after[f"au {UNIT}2"].startswith("https://moved.example/t/default/courses/")


def test_no_switch_of_a_course_that_a_program_sent_or_that_was_withdrawn_is_put_on(tenant):
    of_client = imported(tenant, package(structure(id="https://publisher.example/of-client")), client="7").course
    gone = imported(tenant, package(structure(id="https://publisher.example/gone"))).course
    open_to_learners(tenant, gone)
    tenant.store.write(lambda tx: withdraw_in(tx, gone, "test")).result()

    for course in (of_client, gone):
        for switch in (shown_in_catalogue, open_to_learners):
            with pytest.raises(Refused) as told:
                switch(tenant, course)
            assert (told.value.status, told.value.error) == (409, "not_for_catalogue")
    assert [opens(course_in(tenant.store, one.id)) for one in (of_client, gone)] == [False, False]
    off = tenant.store.write(lambda tx: switch_in(tx, gone.id, OPEN, "test", on=False)).result()
    assert not off.open_to_learners


@each_of(
    ("texts", "shown"),
    [
        ({"de": "Kittel", "en-GB": "Gown"}, "Gown"),
        ({"de": "Kittel", "en": "Gown"}, "Gown"),
        ({"de": "Kittel", "cy": "Gŵn"}, "Kittel"),
        ({"de": "Kittel", "en": ""}, "Kittel"),
        ({}, ""),
    ],
)
def test_a_title_is_shown_in_english_else_in_the_first_language(texts, shown):
    assert shown_title(texts) == shown


def test_elements_and_attributes_of_vendors_are_ignored_where_they_may_stand(tenant):
    more = 'x="1" xmlns:v="https://vendor.example" v:mark'.partition(" ")[2]
    text = structure(unit(after=VENDOR, **{more: "y"}), VENDOR, id="https://publisher.example/vendor")

    (au,) = units_of(imported(tenant, package(text)).version.structure)

    assert au.id == UNIT


def test_blanks_round_values_go_and_query_and_parameters_of_the_publisher_stay(tenant):
    after = "<launchParameters><![CDATA[ a=1 ]]></launchParameters><entitlementKey> key </entitlementKey>"
    text = structure(
        unit(url="<![CDATA[\n index.html?paramA=1&paramB=2 ]]>", after=after, launchMethod="OwnWindow"),
        id="https://publisher.example/blanks",
    )

    (au,) = units_of(imported(tenant, package(text)).version.structure)

    assert (au.url, au.launch_parameters, au.entitlement_key) == ("index.html?paramA=1&paramB=2", "a=1", "key")
    assert (au.launch_method, au.move_on, au.mastery_score) == ("OwnWindow", "NotApplicable", None)


OBJECTIVE = (
    '<objective id="https://publisher.example/o"><title><langstring>o</langstring></title>'
    "<description><langstring>o</langstring></description></objective>"
)
REFERENCE = '<objectives><objective idref="https://publisher.example/none"/></objectives>'
VENDOR = '<v:note xmlns:v="https://vendor.example" v:kind="x">text</v:note>'
FAULTS = {
    "an id that is no IRI": (structure(id="publisher.example/course"), "cmi5 3.0.0.0-1", "line 1"),
    "a block twice": (structure(block(unit()), block(unit(f"{UNIT}/2"))), "cmi5 13.1.2.0-1", "already"),
    "an objective twice": (
        structure(before=f"<objectives>{OBJECTIVE}{OBJECTIVE}</objectives>"),
        "cmi5 13.1.3.0-1",
        "already",
    ),
    "a unit twice": (structure(unit(), block(unit())), "cmi5 13.1.4.0-1", "already"),
    "an unknown objective": (structure(unit(within=REFERENCE)), "cmi5 4.4.0.0-2", "there is no objective"),
    "no URL": (structure(unit(url="http://example.com index.html")), "cmi5 13.1.4.0-2", "no URL"),
    "a URL without a host": (structure(unit(url="http://")), "cmi5 13.1.4.0-2", "no URL"),
    "a port that is none": (structure(unit(url="http://example.com:99999/")), "cmi5 13.1.4.0-2", "no URL"),
    "a script": (structure(unit(url="javascript:alert(1)")), "cmi5 13.1.4.0-2", "only http"),
    "a file that is missing": (structure(unit(url="none.html?a=b")), "cmi5 14.1.0.0-4", "'none.html' is not in"),
    "another host without a scheme": (structure(unit(url="//evil.example/x")), "cmi5 14.1.0.0-4", "is not in"),
    "a file outside": (structure(unit(url="../index.html")), "cmi5 14.1.0.0-4", "is not in"),
    "a wrong order": (structure().replace(b"<url>index.html</url>", b""), "cmi5 13.2.0.0-1", "line 1"),
    "a vendor's element in a wrong place": (structure(unit(within=VENDOR)), "cmi5 13.2.0.0-1", "not expected"),
    "a score above one": (structure(unit(masteryScore="1.5")), "cmi5 13.2.0.0-1", "1.5"),
    "no unit": (structure("<x/>"), "cmi5 13.2.0.0-1", "form of a course structure"),
    "no XML": (b"<courseStructure", "cmi5 13.2.0.0-1", "not well-formed"),
    "an end tag that is another": (
        b"<courseStructure>\n<course></x>",
        "cmi5 13.2.0.0-1",
        "cmi5.xml is not well-formed XML in line 2: Opening and ending tag mismatch: course line 2 and x",
    ),
    "entities": (
        structure(head='<!DOCTYPE c [<!ENTITY a SYSTEM "file:///etc/passwd">]>', title="&a;"),
        "cmi5 13.2.0.0-1",
        "document type",
    ),
    **{
        f"the parameter {name}": (structure(unit(url=f"index.html?x=1&amp;{name}=2")), "cmi5 8.1.0.0-6", name)
        for name in ("endpoint", "fetch", "actor", "registration", "activityId")
    },
}


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_a_structure_that_breaks_a_requirement_is_refused_with_its_id_and_the_place(tenant, fault):
    text, rule, words = FAULTS[fault]

    found = refused(tenant, package(text))

    assert found.rule == rule
    assert words in found.message
    assert "passwd" not in found.message.replace("file:///etc/passwd", "")
    assert "<string>" not in found.message


@pytest.mark.parametrize("url", ["index.html", "path/1/index.html?abc=def", "/index.html"])
def test_a_structure_alone_has_no_relative_addresses(tenant, url):
    assert refused(tenant, structure(unit(url=url))).rule == "cmi5 14.2.0.0-1"


def test_what_is_no_package_is_refused(tenant):
    assert refused(tenant, b"# not a package").rule == "cmi5 14.0.0.0-1"
    assert refused(tenant, b"").rule == "cmi5 14.0.0.0-1"
    assert refused(tenant, b"PK not a zip").rule == "cmi5 14.1.0.0-1"
    assert refused(tenant, package()[:-30]).rule == "cmi5 14.1.0.0-1"
    nested = refused(tenant, zipped({"folder/cmi5.xml": structure()}))
    assert (nested.rule, "'folder/cmi5.xml'" in nested.message) == ("cmi5 14.1.0.0-2", True)


ZIP_THE_FILES, PUBLISH = "zip the files themselves, not the folder they are in", "publish the course for cmi5, Tin Can"


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["CMI5.xml"], "but one at 'CMI5.xml': call it cmi5.xml, in small letters"),
        (["a/cmi5.xml"], f"but one at 'a/cmi5.xml': {ZIP_THE_FILES}"),
        (
            ["a/b/tincan.xml", "z/TinCan.xml"],
            f"'z/TinCan.xml': {ZIP_THE_FILES}, and call it tincan.xml, in small letters",
        ),
        (["index.html"], f"nor in any other: {PUBLISH}"),
    ],
)
def test_a_package_without_a_structure_where_it_belongs_is_told_what_is_so(tenant, names, said):
    message = refused(tenant, zipped(dict.fromkeys(names, structure()))).message

    assert said in message
    assert ("small letters" in message) == any(name.lower() != name for name in names)


def link(name):
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../outside.html", "leads out"),
        ("a/../../b", "leads out"),
        ("./index.js", "leads out"),
        ("/etc/passwd", "no path"),
        ("a//b", "no path"),
        ("C:/x", "no path"),
        ("a\\..\\b", "no path"),
        ("x" * 1_001, "more than 1000 characters"),
        (link("data"), "a link or a device"),
    ],
)
def test_a_name_that_leads_out_of_the_package_is_refused(tenant, name, words):
    assert words in refused(tenant, package(files={name: b"/etc/passwd"})).message


def test_a_bomb_is_refused_before_it_is_unpacked(tenant, monkeypatch):
    assert "times its size" in refused(tenant, package(files={"zeros": bytes(8 << 20)})).message

    monkeypatch.setattr(packages, "MOST_UNPACKED", 1_000)
    large = refused(tenant, package(files={"large": b"".join(bytes([n % 251]) for n in range(2_000))}))
    assert (large.status, "unpacks to" in large.message) == (413, True)
    monkeypatch.setattr(packages, "MAX_DIRECTORY", 100)
    assert refused(tenant, package(files={f"{n}.html": b"" for n in range(9)})).status == 413


def test_a_damaged_file_and_an_encrypted_one_are_named(tenant):
    content = package(files={"page.html": b"text of the page" * 9})
    damaged = bytearray(content)
    place = damaged.index(b"page.html") + len("page.html") + 4
    damaged[place] ^= 0xFF
    encrypted = bytearray(content)
    encrypted[encrypted.rindex(b"page.html") - 38] |= 1

    assert "page.html" in refused(tenant, bytes(damaged)).message
    assert "encrypted" in refused(tenant, bytes(encrypted)).message


def test_an_author_is_told_all_that_is_wrong_at_once_and_in_plain_words(tenant):
    parts = (unit("no-iri", "missing.html"), block(unit(url="javascript:x"), id="urn:b"), unit(url="other.html"))
    form = structure(unit(masteryScore="2", moveOn="Never"))
    manifest = MANIFEST.replace(b'identifierref="r1"', b'identifierref="r9"').replace(
        b"</organization>", b'<item identifier="i2" identifierref="r8"><title>T</title></item></organization>'
    )
    tin_can = TIN_CAN.replace(b"index.html", b"gone.html").replace(b'id="https://publisher.example/tincan"', b'id="x"')

    told = []
    for content in (
        package(structure(*parts)),
        package(form),
        zipped({"imsmanifest.xml": manifest, "index.html": b""}),
        zipped({"tincan.xml": tin_can}),
    ):
        with pytest.raises(Refused) as caught:
            imported(tenant, content)
        told.append(caught.value.message)

    for why in ("this au is no IRI", "'missing.html'", "http and https", "another au has the id", "'other.html'"):
        assert why in told[0]
    assert "attribute 'masteryScore': The value '2' is greater than" in told[1]
    assert "attribute 'moveOn': The value 'Never' is none of 'NotApplicable'" in told[1]
    assert "facet" not in told[1]
    assert "type" not in told[1]
    assert ("'r9'" in told[2], "'r8'" in told[2]) == (True, True)
    assert ("no IRI" in told[3], "'gone.html'" in told[3]) == (True, True)


@pytest.mark.parametrize(("content", "name"), [(b"%PDF-1.7", "handout.pdf"), (b"\n<!DOCTYPE html><p>", "index.html")])
def test_a_file_that_is_no_package_is_told_so_without_a_rule(tenant, content, name):
    with pytest.raises(Refused) as caught:
        imported(tenant, content, name)

    assert caught.value.message.startswith("the file is no course: send the zip package")
    assert rule_of(caught.value) == ""


def test_what_a_schema_says_of_a_long_value_is_cut_short():
    with pytest.raises(Refused) as refused:
        read_structure(structure(unit(moveOn="is not an element of the set {" * 2_000)), None)

    assert len(refused.value.message) < 5_000
