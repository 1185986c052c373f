"""What the user may set, where, and what is said when it is wrong."""

from __future__ import annotations

import dataclasses
import math
import re
from pathlib import Path
from typing import Literal

import msgspec
import pytest

from shelldock.errors import SettingsError
from shelldock.model import Limit
from shelldock.settings import (
    EnvironmentSettings,
    HistorySettings,
    InstanceSettings,
    Limits,
    NodeSettings,
    Settings,
    load,
)
from shelldock_cloudshell.environment import Environment, Repairs
from shelldock_cloudshell.idle import Idle

PAGE = Path(__file__).parents[2] / "docs/reference/settings.md"


class Nested(msgspec.Struct, frozen=True, kw_only=True):
    depth: int = 1


class Widget(msgspec.Struct, frozen=True, kw_only=True):
    limit: float = 600.0
    size: int = 3
    loud: bool = False
    names: tuple[str, ...] = ()
    mode: Literal["fast", "safe"] = "safe"
    nested: Nested = Nested()
    others: dict[str, Nested] = {}
    ports: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.size > 100:
            raise ValueError("100 is enough")


def wrote(folder: Path, text: str) -> Path:
    file = folder / "settings.toml"
    file.write_text(text)
    return file


def refusal(file: Path | None, environ: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as caught:
        load(file, environ)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_defaults_need_neither_file_nor_variable(tmp_path: Path) -> None:
    assert load(None, {}) == load(tmp_path / "none.toml", {}) == Settings()
    limits = Settings().limits
    assert (limits.build, limits.initialize, limits.cleanup, limits.cancel_grace) == (
        1800,
        600,
        30,
        30,
    )
    assert limits.command == math.inf
    assert Settings().environments.validity == 480 * 60
    assert Settings().source("limits.cleanup") == "default"


def test_the_file_is_read_and_named_as_the_source(tmp_path: Path) -> None:
    file = wrote(tmp_path, "fabric = 'nats'\n[limits]\ncleanup = 5\ncommand = inf\n")
    settings = load(file, {})
    assert settings.limits.cleanup == 5.0
    assert settings.fabric == "nats"
    assert settings.source("limits.cleanup") == str(file)
    assert settings.source("limits.build") == "default"


def test_a_variable_overrules_the_file_and_is_named_as_the_source(tmp_path: Path) -> None:
    file = wrote(tmp_path, "[limits]\ncleanup = 5\nbuild = 6\n")
    settings = load(file, {"SHELLDOCK_LIMITS__CLEANUP": "7.5"})
    assert (settings.limits.cleanup, settings.limits.build) == (7.5, 6.0)
    assert settings.source("limits.cleanup") == "SHELLDOCK_LIMITS__CLEANUP"


@pytest.mark.parametrize("text", ["inf", "none", "None", "never", "no limit", ""])
def test_words_for_no_limit_are_understood(tmp_path: Path, text: str) -> None:
    assert load(None, {"SHELLDOCK_LIMITS__BUILD": text}).limits.build == math.inf
    assert load(wrote(tmp_path, f"limits.build = '{text}'"), {}).limits.build == math.inf


def test_settings_that_replace_others_have_limits_of_their_own() -> None:
    before = Settings()
    assert before.limit("command").seconds == math.inf
    after = msgspec.structs.replace(
        before, limits=Limits(command=5), sources={"limits.command": "x"}
    )
    assert after.limit("command", "Box", "my-box") == Limit(seconds=5, source="x")
    assert before.limit("command") == Limit()


def test_variables_that_are_no_settings_and_those_of_others_are_left_alone() -> None:
    assert load(None, {"SHELLDOCK_HOME": "/x", "SHELL": "sh", "SHELLDOCKER": "1"}) == Settings()


@pytest.mark.parametrize(
    ("variable", "wanted"),
    [
        (
            "SHELLDOCK_LIMITS__CLENUP",
            "unknown setting 'limits.clenup'; did you mean 'limits.cleanup'",
        ),
        ("SHELLDOCK_LIMIT__CLEANUP", "unknown setting 'limit'; did you mean 'limits'"),
        ("SHELLDOCK_LIMITS", "setting 'limits' must be a table, not '1'"),
        ("SHELLDOCK_FABRIC__NAME", "setting 'fabric' must be text"),
        ("SHELLDOCK_LIMITS__BUILD__MORE", "setting 'limits.build' must be a number"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_and_its_source(
    variable: str, wanted: str
) -> None:
    message = refusal(None, {variable: "1"})
    assert wanted in message
    assert message.endswith(f"(set by: {variable})")


@pytest.mark.parametrize("text", ["soon", "-1", "nan", "1,5"])
def test_a_value_that_is_no_limit_is_refused_by_name(text: str) -> None:
    message = refusal(None, {"SHELLDOCK_LIMITS__CLEANUP": text})
    assert message == (
        f"setting 'limits.cleanup' must be a number of at least 0 or 'none', not '{text}' "
        "(set by: SHELLDOCK_LIMITS__CLEANUP)"
    )


@pytest.mark.parametrize("value", ["'5'", "true", "[5]", "nan", "-3"])
def test_the_file_is_held_to_its_types(tmp_path: Path, value: str) -> None:
    name = "result_bytes" if value == "'5'" else "cleanup"
    file = wrote(tmp_path, f"[limits]\n{name} = {value}\n")
    message = refusal(file, {})
    assert f"'limits.{name}' must be a" in message
    assert str(file) in message


def test_a_file_that_is_no_toml_is_named_with_the_line(tmp_path: Path) -> None:
    file = wrote(tmp_path, "[limits\n")
    message = refusal(file, {})
    assert str(file) in message
    assert "line 1" in message


def test_a_file_that_cannot_be_read_is_not_taken_for_none(tmp_path: Path) -> None:
    assert "directory" in refusal(tmp_path, {}).lower()


def test_a_value_and_settings_below_it_exclude_each_other() -> None:
    message = refusal(None, {"SHELLDOCK_PLUGINS": "x", "SHELLDOCK_PLUGINS__IDLE__LIMIT": "1"})
    assert "'plugins' has a value and settings below it" in message


def test_a_plugin_gets_what_is_set_for_it_whatever_the_way(tmp_path: Path) -> None:
    file = wrote(
        tmp_path,
        "[plugins.widget]\nlimit = 5\nnames = ['a', 'b c']\nmode = 'fast'\nnested.depth = 2\n"
        "[plugins.widget.others.'An Other']\ndepth = 7\n",
    )
    environ = {
        "SHELLDOCK_PLUGINS__WIDGET__SIZE": "9",
        "SHELLDOCK_PLUGINS__WIDGET__LOUD": "yes",
        "SHELLDOCK_PLUGINS__WIDGET__LIMIT": "none",
    }
    widget = load(file, environ).plugin_settings("widget", Widget)
    assert widget == Widget(
        limit=math.inf,
        names=("a", "b c"),
        mode="fast",
        nested=Nested(depth=2),
        others={"An Other": Nested(depth=7)},
        size=9,
        loud=True,
    )


def test_a_variable_may_hold_a_list() -> None:
    for text in ("a>=1,<2 b", '["a>=1,<2", "b"]'):
        settings = load(None, {"SHELLDOCK_PLUGINS__WIDGET__NAMES": text})
        assert settings.plugin_settings("widget", Widget).names == ("a>=1,<2", "b")
    for text in ("22 23", "[22, 23]"):
        settings = load(None, {"SHELLDOCK_PLUGINS__WIDGET__PORTS": text})
        assert settings.plugin_settings("widget", Widget).ports == (22, 23)


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("limt = 5", "unknown setting 'plugins.widget.limt'; did you mean 'plugins.widget.limit'"),
        (
            "limit = '5 minutes'",
            "'plugins.widget.limit' must be a number or 'none', not '5 minutes'",
        ),
        ("size = 1.5", "'plugins.widget.size' must be a whole number, not 1.5"),
        ("loud = 'maybe'", "'plugins.widget.loud' must be true or false, not 'maybe'"),
        ("names = 'a'", "'plugins.widget.names' must be a list, not 'a'"),
        ("names = ['a', 2]", "'plugins.widget.names' must be a list, not ['a', 2] (Expected `str`"),
        ("mode = 'slow'", "'plugins.widget.mode' must be one of 'fast', 'safe', not 'slow'"),
        ("nested.deep = 2", "unknown setting 'plugins.widget.nested.deep'"),
        ("others.x.deep = 2", "unknown setting 'plugins.widget.others.x.deep'"),
        ("size = 101", "'plugins.widget': 100 is enough"),
    ],
)
def test_a_plugins_settings_are_held_to_its_fields(tmp_path: Path, line: str, wanted: str) -> None:
    file = wrote(tmp_path, f"[plugins.widget]\n{line}\n")
    with pytest.raises(SettingsError) as caught:
        load(file, {}).plugin_settings("widget", Widget)
    assert wanted in str(caught.value)


def test_a_plugin_may_be_a_dataclass_or_have_no_settings_at_all() -> None:
    @dataclasses.dataclass(frozen=True)
    class Token:
        token: str

    class Plain:
        pass

    settings = load(None, {"SHELLDOCK_PLUGINS__X__TOKEN": "1"})
    assert settings.plugin_settings("x", Token) == Token("1")
    assert isinstance(settings.plugin_settings("y", Plain), Plain)
    with pytest.raises(SettingsError, match=r"'plugins\.y\.token' must be set"):
        settings.plugin_settings("y", Token)
    with pytest.raises(SettingsError, match=r"unknown setting 'plugins\.x\.token'; there are none"):
        settings.plugin_settings("x", Plain)


def test_a_dash_in_a_plugins_name_is_an_underscore_in_a_variable(tmp_path: Path) -> None:
    file = wrote(tmp_path, "[plugins.my-widget]\nsize = 4\n")
    settings = load(file, {"SHELLDOCK_PLUGINS__MY_WIDGET__LOUD": "1"})
    assert settings.plugin_settings("my-widget", Widget) == Widget(size=4, loud=True)
    assert settings.source("plugins.my-widget.size") == str(file)


def test_settings_for_a_plugin_that_is_not_there_are_refused() -> None:
    settings = load(None, {"SHELLDOCK_PLUGINS__WIGDET__SIZE": "4"})
    settings.refuse_unknown_plugins(["wigdet"])
    with pytest.raises(
        SettingsError, match=r"'plugins\.wigdet'; did you mean 'widget'.*WIGDET__SIZE"
    ):
        settings.refuse_unknown_plugins(["widget", "idle"])


@pytest.mark.parametrize(
    "cls",
    [
        Limits,
        EnvironmentSettings,
        InstanceSettings,
        NodeSettings,
        HistorySettings,
        Environment,
        Repairs,
        Idle,
    ],
)
def test_every_setting_is_on_its_page_with_its_default(cls: type[msgspec.Struct]) -> None:
    rows = re.findall(r"^\| `(\w+)` \|([^|]*)\|", PAGE.read_text(), re.MULTILINE)
    for field in msgspec.structs.fields(cls):
        default = field.default
        if default is msgspec.NODEFAULT:
            default = field.default_factory()
        assert (field.encode_name, shown(default)) in [
            (name, text.strip("` ")) for name, text in rows
        ]


def shown(default: object) -> str:
    """A default as the page has it."""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, float):
        return "none" if math.isinf(default) else f"{default:.0f}"
    if isinstance(default, tuple):
        return ", ".join(default)
    return str(default) if default else ""
