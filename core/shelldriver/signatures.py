"""What a method takes, read without evaluating annotations and through wrappers that hide it."""

from __future__ import annotations

import inspect
import sys
from functools import partialmethod
from types import FunctionType, MethodType
from typing import Any, List, NamedTuple, Optional, Tuple

NONE: Any = inspect.Parameter.empty
"""In place of a default: there is none."""

_WRAPPED_NAMES = (
    "func",
    "f",
    "fn",
    "function",
    "method",
    "wrapped",
    "original",
    "target",
    "callback",
)
_VAR_POSITIONAL = inspect.CO_VARARGS
_VAR_KEYWORD = inspect.CO_VARKEYWORDS

Named = List[Tuple[str, Any]]
"""Names with their defaults."""


class Signature(NamedTuple):
    """What a bound method takes."""

    parameters: Tuple[Tuple[str, Any], ...]
    """Name and default (or ``NONE``), in order, without ``self``."""
    by_position: int
    """The first so many can only be passed by position."""
    rest: bool
    """It takes arguments of any other name, too."""
    opaque: bool
    """It does not tell what it takes."""


OPAQUE = Signature((), 0, False, True)


def is_method(one: Any) -> bool:
    """Whether an entry of a class's body is something to call on its instances."""
    kinds = (FunctionType, staticmethod, classmethod, partialmethod)
    return isinstance(one, kinds) or (callable(one) and not isinstance(one, type))


def signature(method: Any, command: str) -> Signature:
    """What ``method``, as it stands in the class's body, takes when it is called on an instance.

    Wrappers that take ``*args`` or ``**kwargs`` are seen through, by ``__wrapped__`` or by the function that
    they hold: old releases of cloudshell-shell-core wrap without ``functools.wraps``.
    """
    if isinstance(method, partialmethod):
        return _partial(method, command)
    function, drop = _function(method)
    if not hasattr(function, "__code__"):
        return _asked(method)
    shape = _read(function, drop)
    seen = [function]
    while shape.star or shape.double:
        inner = _wrapped(function, command)
        if inner is None or inner in seen:
            return _open(shape)
        seen.append(inner)
        function = inner
        shape = shape.around(_read(inner, drop))
    return shape.closed(rest=False)


class _Shape(NamedTuple):
    positional: Named
    keyword: Named
    by_position: int
    star: bool
    double: bool

    def around(self, inner: _Shape) -> _Shape:
        """What a wrapper of this shape takes when it passes all it gets on to ``inner``."""
        known = {name for name, _ in self.positional + self.keyword}
        new = [one for one in inner.positional if one[0] not in known]
        if self.double and not inner.by_position:
            keyword = self.keyword + new + [one for one in inner.keyword if one[0] not in known]
            return _Shape(
                self.positional, keyword, self.by_position, self.star and inner.star, inner.double
            )
        positional = self.positional + new
        keyword = self.keyword + (inner.keyword if self.double else [])
        return _Shape(
            positional, keyword, len(positional), inner.star, self.double and inner.double
        )

    def closed(self, rest: bool) -> Signature:
        return Signature(tuple(self.positional + self.keyword), self.by_position, rest, False)


def _open(shape: _Shape) -> Signature:
    """A signature that takes more than it names."""
    if shape.star and not shape.positional and not shape.keyword:
        return OPAQUE if shape.double else OPAQUE._replace(by_position=sys.maxsize)
    return shape.closed(rest=shape.double)


def _partial(method: Any, command: str) -> Signature:
    whole = signature(method.func, command)
    filled = len(method.args)
    left = tuple(
        (name, method.keywords.get(name, default)) for name, default in whole.parameters[filled:]
    )
    return whole._replace(parameters=left, by_position=max(0, whole.by_position - filled))


def _function(method: Any) -> Tuple[Any, int]:
    """The function behind an entry of a class's body, and how many first arguments Python fills in."""
    if isinstance(method, staticmethod):
        return method.__func__, 0
    if isinstance(method, classmethod):
        return method.__func__, 1
    return method, 1


def _read(function: Any, drop: int) -> _Shape:
    """The shape of a function, from its code: reading it cannot fail or run anything."""
    code = function.__code__
    names = code.co_varnames[: code.co_argcount]
    only = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    given = function.__defaults__ or ()
    defaults = dict(zip(names[len(names) - len(given) :], given))
    own = function.__kwdefaults__ or {}
    return _Shape(
        [(name, defaults.get(name, NONE)) for name in names[drop:]],
        [(name, own.get(name, NONE)) for name in only],
        max(0, getattr(code, "co_posonlyargcount", 0) - drop),
        bool(code.co_flags & _VAR_POSITIONAL),
        bool(code.co_flags & _VAR_KEYWORD),
    )


def _wrapped(function: Any, command: str) -> Optional[Any]:
    """The function that ``function`` wraps: the one it names, else the one that its closure holds."""
    named = _plain(getattr(function, "__wrapped__", None))
    if named is not None:
        return named
    held = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
        try:
            found = _plain(cell.cell_contents)
        except ValueError:  # An empty cell.
            continue
        if found is not None:
            held[name] = found
    for found in held.values():
        if found.__name__ == command:
            return found
    if len(held) == 1:
        return next(iter(held.values()))
    return next((held[name] for name in _WRAPPED_NAMES if name in held), None)


def _plain(one: Any) -> Optional[Any]:
    if isinstance(one, (staticmethod, classmethod, MethodType)):
        one = one.__func__
    return one if isinstance(one, FunctionType) else None


def _asked(method: Any) -> Signature:
    """The signature of what is no Python function: compiled methods, descriptors, callable objects."""
    try:
        bound = method.__get__(object(), object) if hasattr(method, "__get__") else method
        parameters = list(inspect.signature(bound).parameters.values())
    except Exception:  # A stranger's descriptor, or nothing that tells its signature.
        return OPAQUE
    shape = _Shape(
        [(one.name, one.default) for one in parameters if one.kind <= one.POSITIONAL_OR_KEYWORD],
        [(one.name, one.default) for one in parameters if one.kind == one.KEYWORD_ONLY],
        sum(one.kind == one.POSITIONAL_ONLY for one in parameters),
        any(one.kind == one.VAR_POSITIONAL for one in parameters),
        any(one.kind == one.VAR_KEYWORD for one in parameters),
    )
    return _open(shape) if shape.star or shape.double else shape.closed(rest=False)
