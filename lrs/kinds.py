"""Which kinds of records there are: one table for a tenant's store, one for the control store.

One of the modules that put the rooms together. To add a kind: declare it in ``KINDS`` at the end of the module that
writes it, with whom it is about (``subjects``, or ``None`` for nobody), what it is kept for, and whether it leaves with
an export; if ``KINDS`` is new there, add the module here; put a record of it into the world of ``tests/test_kinds.py``
with whom it is about written out, and a line into the table of ``DECISIONS.md``. A kind that is written and not
declared fails the tests.
"""

from __future__ import annotations

from adapters import before, job, ledger
from badges import issuer, records
from lrs import renaming
from lrs.access import keys, operators, sessions
from lrs.competency import evidence, held, tallies, uncompletions
from lrs.competency.frameworks import frameworks
from lrs.competency.rules import rulesets, walk
from lrs.matching import changes, consent, links, roles, services
from lrs.outbox import deliveries
from lrs.people import joins, nobody, persons, suggestions
from lrs.storage.kinds import Kinds, collected
from lrs.tenancy import audit, control, due, master_key, root_keys, signing_keys
from lrs.transfer import forwards
from lrs.work import sweep
from lrs.xapi.documents import change
from lrs.xapi.statements import definitions, references, write

TENANT: Kinds = collected(
    module.KINDS
    for module in (
        *(write, references, definitions, change),
        *(persons, joins, suggestions, nobody),
        *(frameworks, rulesets, walk, evidence, tallies, uncompletions, held),
        *(services, roles, consent, links, changes, deliveries, forwards),
        *(records, issuer),
        *(job, ledger, before),
        *(keys, sessions, audit, master_key, root_keys, signing_keys, sweep, renaming),
    )
)
"""The kinds in a tenant's store."""

CONTROL: Kinds = collected(module.KINDS for module in (control, due, operators, master_key))
"""The kinds in the control store."""
