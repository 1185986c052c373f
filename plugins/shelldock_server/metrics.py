"""What the host does, in numbers, for Prometheus."""

from __future__ import annotations

from collections import Counter as Count

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from shelldock import AsyncHost
from shelldock.hookspecs import hookimpl
from shelldock.model import Execution

_STEPS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1800)


class Metrics:
    """A plugin that counts executions, and looks at the rest when it is asked."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._executions = Counter(
            "shelldock_executions", "Executions that ended.", ["state"], registry=self._registry
        )
        self._accepted = Counter(
            "shelldock_executions_accepted",
            "Executions that were accepted.",
            registry=self._registry,
        )
        self._seconds = Histogram(
            "shelldock_execution_seconds",
            "From start to end.",
            buckets=_STEPS,
            registry=self._registry,
        )
        self._waited = Histogram(
            "shelldock_execution_wait_seconds",
            "From acceptance to start.",
            buckets=_STEPS,
            registry=self._registry,
        )
        self._instances = Gauge(
            "shelldock_instances", "Driver instances.", ["state"], registry=self._registry
        )
        self._queue = Gauge(
            "shelldock_queue_length", "Commands that wait.", registry=self._registry
        )
        self._sandboxes = Gauge(
            "shelldock_sandboxes", "Sandboxes that have not ended.", registry=self._registry
        )
        self._resources = Gauge(
            "shelldock_resources", "Root resources of the inventory.", registry=self._registry
        )
        self._draining = Gauge(
            "shelldock_draining", "1 while nothing new is taken.", registry=self._registry
        )

    @hookimpl
    def shelldock_execution_changed(self, execution: Execution) -> None:
        """Count it."""
        if execution.state == "accepted" and not execution.messages:
            self._accepted.inc()
        if execution.ended is None:
            return
        self._executions.labels(execution.state).inc()
        if execution.started is not None:
            self._seconds.observe(max(0.0, execution.ended - execution.started))
            self._waited.observe(max(0.0, execution.started - execution.accepted))

    async def text(self, host: AsyncHost) -> bytes:
        """All of it, as Prometheus reads it."""
        self._instances.clear()
        for state, count in Count(one.state for one in await host.instances(memory=False)).items():
            self._instances.labels(state).set(count)
        self._queue.set(len(await host.queue()))
        self._sandboxes.set(len(await host.list_sandboxes()))
        self._resources.set(len(host.inventory.resources()))
        self._draining.set(host.draining)
        return generate_latest(self._registry)
