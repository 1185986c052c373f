"""Commands are found by looking at a driver's class, and nothing of it is ever imported."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.cloudshell.conftest import Write

from shelldock.errors import ShellError
from shelldock_cloudshell.source import Look, digest, look, only_driver


def names(found: Look) -> list[str]:
    return [method.name for method in found.methods]


def test_public_methods_with_their_parameters_are_commands_C1(write: Write) -> None:
    source = write(
        {
            "driver.py": """\
            import no_such_module
            raise RuntimeError("imported")

            class D(object):
                limit = 3
                def __init__(self): ...
                def initialize(self, context): ...
                def run(self, context, command, *args, mode="fast", deep, **options): ...
                def _private(self): ...
                async def later(self, a, b=None): ...
                @property
                def address(self): ...
                @staticmethod
                def fixed(one): ...
                @classmethod
                def made(cls, two): ...
                again = run
                if True:
                    def sometimes(self): ...
            """
        }
    )
    found = look(source, "driver.D")
    assert found.complete
    of_run = (("context", False), ("command", False), ("mode", True), ("deep", False))
    assert [(one.name, one.parameters) for one in found.methods] == [
        ("initialize", (("context", False),)),
        ("run", of_run),
        ("later", (("a", False), ("b", True))),
        ("fixed", (("one", False),)),
        ("made", (("two", False),)),
        ("again", of_run),
        ("sometimes", ()),
    ]
    assert [one.name for one in found.methods if one.rest] == ["run", "again"]
    assert {one.name: one.line for one in found.methods}["later"] == 10
    assert {one.path for one in found.methods} == {source / "driver.py"}


def test_methods_of_bases_in_the_sources_count_and_the_nearest_wins_C1(write: Write) -> None:
    source = write(
        {
            "driver.py": """\
            from base import Base as Parent
            import package.more
            from package import Exported
            from cloudshell.shell.core.resource_driver_interface import ResourceDriverInterface
            class Local:
                def local(self): ...
                def both(self, a): ...
            class D(Local, Parent, package.more.Mixin, Exported, ResourceDriverInterface):
                def own(self): ...
                def shared(self, x, y): ...
            """,
            "base.py": "class Base:\n    def base(self): ...\n    def both(self): ...\n    def shared(self): ...\n",
            "package/__init__.py": "from .deep.deeper import Exported\n",
            "package/more.py": "from .deep import *\nclass Mixin(Star):\n    def mixed(self): ...\n",
            "package/deep/__init__.py": "class Star:\n    def star(self): ...\n",
            "package/deep/deeper.py": "class Exported:\n    def exported(self): ...\n",
        }
    )
    found = look(source, "driver.D")
    assert (found.complete, found.reason) == (True, "")
    assert set(names(found)) == {
        "local",
        "both",
        "base",
        "star",
        "mixed",
        "exported",
        "own",
        "shared",
    }
    parameters = {method.name: len(method.parameters) for method in found.methods}
    assert (parameters["both"], parameters["shared"]) == (1, 2)


def test_a_main_class_may_be_imported_from_a_package(write: Write) -> None:
    source = write(
        {
            "driver.py": "from inner.real import D\n",
            "inner/real.py": "class D:\n    def go(self): ...\n",
        }
    )
    assert names(look(source, "driver.D")) == ["go"]
    assert names(look(source, "inner.real.D")) == ["go"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("class Other: ...", "no class 'driver.D' in the sources"),
        ("print 'two'\nclass D: ...", "driver.py, line 1 is no Python 3 that can be read here"),
        ("class D:\n    def go(self, (a, b)): ...", "driver.py, line 2"),
        ("class D:\n  def go(self):\n\tpass\n    x", "driver.py, line"),
        ("x = '\0'", "driver.py"),
        ("(" * 3000 + ")" * 3000, "driver.py"),
        (
            "class D(elsewhere.Base):\n    def go(self): ...",
            "base class 'elsewhere.Base' is not in the sources",
        ),
        ("class D:\n    def __getattr__(self, name): ...", "makes up its attributes"),
        ("from driver import D", "no class"),
        ("class D(D): ...", None),
    ],
)
def test_what_cannot_be_seen_makes_the_look_incomplete_with_a_reason_D8(
    write: Write, text: str, reason: str | None
) -> None:
    found = look(write({"driver.py": text}), "driver.D")
    assert found.complete is (reason is None)
    assert (reason or "") in found.reason


def test_a_stranger_s_invalid_escape_is_no_warning_of_ours(write: Write) -> None:
    source = write({"driver.py": "class D:\n    pattern = '\\d'\n    def go(self): ...\n"})
    assert names(look(source, "driver.D")) == ["go"]


def test_without_sources_nothing_is_found(write: Write) -> None:
    found = look(write({"requirements.txt": ""}), "driver.D")
    assert (found.methods, found.complete) == ((), False)


@pytest.mark.parametrize("main", ["..driver.D", "/etc/passwd.D", "driver.", ".D", "D", "", "a/b.D"])
def test_no_main_class_leads_out_of_the_sources(write: Write, main: str) -> None:
    source = write(
        {"driver.py": "class D: ...", "../driver.py": "class D:\n    def evil(self): ..."}
    )
    assert look(source, main).methods == ()


def test_the_only_class_called_driver_is_it_D1(write: Write) -> None:
    source = write(
        {"a.py": "class Helper: ...\nclass _HiddenDriver: ...", "b.py": "class BoxDriver: ..."}
    )
    assert only_driver(source) == "b.BoxDriver"


def test_several_or_no_driver_classes_are_refused_by_name(write: Write) -> None:
    with pytest.raises(ShellError, match=r"several classes .* a\.ADriver, b\.BDriver; name one"):
        only_driver(write({"a.py": "class ADriver: ...", "b.py": "class BDriver: ..."}, "several"))
    with pytest.raises(ShellError, match="ends in 'Driver'"):
        only_driver(write({"a.py": "class A: ..."}, "none"))
    with pytest.raises(ShellError, match=r"a\.py, line 1"):
        only_driver(write({"a.py": "class ADriver(:"}, "broken"))


def test_the_digest_follows_names_and_contents_and_nothing_else(
    write: Write, tmp_path: Path
) -> None:
    files: dict[str, str | bytes] = {"driver.py": "a", "data/x.txt": "b"}
    first = digest(write(files, "first"))
    same = write({**files, "__pycache__/driver.pyc": "z", "old.pyc": "z", ".git/HEAD": "z"}, "same")
    (same / "env/lib").mkdir(parents=True)
    (same / "env/pyvenv.cfg").write_text("home = /usr")
    assert digest(same) == first
    assert digest(write({"driver.py": "a", "data/y.txt": "b"}, "renamed")) != first
    assert digest(write({"driver.py": "A", "data/x.txt": "b"}, "edited")) != first
    assert digest(write({**files, "more.txt": ""}, "more")) != first
    assert digest(write({"driver.py": "adata/x.txtb"}, "joined")) != first


def test_a_link_in_a_circle_ends(write: Write) -> None:
    source = write({"driver.py": "a", "real/x.txt": "b"})
    (source / "real/back").symlink_to(source)
    assert len(digest(source)) == 64


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=st.text(st.sampled_from("class Ddef go(self):\n\t .=*@[]'\"\\#\0é"), max_size=80))
def test_any_text_is_looked_at_without_failing(tmp_path: Path, text: str) -> None:
    (tmp_path / "driver.py").write_text(
        "class D:\n    def go(self): ...\n" + text, encoding="utf-8"
    )
    assert isinstance(look(tmp_path, "driver.D"), Look)
