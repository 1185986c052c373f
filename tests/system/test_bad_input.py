"""Bad shells, bad inputs and bad results: one clear line, nothing lost, and the host goes on."""

from __future__ import annotations

import pytest
from tests.workshop import Workshop, target

from shelldock import AsyncHost
from shelldock.errors import (
    DriverError,
    EnvironmentFailed,
    InputError,
    InstanceLost,
    NotFoundError,
    StartError,
)
from shelldock.journal import lines
from shelldock.paths import Paths
from shelldock.settings import load

DECLARED = """
<Command Name="save"><Parameters>
  <Parameter Name="folder" Mandatory="True"/>
  <Parameter Name="kind" Type="Lookup" AllowedValues="running,startup" DefaultValue="running" Mandatory="False"/>
</Parameters></Command>
"""

SAVE = "def save(self, context, folder, kind):\n    return folder + ' ' + kind"


async def goes_on(host: AsyncHost, workshop: Workshop) -> bool:
    """Whether the host still runs a command of another shell."""
    ended = await host.execute(
        target(host, workshop.shell("Good"), "good"), "work", {"label": "on"}
    )
    return ended.result == "on"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (
            "import not_there_at_all\nclass Driver:\n    def hello(self): pass",
            r"not_there_at_all.*driver\.py:1",
        ),
        ("class Driver:\n    def hello(self): pass\n1 / 0", r"ZeroDivisionError.*driver\.py:3"),
        ("class Driver:\n    def hello(self): pass\nx = (", r"SyntaxError.*driver\.py:3"),
        ("class Motor:\n    def hello(self): pass", r"'?Driver'?.*Motor"),
        (
            "class Driver:\n    def __init__(self): raise OSError('no bus')\n    def hello(self): pass",
            "OSError: no bus",
        ),
    ],
    ids=[
        "missing import",
        "raises at import",
        "syntax error",
        "C2 MainClass that is not there",
        "constructor raises",
    ],
)
async def test_a_driver_that_cannot_be_loaded_says_why_and_where(
    host: AsyncHost, workshop: Workshop, source: str, said: str
) -> None:
    box = target(host, workshop.shell("Bad", source=source))
    for _ in range(2):
        with pytest.raises((StartError, DriverError), match=said) as caught:
            await host.execute(box, "hello")
        assert "\n" not in str(caught.value)
    assert await goes_on(host, workshop)


async def test_requirements_that_cannot_be_resolved_show_the_resolvers_own_reason_v6(
    host: AsyncHost, workshop: Workshop
) -> None:
    contradiction = "shelldock-no-such-distribution-anywhere==1.0\n"
    box = target(host, workshop.shell("Bad", requirements=contradiction))
    with pytest.raises(
        EnvironmentFailed, match="shelldock-no-such-distribution-anywhere"
    ) as caught:
        await host.execute(box, "pid")
    assert caught.value.step == "resolve"
    assert await goes_on(host, workshop)


async def test_an_unknown_command_offers_the_nearest_and_starts_nothing_c1(
    host: AsyncHost, workshop: Workshop
) -> None:
    box = target(host, workshop.shell())
    with pytest.raises(NotFoundError, match="did you mean 'work'") as caught:
        await host.execute(box, "wrok")
    assert caught.value.nearest == ("work",)
    assert not await host.instances()


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({}, "mandatory inputs of 'save': folder"),
        ({"folder": ""}, "mandatory inputs of 'save': folder"),
        ({"folder": "x", "knid": "running"}, "no input 'knid'.*did you mean 'kind'"),
        ({"folder": "x", "kind": "walking"}, "expected one of: running, startup"),
    ],
    ids=["missing", "empty", "unknown", "D7 no choice"],
)
async def test_inputs_are_checked_before_anything_starts_d7(
    host: AsyncHost, workshop: Workshop, inputs: dict[str, str], said: str
) -> None:
    box = target(host, workshop.shell(more=SAVE, commands=DECLARED))
    with pytest.raises(InputError, match=said):
        await host.execute(box, "save", inputs)
    assert not await host.instances()
    assert (await host.execute(box, "save", {"folder": "f"})).result == "f running"


async def test_a_result_that_cannot_become_text_fails_the_command_only_r2(
    host: AsyncHost, workshop: Workshop
) -> None:
    more = "def lock(self, context):\n    import threading\n    return {'a': [threading.Lock()]}"
    box = target(host, workshop.shell(more=more))
    with pytest.raises(DriverError, match="lock"):
        await host.execute(box, "lock")
    assert (await host.execute(box, "work", {"label": "on"})).result == "on"
    assert workshop.journal.events().count("construct") == 1


async def test_a_result_of_fifty_megabytes_arrives_whole(
    host: AsyncHost, workshop: Workshop
) -> None:
    box = target(
        host, workshop.shell(more="def big(self, context):\n    return 'é\\n' * (25 * 2**20)")
    )
    ended = await host.execute(box, "big")
    assert ended.result is not None
    assert len(ended.result) == 50 * 2**20
    assert ended.result[-2:] == "é\n"


async def test_a_result_over_the_limit_is_refused_with_both_sizes(
    paths: Paths, workshop: Workshop
) -> None:
    settings = load(None, {"SHELLDOCK_LIMITS__RESULT_BYTES": "1000"})
    async with AsyncHost(settings, paths=paths) as host:
        box = target(host, workshop.shell(more="def big(self, context):\n    return 'x' * 2000"))
        with pytest.raises(DriverError, match=r"2000.*1000"):
            await host.execute(box, "big")
        assert (await host.execute(box, "work", {"label": "on"})).result == "on"


async def test_output_that_is_no_text_goes_to_the_log_and_never_to_the_wire_r6(
    host: AsyncHost, workshop: Workshop
) -> None:
    more = """
    def shout(self, context):
        import sys
        os.write(1, b"\\xff\\xfe raw " + bytes(range(256)))
        print("caf\\u00e9 \\udcff")
        sys.stderr.write("to stderr\\n")
        os.system("echo from a child")
        return "fine \\udcff"
    """
    box = target(host, workshop.shell(more=more))
    ended = await host.execute(box, "shout")
    assert ended.result is not None
    assert ended.result.startswith("fine ")
    (instance,) = await host.instances()
    assert instance.log is not None
    written = instance.log.read_bytes()
    assert b"\xff\xfe raw " in written
    assert "café".encode() in written
    assert b"to stderr" in written
    assert b"from a child" in written


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        ("raise ValueError('bad port')", "ValueError", "bad port"),
        ("raise Exception('Save', 'no space left')", "Exception", "Save.*no space left"),
        ("import sys; sys.exit(3)", "SystemExit", "3"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt", "KeyboardInterrupt"),
        ("return self.fall()", "RecursionError", "recursion"),
    ],
    ids=["R3 plain", "R3 two arguments", "exit", "interrupt", "recursion"],
)
async def test_an_exception_fails_the_command_with_its_type_and_message_and_the_driver_lives_r3_r4(
    host: AsyncHost, workshop: Workshop, body: str, kind: str, text: str
) -> None:
    more = f"def fall(self):\n    return self.fall()\n\ndef bad(self, context):\n    {body}"
    box = target(host, workshop.shell(more=more))
    with pytest.raises(DriverError, match=text) as caught:
        await host.execute(box, "bad")
    assert caught.value.type == kind
    assert "driver.py" in caught.value.trace
    (instance,) = await host.instances()
    assert instance.log is not None
    assert caught.value.trace.rstrip("\n") in "\n".join(one.text for one in lines(instance.log))
    assert (await host.execute(box, "work", {"label": "on"})).result == "on"
    assert workshop.journal.events().count("construct") == 1


async def test_a_driver_that_writes_into_every_descriptor_hurts_itself_only(
    host: AsyncHost, workshop: Workshop
) -> None:
    more = """
    def scribble(self, context):
        for descriptor in os.listdir("/proc/self/fd"):
            if int(descriptor) > 2:
                try:
                    os.write(int(descriptor), b"\\xff" * 64)
                except OSError:
                    pass
        time.sleep(600)
    """
    box = target(host, workshop.shell("Bad", more=more))
    with pytest.raises(InstanceLost, match="it sent a message of -1 bytes"):
        await host.execute(box, "scribble", limit=60)
    assert await goes_on(host, workshop)
