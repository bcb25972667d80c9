"""What the edge of the server makes of addresses, headers, languages, days and lists, told whole."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request

from lrs.kernel.settings import Settings
from lrs.web import addresses, browsers, chart, dates, language, listing, origins, prefix, routing
from lrs.web.counting import BOUNDS, Requests
from lrs.web.exchange import EXCHANGE
from lrs.web.letter import as_text
from lrs.web.listing import ListColumn, ListRow
from lrs.web.request_head import head_fault
from tests.told.story import Story, inline, refusal
from tests.told.tabled import said, table

HTTPS = Settings(public_url="https://a.example/x", content_url="https://{tenant}.content.example")
PLAIN = Settings()


def asking(query: str = "", **headers: str) -> Request:
    fields = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request(
        {
            "type": "http",
            "method": "GET",
            "path": "/list.csv",
            "query_string": query.encode(),
            "headers": fields,
            "root_path": "",
        }
    )


def test_heads_and_paths(told: Any) -> None:
    story = Story()
    for version, hosts, codings in (
        *(
            ("1.1", [b"a.example"], []),
            ("1.0", [], []),
            ("1.1", [], []),
            ("1.1", [b"a", b"a"], []),
            ("2", [b"a"], []),
            ("1.1", [b"a,b"], []),
        ),
        *(
            ("1.1", [b""], []),
            ("1.1", [b"a:80"], []),
            ("1.1", [b"a:800000"], []),
            ("1.1", [b"[::1]:80"], []),
            ("1.1", [b"a b"], []),
        ),
        *(
            ("1.0", [b"a"], [b"chunked"]),
            ("1.1", [b"a"], [b"CHUNKED"]),
            ("1.1", [b"a"], [b"gzip", b"chunked"]),
            ("1.1", [b"a"], [b"gzip"]),
        ),
    ):
        found = head_fault(version, hosts, codings)
        story.say(f"{version} {hosts} {codings}: {refusal(found) if found else 'taken'}")
    paths = (
        "/",
        "/x",
        "/x/",
        "/x/y",
        "/xy",
        "/.well-known/did.json",
        "/.well-known/did.json/x/t/a",
        "/.well-known/did.json/y",
    )
    table(
        story,
        lambda path: [prefix.own_path(path, "/x"), prefix.own_path(path, "")],
        paths,
        "with the prefix /x, and without",
    )
    table(
        story,
        lambda one: prefix.check_prefix(one, {("GET", "/staff/x"): None}),
        ("", "/x", "/staff", "/staffs", "/t", "/x/staff"),
        "check_prefix",
    )
    for found in ([("GET", "/a")], [], [("GET", "/a"), ("GET", "/b")]):
        try:
            addresses.check({("GET", "/a"): None}, found)  # type: ignore[dict-item]
            story.say(f"{found}: taken")
        except LookupError as error:
            story.say(f"{found}: {error}")
    held: list[int] = []
    for size in (5, 6):
        scope = {"type": "http", "headers": [], EXCHANGE: SimpleNamespace(share=SimpleNamespace(hold=held.append))}
        parts = iter([b"x" * 3, b"x" * (size - 3)])

        async def receive(parts: Any = parts) -> Any:
            part = next(parts, b"")
            return {"type": "http.request", "body": part, "more_body": bool(part)}

        story.say(
            f"{size} of at most 5: {said(lambda scope=scope, receive=receive: len(asyncio.run(routing.body_of(Request(scope, receive), 5))))}, held {held}"
        )
    told(str(story), is_tidy=True)


def test_origins_hosts_and_cookies(told: Any) -> None:
    story = Story()
    for headers in (
        *(
            {},
            {"origin": "https://a.example"},
            {"origin": "https://A.EXAMPLE", "host": "a.example"},
            {"origin": "null", "host": "a.example"},
        ),
        *({"sec-fetch-site": one} for one in ("same-origin", "none", "same-site", "cross-site")),
        *(
            {"origin": "https://b.example", "host": "a.example"},
            {"origin": "https://b.example", "sec-fetch-site": "same-origin"},
        ),
        *({"host": "north.content.example:8000"}, {"host": "south.content.example"}, {"host": "content.example"}),
    ):
        told_of = Headers(headers)
        story.say(
            f"{headers}: foreign {browsers.is_foreign(told_of)}, elsewhere {origins.is_from_elsewhere(told_of, HTTPS)} {origins.is_from_elsewhere(told_of, PLAIN)}, content {origins.is_on_content_host(told_of, HTTPS)} {origins.is_on_content_host(told_of, PLAIN)} of north {origins.is_on_content_host_of('north', told_of, HTTPS)}"
        )
    for pages, foreign in (("staff", False), ("staff", True), ("public", False)):
        line: Any = SimpleNamespace(pages=pages, foreign_forms=foreign)
        for method, headers in (
            ("GET", {"host": "north.content.example"}),
            ("POST", {"host": "north.content.example"}),
            ("POST", {"sec-fetch-site": "cross-site"}),
            ("GET", {"sec-fetch-site": "cross-site"}),
        ):
            for settings in (HTTPS, Settings(content_url="https://{tenant}.content.example")):
                story.say(
                    f"{pages} {foreign} {method} {headers}, root {settings.pages_root}: {said(origins.check_page, line, method, Headers(headers), settings, '/staff')}"
                )
    for settings in (HTTPS, PLAIN):
        tenant: Any = SimpleNamespace(id="north", settings=settings)
        story.say(
            f"{[name(tenant) for name in (origins.session_cookie, origins.form_cookie, origins.device_cookie, origins.provider_cookie, origins.then_cookie)]}"
        )
    sent = ([], [(b"content-security-policy", b"x")], [(b"x-content-type-options", b"y")], [(b"a", b"1"), (b"a", b"2")])
    table(story, lambda given: str(browsers.closed(given)), sent, "closed")
    told(str(story), is_tidy=True)


def test_languages_days_and_mails(told: Any) -> None:
    story = Story()
    for query, headers in (
        *(
            ("", {}),
            ("lang=cy", {}),
            ("lang=fr", {}),
            ("", {"cookie": "engraft.language=cy"}),
            ("lang=en", {"cookie": "engraft.language=cy"}),
        ),
        *(
            ("", {"accept_language": one})
            for one in (
                "cy",
                "fr, cy;q=0.5, en;q=0.4",
                "en;q=0.5, cy;q=0.6",
                "cy;q=0",
                "CY-GB",
                "cy;q=x",
                "*",
                f"{'fr,' * 19}cy",
                f"{'fr,' * 20}cy",
            )
        ),
    ):
        story.say(f"{query} {str(headers)[:60]}: {language.language_of(asking(query, **headers))}")
    story.say(f"{language.languages()} {language.addresses_in(asking('q=a&done=x&lang=cy&q=b'), language.LEARNERS)}")
    for code in ("en", "cy"):
        story.say(f"{code}: {[language.said_in(code, text) for text in ('All', 'No such text at all', '')]}")
    zone = "Europe/London"
    for day in ("2026-11-21", "2026-11-21T10:00:00Z", "x", "2026-13-01"):
        story.say(f"{day}: {dates.written_day(day)} / {dates.written_day(day, 'cy')}")
    for period in ("P1Y", "P12M", "P1Y6M", "P2W", "P0Y30D"):
        story.say(f"{period}: {dates.written_period(period)} / {dates.written_period(period, 'cy')}")
    for moment in (
        "2026-11-21T10:00:00Z",
        "2026-07-01T23:30:00Z",
        "2026-07-01T00:00:00+01:00",
        "2026-07-01T23:00:00Z",
        "2026-11-21T00:00:00.000Z",
        "2026-11-21T00:00:01Z",
        "2026-11-21",
        "x",
        "9999-12-31T23:59:59Z",
    ):
        story.say(
            f"{moment}: {dates.written_timestamp(moment, zone)} / {dates.written_result_time(moment, zone)} / {dates.written_result_time(moment, 'Asia/Tokyo', 'cy')}"
        )
    story.say(
        as_text(
            "<html><head><title>t</title><style>x</style></head><body><h1>A\n b</h1><p>One <a href='https://a/x'>link</a> more</p><ul><li>i</li><li>ii</li></ul></body></html>"
        )
    )
    made = chart.bars([("a", 4.0, "four"), ("b" * 49, 2.0, "two"), ("", 0.0, "none")])
    story.say(
        *(inline(one) for one in made.bars),
        f"{made.height} {chart.bars([]).height} {chart.bars([('z', 0.0, '')]).bars[0].length}",
    )
    told(str(story), is_tidy=True)


def test_how_requests_are_counted(told: Any) -> None:
    story, counted = Story(), Requests()
    for method, status, seconds in (
        ("GET", 200, 0.001),
        ("GET", 204, 0.0011),
        ("GET", 404, 10.0),
        ("GET", 503, 11.0),
        ("PROPFIND", 200, 1.0),
        ("LOCK", 200, 0.1),
    ):
        counted.add("statements", method, status, seconds)
    counted.ignore("statements", 2)
    counted.ignore("statements", 1)
    for key, series in counted.series():
        places = [
            BOUNDS[at] if at < len(BOUNDS) else "more" for at, count in enumerate(series.buckets) for _ in range(count)
        ]
        story.say(f"{key}: up to {places}, {series.seconds:g} s")
    story.say(f"{counted.ignored} {sum(counted.retry_later.values())} of {len(counted.retry_later)}")
    told(str(story), is_tidy=True)


COLUMNS = (
    ListColumn("name", "Name"),
    ListColumn("state", "State", facet=True, said=True),
    ListColumn("source", "Source", facet=True, sources=True),
    ListColumn("tags", "Tags", facet=True, words={"a": "Word of a"}),
    ListColumn("count", "Count", figure=True),
    ListColumn("hidden", "Hidden", seen=False, facet=True, sortable=False),
)
ROWS = [
    ListRow(
        {"name": name, "state": state, "source": "vle", "tags": tags, "count": count, "hidden": name[0]},
        shown={"count": f"{count} of them"},
        links={"name": f"/{name}"},
        moods={"state": "warn"},
        beneath={"name": "beneath"},
    )
    for name, state, tags, count in (
        ("Ann", "new", ("a", "b"), 3),
        ("ben", "old", (), None),
        ("Cay=1", "", ("b",), 12),
        ("\x07Dee", "new", ("a",), 2.5),
    )
]


def test_lists(told: Any) -> None:
    story = Story()
    for query in (
        *(
            "",
            "sort=name",
            "sort=-count",
            "sort=hidden",
            "sort=x",
            "q=WORD",
            "q=of+them",
            f"q={'x' * 201}",
            "state=new",
            "state=Not+told",
            "tags=a&state=new",
        ),
        *("tags=zz", "page=2", "page=0", "page=x", "page=1234567", "hidden=A&sort=-name&page=3", "name=Ann"),
    ):
        asked = listing.asked_of(asking(query), COLUMNS, sort="-name")
        story.head(f"?{query[:60]}")
        story.say(
            f"{asked.chosen} {asked.sort!r} {asked.descending} {asked.part} {len(asked.search)} {asked.address(ending='.json')[:90]} {asked.address(page='', state='x')[:90]}"
        )
        story.say(f"{[row.values['name'] for row in listing.chosen_rows(asked, ROWS)]}")
    asked = listing.asked_of(asking("state=new"), COLUMNS)
    shown = listing.listing(asked, ROWS)
    story.head("what the page gets")
    story.say(*(f"{name}: {inline(value)}" for name, value in shown.items()))
    listing.say_sources(shown, lambda name: f"the source {name}")
    listing.say_list(shown, "~{}".format)
    story.head("in other words")
    story.say(
        *(f"{name}: {inline(shown[name])}" for name in ("columns", "facets", "told")),
        inline([[cell["text"] for cell in row] for row in shown["rows"]]),
    )
    for rows in ([], [ROWS[1]]):
        few = listing.listing(asked, rows, whole=False, files=False)
        story.say(inline([few[name] for name in ("told", "files", "is_empty", "is_narrowed")]))
    for answer in (listing.as_csv(asked, ROWS, "some"), listing.as_json(asked, ROWS, "some")):
        story.say(f"{sorted(answer.headers.items())}", bytes(answer.body).decode("utf-8-sig").replace("\r\n", "\n"))
    told(str(story), is_tidy=True)
