"""``lrs backup`` and ``lrs restore``."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from lrs.kernel.admission import Overloaded
from lrs.kernel.errors import Misconfigured, StoreFull
from lrs.kernel.plain_text import counted
from lrs.kernel.printing import json_option, print_json
from lrs.kernel.settings import Settings
from lrs.kernel.signals import interrupting
from lrs.kernel.times import SECOND, micros_of_timestamp
from lrs.ops.backup.contents import Backup
from lrs.ops.backup.passphrase import passphrase_of
from lrs.ops.backup.restore import restore as put_back
from lrs.ops.backup.take import back_up
from lrs.storage import wall_clock
from lrs.tenancy import master_key
from lrs.tenancy.backups import BackupTaken, note
from lrs.tenancy.control import control_there
from lrs.tenancy.options import settings_for
from lrs.xapi.statements.plan import KIND as STATEMENT

_DATA = click.option(
    "--data", type=click.Path(path_type=Path), help="Folder of the embedded store (default: LRS_DATA)."
)
_PASSPHRASE = click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path),
    help="A file with the passphrase that seals the master key (or LRS_BACKUP_PASSPHRASE).",
)
_FILE = click.argument("file", type=click.Path(path_type=Path))


@click.command()
@_FILE
@_DATA
@_PASSPHRASE
@json_option
def backup(file: Path, data: Path | None, passphrase_file: Path | None, as_json: bool) -> None:
    """Write the whole embedded store to one new file, while the server runs.

    Ends with 1 if the store lacks blobs that records name. The backup then has everything else.
    """
    settings = settings_for(data)
    with _plainly(file):
        made = back_up(settings, file, passphrase_of(settings, passphrase_file))
        _note(settings, file, made)
    missing = sum(part.missing for part in made.manifest.tenants.values())
    if as_json:
        print_json(_shown(made) | {"file": str(file), "bytes": file.stat().st_size})
    else:
        click.echo(f"{file}: {file.stat().st_size} bytes, read back and whole")
        _tell(made)
        if made.sealed:
            click.echo("the master key is in it, sealed by the passphrase: keep the two apart")
        else:
            path = master_key.path_of(settings)
            click.echo(f"the master key is NOT in it (no passphrase was given): keep a copy of {path} elsewhere")
    if missing:
        what = counted(missing, "blob that records name is", "blobs that records name are")
        click.echo(f"Error: {what} not in the store, and so not in the backup", err=True)
        sys.exit(1)


def _note(settings: Settings, file: Path, made: Backup) -> None:
    """Remembers in the control store that this backup was taken. The backup is good even if that cannot be written."""
    missing = sum(part.missing for part in made.manifest.tenants.values())
    at = micros_of_timestamp(made.header.created)
    taken = BackupTaken(at, file.stat().st_size, made.sealed is not None, missing)
    try:
        with control_there(settings) as control:
            control.store.write(lambda tx: note(tx, made.header.id, taken)).result()
    except (Misconfigured, StoreFull, Overloaded, sqlite3.Error) as error:
        click.echo(f"this backup is not listed in the operator's console: {error}", err=True)


@click.command()
@_FILE
@_DATA
@_PASSPHRASE
@json_option
def restore(file: Path, data: Path | None, passphrase_file: Path | None, as_json: bool) -> None:
    """Put a backup back as the store in an empty folder."""
    settings = settings_for(data)
    with _plainly(file):
        found = put_back(settings, file, passphrase_of(settings, passphrase_file))
    if as_json:
        print_json(_shown(found) | {"data": str(settings.data.absolute())})
        return
    click.echo(f"restored to {settings.data.absolute()}, as it was at {found.header.created}")
    _tell(found)
    ahead = (micros_of_timestamp(found.header.created) - wall_clock()) / SECOND
    if ahead > 0:
        click.echo(
            f"WARNING: the clock of this machine is {ahead:.0f} s behind the backup: put it right before you start"
        )
    click.echo(
        "What was done since then is not in it: keys that were revoked and consents that were withdrawn later hold"
        " again, and deliveries made later may be made once more. Look them over, then: lrs doctor, lrs serve"
    )


def _shown(backup: Backup) -> dict[str, object]:
    tenants = {
        name: {
            "records": part.store.records,
            "blobs": part.blobs,
            "missingBlobs": part.missing,
            "audit": part.audit,
        }
        for name, part in backup.manifest.tenants.items()
    }
    header = backup.header
    return {"id": header.id, "created": header.created, "keySealed": backup.sealed is not None, "tenants": tenants}


def _tell(backup: Backup) -> None:
    for name, part in backup.manifest.tenants.items():
        count = part.store.records.get(STATEMENT, 0)
        records = counted(sum(part.store.records.values()), "record")
        click.echo(f"tenant {name}: {counted(count, 'statement')}, {records}, {counted(part.blobs, 'blob')}")


@contextmanager
def _plainly(file: Path) -> Iterator[None]:
    """Turns an interruption or a file error into one line. Nothing unfinished is left."""
    try:
        with interrupting():
            yield
    except KeyboardInterrupt as error:
        raise click.ClickException("it was stopped: nothing was left behind") from error
    except OSError as error:
        raise click.ClickException(f"{error.filename or file}: {error.strerror}: nothing was left behind") from error
