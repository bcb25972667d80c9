"""The first minutes of an installation: which steps there are, which are done, and what was skipped.

Whether a step is done is seen from what there is, never from having been here: so it can be left at any time, gone on
with in another browser, and done on the command line. Only what cannot be seen is kept, in one record of the control
store: what was skipped, which address was reached, when a test message was taken, which steps have a setting that waits
for the next start, and the word by which this server knows itself again (``reached``).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from urllib.parse import quote

import msgspec

from lrs.access.keys import FIRST_KEY, known_keys
from lrs.kernel.addresses import web_address
from lrs.kernel.errors import Refused
from lrs.kernel.outbound import Blocked, Unreachable, fetch
from lrs.kernel.settings import Settings
from lrs.pages.operator.facts import CANNOT, administrators_of
from lrs.storage import Reader, Record, Tx
from lrs.storage.kinds import Kind
from lrs.tenancy.open_tenants import Tenants
from lrs.tenancy.tenants import DEFAULT, Tenant

KIND, ID = "setup", "setup"
SKIPPABLE = ("administrator", "address", "mail", "content", "source")
"""All but the name of the organisation, which learners read."""
TITLES = {
    "organisation": "The organisation",
    "administrator": "The first administrator",
    "address": "The address of this server",
    "mail": "Mail",
    "content": "Packages of courses",
    "start": "One start with what you wrote down",
    "source": "The first source of records",
}


class Setup(msgspec.Struct, frozen=True):
    """What cannot be seen elsewhere. *address* was reached at *reached_at*; *mailed_at* a mail server took a mail.

    *written* are steps whose settings hold from the next start on.
    """

    word: str
    skipped: tuple[str, ...] = ()
    address: str = ""
    reached_at: int = 0
    mailed_at: int = 0
    written: tuple[str, ...] = ()
    v: int = 1


class SetupStep(msgspec.Struct, frozen=True):
    """A step: whether it is done, was skipped, or waits for the next start; and what says that it is done."""

    name: str
    is_done: bool
    is_skipped: bool = False
    told: str = ""
    is_written: bool = False

    @property
    def title(self) -> str:
        """What it is about."""
        return TITLES[self.name]

    @property
    def is_open(self) -> bool:
        """Whether somebody has to look at it."""
        return not (self.is_done or self.is_skipped or self.is_written)


def known(reader: Reader) -> Setup | None:
    """What is kept; ``None`` before anybody was here."""
    record = reader.get(KIND, ID)
    return msgspec.json.decode(record.body, type=Setup) if record else None


def change(installation: Tenant, changed: Callable[[Setup], Setup]) -> Setup:
    """Replaces what is kept by what *changed* makes of it."""

    def decide(tx: Tx) -> Setup:
        after = changed(known(tx) or Setup(secrets.token_urlsafe(24)))
        tx.put(Record(KIND, ID, msgspec.json.encode(after)))
        return after

    return installation.store.write(decide).result()


def skip(installation: Tenant, step: str, *, skipped: bool = True) -> None:
    """Skips *step*, or takes that back. Raises ``Refused`` (400) for one that cannot be skipped."""
    if step not in SKIPPABLE:
        raise Refused("This step cannot be skipped.")

    def changed(before: Setup) -> Setup:
        rest = tuple(one for one in before.skipped if one != step)
        return msgspec.structs.replace(before, skipped=(*rest, step) if skipped else rest)

    change(installation, changed)


def write_down(installation: Tenant, step: str, *, address: str = "") -> None:
    """Keeps that somebody was told the setting of *step*, and its *address*: it is in force from the next start on."""

    def changed(before: Setup) -> Setup:
        skipped, written = (tuple(one for one in some if one != step) for some in (before.skipped, before.written))
        told = {"address": address, "reached_at": installation.clock()} if address else {}
        return msgspec.structs.replace(before, skipped=skipped, written=(*written, step), **told)

    change(installation, changed)


def steps(installation: Tenant, tenants: Tenants) -> list[SetupStep]:
    """All steps, in their order, as they are now. An organisation that cannot be looked at has done nothing.

    Where settings wait for the next start, that is a step, too: before the first source, whose key has an address.
    """
    kept, settings = known(installation.store) or Setup(""), installation.settings
    record = tenants.control.get(DEFAULT)
    name = record.name if record else ""
    people, sources = _of_organisation(tenants)
    found = {
        "organisation": name,
        "administrator": ", ".join(people),
        "address": _address_told(kept, settings),
        "mail": "A mail server took a test message." if settings.smtp_url is not None and kept.mailed_at else "",
        "content": settings.content_url or "",
        "source": ", ".join(sources),
    }
    in_force = {
        "address": (settings.public_url or "").rstrip("/") == kept.address,
        "mail": settings.smtp_url is not None,
        "content": settings.content_url is not None,
    }
    written = {one for one in kept.written if not in_force[one] and one not in kept.skipped}
    all_steps = [
        SetupStep(one, bool(told), one in kept.skipped and not told, told, one in written)
        for one, told in found.items()
    ]
    return [*all_steps[:-1], SetupStep("start", is_done=False), all_steps[-1]] if written else all_steps


def first_open(found: Sequence[SetupStep]) -> SetupStep | None:
    """The first step that somebody has to look at."""
    return next((one for one in found if one.is_open), None)


def reach(installation: Tenant, address: str) -> str:
    """Asks this server at *address*, and keeps that it was reached; gives the address as it is set.

    Raises ``Refused`` (400), which says what is wrong: with the address, on the way, or at its end.
    """
    root = address.strip().rstrip("/")
    try:
        host = web_address(root).host
    except ValueError as error:
        raise Refused("This is no address of a server. Write it like https://lrs.example.org") from error
    word = change(installation, lambda before: before).word
    # The operator names this server's own address, which may well lie in a private network.
    allowed = installation.settings.model_copy(update={"outbound_allow": (*installation.settings.outbound_allow, host)})
    try:
        body = fetch(f"{root}/operator/reached/{word}", allowed)
    except (Blocked, Unreachable) as error:
        raise Refused(f"{root} was not reached from here: {error}.") from error
    if body != answer_to(word):
        raise Refused(f"Something answers at {root}, but not this server: see where that address leads.")
    write_down(installation, "address", address=root)
    return root


def mail_url(server: str, user: str, password: str) -> str:
    """A mail server as ``LRS_SMTP_URL`` names it: *server* is a host, with a port or not, or an address already.

    Raises ``Refused`` (400) if none is named.
    """
    named = server.strip()
    if not named:
        raise Refused("Name your mail server, such as mail.example.org.")
    scheme, _, host = named.rpartition("://")
    port = host.rpartition(":")[2]
    scheme = scheme or ("smtps" if port == "465" else "smtp")
    who = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user or password else ""
    return f"{scheme}://{who}{host}"


def answer_to(word: str) -> bytes:
    """What this server answers whoever asks with its own *word*."""
    return msgspec.json.encode({"reached": word})


def _of_organisation(tenants: Tenants) -> tuple[list[str], list[str]]:
    try:
        with tenants.hold(DEFAULT) as tenant:
            people = [one.name or one.email for one in administrators_of(tenant)]
            names = {one.source for one in known_keys(tenant.store) if not one.revoked and one.source != FIRST_KEY}
    except CANNOT:
        return [], []
    return people, sorted(names)


def _address_told(kept: Setup, settings: Settings) -> str:
    """What says that the address is done: it is set, and was reached."""
    is_reached = kept.address == (settings.public_url or "").rstrip("/") != ""
    return kept.address if is_reached else ""


KINDS = (Kind(KIND, "working", Setup, 1, subjects=None, retention="operational", exported=False),)
