"""The commands ``lrs courses``: import a package, list courses, show one. Prints; decides nothing."""

from __future__ import annotations

from pathlib import Path

import click

from adapters.lms.courses import courses as stored
from adapters.lms.courses import in_use
from adapters.lms.courses.in_use import CourseSwitch
from adapters.lms.courses.structure import shown_title
from adapters.lms.importing import import_course
from adapters.lms.scorm import run_time
from lrs.kernel.printing import CommandGroup, json_option, print_json, print_list, print_record, print_table
from lrs.tenancy.audit import BY_COMMAND
from lrs.tenancy.options import file_argument, with_tenant, with_tenant_to_read
from lrs.tenancy.tenants import Tenant

_NONE = "there are no courses yet: lrs courses import FILE brings a package in"


@click.group(cls=CommandGroup)
def courses() -> None:
    """Import, list and show courses: packages that learners are launched into."""


@courses.command("import")
@file_argument
@json_option
@with_tenant
def import_command(tenant: Tenant, file: Path, *, as_json: bool) -> None:
    """Import the package FILE: a zip archive (cmi5, Tin Can, SCORM 1.2), or a cmi5.xml with absolute addresses.

    A course that is there already gets a new version, and the same package once more changes nothing.
    """
    with file.open("rb") as opened:
        found = import_course(tenant, opened, file.name, BY_COMMAND)
    if as_json:
        print_json(found.course.shown() | {"new": found.is_new})
        return
    title = shown_title(found.course.title)
    done = f"version {found.version.number}" if found.is_new else f"is as it was in version {found.version.number}"
    click.echo(f"course {found.course.id} ({title}): {done}")
    if found.version.package and tenant.settings.content_url is None:
        click.echo("WARNING: LRS_CONTENT_URL is not set, so its files are not served: lrs doctor says more", err=True)
    if found.course.format == "scorm" and not run_time.is_there(tenant.settings):
        click.echo("WARNING: SCORM courses cannot be opened here yet: lrs doctor says what is missing", err=True)


def _add_switch(word: str, switch: CourseSwitch) -> None:
    @courses.command(word, help=switch.says)
    @click.argument("id")
    @click.argument("state", type=click.Choice(["on", "off"]))
    @with_tenant
    def command(tenant: Tenant, id: str, state: str) -> None:
        found = tenant.store.write(lambda tx: in_use.switch_in(tx, id, switch, BY_COMMAND, on=state == "on")).result()
        click.echo(f"course {found.id} ({shown_title(found.title)}) is {'' if state == 'on' else 'not '}{switch.state}")


for _word, _switch in in_use.SWITCHES.items():
    _add_switch(_word, _switch)


@courses.command("list")
@json_option
@with_tenant_to_read
def list_command(tenant: Tenant, *, as_json: bool) -> None:
    """List courses, the last changed first."""
    print_list(
        [one.shown() for one in stored.newest(tenant.store)],
        {
            "id": "id",
            "title": "title",
            "format": "format",
            "version": "version",
            "changed": "changed",
            "withdrawn": "withdrawn",
            "in the catalogue": "inCatalogue",
            "open to learners": "openToLearners",
            "publisher id": "publisherId",
        },
        none=_NONE,
        as_json=as_json,
    )


@courses.command("show")
@click.argument("id")
@json_option
@with_tenant_to_read
def show_command(tenant: Tenant, id: str, *, as_json: bool) -> None:
    """Show the course ID: its versions, and the assignable units of the current one."""
    course = stored.course_in(tenant.store, id)
    versions = [one.shown() for one in stored.versions_in(tenant.store, course)]
    if as_json:
        print_json(course.shown() | {"versions": versions})
        return
    print_record(course.shown(), as_json=False)
    click.echo()
    print_table(
        ("version", "imported", "by", "file", "bytes", "units"),
        [[one["version"], one["imported"], one["by"], one["file"], one["bytes"], len(one["aus"])] for one in versions],
    )
    click.echo()
    print_table(
        ("index", "title", "move on", "mastery score", "activity id"),
        [
            [one["index"], one["title"], one["moveOn"], one["masteryScore"], one["activityId"]]
            for one in versions[0]["aus"]
        ],
    )
