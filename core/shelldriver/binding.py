"""Which command is meant, and which arguments its method gets."""

from __future__ import annotations

import contextlib
import inspect
from typing import (
    Any,
    Callable,
    Dict,
    FrozenSet,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

from shelldriver import signatures
from shelldriver.signatures import NONE, Signature

LIFE_CYCLE = ("initialize", "cleanup")
_INJECTED = ("context", "cancellation_context")

Declared = Mapping[str, Sequence[Sequence[Optional[str]]]]
"""Commands by name: their parameters, each with its default or None."""

Arguments = Tuple[List[Any], Dict[str, Any]]


class Refusal(Exception):
    """The call cannot be made: ``kind`` is ``command`` or ``input``, ``known`` what would be there."""

    def __init__(self, kind: str, text: str, known: List[str]) -> None:
        super().__init__(text)
        self.kind = kind
        self.known = known


class _Parameter(NamedTuple):
    name: str
    alias: str
    """What the metadata call it, where that is another name."""
    default: Optional[str]
    """What the metadata give."""
    own_default: Any
    """What the signature gives, or ``NONE``."""


class _Plan(NamedTuple):
    """How a method is called; made once."""

    parameters: Tuple[_Parameter, ...]
    by_position: int
    rest: bool
    known: FrozenSet[str]
    """The inputs that callers may name."""
    left_out: Tuple[str, ...]
    """Those of them that the method does not take."""

    def arguments(self, inputs: Mapping[str, Any], injected: Mapping[str, Any]) -> Arguments:
        """Each parameter's value, by keyword wherever that is possible."""
        args: List[Any] = []
        kwargs: Dict[str, Any] = {}
        for parameter in self.parameters:
            value = _value(parameter, inputs, injected)
            if len(args) < self.by_position:
                args.append(parameter.own_default if value is NONE else value)
            elif value is not NONE:
                kwargs[parameter.name] = value
        if self.rest:
            named = {parameter.name for parameter in self.parameters}
            named.update(parameter.alias for parameter in self.parameters)
            more = {**inputs, **injected}
            if not more.get("ports"):
                more.pop("ports", None)
            kwargs.update((name, value) for name, value in more.items() if name not in named)
        return args, kwargs


class Commands:
    """The commands of a driver's class: its public methods, declared by the metadata or not.

    :param note: writes a line to the log.
    """

    def __init__(self, driver: type, declared: Declared, note: Callable[[str], None]) -> None:
        self._driver = driver
        self._note = note
        self._declared = declared
        self._plans: Dict[str, _Plan] = {}
        self._hooks = {name: self._hook(name) for name in LIFE_CYCLE}

    @property
    def driver(self) -> Any:
        """The class."""
        return self._driver

    def prepare(self) -> None:
        """Plan every command now: what an instance finds planned, it shares with its siblings."""
        for name in {*self.names(), *self._declared}:
            with contextlib.suppress(Refusal):
                self._plans[name] = self._plan(name)

    def bind(self, name: str, inputs: Mapping[str, Any], injected: Mapping[str, Any]) -> Arguments:
        """The arguments of the command ``name``. Raises ``Refusal``."""
        plan = self._plans.get(name)
        if plan is None:
            plan = self._plans[name] = self._plan(name)
        ignored = [one for one in plan.left_out if one in inputs]
        if ignored:
            names = ", ".join(map(repr, ignored))
            self._note("the method %r does not take %s: left out" % (name, names))
        unknown = [one for one in inputs if one not in plan.known]
        if unknown and (not plan.rest or any(one in _INJECTED for one in unknown)):
            raise _unknown(name, unknown, sorted(plan.known))
        return plan.arguments(inputs, injected)

    def bind_hook(self, name: str, injected: Mapping[str, Any]) -> Optional[Arguments]:
        """The arguments of ``initialize`` or ``cleanup``; None where the class has no such method."""
        plan = self._hooks[name]
        return None if plan is None else plan.arguments({}, injected)

    def names(self) -> List[str]:
        """The public methods, less what the bases of cloudshell-shell-core bring along."""
        return sorted(
            {
                name
                for kind in self._driver.__mro__
                if kind is not object and kind.__module__.partition(".")[0] != "cloudshell"
                for name, one in vars(kind).items()
                if _is_public(name) and signatures.is_method(one)
            }
        )

    def _hook(self, name: str) -> Optional[_Plan]:
        method = inspect.getattr_static(self._driver, name, None)
        if method is None:
            return None
        signature = signatures.signature(method, name)
        if name == "cleanup":  # It takes nothing; only one that names context or reason gets them.
            signature = signature._replace(rest=False, opaque=False)
        return _plan(signature, {})

    def _plan(self, name: str) -> _Plan:
        defaults = {str(one[0]): one[1] for one in self._declared.get(name, ())}
        method = inspect.getattr_static(self._driver, name, None)
        allowed = _is_public(name) or (name == "cleanup" and name in self._declared)
        if allowed and signatures.is_method(method):
            return _plan(signatures.signature(method, name), defaults)
        if allowed and name in self._declared and hasattr(self._driver, "__getattr__"):
            return _plan(signatures.OPAQUE, defaults)  # Made up as it is asked for.
        raise Refusal("command", "the driver has no command %r" % name, self.names())


def _is_public(name: str) -> bool:
    return not name.startswith("_") and name not in LIFE_CYCLE


def _plan(signature: Signature, defaults: Mapping[str, Optional[str]]) -> _Plan:
    own = dict(signature.parameters)
    if signature.opaque:
        own = dict.fromkeys(["context", *defaults], NONE)
    aliases = {} if signature.rest else _aliases(own, defaults)
    parameters = []
    for one, own_default in own.items():
        alias = aliases.get(one, "")
        parameters.append(_Parameter(one, alias, defaults.get(alias or one), own_default))
    known = frozenset(own).union(defaults).difference(_INJECTED)
    taken = {*own, *aliases.values(), *_INJECTED}
    left_out = () if signature.rest else tuple(one for one in defaults if one not in taken)
    return _Plan(tuple(parameters), signature.by_position, signature.rest, known, left_out)


def _aliases(own: Mapping[str, Any], defaults: Mapping[str, Any]) -> Dict[str, str]:
    """Declared names that the signature lacks, by the names it has instead: paired in order."""
    unknown = [one for one in defaults if one not in own and one not in _INJECTED]
    spare = [one for one in own if one not in defaults and one not in _INJECTED and one != "ports"]
    return dict(zip(spare, unknown)) if len(unknown) == len(spare) else {}


def _value(parameter: _Parameter, inputs: Mapping[str, Any], injected: Mapping[str, Any]) -> Any:
    """What a parameter gets; ``NONE`` to leave it to the signature's default."""
    name = parameter.name
    if name in injected:
        return injected[name]
    if name in inputs:
        return inputs[name]
    if parameter.alias and parameter.alias in inputs:
        return inputs[parameter.alias]
    if parameter.default is not None:
        return parameter.default
    return "" if parameter.own_default is NONE else NONE


def _unknown(command: str, unknown: List[str], known: List[str]) -> Refusal:
    takes = "it takes %s" % ", ".join(map(repr, known)) if known else "it takes none"
    names = ", ".join(map(repr, unknown))
    return Refusal("input", "no input %s of %r; %s" % (names, command, takes), known)
