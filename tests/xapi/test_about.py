"""The About resource (xapi.md 9)."""

from lrs.xapi import about
from lrs.xapi.about import HANDLERS
from tests.builders import answer_of, request_to, tenant_in


def test_09_about_names_every_version_that_is_answered_and_the_program(tmp_path, clock):
    seen = answer_of(HANDLERS, request_to(tenant_in(tmp_path, None, clock), "GET", "about"))

    assert seen.status == 200
    assert seen.json["version"] == ["1.0.0", "1.0.1", "1.0.2", "1.0.3", "2.0.0"]
    assert seen.json["extensions"] == {"https://w3id.org/engraft/program": {"name": "Engraft", "version": "0.2.0"}}


def test_the_version_is_read_from_the_disk_once_however_often_it_is_asked_for(tmp_path, clock, monkeypatch):
    tenant, reads = tenant_in(tmp_path, None, clock), []
    monkeypatch.setattr(about, "version", lambda name: reads.append(name) or "0.2.0")
    about.release.cache_clear()

    for _ in range(3):
        answer_of(HANDLERS, request_to(tenant, "GET", "about"))

    about.release.cache_clear()
    assert reads == ["engraft-lrs"]


def test_07_about_takes_no_parameter(tmp_path, clock):
    seen = answer_of(HANDLERS, request_to(tenant_in(tmp_path, None, clock), "GET", "about", {"foo": "bar"}))

    assert seen.status == 400
