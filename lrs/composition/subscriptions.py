"""The table of subscriptions: which steps a stored statement owes.

To add a subscriber, add a line to the table, and a step of the same name to ``lrs.composition.steps``. For example, a
step that passes on what content sends::

    "passed-on": Subscription(wants=passing.wants, reads=passing.READS),

``wants(tx, record)`` is given the statement as it is about to be stored (``record.meta``: source, version, and whether
it ``voids``). It reads the store only through ``tx``, and only the records that ``reads`` names. Set ``voided=True`` if
the step must also run when the statement is voided later. A step that passes on every statement does not need this,
because it runs for the voiding statement. Forwards to another LRS owe no entry for each statement: the step ``match``
wakes them.
"""

from __future__ import annotations

from adapters.lms.lti import enrolments
from lrs.xapi.statements.subscriptions import Subscription, Subscriptions

SUBSCRIPTIONS: Subscriptions = {
    "match": Subscription(voided=True),
    enrolments.STEP: Subscription(wants=enrolments.wants),
}
