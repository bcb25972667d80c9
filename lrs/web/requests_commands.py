"""``lrs requests``: shows what the server on this machine refuses. Prints only."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

import click
import msgspec

from lrs.kernel.plain_text import one_line, quoted
from lrs.kernel.printing import CommandGroup
from lrs.tenancy.options import settings_for
from lrs.web.refusals import Follower, Refusal, newest

LOOK = 0.2
"""Seconds between two looks at the file."""


@click.group("requests", cls=CommandGroup)
def requests_group() -> None:
    """Look at requests that were refused: who sent them, which place, which rule."""


@requests_group.command("tail")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the embedded store (default: LRS_DATA).")
@click.option("--source", help="Only of this source: the name of a key, or - for those without a right one.")
@click.option("--lines", default=20, show_default=True, type=click.IntRange(0), help="How many from before.")
@click.option("--once", is_flag=True, help="Print those and end, instead of waiting for more.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a line: there is no end to wait for.")
def tail(data: Path | None, source: str | None, lines: int, *, once: bool, as_json: bool) -> None:
    """Show the newest refusals of the server on this machine, and each new one until Ctrl-C."""
    folder = settings_for(data).data
    follower = Follower(folder)
    before = newest(folder, lines, source)
    _show(before, as_json=as_json)
    if lines and not before:
        whose = "" if source is None else f" of {quoted(source)}"
        click.echo(f"nothing{whose} was refused yet by a server on {folder}", err=True)
    while not once:
        _show((one for one in follower.added() if source in {None, one.source}), as_json=as_json)
        time.sleep(LOOK)


def _show(found: Iterable[Refusal], *, as_json: bool) -> None:
    for one in found:
        click.echo(msgspec.json.encode(one).decode() if as_json else told(one))


def told(one: Refusal) -> str:
    """A refusal on one line: time, status, method and resource, source, place, rule, error and cause."""
    if one.dropped:
        return f"{one.at[11:19]}  and {one.dropped} more at that moment"
    place = "the whole body" if one.place == "" else one.place or ""
    asked = f"{one.method} {one.resource}".strip()
    parts = (one.at[11:19], str(one.status), asked, one.source, place, one.rule or "")
    why = f"{one.error}: {one.cause}" if one.cause else one.error
    return "  ".join(one_line(part) for part in (*parts, f"({why}, request {one.request})") if part)
