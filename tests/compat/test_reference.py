"""The page about the API lists the operations and the settings that there are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from shelldock_compat.automation import LOGINS
from shelldock_compat.commanding import Commanding
from shelldock_compat.operations import Operations
from shelldock_compat.plugin import Api

if TYPE_CHECKING:
    from tests.compat.conftest import World

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "api.md").read_text()


def rows(heading: str) -> dict[str, str]:
    """The table below a heading: first column, second column."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return dict(re.findall(r"^\| `(\w+)` \| `?(.*?)`? \|", section, re.MULTILINE))


def test_every_operation_is_on_the_page_and_no_other(world: World) -> None:
    assert set(rows("Operations")) == {
        *LOGINS,
        *Operations(world.callbacks).names,
        *Commanding(world.callbacks).names,
    }


def test_every_setting_is_on_the_page_with_its_default() -> None:
    defaults = {
        field.name: msgspec.json.encode(field.default).decode()
        for field in msgspec.structs.fields(Api)
    }
    assert rows("Settings") == defaults
