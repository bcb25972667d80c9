"""What ``/metrics`` shows: requests by resource, the writer, and owed work. Knows no person and no statement.

Values are collected when somebody asks. Format: Prometheus text exposition 0.0.4.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

import msgspec

from lrs.kernel.admission import Admission
from lrs.kernel.times import SECOND
from lrs.ops.child import Deaths
from lrs.outbox.channel import Channels
from lrs.outbox.listing import DestinationStatus, destinations
from lrs.storage import ROWS, Backlog, Load, wall_clock
from lrs.tenancy.open_tenants import Tenants
from lrs.web.counting import BOUNDS, Requests
from lrs.xapi.statements.quarantine import QuarantineTally, all_tallies

if TYPE_CHECKING:
    from prometheus_client.core import Metric

LOOK_FOR = 2.0
"""Seconds of a scrape in which stores are opened that are not in use. Prometheus waits ten seconds for the whole."""


class TenantSample(msgspec.Struct, frozen=True):
    """What a tenant owed at a time (microseconds UTC), its destinations, and its quarantine by source."""

    at: int
    backlog: Sequence[Backlog]
    destinations: Sequence[DestinationStatus]
    quarantine: Mapping[str, QuarantineTally]


Looked = TenantSample | None
"""``None`` if the tenant cannot be read."""


class Metrics:
    """Collects the metrics when asked."""

    def __init__(
        self, requests: Requests, admission: Admission, tenants: Tenants, deaths: Deaths, channels: Channels
    ) -> None:
        self._requests = requests
        self._admission = admission
        self._tenants = tenants
        self._deaths = deaths
        self._channels = channels
        self._owed: dict[str, Looked] = {}
        self._revisions: dict[str, int | None] = {}

    def exposition(self) -> tuple[bytes, str]:
        """The text and its media type. Reads the backlogs, so call it in a thread."""
        from prometheus_client import CollectorRegistry, ProcessCollector, exposition  # noqa: PLC0415 (when asked)

        registry = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=registry)
        registry.register(self)
        return exposition.generate_latest(registry), exposition.CONTENT_TYPE_PLAIN_0_0_4

    def describe(self) -> Iterable[Metric]:
        """Required by prometheus_client. Nothing is known before it is collected."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """All metrics."""
        owed = self._owed = self._looked()
        yield from _of_requests(self._requests)
        yield from _of_admission(self._requests, self._admission)
        yield from _of_writers(self._tenants.loads())
        yield from _of_owed([(each, looked.at) for looked in owed.values() if looked for each in looked.backlog])
        yield from _of_tenants(owed)
        yield from _of_destinations(owed)
        yield from _of_quarantine(owed)
        yield from _of_worker(self._deaths)

    def _looked(self) -> dict[str, Looked]:
        """What each tenant owes. A tenant whose store cannot have changed since the last look is not opened.

        After ``LOOK_FOR`` seconds, tenants that are not in use keep their last values. One without values has no line
        until a later scrape.
        """
        due, until = set(self._tenants.due()), time.monotonic() + LOOK_FOR
        revisions = self._tenants.control.due.revisions()
        looked: dict[str, Looked] = {}
        for name in self._tenants.control.open_tenants():
            known, revision = self._owed.get(name), revisions.get(name)
            is_used = self._tenants.opened(name)
            is_changed = name in due or revision != self._revisions.get(name)
            if known is not None and not is_changed and not is_used:
                looked[name] = known
            elif is_used or time.monotonic() < until:
                looked[name] = _look_at(self._tenants, name, self._channels)
                self._revisions[name] = revision
            elif name in self._owed:
                looked[name] = known
        return looked


def _look_at(tenants: Tenants, name: str, channels: Channels) -> Looked:
    """What the tenant owes. One that cannot be read is reported as such, and the others are still read."""
    try:
        with tenants.look(name) as tenant:
            owed, aside = tenant.store.backlog(), all_tallies(tenant.store)
            return TenantSample(tenant.clock(), owed, destinations(tenant, channels), aside)
    except Exception:  # noqa: BLE001 (its own line says that it cannot be read)
        return None


def _of_requests(requests: Requests) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily  # noqa: PLC0415 (see above)

    labels = ("resource", "method", "status")
    durations = HistogramMetricFamily("lrs_request_duration_seconds", "Requests, by how long they took.", labels=labels)
    bounds = [*map(str, BOUNDS), "+Inf"]
    for (resource, method, status), series in requests.series():
        buckets = list(zip(bounds, map(float, accumulate(series.buckets)), strict=True))
        durations.add_metric((resource, method, f"{status}xx"), buckets, series.seconds)
    yield durations
    ignored = CounterMetricFamily(
        "lrs_ignored_parameters", "Query parameters that are none of xAPI and were ignored.", labels=("resource",)
    )
    for resource, count in sorted(requests.ignored.items()):
        ignored.add_metric((resource,), count)
    yield ignored


def _of_admission(requests: Requests, admission: Admission) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily  # noqa: PLC0415 (see above)

    later = CounterMetricFamily(
        "lrs_retry_later", "Requests that were told to come back, by why.", labels=("cause", "status")
    )
    for cause, count in requests.retry_later.items():
        later.add_metric((cause.name, str(cause.status)), count)
    yield later
    inside = GaugeMetricFamily("lrs_admission_bytes", "Bytes inside of a limit.", labels=("limit",))
    bound = GaugeMetricFamily("lrs_admission_bound_bytes", "The bound of that limit.", labels=("limit",))
    for limit in (admission.memory, admission.work, admission.files, admission.answers):
        inside.add_metric((limit.cause.name,), limit.inside)
        bound.add_metric((limit.cause.name,), limit.bound)
    yield from (inside, bound)


def _of_writers(loads: Sequence[Load]) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily  # noqa: PLC0415 (see above)

    yield GaugeMetricFamily(
        "lrs_writer_waiting", "Decisions in the writers' queues.", sum(one.waiting for one in loads)
    )
    yield GaugeMetricFamily(
        "lrs_writer_waiting_records", "Records they will write, about.", sum(one.weight for one in loads) // ROWS
    )
    yield CounterMetricFamily("lrs_writer_commits", "Commits of this process.", sum(one.commits for one in loads))
    yield CounterMetricFamily(
        "lrs_writer_decisions",
        "Decisions in them; over the commits, the size of a group.",
        sum(d.decisions for d in loads),
    )


def _of_owed(owed: Sequence[tuple[Backlog, int]]) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415 (see above)

    waiting = GaugeMetricFamily("lrs_owed_waiting", "Entries of owed work that wait, due or not.", labels=("step",))
    parked = GaugeMetricFamily("lrs_owed_parked", "Entries that were given up on.", labels=("step",))
    lag = GaugeMetricFamily("lrs_owed_lag_seconds", "For how long the oldest has been due.", labels=("step",))
    found: dict[str, list[tuple[Backlog, int]]] = {}
    for backlog, now in owed:
        found.setdefault(backlog.step, []).append((backlog, now))
    for step, backlogs in sorted(found.items()):
        waiting.add_metric((step,), sum(one.waiting for one, _ in backlogs))
        parked.add_metric((step,), sum(one.parked for one, _ in backlogs))
        lag.add_metric((step,), max(one.lag(now) for one, now in backlogs) / SECOND)
    yield from (waiting, parked, lag)


def _of_tenants(owed: Mapping[str, Looked]) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415 (see above)

    of = ("tenant",)
    up = GaugeMetricFamily("lrs_tenant_up", "Whether the tenant's store can be opened and read.", labels=of)
    waiting = GaugeMetricFamily("lrs_tenant_owed_waiting", "Entries of its owed work that wait, due or not.", labels=of)
    parked = GaugeMetricFamily("lrs_tenant_owed_parked", "Entries of it that were given up on.", labels=of)
    lag = GaugeMetricFamily("lrs_tenant_owed_lag_seconds", "For how long its oldest has been due.", labels=of)
    for tenant, looked in sorted(owed.items()):
        up.add_metric((tenant,), float(looked is not None))
        if looked is not None:
            waiting.add_metric((tenant,), sum(one.waiting for one in looked.backlog))
            parked.add_metric((tenant,), sum(one.parked for one in looked.backlog))
            lag.add_metric((tenant,), max((one.lag(looked.at) for one in looked.backlog), default=0) / SECOND)
    yield from (up, waiting, parked, lag)


def _of_destinations(owed: Mapping[str, Looked]) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415 (see above)

    now = wall_clock()  # one that is paused grows older while nobody looks into its store
    of = ("tenant", "channel", "destination")
    lag = GaugeMetricFamily("lrs_destination_lag_seconds", "How old the oldest is that it has not got.", labels=of)
    active = GaugeMetricFamily("lrs_destination_active", "Whether anything is sent to it.", labels=of)
    for tenant, looked in sorted(owed.items()):
        for one in looked.destinations if looked else ():
            names = (tenant, one.destination.channel, one.destination.id)
            lag.add_metric(names, one.lag(now) / SECOND)
            active.add_metric(names, float(one.active))
    yield from (lag, active)


def _of_quarantine(owed: Mapping[str, Looked]) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily  # noqa: PLC0415 (see above)

    of = ("tenant", "source")
    waits = GaugeMetricFamily("lrs_quarantined", "Statements that wait in quarantine.", labels=of)
    ever = CounterMetricFamily("lrs_quarantined_statements", "Statements that ever went into it.", labels=of)
    for tenant, looked in sorted(owed.items()):
        for source, tally in sorted(looked.quarantine.items()) if looked else ():
            waits.add_metric((tenant, source), tally.count)
            ever.add_metric((tenant, source), tally.ever)
    yield from (waits, ever)


def _of_worker(deaths: Deaths) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily  # noqa: PLC0415 (see above)

    yield CounterMetricFamily("lrs_worker_deaths", "How often workers beside this server died.", deaths.count)
    yield GaugeMetricFamily("lrs_worker_running", "How many of them run now.", float(deaths.running))
