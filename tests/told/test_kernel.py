"""What the smallest rules of the house make of texts and numbers, told whole: times, addresses, calls, settings."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from lrs.kernel import addresses, contacts, content_hosts, durations, times
from lrs.kernel.files import content
from lrs.kernel.mail_server import mail_server
from lrs.kernel.outbound import check
from lrs.kernel.retry_after import seconds_asked
from lrs.kernel.settings import Settings, unknown_names
from lrs.kernel.unreached import why
from tests.told.story import Story, inline
from tests.told.tabled import said, table

STAMPS = (
    *("2026-11-21T10:00:00Z", "2026-11-21t10:00:00.5z", "2026-11-21 10:00:00+01:00", "2026-11-21T10:00:00-0130"),
    *("2026-11-21T10:00+01", "2026-11-21T10:00:00", "20261121T100000Z", "20261121T1000", "2026-11-21T10:00:00,25Z"),
    *("2026-11-21T10:00:00.1234567Z", "2026-11-21T24:00:00Z", "2026-11-21T23:60:00Z", "2026-11-21T23:59:61Z"),
    *("2016-12-31T23:59:60Z", "2016-12-31T23:58:60Z", "2017-01-01T00:59:60+01:00", "2026-11-21T10:00:00-00:00"),
    *(
        "2026-11-21T10:00:00+00:00",
        "2026-11-21T10:00:00+23:59",
        "2026-11-21T10:00:00+24:00",
        "2026-11-21T10:00:00+10:60",
    ),
    *("2026-02-29T10:00:00Z", "2028-02-29T10:00:00Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
    *("0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-00:01", "2026-11-21", "x", ""),
    *("2026-13-01T00:00:00Z", "2026-11-21T10:00:00.Z", "2026-11-21T10Z", "\u0662026-11-21T10:00:00Z"),
)
URLS = (
    *(
        "https://a.example",
        "http://a.example:8080/x?y#z",
        "HTTPS://A.Example/",
        "ftp://a.example",
        "https://",
        "a.example",
    ),
    *(
        "https://a.example:0",
        "https://a.example:65536",
        "https://a.example:x",
        "https://u:p@a.example",
        "https://b\u00fccher.example",
    ),
    *(
        "https://a b.example",
        "https://a_b.example",
        "https://[::1]:8",
        "https://127.0.0.1",
        f"https://{'a' * 64}.example",
    ),
    *("https://a..example", "https://a.example.", "https://xn--bcher-kva.example", "https://xn--a", "javascript:x", ""),
)


def test_times_and_durations(told: Any) -> None:
    story = Story()
    table(story, times.micros_of_timestamp, STAMPS)
    table(story, times.zoned_micros, ("2026-11-21T10:00:00Z", "2026-11-21T10:00:00", "20261121T1000+01", "x"))
    table(story, times.is_iso_timestamp, STAMPS[-8:])
    table(story, times.timestamp_of_micros, (0, 1, -1, 1_795_255_200_000_000))
    table(story, times.short_timestamp, (0, 999_999, 1_000_000, -1))
    parts = (
        "PT1H",
        "PT1.5H",
        "PT1,5M",
        "P1D",
        "P1W",
        "P1M",
        "P1Y",
        "P200Y",
        "PT",
        "P",
        "1H",
        "PT59S",
        "PT90S",
        "P1DT2H3M4S",
    )
    table(story, durations.seconds_of, parts)
    table(story, durations.hours_and_minutes, parts)
    table(story, durations.duration_of, (0, -1, 5_000, 1_234_567, 3_600_000_000))
    table(
        story,
        lambda header: seconds_asked(header, 784_111_777.0),
        (
            None,
            "",
            "0",
            "1",
            " 7 ",
            "1234567890",
            "-1",
            "1.5",
            "x",
            "Sun, 06 Nov 1994 08:49:47 GMT",
            "Sun, 06 Nov 1994 08:49:27 GMT",
            "Sun, 06 Nov 1994 08:49:47 -0000",
            "\u0661",
            "Fri, 31 Dec 9999 23:59:59 -2359",
        ),
        "Retry-After at 1994-11-06 08:49:37",
    )
    told(str(story), is_tidy=True)


def test_addresses_and_contacts(told: Any) -> None:
    story = Story()
    table(story, lambda url: str(addresses.web_address(url)), URLS, "web_address")
    table(story, addresses.origin, URLS)
    table(
        story,
        contacts.checked_contact,
        (
            "",
            "  ",
            " 01632 960001 ",
            "x" * 200,
            "x" * 201,
            "a\x07",
            "ann@A.example",
            "ann@",
            "ann at@ b",
            "https://a.example/x",
            "http://a.example",
            "http://localhost/x",
            "https://a.example/#x",
            f"https://a.example/{'x' * 1982}",
            f"https://a.example/{'x' * 150}",
            "https://u@a.example",
        ),
    )
    table(
        story,
        lambda url: contacts.checked_page(url, "notice"),
        (f"https://a.example/{'x' * n}" for n in (1_982, 1_983)),
        "checked_page",
    )
    table(story, contacts.contact_link, ("https://a.example", "ann@a.example", "01632 960001", "ann @a"))
    hosts = (
        "https://content.example",
        "https://{tenant}.content.example:8000",
        "https://a.{tenant}.example",
        "{tenant}",
        "x",
    )
    table(story, content_hosts.as_example, hosts)
    table(
        story,
        content_hosts.is_content_host,
        (
            (hosts[0], "content.example"),
            (hosts[0], "a.content.example"),
            (hosts[1], "north.content.example"),
            (hosts[1], "content.example"),
            (hosts[1], ".content.example"),
            (hosts[1], "a.b.content.example"),
            (hosts[1], "-a.content.example"),
        ),
    )
    table(story, content_hosts.beside, ("http://127.0.0.1:8000/x", "http://localhost", "https://a.example/x"))
    for is_set in (True, False):
        story.say(inline(content_hosts.settings_for("https://a.example:8443/x", is_set=is_set)))
    mails = (
        "smtp://a.example",
        "smtps://a.example/",
        "smtp://u:p%40@a.example:25",
        "smtp://u@a.example",
        "smtp://a.example/x",
    )
    table(
        story,
        lambda url: repr(mail_server(url)),
        (*mails, "http://a.example", "smtp://", "smtp://a:x", "smtp://%ff:p@a", "smtp://a?b"),
        "mail_server",
    )
    told(str(story), is_tidy=True)


def test_who_may_be_called(told: Any) -> None:
    story = Story()
    found = {"public.example": ["93.184.216.34"], "both.example": ["93.184.216.34", "10.0.0.1"], "none.example": []}

    def called(url: str, *allow: str) -> str:
        return check(url, Settings(outbound_allow=allow), resolve=lambda host, _: found.get(host, [host.strip("[]")]))

    table(
        story,
        called,
        ("https://public.example/x", "https://both.example", "https://none.example", "http://public.example"),
    )
    for address in (
        *(
            "127.0.0.1",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
        ),
        *("255.255.255.255", "192.0.2.1", "198.18.0.1", "8.8.8.8", "[::1]", "[fe80::1]", "[fc00::1]", "[2001:db8::1]"),
        *("[2606:4700::1111]", "[::ffff:127.0.0.1]", "[64:ff9b::a00:1]", "[2002:a00:1::]", "[ff02::1]"),
    ):
        story.say(f"{address}: {said(called, f'https://{address}')}")
    table(
        story,
        called,
        (
            ("http://10.0.0.1", "10.0.0.0/8"),
            ("https://10.0.0.1", "10.0.0.1"),
            ("https://10.0.0.1", "11.0.0.0/8"),
            ("http://both.example", "both.example"),
            ("https://both.example", "10.0.0.0/8"),
            ("https://both.example", "BOTH.example."),
            ("http://public.example", "public.example"),
            ("https://10.0.0.1", "10.0.0.1/33"),
        ),
        "with LRS_OUTBOUND_ALLOW",
    )
    for error in (TimeoutError(), ConnectionRefusedError(), ConnectionResetError(), KeyError("x")):
        story.say(f"{type(error).__name__}: {why(error)}")
    told(str(story), is_tidy=True)


WRONG: tuple[dict[str, Any], ...] = (
    *({"public_url": one} for one in ("x", "https://a.example/?x", "https://a.example/a/../b", "https://a.example/a_~.-/b/", "https://a.example//b")),
    *({"pages_url": one} for one in ("https://a.example/", "https://a.example/x", "https://{tenant}.a.example", "x")),
    *({"content_url": one} for one in ("https://{tenant}.a.example/", "https://a.{tenant}.example", "https://a.example#x")),
    *({"content_url": f"https://{one}:8001", "public_url": "https://A.example:8000"} for one in ("a.example", "b.example")),
    {"content_url": "https://{tenant}.a.example", "pages_url": "https://x.a.example"},
    *({"celery_broker": one} for one in ("redis://h", "rediss://h", "amqp://h", "amqps://h", "memory://", "http://h")),
    *({"zone": one} for one in ("Europe/London", "Mars", "../x", "")),
    *({"outbound_allow": one} for one in ("127.0.0.1, 10.0.0.0/8", '["a"]', "[x", "a b")),
    *({"worker_processes": one} for one in (0, 1, 64, 65)),
    *({"rules_review": one} for one in (-1, 0, 366 * 86_400, 366 * 86_400 + 1)),
    *({"import_files_days": one} for one in (0, 3_660, 3_661)),
    *({"audit_head": one} for one in ("data/x", "elsewhere/x")),
    *({"xapi_fallback_version": one} for one in ("1.0.3", "1.0.2")),
    *({"mail_sender": one} for one in ("ann@a.example", "ann")),
    *({"log_format": one} for one in ("json", "xml")),
    *({name: 0} for name in ("max_body", "max_batch", "queue_age", "patience", "open_tenants", "sweep", "worker_pause")),
)  # fmt: skip


def test_settings(told: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("LRS_")]:
        monkeypatch.delenv(name)
    story = Story()
    story.head("as they are unless something is set")
    story.say(*(f"{name}: {value!r}" for name, value in Settings()))
    story.head("what they may be")
    for given in WRONG:
        story.say(f"{given}: {said(lambda given=given: [str(getattr(Settings(**given), name)) for name in given])}")
    story.head("what follows from them")
    for given in (
        {},
        {"public_url": "https://a.example/x/"},
        {"public_url": "https://a.example/x", "pages_url": "https://p.example"},
    ):
        made = Settings(**given, content_url="https://{tenant}.c.example")
        story.say(f"{given}: {[made.prefix, made.pages_root, made.content_origin('north')]}")
    table(story, unknown_names, (["LRS_DATA", "LRS_DATE", "LRS_KEY", "LRS_TEST_X", "PATH", "LRS_ZONES", "LRS_B"],))
    small = tmp_path / "small"
    small.write_bytes(b"12345")
    table(story, lambda most: len(content(small, most)), (4, 5, 6), "a file of 5 bytes, at most")
    told(str(story).replace(str(tmp_path), "<folder>"), is_tidy=True)
