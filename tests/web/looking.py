"""The page with all parts that pages are made of; only tests serve it, and look at it."""

from dataclasses import replace
from pathlib import Path

from fastapi import Request
from jinja2 import FileSystemLoader

from lrs.access.policy.lines import PUBLIC, PolicyLine
from lrs.web.chart import bars
from lrs.web.exchange import exchange_of
from lrs.web.frame import Frame, Place
from lrs.web.listing import ListColumn, ListRow, asked_of, listing
from lrs.web.page import environment, page
from tests.served import add_route

COLUMNS = (
    ListColumn("name", "Service"),
    ListColumn("state", "State", facet=True),
    ListColumn("waiting", "Waiting", figure=True),
    ListColumn("since", "Since", sortable=False),
)
ROWS = [
    ListRow(
        {"name": name, "state": state, "waiting": waiting, "since": "2026-11-17"},
        {"state": state.capitalize(), "since": "17 November 2026, 14:05 GMT"},
        {"name": "#main"},
        {"state": mood},
    )
    for name, state, waiting, mood in (
        ("Career Converter", "active", 0, "good"),
        ("National Skills Passport of the Advanced Therapies Network", "paused", 1_204, "bad"),
        ("Ünïcode £ Service", "active", 7, "good"),
    )
]
SKILLS = [
    {"name": "Gowning", "level": "Level 2: Supervised", "state": "Held", "mood": "good", "until": "17 November 2027"},
    {"name": "Aseptic technique", "level": "Level 1", "state": "Expires soon", "mood": "warn", "until": "3 May 2026"},
    {"name": "Batch records", "level": "Level 3", "state": "Expired", "mood": "bad", "until": "1 May 2026"},
]
SCORES = [("0 to 20 %", 1, "1"), ("A label that is longer than there is room", 14, "14"), ("80 to 100 %", 9, "9")]


def add_look(app, path="/look"):
    """Puts the page into a running *app*."""
    environment().loader.loaders.append(FileSystemLoader(Path(__file__).parent))

    def look(request: Request):
        exchange_of(request).frame = lambda _: Frame(
            "North Training Centre",
            "/",
            (Place("one", "Learners", "#a"), Place("two", "Imports", "#b"), Place("three", "Questions", "#c", 3)),
            who="Ana Ruiz",
            account="#d",
            sign_out="#e",
            form="f",
        )
        policy = exchange_of(request).policy
        exchange_of(request).policy = replace(policy, forms=True)
        shown = listing(asked_of(request, COLUMNS, sort="name"), ROWS)
        return page(request, "look.html", skills=SKILLS, list=shown, bars=bars(SCORES))

    add_route(app, "GET", path, look, PolicyLine(PUBLIC, pages="public"))
    return path
