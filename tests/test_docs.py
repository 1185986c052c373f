"""What the documentation shows is what happens: its commands are run, and its examples are used."""

from __future__ import annotations

import ast
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pluggy
import pytest
from filelock import FileLock

from shelldock import hookspecs

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    *sorted(ROOT.glob("docs/*.md")),
    *sorted(ROOT.glob("docs/[!c_e]*/**/*.md")),
]
BLOCK = re.compile(
    r"^(?P<fence>`{3,})(?P<info>[^\n]*)\n(?P<body>.*?)^(?P=fence)\s*$", re.MULTILINE | re.DOTALL
)
MARK = "-- end of command --"
NEEDS = {"docs/how-to/mysql.md": "/usr/sbin/mariadbd"}
"""Programs that a page expects to be there, in the words of Debian."""

ONE_READER = Path(tempfile.gettempdir(), "shelldock-docs.lock")
"""Pages name addresses and ports, and tests on several Pythons may run at the same time."""


@dataclass(frozen=True)
class Block:
    """One fenced block of a page: its language, the file that its caption names, its text."""

    language: str
    file: str
    text: str


@dataclass(frozen=True)
class Step:
    """One command of a ``console`` block, and what is shown after it."""

    command: str
    shown: str


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    for found in BLOCK.finditer(page.read_text()):
        info, body = found["info"].strip(), found["body"]
        directive = re.fullmatch(r"\{code-block\}\s*(\w*)", info)
        caption = re.match(r"(?::\w+:.*\n)*?:caption: (\S+)\n", body) if directive else None
        text = re.sub(r"\A(:\w[\w-]*:.*\n)+\n?", "", body) if directive else body
        yield Block(directive[1] if directive else info, caption[1] if caption else "", text)


def steps(text: str) -> Iterator[Step]:
    """The commands of a ``console`` block; a line that starts with ``> `` goes on with the command before it."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        first, *rest = part.splitlines()
        command = [first]
        while rest and rest[0].startswith("> "):
            command.append(rest.pop(0)[2:])
        yield Step("\n".join(command), "\n".join(rest))


def script(page: Path) -> tuple[str, list[Step]]:
    """A page as one shell script that writes its files and marks the end of each command, and its steps."""
    lines, found = [], []
    for block in blocks(page):
        if block.file:
            lines.append(f"mkdir -p '{Path(block.file).parent}'")
            lines.append(
                f"cat > '{block.file}' <<'end of {block.file}'\n{block.text}end of {block.file}"
            )
        for step in steps(block.text) if block.language == "console" else ():
            found.append(step)
            lines.append(f"{step.command}\nprintf '\\n%s %s\\n' '{MARK}' $?")
    return "\n".join(lines), found


def run(commands: str, folder: Path, environ: dict[str, str]) -> str:
    """All that a shell prints; what it started in the background ends with it."""
    printed = folder.with_name("printed")
    with (
        printed.open("wb") as output,  # a pipe would wait for the background too
        subprocess.Popen(
            ["bash", "-c", f"trap 'kill $(jobs -p) 2>/dev/null' EXIT\n{commands}"],
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as shell,
    ):
        try:
            shell.wait(timeout=480)
        except subprocess.TimeoutExpired:
            os.killpg(shell.pid, signal.SIGKILL)
            pytest.fail(f"the page takes too long:\n{printed.read_text()}")
    return printed.read_text()


def is_shown(shown: str, output: str) -> bool:
    """Whether each line shown is in the output, in order; ``…`` stands for anything, blanks do not count."""
    packed, at = "".join(output.split()), 0
    for piece in shown.replace("…", "\n").splitlines():
        wanted = "".join(piece.split())
        found = packed.find(wanted, at)
        if found < 0:
            return False
        at = found + len(wanted)
    return True


@pytest.mark.parametrize(
    ("shown", "is_there"),
    [
        ("", True),
        ("one\n  two", True),
        ("…", True),
        ("o…e\n…three", True),
        ("two\none", False),
        ("one two four", False),
        ("e…" * 40, False),
    ],
)
def test_what_is_shown_is_looked_for_in_order(shown: str, *, is_there: bool) -> None:
    assert is_shown(shown, "one\ntwo   2\nthree\n" + "e" * 30) is is_there


def executable(page: Path) -> bool:
    """Whether the page has a command to run."""
    return any(block.language == "console" for block in blocks(page))


def name(page: Path) -> str:
    """The page's path in the repository."""
    return str(page.relative_to(ROOT))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the project, as a newcomer has it."""
    copy = tmp_path / "shelldock"
    copy.mkdir()
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, copy)
    for folder in ("core", "plugins", "docs"):
        shutil.copytree(
            ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__", "_build")
        )
    return copy


@pytest.fixture
def reader(tmp_path: Path, checkout: Path) -> dict[str, str]:
    """The environment of somebody who installed the project and has not run it yet."""
    venv = tmp_path / "venv"
    uv = [sys.executable, "-m", "uv"]
    subprocess.run(
        [*uv, "venv", "--quiet", "--seed", "--python", sys.executable, str(venv)], check=True
    )
    install = [
        *uv,
        "pip",
        "install",
        "--quiet",
        "--python",
        str(venv / "bin/python"),
        str(checkout),
    ]
    subprocess.run(install, check=True)
    private = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PYTEST_CURRENT_TEST"}
    kept = {key: value for key, value in os.environ.items() if key not in private}
    return kept | {
        "PATH": f"{venv / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "SHELLDOCK_HOME": str(tmp_path / "home"),
        "NO_COLOR": "1",
        "PYTHONUNBUFFERED": "1",  # both streams in the order that a terminal shows
        "COLUMNS": "160",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("page", [page for page in PAGES if executable(page)], ids=name)
def test_the_commands_of_the_page_do_what_it_shows(
    page: Path, checkout: Path, reader: dict[str, str]
) -> None:
    needed = NEEDS.get(name(page))
    if needed and not Path(needed).exists() and not os.environ.get("CI"):
        pytest.skip(f"there is no {needed} on this machine")
    commands, expected = script(page)
    with FileLock(ONE_READER):
        output = run(commands, checkout, reader)
    happened = re.split(rf"\n{MARK} (\d+)\n", output)
    for step, text, status in zip(expected, happened[::2], happened[1::2], strict=False):
        assert status == "0", f"$ {step.command}\n{text}"
        assert is_shown(step.shown, text), (
            f"$ {step.command}\n{text}\n--- is shown as ---\n{step.shown}"
        )
    assert len(happened) // 2 == len(expected), output


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_the_python_of_the_page_can_be_read(page: Path) -> None:
    for block in blocks(page):
        if block.language == "python":
            ast.parse(block.text)


def sections(page: Path) -> dict[str, str]:
    """The text below each third-level heading."""
    parts = re.split(r"^### (\w+)$", page.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize(("hook", "section"), sections(ROOT / "docs/reference/hooks.md").items())
def test_the_example_of_the_hook_answers_it(hook: str, section: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(section)
    (example,) = (block.text for block in blocks(page) if block.language == "python")
    manager = pluggy.PluginManager("shelldock")
    manager.add_hookspecs(hookspecs)
    for plugin in plugins(example):
        manager.register(plugin)
    manager.check_pending()
    assert getattr(manager.hook, hook).get_hookimpls()


def plugins(source: str) -> Iterator[object]:
    """The module that ``source`` makes, and an object of each class in it that has hooks."""
    module = ModuleType("example")
    exec(compile(source, "example", "exec"), vars(module))
    yield module
    for one in list(vars(module).values()):
        if isinstance(one, type) and any(key.startswith("shelldock_") for key in vars(one)):
            yield one()
