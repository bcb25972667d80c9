"""What is said, kept, sealed and let in, told whole: limits, words, JSON, XML, seals, and how commands print."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import click
import pytest
from click.testing import CliRunner

from lrs.kernel import admission, outbound, plain_text, printing
from lrs.kernel.admission import AdaptiveLimit, Admission, Limit, Overloaded, QueueLimit, RetryLater, Share
from lrs.kernel.allowance import Allowance
from lrs.kernel.memo import Memo
from lrs.kernel.sealed import hide, reveal, seal, unseal
from lrs.kernel.settings import Settings
from lrs.kernel.strict_json import excerpt, members, parse, pointer_of, slices
from lrs.kernel.xml import parse_xml
from lrs.web.accept import preferred
from tests.told.story import Story, refusal
from tests.told.tabled import said, table

NUMBERS = (0, 1, 599, 1_023, 1_024, 1_535, 1_048_575, 1_048_576, 4_299_161, 1_000_000_000)


def test_what_is_told_to_whoever_has_to_come_back(told: Any) -> None:
    story = Story()
    for cause in admission.CAUSES:
        story.say(f"{cause.name}: {refusal(RetryLater(cause))} {RetryLater(cause).headers} {Overloaded(cause)}")
    story.say(f"{RetryLater(admission.WORK, 'so', seconds=9).headers} {RetryLater(admission.WORK, 'so')}")
    story.head("queue of 10 rows and 2 seconds")
    table(story, QueueLimit(10, 2.0).check, ((0, 0), (10, 2.0), (11, 0), (10, 2.01), (11, 3)))
    limit = Limit(admission.MEMORY, 10)
    table(story, limit.enter, (4, 6, 1), "inside at most 10")
    limit.leave(6)
    story.say(f"{limit.inside} inside")
    story.head("as much as is answered in time")
    now = [0.0]
    work = AdaptiveLimit(admission.WORK, lambda: now[0])
    for size, seconds in (
        (600_000, 0.5),
        (300_000, 0.51),
        (300_000, 0.51),
        (300_000, 9),
        (300_000, 9),
        (300_000, 9),
        (200_000, 0.1),
    ):
        since = work.enter(size)
        refused = said(work.check, int(work.bound) - size + 1), said(work.check, int(work.bound) - size)
        now[0] += seconds
        work.leave(size, since)
        story.say(
            f"{size} in {seconds} s: bound {work.bound:.0f}, one more than fits {refused[0]}, what fits {refused[1]}"
        )
    story.head("shares")
    both = Admission(1_000, lambda: 0.0)
    share, other = Share(both), Share(both)
    table(story, share.hold, (600, 400, 1))
    table(story, other.receive, (admission.FILES_BYTES, 1))
    table(story, share.send, (admission.LARGE_ANSWER, admission.LARGE_ANSWER + 1, admission.ANSWERS_BYTES))
    share.begin(10_000_000)
    story.say(f"{[both.memory.inside, both.work.inside, both.files.inside, both.answers.inside]}")
    for _ in range(2):
        share.sent(), share.give_back(), other.give_back()
    story.say(f"{[both.memory.inside, both.work.inside, both.files.inside, both.answers.inside]}")
    bucket = Allowance(3, 10.0)
    table(
        story,
        bucket.take,
        (0.0, 0.0, 0.0, 0.0, 9.9, 10.0, 10.0, 100.0, 100.0, 100.0, 100.0),
        "3 in a row, one each 10 s",
    )
    told(str(story), is_tidy=True)


def test_words_and_json(told: Any) -> None:
    story = Story()
    table(story, plain_text.sized, NUMBERS)
    table(
        story,
        plain_text.counted,
        ((0, "row"), (1, "row"), (2, "row"), (1_000, "row"), (1, "child", "children"), (2, "child", "children")),
    )
    table(
        story,
        plain_text.cleaned,
        ((one, 5) for one in ("abcde", "abcdef", "abcd ef", "a\x07b", "a\u202eb", "  a \n b ", "")),
    )
    words = (
        "",
        "a fault",
        "a fault.",
        "xAPI is",
        "file.csv is",
        "lrs work runs",
        "why?",
        "see https://a.example/x",
        "id",
        "a, b",
        "so:",
        "x (y.)",
    )
    table(story, plain_text.sentence, words)
    table(story, plain_text.one_line, ("a", "a\nb", "\x1b[1m", "\u202e", "\u2028", "\ud800", "é"))
    table(story, plain_text.quoted, ('a "b"', "a\\b", "a   b", "\u3164", "x" * 81))
    table(story, plain_text.hidden_character, ("a", "\u202e", "\u2066", "\u200f"))
    table(story, excerpt, ("a", "a@b", "a%40b", "a\x07", "x" * 77, "x" * 78))
    table(
        story,
        lambda *tokens: pointer_of(tokens),
        (("a", 0, "b/c~d"), ("a", "b@c", "d"), ("a", "x" * 160), ("a", "x" * 161)),
        "pointer_of",
    )
    faulty = (
        b"",
        b" ",
        b"{",
        b'{"a":1,"a":2}',
        b'{"a":{"b":[{"c":1,"c":2}]}}',
        b"NaN",
        b"-Infinity",
        b'"\\ud800"',
        b"1e400",
        b"\xff",
    )
    table(
        story,
        parse,
        (
            *faulty,
            b"\xef\xbb\xbf1",
            b"\xff\xfe1\x00",
            b"1\x002\x00",
            b"\x001",
            b"1 2",
            b"[1,]",
            b"01",
            b'"\t"',
            b"[" * 101 + b"]" * 101,
            b'{"a": [1.0, true]}',
        ),
    )
    table(story, slices, (b'[1.0, {"a":  1}]', b"{}", b"x"))
    table(story, members, (b'{"b": 1.0, "a": [ ]}', b"[]"))
    table(
        story,
        lambda text: str(parse_xml(text, "the file").tag),
        (b"<a/>", b"<a>", b"", b"<!DOCTYPE a><a/>", b"<a>\n</b>", b"<a>&b;</a>", b"x"),
        "parse_xml",
    )
    table(story, preferred, ((one, ("text/html", "application/json")) for one in (
        *(None, "", "*/*", "application/json", "text/*;q=0.5, application/json;q=0.4", "text/html;q=0", "*/*;q=0.1, text/html;q=0"),
        *("application/json;q=1, application/json;q=0.1, text/html;q=0.5", "application/*", "text/html;q=2, */*;q=0.1", "application/json;version=1;q=0.9, text/html;q=0.8"),
        *("application/json;q=0.1, application/json;q=1, text/html;q=0.5", f"{'a/b,' * 49}application/json", f"{'a/b,' * 50}application/json"),
    )))  # fmt: skip
    told(str(story), is_tidy=True)


def test_what_is_sealed(told: Any) -> None:
    story, secret = Story(), b"k" * 32
    sealed, hidden = seal(secret, {"a": 1}), hide(secret, {"a": 1})
    for name, text, read in (("sealed", sealed, unseal), ("hidden", hidden, reveal)):
        table(story, lambda given, key, read=read: read(key, given, dict), (
            *((text, secret), (text, b"x" * 32), (text[:-1], secret), (f"{text}=", secret), (f"{text}A", secret), ("", secret)),
            *((f"A{text[1:]}", secret), (f"{text[:5]}-{text[6:]}", secret), ("é", secret), ("A" * 65_537, secret)),
        ), name)  # fmt: skip
        story.say(said(read, secret, text, list))
    told(str(story), is_tidy=True)


def test_how_commands_print(told: Any) -> None:
    shown = {
        "name": "Ann\nLee",
        "rights": ["a", "b"],
        "none": None,
        "is": True,
        "no": [],
        "wide": "日本",
        "combined": "e\u0301",
    }

    @click.command()
    def command() -> None:
        printing.print_record(shown, as_json=False)
        printing.print_record(shown, as_json=True)
        columns: dict[str, printing.Column] = {"name": "name", "w": "wide", "rights": lambda one: one["rights"]}
        printing.print_list([shown, shown | {"wide": "x"}], columns, none="nobody", as_json=False)
        printing.print_list([], columns, none="nobody", as_json=False)
        printing.print_list([], columns, none="nobody", as_json=True)
        click.echo(f"{printing.time_of(None)} {printing.time_of(1_999_999)}")

    told(CliRunner().invoke(command, catch_exceptions=False).output, is_tidy=True)


def test_what_is_kept_for_the_next_who_asks(told: Any) -> None:
    story, made = Story(), []
    memo: Memo[int] = Memo(10, weigh=lambda value: value)

    def get(name: str, version: int, value: int) -> tuple[int, int]:
        return memo.get(name, version, lambda: made.append(name) or value), len(made)

    table(
        story,
        get,
        (("a", 1, 4), ("a", 1, 9), ("b", 1, 6), ("a", 1, 9), ("c", 1, 1), ("b", 1, 6), ("a", 2, 11), ("c", 1, 1)),
    )
    story.say(f"{[memo.find('a', 1), memo.find('a', 2), memo.find('c', 1), len(memo)]}")
    with pytest.raises(ZeroDivisionError):
        memo.get("d", 1, lambda: 1 // 0)
    story.say(f"{len(memo)} after one failed")
    told(str(story), is_tidy=True)


def test_what_is_sent_to_others(told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    story, answers = Story(), iter((200, 200, 404, 200, 200, 301))
    body = {1: b"x" * outbound.MAX_BODY}

    def exchange(request: Any, _: Any, place: Any) -> outbound.Response:
        story.say(
            f"{request.method} {request.url} {request.headers} {request.body!r}, over a kept one: {place is not None}, {request.end - 100:g} s"
        )
        number = next(answers)
        return outbound.Response(
            number, {"x": "y"}, body.pop(len(body), b"some") if request.url.endswith("long") else b"some"
        )

    monkeypatch.setattr(outbound, "_exchange", exchange)
    monkeypatch.setattr(outbound, "_over_a_kept_one", lambda *_: None)
    monkeypatch.setattr(outbound, "_opened", lambda *_: None)
    monkeypatch.setattr(outbound, "time", SimpleNamespace(monotonic=lambda: 100.0))
    settings, url = Settings(outbound_allow=("a.example",)), "https://a.example/x?y=z"

    def resolved(*_: Any) -> list[str]:
        return ["93.184.216.34"]

    sent = {"user-agent": "own", "authorization": "Basic x"}
    monkeypatch.setattr(outbound, "resolve_name", resolved)
    monkeypatch.setattr(outbound, "check", lambda *_, **__: "93.184.216.34")
    for act in (
        lambda: outbound.ask(url, {}, settings, seconds=3),
        lambda: outbound.post(url, b"body", sent, settings),
        lambda: outbound.fetch(url, settings),
        lambda: outbound.fetch(url, settings),
        lambda: outbound.fetch(f"{url}long", settings),
        lambda: outbound.post_again(url, b"body", sent, settings).status,
    ):
        story.say(f"    {said(act)[:150]}")
    told(str(story), is_tidy=True)
