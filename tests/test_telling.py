"""The base of told tests: what is compared, what is made sure, and what of a page is told."""

from __future__ import annotations

import os
import random
import secrets
import uuid
from pathlib import Path

import pytest

from lrs.access import keys
from lrs.web import refusals
from tests.certainty import certain
from tests.outline import page
from tests.telling import Told, answer, compare, difference, mail, rows, strays, tidy

PAGE = """<!doctype html><html lang="cy"><head><title>Skills  ·  Centre</title><style>a{}</style></head><body>
<a class="skip" href="#main">Skip</a><header class="bar"><nav aria-label="Pages"><ul><li><a href="/me">Me</a></li></ul>
</nav></header><main id="main"><h1>What <bdi>Ann</bdi> can do</h1>
<div class="note good" role="status"><p>It is <strong>done</strong>.<br>Twice.</p></div>
<ul><li>one</li><li>two<ul><li><a href="/x?v=1" title="more">three</a></li></ul></li></ul>
<p>As <span class="chip warn">ended</span> <code>GOWN</code>
<progress value="1" max="3" aria-label="How far">1 of 3</progress>
<img src="/static/a.png?v=09af" alt="A badge"></p>
<dl class="facts"><dt>Level</dt><dd>Tier 2</dd></dl>
<table role="table"><caption>Levels</caption><thead><tr><th aria-sort="ascending">Name</th><th>Level</th></tr></thead>
<tbody><tr><th><span><a href="/a">Gowning</a><br><bdi>D1</bdi></span></th><td>2</td></tr></tbody></table>
<svg role="img" aria-label="Bars"><text x="0">one</text><rect width="12" height="16"/><text>3</text></svg>
<form method="post" action="/go" enctype="multipart/form-data"><input type="hidden" name="form" value="secret">
<label for="q">Name</label><p class="error">Too long</p>
<input id="q" name="q" value="Ann" maxlength="40" required aria-invalid="true">
<label class="tick"><input type="checkbox" name="all" value="yes" checked disabled><span>All</span></label>
<label class="tick"><input type="radio" name="one" value="a"><span>A</span></label>
<select name="level"><option value="1">One</option><option value="2" selected>Two</option></select>
<textarea name="why" maxlength="500">So</textarea><button name="act" value="go" formaction="/there">Go</button></form>
<details open><summary>More</summary><p hidden>None</p></details><script>no()</script></main></body></html>"""
OUTLINE = """title: Skills · Centre (lang: cy)
# What Ann can do
div note good {role=status}:
  It is done. / Twice.
- one
- two
  - [three](/x?v=1) {title=more}
As <ended chip warn> `GOWN` <1 of 3> {aria-label=How far} ![A badge](/static/a.png)
Level:
  Tier 2
table: Levels
  Name {ascending} | Level
  ---
  [Gowning](/a) / D1 | 2
chart {aria-label=Bars}: one; 3 (12x16)
form POST /go with files
  Name
  p error:
    Too long
  [text q=Ann maxlength=40] {aria-invalid=true, required}
  [x] all=yes {disabled} All
  ( ) one=a A
  [select level]
    ( ) 1: One
    (x) 2: Two
  [textarea why=So maxlength=500]
  [button Go act=go to /there]
details open:
  More
  p {hidden}:
    None
"""


def test_of_a_page_its_texts_links_tables_and_forms_are_told():
    assert page(PAGE) == OUTLINE
    assert "- [Me](/me)" in page(PAGE, bar=True)


def test_no_told_text_is_left_that_no_test_tells():
    assert list(strays()) == []


def test_a_difference_fails_and_says_how_it_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "page.txt"
    monkeypatch.delenv("RETELL", raising=False)
    with pytest.raises(pytest.fail.Exception, match=r"is not there\. If that is meant: RETELL=1"):
        compare(path, "one\n")
    monkeypatch.setenv("RETELL", "1")
    compare(path, "one\ntwo\n")
    monkeypatch.delenv("RETELL")

    compare(path, "one\ntwo\n")

    with pytest.raises(pytest.fail.Exception, match=r"(?s)tells something else.*RETELL=1.*-two\n\+three"):
        compare(path, "one\nthree\n")
    assert len(difference(path, "", "\n".join(map(str, range(500)))).splitlines()) == 62


def test_a_test_that_tells_a_part_no_more_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RETELL", "1")
    first = Told(tmp_path / "test_pages.py", "test_home")
    first("welcome")
    first("members", "more")
    monkeypatch.delenv("RETELL")
    again = Told(tmp_path / "test_pages.py", "test_home")
    again("welcome")

    assert sorted(path.name for path in (tmp_path / "pages").iterdir()) == ["home.more.txt", "home.txt"]
    assert again.left() == ["home.more.txt"]
    assert Told(tmp_path / "test_pages.py", "test_home").left() == ["home.more.txt", "home.txt"]
    with pytest.raises(AssertionError, match="told twice"):
        again("welcome")
    with pytest.raises(AssertionError, match="rows are parts"):
        Told(tmp_path / "test_pages.py", "test_home[a b]")


def test_chance_is_the_same_again_and_each_place_of_the_code_draws_for_itself():
    def one() -> list[object]:
        return [secrets.token_hex(4), keys.secrets.token_urlsafe(), uuid.uuid4(), os.urandom(3), secrets.randbelow(99)]

    def other() -> str:
        return secrets.token_hex(4)

    with certain("a"):
        first, apart = one(), other()
        now = refusals.datetime.now()
    with certain("a"):
        assert (other(), one()) == (apart, first)
        values = [3, 1, 2]
        random.shuffle(values)
    with certain("b"):
        assert one() != first

    assert (values, now.isoformat()) == ([3, 1, 2], "2026-11-21T12:00:00+00:00")
    assert first[0] != apart
    assert secrets.token_hex(4) != secrets.token_hex(4)


def test_what_nobody_can_read_is_told_by_its_name_or_numbered():
    id, token = "11111111-1111-4111-8111-111111111111", "aB3defGhijklmnopqrstuv"
    text = f"{id} {token} {id} 1795262800000123 2026-11-21T12:00:00.000017Z p-0a1b2c3d4e5f6a7b 0a1b2c3d4e5f6a7b Ann"
    by_chance = '{"requestId": "1234567890123456"}'

    assert tidy(text, {"p-0a1b2c3d4e5f6a7b": "person Ann"}) == (
        "<uuid 1> <token 1> <uuid 1> <2026-11-21 12:06:40> 2026-11-21T12:00:00Z <person Ann> <hex 1> Ann"
    )
    assert tidy(by_chance) == '{"requestId": "<hex 1>"}'


def test_answers_files_and_mails_are_told_as_people_and_programs_get_them():
    class Got:
        status_code, headers, content = 404, {"content-type": "application/json", "x-request-id": "1"}, b'{"b":1,"a":2}'

    assert answer(Got()) == '404\ncontent-type: application/json\n{\n "a": 2,\n "b": 1\n}\n'
    assert rows('a,"b, c"\r\n1,2\r\n') == "a | b, c\n1 | 2\n"
    assert mail("Subject: Hello\nTo: ann@example.org\nContent-Type: text/plain\n\nCome in\n") == (
        "Subject: Hello\nTo: ann@example.org\n\nCome in\n"
    )
