"""The command ``lrs demo``: the sample programme from beginning to end."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
import httpx2

from badges.forms import FORMS
from lrs.kernel.printing import json_option, print_json
from lrs.kernel.processes import serving
from lrs.ops.demo import sample
from lrs.ops.demo.entrances import entrances
from lrs.ops.demo.processes import SETTINGS, awaited, matching_service
from lrs.ops.demo.story import Stage, tell


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("demo-out"),
    show_default=True,
    help="Folder for the results.",
)
@click.option("--data", type=click.Path(path_type=Path), help="Keep the store here (default: a temporary one).")
@click.option("--endpoint", help="A running server on --data, in the place of one of the demonstration's own.")
@click.option("--told", is_flag=True, hidden=True, help="The story is told already: only print where to go.")
@json_option
@click.pass_context
def demo(context: click.Context, out: Path, data: Path | None, endpoint: str | None, told: bool, as_json: bool) -> None:
    """Show the product at work: evidence, levels, a badge, a delivered profile, a gap.

    With --json only a summary is printed.
    """
    main = context.find_root().command  # the whole command line, which the story uses like a person would
    out.mkdir(parents=True, exist_ok=True)
    os.environ |= SETTINGS
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what was started is ended on the way out
    if told and data and endpoint:
        with _plainly():
            _show_entrances(_runner(main, data), awaited(endpoint))
        return
    with _plainly(), contextlib.ExitStack() as stack:
        passing = tempfile.TemporaryDirectory  # noqa: TID251 (the persons of the demonstration are made up)
        kept = data or Path(stack.enter_context(passing()))
        base = awaited(endpoint) if endpoint else stack.enter_context(serving(kept))
        service = stack.enter_context(matching_service(out / "received"))
        say = (lambda _: None) if as_json else click.echo
        sample.write(out / "sample", datetime.now(UTC).date())
        summary = tell(Stage(base, kept, out, out / "sample", _runner(main, kept), say, service))
    if as_json:
        print_json(summary)
    else:
        click.echo(f"\nLook at {out}: verify.json, profile.json, gap.json, sample/, which went in, and the badge:")
        click.echo("  " + ", ".join(f"badge{form.ending}" for form in FORMS))
        click.echo("Anybody who is given the badge and its status list can check them, with nothing else:")
        click.echo(f"  lrs badges verify {out}/badge.json --status-list {out}/status-list.json --offline")
        if endpoint:
            _show_entrances(_runner(main, kept), base)


def _show_entrances(run: Callable[..., str], base: str) -> None:
    click.echo("\nThe server goes on until Ctrl-C. Open in a browser:")
    click.echo(f"  the first page:         {base}/")
    for line in entrances(run, base, datetime.now(UTC).date()):
        click.echo(line)


@contextlib.contextmanager
def _plainly() -> Iterator[None]:
    """Turns a failure into one sentence that says why the story ended and what to do."""
    try:
        yield
    except (click.ClickException, RuntimeError, OSError, httpx2.HTTPError, KeyboardInterrupt) as error:
        why = error.message if isinstance(error, click.ClickException) else str(error) or "it was stopped"
        told = f"the sample programme broke off: {why}. The same command tells it again from the beginning"
        raise click.ClickException(told) from error


def _runner(main: click.Command, data: Path) -> Callable[..., str]:
    """Runs a command in this process and gives what it printed."""

    def run(*words: str, **given: bool) -> str:
        more = ["--data", str(data)] if given.get("data", True) else []
        with _captured() as printed:
            try:
                main.main([*words, *more], standalone_mode=False)
            except SystemExit as end:
                if end.code:
                    raise RuntimeError(f"lrs {' '.join(words)}: {printed.getvalue()}") from end
        return printed.getvalue()

    return run


@contextlib.contextmanager
def _captured() -> Iterator[io.StringIO]:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        yield printed
