"""Which steps stored statements owe. One of the modules that put the rooms together.

Another subscriber is one line of the table, and a step of the same name in ``lrs.steps``. One that passes on results,
where there is somewhere to pass them to::

    "lti-score": Subscription(wants=scores.wants, reads=scores.READS),

``wants(tx, record)`` sees the statement as it is about to be stored (``record.meta``: source, version, and whether it
``voids``) and looks at the store only through ``tx``, at the records that ``reads`` names. What has to hear of a
statement that is voided later, too, has ``voided=True``; one that passes everything on needs it not, for it is told of
the statement that voids. Forwards to another LRS owe no entry a statement: they are woken by the step ``match``.
"""

from __future__ import annotations

from lrs.xapi.statements.subscriptions import Subscription, Subscriptions

SUBSCRIPTIONS: Subscriptions = {
    "match": Subscription(voided=True),
}
