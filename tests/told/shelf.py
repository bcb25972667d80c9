"""A tenant that issues badges, at noon of 21 November 2026: what each act does to them, told as changes of records."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from adapters.reading.people import Ifi
from badges.credentials.lists import publish
from badges.credentials.status import bits_of
from badges.issuing.issue import issue
from badges.issuing.rewording import reword
from badges.issuing.rotation import reissue, take_over
from badges.verifying.verify import failures
from lrs.outbox import deliveries
from lrs.people import persons
from lrs.people.ids import ids_of
from lrs.storage import Record, each
from lrs.xapi.statements.identity import Identifier, identifier_of
from tests.badges.made import put_award, verdict_on
from tests.told.scene import Scene
from tests.told.story import inline

STEPS = {"publish": publish, "reword": reword, "rotate": take_over, "reissue": reissue}
KINDS = (
    *(
        "credential",
        "status",
        "achievement",
        "framework-item",
        "badge-wording",
        "endorsement",
        "status-list",
        "badge-stop",
    ),
    *(
        "issuer",
        "badge-use",
        "badge-counts",
        "badge-claim",
        "badge-share",
        "badge-holder",
        "badge-exchange",
        "badge-nonce",
    ),
    *(
        "event-code",
        "event-code-use",
        "trusted-issuer",
        "prior-badge",
        "badge-name",
        "badge-certificate",
        "signing-key",
        "delivery",
    ),
)


def _badge(record: Record) -> dict[str, Any]:
    said = json.loads(record.body)
    said["proof"] = [one["verificationMethod"] for one in said["proof"]]
    return {"meta": dict(record.meta), "says": said}


def _list(record: Record) -> dict[str, Any]:
    said = json.loads(record.body)
    bits = bits_of(said, str(record.meta["purpose"]))
    places = [8 * at + place for at, byte in enumerate(bits) if byte for place in range(8) if byte >> (7 - place) & 1]
    said["credentialSubject"].pop("encodedList")
    said["proof"] = [one["verificationMethod"] for one in said["proof"]]
    return {"set": places, "says": said}


def _achievement(record: Record) -> dict[str, Any]:
    return {"meta": dict(record.meta), "says": json.loads(record.body)}


VIEWS = {"credential": _badge, "status-list": _list, "achievement": _achievement}


class Shelf(Scene):
    """What is issued by one tenant. Places in lists are drawn in turn: 100, 101, …"""

    def __init__(self, folder: Path, **more: Any) -> None:
        super().__init__(folder, KINDS, VIEWS, **more)
        self._places = count(100)

    def somebody(self, name: str, *identifiers: Ifi) -> str:
        """A person known by *identifiers*."""
        ids = ids_of(self.tenant)
        for one in identifiers:
            known = identifier_of(one.agent().as_version())
            assert known
            named = Identifier(ids(known.id), known.ifi, known.sort)
            self.store.write(lambda tx, named=named: persons.ensure(tx, [named], lambda _: name)).result()
        return name

    def work(self) -> None:
        """Does all that badges owe now, in turns."""
        for _ in range(10):
            claims = self.store.claim(["issue", *STEPS], limit=50, lease=60_000_000)
            if not claims:
                return
            issued = [claim for claim in claims if claim.owed.step == "issue"]
            if issued:
                issue(self.tenant, issued, draw=lambda _: next(self._places))
            for step, work in STEPS.items():
                mine = [claim for claim in claims if claim.owed.step == step]
                if mine:
                    work(self.tenant, mine)

    def award(self, id: str, **changes: Any) -> None:
        put_award(self.tenant, id, **changes)

    def badge(self, id: str) -> Record:
        record = self.store.get("credential", id)
        assert record
        return record

    def verdict(self, document: bytes | dict[str, Any], at: int | None = None) -> str:
        """What our own verifier says."""
        found = verdict_on(self.tenant, document, at)
        return "valid" if found.valid else "; ".join(f"{one.name} {one.code}: {one.why}" for one in failures(found))

    def mails(self) -> None:
        self.story.head("mails")
        for record in each(self.store, deliveries.KIND):
            self.story.say(inline(msgspec.json.decode(record.body)))


@contextmanager
def shelf(folder: Path, **more: Any) -> Iterator[Shelf]:
    made = Shelf(folder, **more)
    try:
        yield made
    finally:
        made.store.close()
