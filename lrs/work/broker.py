"""Celery between a server and workers on other machines: it announces that a tenant has work, and carries no work.

A message has the tenant's name and nothing else. The store has what is owed. A message that is lost, late or sent twice
only changes when a worker looks, and each worker also looks by itself every ``LRS_SWEEP`` seconds. Knows no step.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Any

import structlog
from celery import Celery
from kombu.exceptions import OperationalError

from lrs.kernel.settings import Settings
from lrs.tenancy.tenants import DEFAULT, Tenant, store_url

LOOK = 0.5
"""Seconds between two looks at what is due, and between two messages about one tenant."""
ENOUGH = 100
"""With so many messages in the queue no more are sent: no worker takes them, and workers find owed work without them.
"""
PATIENCE = 5
"""Timeout of the broker in seconds."""
TASK = "lrs.work"

_log = structlog.get_logger()


def queue_name(settings: Settings) -> str:
    """``LRS_CELERY_QUEUE``, or a name made from the store's address, which all processes on that store share."""
    return settings.celery_queue or f"engraft-{sha256(store_url(settings, DEFAULT).encode()).hexdigest()[:12]}"


def celery_app(settings: Settings, call: Callable[[str], None] = lambda _: None) -> Celery:
    """The Celery application on ``LRS_CELERY_BROKER``. Its worker calls *call* with the tenant of each message."""
    broker, queue = settings.celery_broker or "", queue_name(settings)
    app = Celery("lrs", broker=broker, set_as_current=False)
    app.conf.update(
        task_default_queue=queue,
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=True,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_send_task_events=False,
        worker_enable_remote_control=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_connection_timeout=PATIENCE,
        broker_transport_options=_transport(broker, queue),
    )

    @app.task(name=TASK, shared=False)  # type: ignore[untyped-decorator]  # Celery has no types
    def work(tenant: str) -> None:
        call(tenant)

    return app


def _transport(broker: str, queue: str) -> dict[str, Any]:
    if not broker.startswith("redis"):
        return {}
    # All keys begin with the queue's name: a broker may serve several installations, and others.
    return {"global_keyprefix": f"{queue}:", "socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE}


def listen_to_broker(app: Celery, name: str) -> None:
    """Takes messages until SIGTERM or SIGINT. If the broker cannot be reached, tries again until it can."""
    app.Worker(
        pool="solo", hostname=name, loglevel="WARNING", without_gossip=True, without_mingle=True, quiet=True
    ).start()


class Notifier:
    """A thread beside a server that looks for due work and announces it on the queue if there is a broker."""

    def __init__(self, settings: Settings, tenants: Callable[[], Iterable[Tenant]], steps: Sequence[str]) -> None:
        self._app = celery_app(settings)
        self._queue = queue_name(settings)
        self._tenants = tenants
        self._steps = steps
        self._errors = (OperationalError, OSError, *self._app.connection().connection_errors)
        self._reached = True
        self._blind: set[str] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="notify", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends the thread. It holds nothing that could be lost."""
        self._stop.set()
        self._thread.join(PATIENCE)
        self._app.close()

    def _run(self) -> None:
        while not self._stop.wait(LOOK):
            try:
                due = [tenant.id for tenant in self._tenants() if self._is_due(tenant)]
            except Exception as error:  # noqa: BLE001 (the control store may be away: tried again in a moment)
                _log.warning("cannot see what is due", error=type(error).__name__)
                continue
            if due:
                self._say(due)

    def _is_due(self, tenant: Tenant) -> bool:
        try:
            due = tenant.store.is_due(self._steps)
        except Exception as error:  # noqa: BLE001 (one tenant's store may be away or damaged: the others go on)
            if tenant.id not in self._blind:
                _log.warning("cannot see what is due", tenant=tenant.id, error=type(error).__name__)
            self._blind.add(tenant.id)
            return False
        self._blind.discard(tenant.id)
        return due

    def _say(self, due: Sequence[str]) -> None:
        try:
            with self._app.connection_for_write() as connection:
                # Without this, Celery would wait for a missing broker with growing pauses.
                connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=PATIENCE)
                waiting = connection.default_channel.queue_declare(self._queue, durable=True, auto_delete=False)
                if waiting.message_count < ENOUGH:
                    for tenant in due:
                        self._app.send_task(TASK, [tenant], connection=connection, retry=False)
        except self._errors as error:
            self._heard(error)
        else:
            self._heard(None)

    def _heard(self, error: Exception | None) -> None:
        """Logs only changes, so that a broker that is away for a day gives one line."""
        if error is not None and self._reached:
            _log.warning("the broker is away; workers find what is due by themselves", error=type(error).__name__)
        if error is None and not self._reached:
            _log.warning("the broker is back")
        self._reached = error is None
