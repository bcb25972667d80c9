"""Which steps stored statements owe. One of the modules that put the rooms together.

Another subscriber is one line of the table, and a step of the same name in ``lrs.steps``. One that forwards what other
sources sent, where there is somewhere to forward it to::

    "xapi-forward": Subscription(wants=forward.wants, reads=forward.READS),

``wants(tx, record)`` sees the statement as it is about to be stored (``record.meta``: source, version, and whether it
``voids``) and looks at the store only through ``tx``, at the records that ``reads`` names. What has to hear of a
statement that is voided later, too, has ``voided=True``; one that forwards needs it not, for it is told of the
statement that voids.
"""

from __future__ import annotations

from lrs.xapi.statements.subscriptions import Subscription, Subscriptions

SUBSCRIPTIONS: Subscriptions = {
    "match": Subscription(voided=True),
}
