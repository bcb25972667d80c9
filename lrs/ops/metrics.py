"""What ``/metrics`` tells: requests by resource, the writer, and what is owed. Knows no person and no statement.

What was counted is put together when somebody asks. Format: Prometheus text exposition 0.0.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from lrs.ops.child import Deaths
from lrs.storage import ROWS, Backlog
from lrs.tenancy.control import Tenants
from lrs.tenancy.tenants import Tenant
from lrs.web.counting import BOUNDS, Requests

if TYPE_CHECKING:
    from prometheus_client.core import Metric

_SECOND = 1_000_000


def exposition(requests: Requests, tenants: Tenants, deaths: Deaths) -> tuple[bytes, str]:
    """The text and its media type; all tenants together. Reads the backlogs, so it belongs in a thread."""
    from prometheus_client import CollectorRegistry, ProcessCollector, exposition  # noqa: PLC0415 (when first asked)

    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    registry.register(_Collector(requests, tenants, deaths))
    return exposition.generate_latest(registry), exposition.CONTENT_TYPE_PLAIN_0_0_4


class _Collector:
    def __init__(self, requests: Requests, tenants: Tenants, deaths: Deaths) -> None:
        self._requests = requests
        self._tenants = tenants
        self._deaths = deaths

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterator[Metric]:
        """One tenant that cannot be looked at is told as that, and hides none of the others."""
        tenants = self._tenants.all()
        down = {one.tenant for one in self._tenants.unusable()}
        owed: list[tuple[Backlog, int]] = []
        for tenant in tenants:
            try:
                now = tenant.clock()
                owed += [(backlog, now) for backlog in tenant.store.backlog()]
            except Exception:  # noqa: BLE001 (its own line says that it cannot be read)
                down.add(tenant.id)
        yield from _of_requests(self._requests)
        yield from _of_writers(tenants)
        yield from _of_owed(owed)
        yield _of_tenants({tenant.id for tenant in tenants} | down, down)
        yield from _of_worker(self._deaths)


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


def _of_writers(tenants: Sequence[Tenant]) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily  # noqa: PLC0415 (see above)

    loads = [tenant.store.load() for tenant in tenants]
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


def _of_tenants(known: set[str], down: set[str]) -> Metric:
    from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415 (see above)

    up = GaugeMetricFamily("lrs_tenant_up", "Whether the tenant's store can be opened and read.", labels=("tenant",))
    for tenant in sorted(known):
        up.add_metric((tenant,), float(tenant not in down))
    return up


def _of_worker(deaths: Deaths) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily  # noqa: PLC0415 (see above)

    yield CounterMetricFamily("lrs_worker_deaths", "How often the worker beside this server died.", deaths.count)
    yield GaugeMetricFamily("lrs_worker_running", "Whether it runs now.", float(deaths.running))
