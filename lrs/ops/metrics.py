"""What ``/metrics`` tells: requests by resource, the writer, and what is owed. Knows no person and no statement.

What was counted is put together when somebody asks. Format: Prometheus text exposition 0.0.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from lrs.ops.child import Deaths
from lrs.outbox.channel import Channels, Destination
from lrs.outbox.listing import destinations
from lrs.storage import ROWS, Backlog, Load, wall_clock
from lrs.tenancy.open_tenants import Tenants
from lrs.web.counting import BOUNDS, Requests

if TYPE_CHECKING:
    from prometheus_client.core import Metric

_SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Look:
    """What a tenant owed at a time (microseconds UTC), and where it sends to."""

    at: int
    backlog: Sequence[Backlog]
    destinations: Sequence[Destination]


Looked = Look | None
"""``None`` where the tenant cannot be read."""


class Metrics:
    """Collects when somebody asks."""

    def __init__(self, requests: Requests, tenants: Tenants, deaths: Deaths, channels: Channels) -> None:
        self._requests = requests
        self._tenants = tenants
        self._deaths = deaths
        self._channels = channels
        self._owed: dict[str, Looked] = {}

    def exposition(self) -> tuple[bytes, str]:
        """The text and its media type. Reads the backlogs, so it belongs in a thread."""
        from prometheus_client import CollectorRegistry, ProcessCollector, exposition  # noqa: PLC0415 (when asked)

        registry = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=registry)
        registry.register(self)
        return exposition.generate_latest(registry), exposition.CONTENT_TYPE_PLAIN_0_0_4

    def describe(self) -> Iterable[Metric]:
        """As prometheus_client wants it: nothing is known before it is collected."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Everything there is to tell."""
        owed = self._owed = self._looked()
        yield from _of_requests(self._requests)
        yield from _of_writers(self._tenants.loads())
        yield from _of_owed([(each, looked.at) for looked in owed.values() if looked for each in looked.backlog])
        yield from _of_tenants(owed)
        yield from _of_destinations(owed)
        yield from _of_worker(self._deaths)

    def _looked(self) -> dict[str, Looked]:
        """What each tenant owes. One in whose store nothing can have changed since the last look is not opened."""
        due = set(self._tenants.due())
        looked: dict[str, Looked] = {}
        for name in self._tenants.control.open_tenants():
            known = self._owed.get(name)
            if known is not None and name not in due and not self._tenants.opened(name):
                looked[name] = known
            else:
                looked[name] = _look_at(self._tenants, name, self._channels)
        return looked


def _look_at(tenants: Tenants, name: str, channels: Channels) -> Looked:
    """What is owed. One tenant that cannot be looked at is told as that, and hides none of the others."""
    try:
        with tenants.look(name) as tenant:
            return Look(tenant.clock(), tenant.store.backlog(), destinations(tenant, channels))
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
        lag.add_metric((step,), max(one.lag(now) for one, now in backlogs) / _SECOND)
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
            lag.add_metric((tenant,), max((one.lag(looked.at) for one in looked.backlog), default=0) / _SECOND)
    yield from (up, waiting, parked, lag)


def _of_destinations(owed: Mapping[str, Looked]) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415 (see above)

    now = wall_clock()  # one that is paused grows older while nobody looks into its store
    of = ("tenant", "channel", "destination")
    lag = GaugeMetricFamily("lrs_destination_lag_seconds", "How old the oldest is that it has not got.", labels=of)
    active = GaugeMetricFamily("lrs_destination_active", "Whether anything is sent to it.", labels=of)
    for tenant, looked in sorted(owed.items()):
        for one in looked.destinations if looked else ():
            names = (tenant, one.channel, one.id)
            lag.add_metric(names, 0.0 if one.since is None else max(0, now - one.since) / _SECOND)
            active.add_metric(names, float(one.state == "active"))
    yield from (lag, active)


def _of_worker(deaths: Deaths) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily  # noqa: PLC0415 (see above)

    yield CounterMetricFamily("lrs_worker_deaths", "How often the worker beside this server died.", deaths.count)
    yield GaugeMetricFamily("lrs_worker_running", "Whether it runs now.", float(deaths.running))
