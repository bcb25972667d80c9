"""The tables of kinds of records: one for a tenant's store, one for the control store.

To add a kind:

1. Declare it in ``KINDS`` at the end of the module that writes it: whom it is about (``subjects``, or ``None`` for
   nobody), what it is kept for, and whether it leaves with an export. If it is about people: how their records are
   found (``find``), and what they are shown of one (``shown``): nothing of others, no secret.
2. If ``KINDS`` is new in that module, add the module to a table below.
3. Put a record of it into the world of ``tests/test_kinds.py``, and write there whom it is about.
4. Add a line to the table of kinds in ``DECISIONS.md``, and if it is about people, a heading in
   ``templates/learner/data.html``.

The tests fail for a kind that is written and not declared.
"""

from __future__ import annotations

from adapters.apprenticeship import standard_records
from adapters.catalogue import feed, offerings
from adapters.imports import before, job, mappings
from adapters.ledger import ledger
from adapters.lms.catapult import clients
from adapters.lms.courses import courses, numbers, openings
from adapters.lms.lti import courses as lti_courses
from adapters.lms.lti import enrolments, grades, login, platforms, tool_keys
from adapters.lms.lti import users as lti_users
from adapters.lms.sessions import session as content_sessions
from adapters.planning import demand, figures
from adapters.training_centre import attendees, centre_sessions, checklists, learner_routes
from badges.achievements import achievements, counts, pictures, wording
from badges.claims import claims, event_codes
from badges.credentials import lists, records
from badges.endorsing import endorsements
from badges.held import certificates, holders, shares, shown_names, stops
from badges.keys import issuer
from badges.prior import prior, trusted
from badges.wallets import exchanges
from badges.wallets.oid4vci import nonces
from lrs.access import keys, learners, one_time, operators, sessions, source_names, staff, switches, tries
from lrs.access.oidc import providers
from lrs.competency import evidence, held, listed, tallies, uncompletions
from lrs.competency.frameworks import frameworks
from lrs.competency.rules import drafts, rulesets, walk
from lrs.composition import renaming
from lrs.matching import changes, declared, disclosures, occupations, outcomes, resync, services
from lrs.matching.consent import consent, links
from lrs.matching.roles import roles
from lrs.outbox import deliveries, destinations, turns
from lrs.pages.operator import setup
from lrs.people import confirmed_names, joins, minors, nobody, persons, questions, suggestions, told_names
from lrs.storage.kinds import Kinds, collected
from lrs.tenancy import audit, backups, control, due, master_key, root_keys, signing_keys
from lrs.transfer import forwards
from lrs.web import kept_refusals
from lrs.work import sweep
from lrs.xapi.documents import change
from lrs.xapi.statements import definitions, fingerprints, quarantine, references, write

TENANT: Kinds = collected(
    module.KINDS
    for module in (
        *(write, references, definitions, change, fingerprints, quarantine),
        *(persons, joins, suggestions, nobody, minors, questions, told_names, confirmed_names),
        *(frameworks, rulesets, drafts, walk, evidence, tallies, uncompletions, held, listed),
        *(services, roles, consent, links, changes, disclosures, outcomes, occupations, declared, resync),
        *(deliveries, destinations, turns, forwards),
        *(records, achievements, wording, pictures, endorsements, lists, stops, issuer, counts, claims, shares),
        *(holders, exchanges, nonces, event_codes, trusted, prior, shown_names, certificates),
        *(job, ledger, mappings, before, standard_records),
        *(checklists, centre_sessions, attendees, learner_routes, offerings, feed),
        *(demand, figures),
        *(courses, numbers, openings, clients, content_sessions),
        *(platforms, tool_keys, login, lti_users, lti_courses, grades, enrolments),
        *(
            keys,
            switches,
            source_names,
            staff,
            learners,
            one_time,
            providers,
            sessions,
            tries,
            audit,
            master_key,
            root_keys,
            signing_keys,
            sweep,
            kept_refusals,
            renaming,
        ),
    )
)
"""The kinds in a tenant's store."""

CONTROL: Kinds = collected(
    module.KINDS
    for module in (
        *(control, due, operators, master_key, backups),
        *(staff, one_time, sessions, tries, audit, root_keys, setup),
    )
)
"""The kinds in the control store: of the installation, and of its operators."""
