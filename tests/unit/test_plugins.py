"""Plugins are asked in order, checked, and never stop the host."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import msgspec
import pytest

from shelldock import hookimpl
from shelldock.errors import PluginError, SettingsError, ShellError
from shelldock.model import Instance, Resource, Target
from shelldock.plugins import Plugins
from shelldock.settings import load

TARGET = Target(resource=Resource(name="sw1/P1"))


def plugins(*given: object, **variables: str) -> Plugins:
    return Plugins(load(None, variables), given)


def test_the_plugin_given_by_hand_is_asked_before_the_default() -> None:
    class Mine:
        @hookimpl
        def shelldock_scope(self, target: Target) -> str | None:
            return "mine" if target.name == "sw1/P1" else None

    asked = plugins(Mine())
    assert asked.scope(TARGET) == "mine"
    assert asked.scope(Target(resource=Resource(name="sw2"))) == "resource/sw2"


@pytest.mark.parametrize("answer", [42, ["key"], b"key"])
def test_an_answer_of_a_wrong_type_is_refused_with_who_was_asked(answer: object) -> None:
    class Odd:
        @hookimpl
        def shelldock_scope(self) -> object:
            return answer

    with pytest.raises(PluginError, match=r"expected str .*odd, "):
        plugins(Odd()).scope(TARGET)


def test_a_plugin_that_raises_fails_the_question_and_is_named() -> None:
    class Broken:
        @hookimpl
        def shelldock_scope(self) -> str:
            raise RuntimeError("no database")

    with pytest.raises(PluginError, match="RuntimeError: no database"):
        plugins(Broken()).scope(TARGET)


def test_a_listener_that_raises_keeps_nobody_from_hearing() -> None:
    heard = []

    class Deaf:
        @hookimpl
        def shelldock_instance_changed(self) -> None:
            raise RuntimeError("no")

    class Listener:
        @hookimpl
        def shelldock_instance_changed(self, instance: Instance) -> None:
            heard.append(instance.id)

    asked = plugins(Listener(), Deaf())
    asked.instance_changed(
        Instance(id="i1", key="k", node="n", shell="s", target="t", state="ready", started=0.0)
    )
    assert heard == ["i1"]


def test_a_hook_that_does_not_exist_is_refused_and_the_nearest_offered() -> None:
    class Misspelt:
        @hookimpl
        def shelldock_scop(self) -> str:
            return "x"

    asked = plugins(Misspelt())
    (found,) = [one for one in asked.all() if one.name == "misspelt"]
    assert "did you mean 'shelldock_scope'" in found.reason
    assert asked.scope(TARGET) == "resource/sw1"


def test_a_plugin_class_is_made_with_its_settings_and_unknown_ones_are_refused_by_name() -> None:
    idle = plugins(SHELLDOCK_PLUGINS__IDLE__LIMIT="60").all()
    (found,) = [one for one in idle if one.name == "idle"]
    assert found.settings == {"limit": 60.0, "shells": {}}
    with pytest.raises(
        SettingsError, match=r"'plugins\.idle\.lmit'; did you mean 'plugins\.idle\.limit'"
    ):
        plugins(SHELLDOCK_PLUGINS__IDLE__LMIT="60")


def test_every_plugin_says_where_it_is_from_and_what_it_answers() -> None:
    found = {one.name: one for one in plugins().all()}
    assert not {name: one.reason for name, one in found.items() if one.reason}
    assert found["scope"].distribution == "shelldock"
    assert found["scope"].hooks == ("shelldock_scope",)
    assert set(found["environment"].hooks) == {
        "shelldock_python",
        "shelldock_needs",
        "shelldock_build",
    }


def test_reading_what_is_not_there_and_what_nobody_knows_says_so(tmp_path: Path) -> None:
    with pytest.raises(ShellError, match="no such file or folder"):
        plugins().read_shell(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("no shell")
    with pytest.raises(ShellError, match=r"notes\.txt"):
        plugins().read_shell(tmp_path / "notes.txt")


def test_settings_of_a_plugin_given_as_a_class_are_its_fields() -> None:
    class Policy(msgspec.Struct, frozen=True):
        limit: float = 5.0

        @hookimpl
        def shelldock_idle_limit(self) -> float:
            return self.limit

    asked = plugins(Policy, SHELLDOCK_PLUGINS__POLICY__LIMIT="7")
    (found,) = [one for one in asked.all() if one.reason == "" and one.settings == {"limit": 7.0}]
    assert found.hooks == ("shelldock_idle_limit",)


def test_a_plugin_may_wrap_the_answer_of_the_others() -> None:
    class Louder:
        @hookimpl(wrapper=True)
        def shelldock_scope(self) -> Generator[None, str, str]:
            return (yield).upper()

    assert plugins(Louder()).scope(TARGET) == "RESOURCE/SW1"


def test_a_wrapper_that_raises_fails_the_question_and_is_named() -> None:
    class Broken:
        @hookimpl(wrapper=True)
        def shelldock_scope(self) -> Generator[None, str, str]:
            raise RuntimeError(f"cannot make anything of {(yield)}")

    with pytest.raises(PluginError, match=r"anything of resource/sw1 .*order: broken, "):
        plugins(Broken()).scope(TARGET)


def test_what_has_no_one_answer_cannot_be_wrapped() -> None:
    class Around:
        @hookimpl(wrapper=True)
        def shelldock_shells(self) -> Generator[None, list[Path], list[Path]]:
            return (yield)

    asked = plugins(Around())
    (found,) = [one for one in asked.all() if one.name == "around"]
    assert found.reason == "shelldock_shells has no one answer that could be wrapped"
    assert asked.shells() == []
