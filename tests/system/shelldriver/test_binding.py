"""Every shape of method that shells have gets its arguments, on every interpreter."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.system.shelldriver.conftest import Server

# GlobalLock as cloudshell-shell-core had it before release 5: nothing tells what is wrapped.
DRIVER = """
    import functools, json, threading

    class GlobalLock(object):
        _lock = threading.RLock()

        def __getattribute__(self, name):
            attribute = object.__getattribute__(self, name)
            if name.startswith("_") or not callable(attribute):
                return attribute
            def wrapped_func(*args, **kwargs):
                with GlobalLock._lock:
                    return attribute(*args, **kwargs)
            return wrapped_func

        @staticmethod
        def lock(func):
            def _wrap_func(*args, **kwargs):
                with GlobalLock._lock:
                    return func(*args, **kwargs)
            return _wrap_func

    def logged(text):
        def decorate(func):
            def wrapper(self, context, *args, **kwargs):
                report(text)
                return func(self, context, *args, **kwargs)
            return wrapper
        return decorate

    def report(text):
        pass

    def polite(func):
        @functools.wraps(func)
        def wrapper(*args, **kwargs):
            return func(*args, **kwargs)
        return wrapper

    def by_position(func):
        def wrapper(*args):
            return func(*args)
        return wrapper

    def hides(unknown):
        table = {"x": unknown}
        def wrapper(self, *args, **kwargs):
            return table["x"](self, *args, **kwargs)
        return wrapper

    def narrows(func):
        @functools.wraps(func)
        def wrapper(self, context, name):
            return func(self, context, name, "added")
        return wrapper

    class Descriptor(object):
        def __init__(self, func):
            self.func = func
        def __get__(self, instance, owner=None):
            return functools.partial(self.func, instance)
        def __call__(self, *args):
            return self.func(*args)

    class Base(object):
        def inherited(self, context, a):
            return say(context, a)

    def say(context, *rest, **more):
        kinds = {name: value and type(value).__name__ for name, value in more.items()}
        return json.dumps([context and "context", list(rest), kinds])

    class Driver(GlobalLock, Base):
        made_up = {"answer": 1}

        @GlobalLock.lock
        def initialize(self, context):
            self.context = context

        @GlobalLock.lock
        def locked(self, context, a, b="own"):
            return say(context, a, b)

        @GlobalLock.lock
        @polite
        @GlobalLock.lock
        def thrice(self, context, a, cancellation_context):
            return say(context, a, cancel=cancellation_context)

        @polite
        def wrapped(self, context, a):
            return say(context, a)

        @logged("it")
        def half(self, context, a, b="own"):
            return say(context, a, b)

        @by_position
        def positional(self, context, a, b="own", c="own"):
            return say(context, a, b, c)

        @hides
        def opaque(self, context, a):
            return say(context, a)

        @hides
        def needy(self, context, a):
            return say(context, a)

        @narrows
        def narrowed(self, context, name, more):
            return say(context, name, more)

        @Descriptor
        def described(self, context, a):
            return say(context, a)

        def rest(self, context, **kwargs):
            return say(context, **kwargs)

        def named_and_rest(self, a, *args, **kwargs):
            return say(None, a, **kwargs)

        def nothing(self):
            return say(None)

        def only_cancel(self, cancellation_context):
            return say(None, cancel=cancellation_context)

        def keyword(self, context, *, a, b="own"):
            return say(context, a, b)

        @staticmethod
        def static(context, a):
            return say(context, a)

        @classmethod
        def of_class(cls, context, a):
            return say(context, a)

        partial = functools.partialmethod(locked, b="partial")

        def context_second(self, a, context):
            return say(context, a)

        def alias(self, context, mine, other):
            return say(context, mine, other)

        def no_alias(self, context, mine):
            return say(context, mine)

        def ports_and_alias(self, context, ports, mine):
            return say(context, ports, mine)

        def cleanup(self):
            pass
"""

COMMANDS = {
    "opaque": [["a", "given"]],
    "alias": [["theirs", "1"], ["other", None]],
    "no_alias": [["theirs", "1"], ["another", "2"]],
    "ports_and_alias": [["theirs", None]],
    "inherited": [["a", None]],
    "locked": [["a", "metadata"]],
}

CANCEL = {"cancel": "CancellationContext"}

TABLE = [
    ("locked", {}, ["context", ["metadata", "own"], {}]),
    ("locked", {"b": "2", "a": "1"}, ["context", ["1", "2"], {}]),
    ("thrice", {"a": "1"}, ["context", ["1"], CANCEL]),
    ("wrapped", {"a": "1"}, ["context", ["1"], {}]),
    ("half", {"a": "1"}, ["context", ["1", "own"], {}]),
    ("positional", {"a": "1", "c": "3"}, ["context", ["1", "own", "3"], {}]),
    ("opaque", {"a": "1"}, ["context", ["1"], {}]),
    ("opaque", {}, ["context", ["given"], {}]),
    ("narrowed", {"name": "n"}, ["context", ["n", "added"], {}]),
    (
        "rest",
        {"x": "1"},
        [
            "context",
            [],
            {"x": "str", "cancellation_context": "CancellationContext", "ports": "list"},
        ],
    ),
    ("nothing", {}, [None, [], {}]),
    ("only_cancel", {}, [None, [], CANCEL]),
    ("keyword", {"a": "1"}, ["context", ["1", "own"], {}]),
    ("static", {"a": "1"}, ["context", ["1"], {}]),
    ("of_class", {"a": "1"}, ["context", ["1"], {}]),
    ("partial", {"a": "1"}, ["context", ["1", "partial"], {}]),
    ("described", {"a": "1"}, ["context", ["1"], {}]),
    ("context_second", {"a": "1"}, ["context", ["1"], {}]),
    ("inherited", {"a": "1"}, ["context", ["1"], {}]),
    ("alias", {"theirs": "7", "other": "8"}, ["context", ["7", "8"], {}]),
    ("alias", {"other": "8"}, ["context", ["1", "8"], {}]),
    ("alias", {"mine": "9"}, ["context", ["9", ""], {}]),
    ("no_alias", {"theirs": "7"}, ["context", [""], {}]),
    ("ports_and_alias", {"theirs": "7"}, ["context", [["P1"], "7"], {}]),
    ("ports_and_alias", {}, ["context", [["P1"], ""], {}]),
]


@pytest.mark.parametrize(("command", "inputs", "expected"), TABLE)
def test_arguments_reach_the_method_c1_c3_c4_c5(
    driver: Server, command: str, inputs: dict[str, str], expected: list[object]
) -> None:
    instance = driver.ready(context={"$class": "Context"})
    ports = ["P1"] if "ports" in command or command == "rest" else []
    instance.ask(command, inputs, ports, {"$class": "Context"})
    answer = instance.wire.receive()
    assert answer["is"] == "result", answer
    assert json.loads(answer["text"]) == expected


def test_what_a_method_does_not_take_is_left_out_and_noted_c3(driver: Server) -> None:
    instance = driver.ready()
    instance.call("no_alias", theirs="1")
    assert "shelldock: the method 'no_alias' does not take 'theirs': left out" in [
        line.text for line in instance.lines
    ]


def test_inputs_of_opaque_methods_are_those_that_are_declared(driver: Server) -> None:
    error = driver.ready().answer("opaque", b="1")
    assert (error["kind"], error["known"]) == ("input", ["a"])


def test_a_method_that_cannot_take_the_call_fails_as_the_driver_does(driver: Server) -> None:
    error = driver.ready().answer("needy")
    assert (error["kind"], error["type"]) == ("driver", "TypeError")
