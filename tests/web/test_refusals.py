"""``lrs requests tail``: refusals as they happen, with source, place and rule, and never what was sent."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from urllib.parse import urlsplit

import msgspec
import pytest
from click.testing import CliRunner

from lrs.cli import main
from lrs.kernel.admission import AGE, RetryLater
from lrs.kernel.errors import Refused
from lrs.web import refusals
from lrs.web.refusals import FILE, Follower, Refusals, _append, newest, place_of, refusal_of
from tests.programs import until
from tests.served import serving, statement


def noted(number: int, source: str = "moodle"):
    refused = Refused("never told", pointer="/actor", rule=f"rule {number}")
    return refusal_of(refused, tenant="default", source=source, method="POST", resource="statements", request="r")


def tailing(folder, *words):
    done = CliRunner().invoke(main, ["requests", "tail", "--data", str(folder), "--once", *words])
    assert done.exit_code == 0, done.output
    return done


def tail(folder, *words):
    return tailing(folder, *words).stdout


@pytest.fixture
def refusing(tmp_path):
    """A server that refused a bad statement, a secret, a parameter, a file, a tenant that there is not, and no HTTP."""
    with serving(tmp_path) as lrs:
        bad = statement(actor={"mbox": "mailto:zoe.secret@example.org"}, result={"score": {"scaled": 7}})
        bad["context"] = {"extensions": {"https://example.org/zoe-secret": 1}}
        lrs.post([statement(), bad])
        lrs.post(statement(), auth=(lrs.auth[0], "zoe-secret"))
        lrs.get(zoesecret="1")
        lrs.clients[0].post(f"{lrs.address}/api/imports", auth=lrs.as_key("all/read", name="tests").auth)
        lrs.clients[0].get(f"{lrs.address}/t/zoe-secret/api/roles")
        parts = urlsplit(lrs.address)
        with socket.create_connection((parts.hostname, parts.port)) as raw:
            raw.sendall(b"zoe-secret\r\n\r\n")
            raw.recv(1_000)
        until(lambda: len(newest(tmp_path, 9)) == 6, "six lines")
    return tmp_path


def test_each_refusal_has_its_source_place_and_rule_and_nothing_that_was_sent(refusing):
    lines = [line.split("  ", 1)[1].rpartition(", request")[0] for line in tail(refusing).splitlines()]

    assert lines == [
        "400  POST statements  tests  /1/result/score/scaled  xAPI 1.0.3 Data 2.4.5.1  (invalid_statement",
        "401  POST statements  -  (unauthorized",
        "400  GET statements  tests  xAPI 1.0.3 Communication 3.2  (bad_request",
        "403  POST /api/imports  tests  (forbidden",
        "404  GET /api/roles  -  (not_found",
        "400  other  -  (bad_request",
    ]
    assert "secret" not in (refusing / FILE).read_text()
    assert (refusing / FILE).stat().st_mode & 0o077 == 0


def test_who_was_told_to_come_back_is_shown_with_why(tmp_path):
    writer = Refusals(tmp_path)
    about = {"tenant": "default", "source": "moodle", "method": "POST", "resource": "statements", "request": "r"}
    writer.note(refusal_of(RetryLater(AGE), **about))
    writer.close()

    assert tail(tmp_path).partition("  ")[2] == "503  POST statements  moodle  (overloaded: queue_age, request r)\n"
    assert json.loads(tail(tmp_path, "--json"))["cause"] == "queue_age"


def test_one_source_can_be_looked_at(refusing):
    found = [json.loads(line) for line in tail(refusing, "--source", "-", "--json").splitlines()]

    assert [(one["status"], one["source"]) for one in found] == [(401, "-"), (404, "-"), (400, "-")]
    last = [
        json.loads(line)["status"] for line in tail(refusing, "--source", "tests", "--lines", "1", "--json").split()
    ]
    assert last == [403]
    nobody, none = tailing(refusing, "--source", "vle"), tailing(refusing, "--lines", "0")
    assert (nobody.stdout, nobody.stderr) == ("", f'nothing of "vle" was refused yet by a server on {refusing}\n')
    assert (none.stdout, none.stderr) == ("", "")


@pytest.mark.parametrize(("asked", "shown"), [([], ["rule 1", "rule 2"]), (["--source", "moodle"], ["rule 2"])])
def test_what_comes_is_shown_while_one_looks_of_one_source_if_it_was_named(tmp_path, asked, shown):
    words = [sys.executable, "-m", "lrs", "requests", "tail", "--data", str(tmp_path), *asked]
    whose = ' of "moodle"' if asked else ""
    writer = Refusals(tmp_path)
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as looking:
        try:
            assert looking.stderr.readline() == f"nothing{whose} was refused yet by a server on {tmp_path}\n"
            writer.note(noted(1, "vle"))
            writer.note(noted(2))

            assert [rule for rule in shown if rule in looking.stdout.readline()] == shown
        finally:
            writer.close()
            looking.terminate()


def test_the_file_stays_small_and_a_follower_misses_nothing_at_the_change(tmp_path, monkeypatch):
    monkeypatch.setattr(refusals, "MOST_BYTES", 400)
    follower = Follower(tmp_path)
    seen = []
    for number in range(12):
        writer = Refusals(tmp_path)
        writer.note(noted(number))
        writer.close()
        seen += [one.rule for one in follower.added()]

    assert seen == [f"rule {number}" for number in range(12)]
    assert [one.rule for one in newest(tmp_path, 3)] == seen[-3:]
    assert sorted(path.name for path in tmp_path.iterdir()) == [FILE, f"{FILE}.1"]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 1_500


def test_more_than_can_be_told_at_once_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(refusals, "AT_ONCE", 3)
    monkeypatch.setattr(refusals, "PAUSE", 3_600)
    writer = Refusals(tmp_path)
    writer.note(noted(0))
    until(lambda: newest(tmp_path, 9), "the first line")
    for number in range(1, 9):
        writer.note(noted(number))
    writer.close()

    found = newest(tmp_path, 9)
    assert [one.rule for one in found] == ["rule 0", "rule 1", "rule 2", "rule 3", None]
    assert found[-1].dropped == 5
    assert "and 5 more at that moment" in tail(tmp_path)


def test_a_folder_that_cannot_be_written_refuses_nobody_else(tmp_path):
    (tmp_path / "file").write_text("")
    writer = Refusals(tmp_path / "file")
    writer.note(noted(0))

    writer.close()

    assert newest(tmp_path, 9) == []


def test_a_follower_tells_each_line_once_though_the_file_grows_while_it_looks(tmp_path):
    texts = [msgspec.json.encode(noted(number)) + b"\n" for number in range(4)]

    class Late(Follower):
        def _end(self):
            told = super()._end()
            if texts:
                _append(tmp_path / FILE, texts.pop(0))
            return told

    _append(tmp_path / FILE, b"")
    follower = Late(tmp_path)

    seen = [one.rule for _ in range(8) for one in follower.added()]

    assert seen == ["rule 0", "rule 1", "rule 2", "rule 3"]


def test_a_line_that_is_being_written_is_told_once_it_is_whole(tmp_path):
    _append(tmp_path / FILE, b"")
    follower, text = Follower(tmp_path), msgspec.json.encode(noted(1)) + b"\n"

    _append(tmp_path / FILE, text[:20])
    assert list(follower.added()) == []
    _append(tmp_path / FILE, text[20:])

    assert [one.rule for one in follower.added()] == ["rule 1"]


@pytest.mark.parametrize(
    ("pointer", "index", "shown"),
    [
        (None, None, None),
        ("", None, ""),
        ("/3/actor/mbox", 3, "/3/actor/mbox"),
        ("/1003/actor/mbox", 1003, "/1003/actor/mbox"),
        ("/actor/member/399/mbox", None, "/actor/member/399/mbox"),
        ("/7/context/contextActivities/parent/0/id", 7, "/7/context/contextActivities/parent/0/id"),
        ("/context/extensions/https:~1~1example.org~1anna", None, "/context/extensions/…"),
        ("/anna@example.org/name", None, "/…/name"),
        ("/1234567890", None, "/…"),
        ("/3/1234567890", 3, "/3/…"),
        ("/actor/07700900123", None, "/actor/…"),
        ("/actor/member/9434567890", None, "/actor/member/…"),
        ("/context/extensions/https:~1~1a.example/9434567890/1/1990", None, "/context/extensions/…/…/…/…"),
        ("/result/score/\u00b2\u00b3", None, "/result/score/…"),
    ],
)
def test_a_place_names_nothing_that_somebody_made_up(pointer, index, shown):
    assert place_of(pointer, index) == shown
