"""The commands that have not ended: who waits for whom, and who would wait for ever."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator

from shelldock.errors import CycleError
from shelldock.model import Call, Value, Waiting

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

    def within(self, sandbox: str) -> list[str]:
        """The executions in a sandbox, those among them that are just being accepted."""
        calls = (one.call for one in self._live.values())
        return [
            one.execution
            for one in calls
            if one.target.sandbox and one.target.sandbox.id == sandbox
        ]

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
            limit=live.call.pending.told,
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
        siblings = self._children.get(live.parent, {})
        siblings.pop(execution, None)
        if not siblings:
            self._children.pop(live.parent, None)
        del self._of_key[live.key][execution]
        if not self._of_key[live.key]:
            del self._of_key[live.key]

    def _check(self, new: _Live) -> None:
        above = [one.named for one in reversed(list(self._above(new.parent)))]
        if len(above) >= DEEPEST:
            raise CycleError(new.call.command, [*above[:3], "…", new.named])
        behind = self._behind(new)
        if behind:
            raise CycleError(new.call.command, [*above, new.named, *behind])

    def _above(self, execution: str) -> Iterator[_Live]:
        live = self._live.get(execution)
        while live is not None:
            yield live
            live = self._live.get(live.parent)

    def _behind(self, new: _Live) -> list[str]:
        """Those through whom ``new`` waits for the one that asks for it, that one last; none where it does not."""
        before: dict[str, str] = {}
        look = deque([new])
        keys: set[str] = set()
        while look:
            one = look.popleft()
            for execution in self._waits_for(one, new.parent, keys):
                if execution not in before:
                    before[execution] = one.call.execution
                    look.append(self._live[execution])
        way: list[str] = []
        execution = new.parent if new.parent in before else ""
        while execution in before:
            way.append(self._live[execution].named)
            execution = before[execution]
        return way[::-1]

    def _waits_for(self, one: _Live, wanted: str, keys: set[str]) -> Iterator[str]:
        """The executions that have to go on before ``one`` can: of those before it in a queue, such as wait themselves.

        :param keys: whose queues were looked at already.
        """
        yield from self._children.get(one.call.execution, ())
        if one.key not in keys and self._is_held_up(one):
            keys.add(one.key)
            yield from (
                other
                for other in self._of_key.get(one.key, ())
                if other == wanted or other in self._children
            )

    def _is_held_up(self, one: _Live) -> bool:
        """Whether it cannot run yet: too many do, or the instance is starting for one of those before it."""
        if one.call.execution in self._live and self._runs(one.call.execution):
            return False
        others = [other for other in self._of_key.get(one.key, ()) if other != one.call.execution]
        return len(others) >= self._room(one.call) or not any(map(self._runs, others))
