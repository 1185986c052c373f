"""Environments made with uv from a local index: shared, renewed, collected, and never half-made."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tests.index import LocalIndex

from shelldock.building import DriverPackage, Step, current_step, linked, make
from shelldock.environments import Environments
from shelldock.errors import (
    ConflictError,
    EnvironmentFailed,
    LimitReached,
    NotFoundError,
    PythonError,
)
from shelldock.model import Driver, Environment, Interpreter, Needs, Shell
from shelldock.shelf import Shelf
from shelldock_cloudshell.environment import Environment as Uv
from shelldock_cloudshell.environment import Repairs
from shelldock_cloudshell.interpreters import find

PYTHONS = {one.minor: one for one in reversed(find(os.environ)) if one.numbers >= (3, 7)}


class Place:
    """Environments of one machine in a folder, with what was asked and told."""

    def __init__(self, folder: Path, index: LocalIndex) -> None:
        self.folder = folder
        self.index = index
        self.plugin = Uv(index_url=index.url)
        self.told: list[Environment] = []
        self.asked = 0
        self.resolved = 0
        self.built = 0
        for name in ("environments", "resolutions"):
            (folder / name).mkdir()

    @property
    def root(self) -> Path:
        """The folder of the environments."""
        return self.folder / "environments"

    def environments(self, validity: float = 1000.0, limit: float = 120.0) -> Environments:
        """As another process, or this one after a restart, would open them."""
        return Environments(
            self.root,
            self.folder / "resolutions",
            validity=validity,
            build_limit=limit,
            changed=self.told.append,
            build_source="the test",
        )

    def shell(self, name: str, *requirements: str, python: str | None = "3") -> Shell:
        """A shell with these lines of requirements."""
        source = self.folder / name
        source.mkdir(exist_ok=True)
        (source / "requirements.txt").write_text("\n".join(requirements))
        driver = Driver(
            name=f"{name} Driver", main_class="driver.D", source=source, digest=name, python=python
        )
        return Shell(name=name, path=source, driver=driver)

    def python(self, shell: Shell, asked: str | None) -> Interpreter:
        """The hook, counted."""
        self.asked += 1
        python = self.plugin.shelldock_python(shell, asked)
        assert python is not None
        return python

    def needs(self, shell: Shell, python: Interpreter) -> Needs:
        """The hook, counted."""
        self.resolved += 1
        needs = self.plugin.shelldock_needs(shell, python)
        assert needs is not None
        return needs

    def build(self, needs: Needs, folder: Path, log: Path) -> Path:
        """The hook, counted."""
        self.built += 1
        python = self.plugin.shelldock_build(needs, folder, log)
        assert python is not None
        return python

    async def ready(
        self, environments: Environments, shell: Shell, python: str | None = None
    ) -> Environment:
        """The environment of the shell."""
        return await environments.ready(shell, python, self)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalIndex]:
    for name in [name for name in os.environ if name.startswith("UV_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    with LocalIndex(tmp_path / "index") as index:
        index.add("alpha", "1.0")
        yield index


@pytest.fixture
def place(tmp_path: Path, index: LocalIndex) -> Place:
    return Place(tmp_path, index)


def output(command: list[str | Path]) -> str:
    """What a command prints; it must succeed."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def said(environment: Environment, code: str) -> str:
    """What ``code`` prints in the environment."""
    return output([environment.python, "-I", "-c", code])


def without_record(wheel: Path) -> None:
    """Make a wheel one that resolves but cannot be installed."""
    with zipfile.ZipFile(wheel) as archive:
        kept = {name: archive.read(name) for name in archive.namelist() if "RECORD" not in name}
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in kept.items():
            archive.writestr(name, content)


def text_of(file: str) -> str:
    """What is in a file."""
    return Path(file).read_text()


def is_running(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


# ---- one build ----------------------------------------------------------------------------------


async def test_ten_parallel_callers_get_one_environment_from_one_resolution_and_build_v1_v2(
    place: Place,
) -> None:
    environments = place.environments()
    shell = place.shell("One", "alpha")
    found = await asyncio.gather(*(place.ready(environments, shell) for _ in range(10)))
    assert (place.asked, place.resolved, place.built) == (1, 1, 1)
    assert {one.path for one in found} == {found[0].path}
    assert said(found[0], "import alpha; print(alpha.VERSION)") == "1.0"
    await place.ready(environments, shell)
    await place.ready(place.environments(), shell)
    assert (place.asked, place.resolved, place.built) == (1, 1, 1), "an answer is remembered"


CHILD = """\
import asyncio, json, os, sys, time
from pathlib import Path
from shelldock.environments import Environments
from shelldock.model import Driver, Shell
from shelldock_cloudshell.environment import Environment

at = json.loads(sys.argv[1])
plugin = Environment(index_url=at["url"])
source = Path(at["source"])
driver = Driver(name="Child", main_class="driver.D", source=source, digest="d", python="3")
shell = Shell(name="Child", path=source, driver=driver)

class Makers:
    python = staticmethod(plugin.shelldock_python)
    needs = staticmethod(plugin.shelldock_needs)

    def build(self, needs, folder, log):
        with open(at["journal"], "a") as journal:
            journal.write("build\\n")
        if at["hang"]:
            (folder / "half").write_text("half")
            time.sleep(600)
        time.sleep(0.3)
        return plugin.shelldock_build(needs, folder, log)

async def main():
    folder = Path(at["folder"])
    environments = Environments(folder / "environments", folder / "resolutions", validity=1000, build_limit=100,
                                changed=lambda environment: None)
    environment = await environments.ready(shell, None, Makers())
    hold = environments.hold(environment)
    print(environment.name, flush=True)
    sys.stdin.read()
    await environments.close()

asyncio.run(main())
"""


def child(place: Place, *, hang: bool = False) -> subprocess.Popen[str]:
    place.shell("Child", "alpha")
    facts = {
        "url": place.index.url,
        "folder": str(place.folder),
        "source": str(place.folder / "Child"),
        "journal": str(place.folder / "journal"),
        "hang": hang,
    }
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, json.dumps(facts)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def journal(place: Place) -> list[str]:
    file = place.folder / "journal"
    return file.read_text().splitlines() if file.exists() else []


async def test_two_processes_make_one_build_v2(place: Place) -> None:
    processes = [child(place), child(place)]
    names = [process.stdout.readline() for process in processes if process.stdout]
    for process in processes:
        process.communicate("")
    assert names[0] == names[1] != ""
    assert journal(place) == ["build"]
    assert [one.name for one in place.environments().list()] == [names[0].strip()]


async def test_a_process_that_dies_in_mid_build_leaves_nothing_that_is_taken_for_ready(
    place: Place,
) -> None:
    process = child(place, hang=True)
    while not list(place.root.glob(".building-*/half")):
        assert process.poll() is None
        await asyncio.sleep(0.02)
    environments = place.environments()
    environments.prune(0)
    assert list(place.root.glob(".building-*/half")), (
        "what another process builds is not swept away"
    )
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert environments.list() == []
    driver = Driver(
        name="Child", main_class="d.D", source=place.folder / "Child", digest="d", python="3"
    )
    shell = Shell(name="Child", path=place.folder / "Child", driver=driver)
    environment = await place.ready(environments, shell)
    assert said(environment, "import alpha; print(alpha.VERSION)") == "1.0"
    assert not list(place.root.glob(".building-*"))


async def test_pruning_removes_what_a_dead_builder_left(place: Place) -> None:
    process = child(place, hang=True)
    while not list(place.root.glob(".building-*/half")):
        assert process.poll() is None
        await asyncio.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert place.environments().prune(1000) == []
    assert not list(place.root.glob(".building-*"))


async def test_a_caller_that_is_cancelled_stops_nobody(place: Place) -> None:
    environments = place.environments()
    shell = place.shell("One", "alpha")
    first = asyncio.create_task(place.ready(environments, shell))
    second = asyncio.create_task(place.ready(environments, shell))
    await asyncio.sleep(0.01)
    first.cancel()
    assert (await second).state == "ready"
    assert first.cancelled()


# ---- what it is made of -------------------------------------------------------------------------


@pytest.mark.parametrize("minor", PYTHONS)
async def test_every_python_gets_its_environment_with_bytecode_and_scripts_that_work(
    place: Place, minor: str
) -> None:
    place.index.add(
        "greeter",
        "2.0",
        requires=["alpha"],
        files={"greeter.py": "def main():\n    print('hello')\n"},
        scripts={"greet": "greeter:main"},
    )
    environment = await place.ready(place.environments(), place.shell("Greeter", "greeter"), minor)
    assert environment.version == PYTHONS[minor].version
    assert environment.pins == ("alpha==1.0", "greeter==2.0")
    assert said(environment, "import sys; print('%d.%d' % sys.version_info[:2])") == minor
    assert said(environment, "import sys; print(sys.prefix)") == str(environment.path)
    for module in ("greeter", "shelldriver"):
        code = f"import importlib.util as u; import os; print(os.path.exists(u.find_spec({module!r}).cached))"
        assert said(environment, code) == "True", f"{module} is not compiled"
    assert output([environment.path / "bin" / "greet"]) == "hello"


async def test_bytecode_is_compiled_once_and_linked_into_the_next_environment(
    place: Place,
) -> None:
    environments = place.environments()
    first = await place.ready(environments, place.shell("One", "alpha"))
    place.index.add("beta", "1.0")
    other = await place.ready(environments, place.shell("Two", "alpha", "beta"))
    compiled = [next(one.path.rglob("alpha*.pyc")) for one in (first, other)]
    assert compiled[0].samefile(compiled[1])
    assert list(other.path.rglob("beta*.pyc")), "what is new is compiled"
    environments.remove(other.name)
    again = await place.ready(environments, place.shell("Two", "alpha", "beta"))
    assert "compileall" not in (place.root / f"{again.name}.log").read_text()
    assert said(again, "import alpha, beta; print(alpha.__cached__)") in map(
        str, again.path.rglob("*.pyc")
    )


async def test_bytecode_of_another_content_is_not_taken(place: Place) -> None:
    environments = place.environments()
    await place.ready(environments, place.shell("One", "alpha==1.0"))
    place.index.add("alpha", "2.0")
    newer = await place.ready(environments, place.shell("Two", "alpha==2.0"))
    assert said(newer, "import alpha; print(alpha.VERSION)") == "2.0"


async def test_the_folder_is_named_for_driver_and_version_v10(place: Place) -> None:
    environment = await place.ready(place.environments(), place.shell("My Cisco", "alpha"))
    assert environment.name == f"My_Cisco_Driver_1_0_0-{environment.digest[:8]}"
    assert environment.path == place.root / environment.name


async def test_equal_needs_share_one_environment_whatever_the_driver(place: Place) -> None:
    environments = place.environments()
    one = await place.ready(environments, place.shell("One", "alpha"))
    two = await place.ready(environments, place.shell("Two", "alpha>=1"))
    assert one.path == two.path
    assert place.built == 1


async def test_conflicting_requirements_lie_side_by_side(place: Place) -> None:
    place.index.add("alpha", "2.0")
    environments = place.environments()
    one, two = await asyncio.gather(
        place.ready(environments, place.shell("One", "alpha==1.0")),
        place.ready(environments, place.shell("Two", "alpha>=2")),
    )
    assert said(one, "import alpha; print(alpha.VERSION)") == "1.0"
    assert said(two, "import alpha; print(alpha.VERSION)") == "2.0"


async def test_no_requirements_file_means_no_packages_and_no_index_v3(place: Place) -> None:
    shell = place.shell("Bare")
    (place.folder / "Bare" / "requirements.txt").unlink()
    environment = await place.ready(place.environments(), shell)
    assert environment.pins == ()
    assert place.index.asked == []
    assert said(environment, "import shelldriver; print('there')") == "there"


async def test_requirements_kept_elsewhere_stand_in_for_the_file(place: Place) -> None:
    shell = place.shell("Elsewhere", "no-such-thing")
    assert shell.driver is not None
    driver = Driver(
        name="E",
        main_class="d.D",
        source=shell.path,
        digest="e",
        python="3",
        requirements=("alpha",),
    )
    environment = await place.ready(
        place.environments(), Shell(name="Elsewhere", path=shell.path, driver=driver)
    )
    assert environment.pins == ("alpha==1.0",)


async def test_the_options_of_requirements_files_count_v3(place: Place, tmp_path: Path) -> None:
    with LocalIndex(tmp_path / "extra") as extra, LocalIndex(tmp_path / "main") as main:
        links = LocalIndex(tmp_path / "links")
        extra.add("beta", "1.0")
        main.add("gamma", "1.0")
        main.add("gamma", "2.0rc1")
        main.add("delta", "1.0")
        main.add("delta", "2.0")
        links.add("epsilon", "3.0")
        shell = place.shell(
            "Options",
            "--pre  # release candidates too",
            f"-i {main.url}",
            f"--extra-index-url={extra.url}",
            f"--find-links {links.wheels / 'epsilon'}",
            "-c limits.txt",
            "--trusted-host 127.0.0.1",
            "-r more.txt",
            "beta",
            "gamma; python_version >= '3'",
        )
        (shell.path / "limits.txt").write_text("delta<2\n")
        (shell.path / "more.txt").write_text("delta\nepsilon==3.*\n")
        environment = await place.ready(place.environments(), shell)
    assert environment.pins == ("beta==1.0", "delta==1.0", "epsilon==3.0", "gamma==2.0rc1")
    assert place.index.asked == [], "the file names the index"
    assert said(environment, "import beta, epsilon; print(epsilon.VERSION)") == "3.0"


async def test_an_option_that_uv_does_not_know_is_told_in_the_log(place: Place) -> None:
    await place.ready(place.environments(), place.shell("Odd", "--use-feature=fast-deps", "alpha"))
    [log] = (place.folder / "resolutions").glob("*.log")
    assert "left out: --use-feature=fast-deps" in log.read_text()


async def test_without_an_index_a_folder_of_wheels_will_do_v5(place: Place) -> None:
    place.plugin = Uv(no_index=True, find_links=(str(place.index.wheels / "alpha"),))
    environment = await place.ready(place.environments(), place.shell("One", "alpha"))
    assert environment.pins == ("alpha==1.0",)
    assert place.index.asked == []


async def test_repairs_make_requirements_work_that_forgot_something(place: Place) -> None:
    place.index.add("forgotten", "1.0")
    place.index.add("forgotten", "2.0")
    place.index.add("old", "1.0", requires=["alpha<1"])
    place.plugin = Uv(
        index_url=place.index.url,
        extra_packages=("forgotten",),
        constraints=("forgotten<2",),
        shells={"Broken": Repairs(overrides=("alpha>=1",))},
    )
    environments = place.environments()
    broken = await place.ready(environments, place.shell("Broken", "old"))
    assert broken.pins == ("alpha==1.0", "forgotten==1.0", "old==1.0")
    with pytest.raises(EnvironmentFailed, match="alpha"):
        await place.ready(environments, place.shell("Other", "old"))


# ---- renewal ------------------------------------------------------------------------------------


async def test_after_the_validity_a_newer_release_makes_a_new_environment_and_the_old_one_stays_in_use_v4_v7(
    place: Place,
) -> None:
    shell = place.shell("One", "alpha")
    environments = place.environments()
    old = await place.ready(environments, shell)
    hold = environments.hold(old)
    place.index.add("alpha", "2.0")
    assert (await place.ready(environments, shell)).pins == ("alpha==1.0",), "still valid"

    later = place.environments(validity=0)
    new = await place.ready(later, shell)
    assert new.pins == ("alpha==2.0",)
    assert new.path != old.path
    with later.hold(new):
        assert later.prune(0) == []
        assert said(old, "import alpha; print(alpha.VERSION)") == "1.0"
        hold.release()
        assert [(one.name, one.state) for one in later.prune(0)] == [(old.name, "removed")]
    assert not old.path.exists()
    assert [one.name for one in later.list()] == [new.name]


async def test_after_the_validity_nothing_new_means_no_build(place: Place) -> None:
    shell = place.shell("One", "alpha")
    environments = place.environments(validity=0)
    first = await place.ready(environments, shell)
    second = await place.ready(environments, shell)
    assert first.path == second.path
    assert (place.resolved, place.built) == (2, 1)


async def test_other_requirements_are_resolved_at_once(place: Place) -> None:
    place.index.add("beta", "1.0")
    environments = place.environments()
    await place.ready(environments, place.shell("One", "alpha"))
    environment = await place.ready(environments, place.shell("One", "alpha", "beta"))
    assert environment.pins == ("alpha==1.0", "beta==1.0")


async def test_an_index_that_is_away_stops_no_driver_whose_environment_exists(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    shell = place.shell("One", "alpha")
    first = await place.ready(place.environments(), shell)
    place.index.stop()
    environments = place.environments(validity=0.001)
    again = await place.ready(environments, shell)
    assert again.path == first.path
    assert "used as it was" in place.told[-1].note
    assert "used as it was" in caplog.text
    with pytest.raises(EnvironmentFailed, match="alpha"):
        await place.ready(environments, place.shell("Another", "alpha<2"))


async def test_a_newer_release_that_cannot_be_installed_stops_no_driver_whose_environment_exists(
    place: Place,
) -> None:
    shell = place.shell("One", "alpha")
    environments = place.environments(validity=0.001)
    first = await place.ready(environments, shell)
    without_record(place.index.add("alpha", "2.0"))
    again = await place.ready(place.environments(validity=0.001), shell)
    assert again.path == first.path
    assert "alpha==2.0" in place.told[-1].note
    place.index.add("alpha", "2.1")
    assert (await place.ready(place.environments(validity=0.001), shell)).pins == ("alpha==2.1",)


async def test_an_index_that_is_away_is_not_asked_at_every_start(place: Place) -> None:
    shell = place.shell("One", "alpha")
    await place.ready(place.environments(), shell)
    place.index.stop()
    for file in (place.folder / "resolutions").glob("*.json"):
        content = json.loads(file.read_bytes())
        file.write_text(json.dumps({**content, "resolved": content["resolved"] - 2000}))
    environments = place.environments(validity=1000)
    for _ in range(3):
        await place.ready(environments, shell)
    assert place.resolved == 2


# ---- failure ------------------------------------------------------------------------------------


async def test_what_cannot_be_resolved_shows_the_resolvers_reason_and_may_be_tried_again_v6(
    place: Place,
) -> None:
    environments = place.environments()
    shell = place.shell("One", "alpha>=2", "alpha<3")
    with pytest.raises(EnvironmentFailed) as caught:
        await place.ready(environments, shell)
    error = caught.value
    assert (error.name, error.step) == ("One", "resolve")
    assert "only alpha==1.0 is available and you require alpha>=2" in error.reason
    assert "\n" not in str(error)
    assert "No solution found" in text_of(error.log)
    assert place.told[-1].state == "failed"
    place.index.add("alpha", "2.5")
    assert (await place.ready(environments, shell)).pins == ("alpha==2.5",)


async def test_what_cannot_be_installed_shows_the_installers_reason_and_leaves_no_environment_v6(
    place: Place,
) -> None:
    environments = place.environments()
    source = place.folder / "sdist"
    source.mkdir()
    (source / "setup.py").write_text("raise RuntimeError('no build today')\n")
    (source / "pyproject.toml").write_text(
        "[build-system]\nrequires = []\nbuild-backend = 'nowhere'\n"
    )
    with pytest.raises(EnvironmentFailed, match="nowhere") as caught:
        await place.ready(environments, place.shell("Sdist", f"thing @ {source.as_uri()}"))
    assert "\n" not in str(caught.value)
    without_record(place.index.add("broken", "1.0"))
    with pytest.raises(EnvironmentFailed, match=r"broken==1\.0") as caught:
        await place.ready(environments, place.shell("Wheel", "broken"))
    assert (caught.value.name, caught.value.step) == ("Wheel", "build")
    assert "RECORD" in text_of(caught.value.log)
    assert environments.list() == []
    assert not list(place.root.glob(".building-*"))


async def test_a_python_2_shell_is_told_how_to_try_3_d9_v8(place: Place) -> None:
    environments = place.environments()
    shell = place.shell("Old", "alpha", python=None)
    with pytest.raises(PythonError, match=r"Python 2 .*does not run here.*--python 3"):
        await place.ready(environments, shell)
    assert (await place.ready(environments, shell, "3")).state == "ready"


async def test_a_build_that_hangs_is_ended_at_its_limit_and_nobody_is_stuck(place: Place) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    class Hanging:
        python = staticmethod(place.python)
        needs = staticmethod(place.needs)

        def build(self, needs: Needs, folder: Path, log: Path) -> Path:
            step = current_step.get()
            assert step is not None
            step.given_up.wait()
            loop.call_soon_threadsafe(ended.set)
            raise EnvironmentFailed("x", "build", "given up")

    shell = place.shell("One", "alpha")
    environments = place.environments(limit=2.0)
    with pytest.raises(LimitReached, match=r"'build' of 2 s \(set by: the test\)"):
        await environments.ready(shell, None, Hanging())
    await asyncio.wait_for(ended.wait(), 10)
    assert (await place.ready(environments, shell)).state == "ready"
    await environments.close()


async def test_closing_ends_uv_in_mid_build(place: Place) -> None:
    source = place.folder / "slow"
    source.mkdir()
    (source / "backend.py").write_text(
        textwrap.dedent(f"""\
            import os, pathlib, time
            pathlib.Path({str(place.folder / "pid")!r}).write_text(str(os.getpid()))
            time.sleep(600)
        """)
    )
    (source / "pyproject.toml").write_text(
        "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
    )
    environments = place.environments()
    shell = place.shell("Slow", f"slow @ {source.as_uri()}")
    task = asyncio.create_task(place.ready(environments, shell))
    while not (place.folder / "pid").exists() or not (place.folder / "pid").read_text():
        assert not task.done()
        await asyncio.sleep(0.02)
    await environments.close()
    with pytest.raises(asyncio.CancelledError):
        await task
    pid = int((place.folder / "pid").read_text())
    deadline = time.monotonic() + 10
    while is_running(pid):
        assert time.monotonic() < deadline, "the build is still there"
        await asyncio.sleep(0.02)


async def test_progress_is_told_from_resolving_to_ready(place: Place) -> None:
    await place.ready(place.environments(), place.shell("One", "alpha"))
    states = list(dict.fromkeys(one.state for one in place.told))
    assert states == ["resolving", "building", "ready"]
    assert place.told[-1].pins == ("alpha==1.0",)


# ---- keeping ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"digest": 1}', b"\xff"], ids=["empty", "cut", "other", "binary"]
)
async def test_a_corrupt_manifest_makes_no_environment_and_is_built_again(
    place: Place, content: bytes
) -> None:
    environments = place.environments()
    shell = place.shell("One", "alpha")
    environment = await place.ready(environments, shell)
    (environment.path / "shelldock.json").write_bytes(content)
    assert environments.list() == []
    again = await place.ready(environments, shell)
    assert again.path == environment.path
    assert place.built == 2


async def test_a_corrupt_environment_that_is_in_use_is_left_to_its_users(place: Place) -> None:
    environments = place.environments()
    shell = place.shell("One", "alpha")
    environment = await place.ready(environments, shell)
    with environments.hold(environment):
        (environment.path / "shelldock.json").write_text("{")
        again = await place.ready(environments, shell)
        assert again.path != environment.path
        assert said(environment, "import alpha; print(alpha.VERSION)") == "1.0"
    assert (await place.ready(environments, shell)).path == again.path


async def test_a_vanished_interpreter_is_noticed(place: Place) -> None:
    environments = place.environments()
    shell = place.shell("One", "alpha")
    environment = await place.ready(environments, shell)
    environment.python.unlink()
    again = await place.ready(environments, shell)
    assert said(again, "import alpha; print(alpha.VERSION)") == "1.0"


async def test_what_another_process_holds_is_kept_until_that_dies_by_any_death(
    place: Place,
) -> None:
    process = child(place)
    assert process.stdout is not None
    name = process.stdout.readline().strip()
    environments = place.environments()
    assert environments.prune(0) == []
    with pytest.raises(ConflictError, match=name):
        environments.remove(name)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert [one.name for one in environments.prune(0)] == [name]
    assert list(place.root.glob("[!.]*")) == []


async def test_only_what_is_unused_for_long_enough_is_pruned_and_each_start_counts_v7(
    place: Place,
) -> None:
    environments = place.environments()
    shell = place.shell("One", "alpha")
    environment = await place.ready(environments, shell)
    long_ago = time.time() - 5000
    os.utime(environment.path / "shelldock.json", (long_ago, long_ago))
    assert environments.prune(6000) == []
    await place.ready(environments, shell)
    assert environments.prune(4000) == []
    os.utime(environment.path / "shelldock.json", (long_ago, long_ago))
    assert [one.name for one in environments.prune(4000)] == [environment.name]


async def test_one_may_be_removed_by_name(place: Place) -> None:
    environments = place.environments()
    environment = await place.ready(environments, place.shell("One", "alpha"))
    with pytest.raises(NotFoundError, match=environment.name):
        environments.remove(environment.name[:-1])
    assert environments.remove(environment.name).state == "removed"
    assert environments.list() == []
    with pytest.raises(NotFoundError):
        environments.hold(environment)


async def test_another_shelldriver_means_another_environment_but_no_new_installation(
    place: Place, tmp_path: Path
) -> None:
    package = tmp_path / "shelldriver"
    package.mkdir()
    (package / "__init__.py").write_text("VERSION = 1\n")
    shell = place.shell("One", "alpha")
    needs = place.needs(shell, place.python(shell, None))
    shelf = Shelf(place.root)
    step = Step(tmp_path / "log")
    assert linked(shelf, needs) is None
    old = make(shelf, "One-1", needs, place.build, DriverPackage(package), step)
    (package / "__init__.py").write_text("VERSION = 22\n")
    link = linked(shelf, needs)
    assert link is not None
    new = make(shelf, "One-2", needs, link, DriverPackage(package), step)
    assert place.built == 1
    assert new.path != old.path
    assert said(old, "import shelldriver, alpha; print(shelldriver.VERSION)") == "1"
    assert said(new, "import shelldriver, alpha; print(shelldriver.VERSION)") == "22"
    assert said(new, "import sys; print(sys.prefix)") == str(new.path)
    assert shelf.discard(old.name)
    assert said(new, "import alpha; print(alpha.VERSION)") == "1.0"
