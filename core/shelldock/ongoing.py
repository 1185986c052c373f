"""The commands that have not ended: who waits for whom, and who would wait for ever."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator

from shelldock.errors import CycleError
from shelldock.model import NO_LIMIT, Call, Value, Waiting

NEW = "New, Waiting to be processed"
"""The state of what was just accepted, in the product's words (§7.2)."""

DEEPEST = 32
"""So many commands may wait for one another."""


class _Live(Value, frozen=True, kw_only=True):
    key: str
    call: Call
    parent: str

    @property
    def named(self) -> str:
        return f"{self.call.command!r} of {self.call.target.name!r}"


class Ongoing:
    """Every call that has not ended, and the one whose driver asked for it and waits (A3, I16).

    :param runs: whether an execution has left the queue.
    :param room: how many commands the instance for a call runs at once.
    """

    def __init__(self, runs: Callable[[str], bool], room: Callable[[Call], float]) -> None:
        self._runs = runs
        self._room = room
        self._live: dict[str, _Live] = {}
        self._of_key: dict[str, dict[str, None]] = defaultdict(dict)
        self._children: dict[str, dict[str, None]] = {}

    def key(self, execution: str) -> str:
        """The scope of an execution that has not ended."""
        return self._live[execution].key

    def call(self, execution: str) -> Call:
        """What an execution that has not ended is to do."""
        return self._live[execution].call

    def of(self, key: str) -> list[str]:
        """The executions that run on, or wait for, the instance for ``key``, in the order in which they came."""
        return list(self._of_key.get(key, ()))

    def chain(self, execution: str) -> tuple[str, ...]:
        """The scopes of an execution and of those that wait for it, outermost first; none for one that has ended."""
        return tuple(one.key for one in reversed(list(self._above(execution))))

    def waiting(self, execution: str, since: float) -> Waiting:
        """An execution that no node has yet (Q3)."""
        live = self._live[execution]
        target = live.call.target
        return Waiting(
            execution=execution,
            target=target.name,
            command=live.call.command,
            sandbox=target.sandbox.id if target.sandbox else "",
            key=live.key,
            since=since,
            limit=live.call.pending,
            state=NEW,
            reason="it is on its way to an execution server",
        )

    def begin(self, key: str, call: Call, parent: str = "") -> None:
        """Remember an execution. Raises ``CycleError`` where ``parent`` would wait for itself through it."""
        live = _Live(key=key, call=call, parent=parent if parent in self._live else "")
        if live.parent:
            self._check(live)
            self._children.setdefault(live.parent, {})[call.execution] = None
        self._live[call.execution] = live
        self._of_key[key][call.execution] = None

    def end(self, execution: str) -> None:
        """Forget an execution."""
        live = self._live.pop(execution)
        self._children.pop(execution, None)
        self._children.get(live.parent, {}).pop(execution, None)
        del self._of_key[live.key][execution]
        if not self._of_key[live.key]:
            del self._of_key[live.key]

    def _check(self, new: _Live) -> None:
        above = list(self._above(new.parent))
        chain = [*(one.named for one in reversed(above)), new.named]
        if len(chain) > DEEPEST:
            raise CycleError(new.call.command, [*chain[:3], "…", chain[-1]])
        behind = self._waits(new, new.parent, set())
        if behind is not None:
            raise CycleError(new.call.command, [*chain, *(one.named for one in behind)])

    def _above(self, execution: str) -> Iterator[_Live]:
        live = self._live.get(execution)
        while live is not None:
            yield live
            live = self._live.get(live.parent)

    def _waits(self, one: _Live, wanted: str, seen: set[str]) -> list[_Live] | None:
        """The way from ``one`` to the execution ``wanted``, if it waits for that; None if it does not."""
        for execution in self._before(one):
            if execution in seen:
                continue
            seen.add(execution)
            other = self._live[execution]
            if execution == wanted:
                return [other]
            behind = self._waits(other, wanted, seen)
            if behind is not None:
                return [other, *behind]
        return None

    def _before(self, one: _Live) -> list[str]:
        """The executions that must end, or go on, before ``one`` can end."""
        execution = one.call.execution
        waits_for = list(self._children.get(execution, ()))
        if execution in self._live and self._runs(execution):
            return waits_for
        others = [other for other in self._of_key.get(one.key, ()) if other != execution]
        running = [other for other in others if self._runs(other)]
        room = self._room(one.call)
        if room < NO_LIMIT and len(others) >= room:
            return waits_for + others
        return waits_for + (
            [] if running else others
        )  # none runs: the instance may be starting for one of them
