"""The command line: results on standard output, all else on standard error, and exit codes that scripts can use."""

from __future__ import annotations

import json
import logging
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import IO, Any

import psutil
import pytest
import typer
from tests.workshop import clean_environ

from shelldock import errors
from shelldock.cli import main
from shelldock.cli.failures import EXIT_CODES
from shelldock.cli.lazy import COMMANDS

DOCS = Path(__file__).parents[2] / "docs" / "reference"

DRIVER = """
import os
import time
import urllib.request
from xml.sax.saxutils import escape


class AutoLoadDetails:
    def __init__(self, resources, attributes):
        self.resources = resources
        self.attributes = attributes


class Driver:
    def initialize(self, context):
        print("initialized for " + context.resource.name)

    def cleanup(self):
        pass

    def hello(self, context, name, greeting="Hello"):
        return "{}, {}!".format(greeting, name)

    def nothing(self, context):
        pass

    def level(self, context):
        return os.environ.get("LOG_LEVEL")

    def secret(self, context):
        return "told"

    def dial(self, context, speed):
        return type(context).__name__ + " " + speed

    def facts(self, context):
        resource = context.resource
        return {"name": resource.name, "address": resource.address, "attributes": resource.attributes}

    def fail(self, context):
        raise ValueError("no route\\nto host")

    def die(self, context):
        os._exit(3)

    def bad(self, context):
        return object.__new__(type("Odd", (), {"__slots__": ("a",), "__str__": None}))

    def tell(self, context, gate):
        body = "<W><reservationId>r</reservationId><message>{}</message></W>".format(escape("half [way]"))
        connectivity = context.connectivity
        url = "http://{}:8029/ResourceManagerApiService/WriteMessageToReservationOutput"
        request = urllib.request.Request(
            url.format(connectivity.server_address),
            data=body.encode(),
            headers={"Authorization": "Bearer " + connectivity.admin_auth_token},
        )
        urllib.request.urlopen(request).read()
        while not os.path.exists(gate):
            time.sleep(0.02)
        return "done"

    def wait(self, context, cancellation_context, started):
        open(started, "w").close()
        while not cancellation_context.is_cancelled:
            time.sleep(0.02)
        return "stopped in good order"

    def hang(self, context, started):
        with open(started, "w") as file:
            file.write(str(os.getpid()))
        while True:
            time.sleep(60)

    def get_inventory(self, context):
        rows = [
            {"model": "Box.GenericChassis", "name": "Chassis 1", "relative_address": "CH1", "unique_identifier": "c"},
            {"model": "Box.GenericPort", "name": "GE1", "relative_address": "CH1/P1", "unique_identifier": "p"},
        ]
        if os.path.exists(context.resource.address):
            rows.pop()
        if context.resource.address == "raise":
            raise OSError("no route\\nto host")
        return AutoLoadDetails(rows, [{"relative_address": "", "attribute_name": "CS_GenericResource.Vendor",
                                       "attribute_value": "ACME"}])
"""

METADATA = """
<Driver Name="BoxDriver" MainClass="driver.Driver" Version="1.0.0" Description="" PythonVersion="3">
  <Layout><Category Name="All">
    <Command Name="hello" DisplayName="Hello" Description="Greet somebody.">
      <Parameters><Parameter Name="name" Type="String" Mandatory="True" Description=""/>
        <Parameter Name="greeting" Type="String" Mandatory="False" Description=""/></Parameters>
    </Command>
    <Command Name="dial" DisplayName="Dial in" Description="Call it." Visibility="AdminOnly" Tags="power, allow_shared">
      <Parameters><Parameter Name="speed" Type="Lookup" AllowedValues="slow,fast" DefaultValue="slow"/></Parameters>
    </Command>
    <Command Name="wait" DisplayName="" Description="" EnableCancellation="true">
      <Parameters><Parameter Name="started" Type="String" Mandatory="True" Description=""/></Parameters>
    </Command>
  </Category>
  <Category Name="Hidden Commands"><Command Name="secret" DisplayName="Secret"/></Category></Layout>
</Driver>
"""

DEFINITION = """
tosca_definitions_version: tosca_simple_yaml_1_0
metadata: {template_name: Box, template_author: us, template_version: 1.0.0, template_icon: icon.png}
imports: [{cloudshell_standard: cloudshell_resource_standard_2_0_3.yaml}]
node_types:
  vendor.Box:
    derived_from: cloudshell.nodes.GenericResource
    properties:
      Colour: {type: string, default: red, constraints: [{valid_values: [red, blue]}]}
      Pin: {type: cloudshell.datatypes.Password}
    artifacts: {driver: {file: BoxDriver.zip, type: tosca.artifacts.File}}
"""


class Cli:
    """The command line, in processes of its own."""

    def __init__(self, home: Path) -> None:
        self.environ = clean_environ(home) | {
            "NO_COLOR": "1",
            "SHELLDOCK_LIMITS__CANCEL_GRACE": "0.5",
        }

    def start(self, *arguments: object, **options: Any) -> subprocess.Popen[str]:
        """Start a command line whose output is read later."""
        return subprocess.Popen(
            [sys.executable, "-m", "shelldock", *map(str, arguments)],
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def run(self, *arguments: object, given: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command line to its end."""
        return subprocess.run(
            [sys.executable, "-m", "shelldock", *map(str, arguments)],
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=120,
            input=given,
            check=False,
        )

    def __call__(self, *arguments: object, given: str | None = None) -> str:
        """Run a command line that must succeed; what it printed on standard output."""
        done = self.run(*arguments, given=given)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def json(self, *arguments: object) -> Any:
        """Run a command line that must succeed; what it printed, as JSON."""
        return json.loads(self(*arguments, "--json"))


def written(folder: Path) -> Path:
    """A shell project without requirements: its environment is there in a moment."""
    (folder / "src").mkdir(parents=True)
    (folder / "shell-definition.yaml").write_text(DEFINITION)
    (folder / "src" / "driver.py").write_text(DRIVER)
    (folder / "src" / "drivermetadata.xml").write_text(METADATA)
    return folder


def filled(cli: Cli, box: Path) -> Cli:
    """With the shell installed and a resource ``box 1`` of it."""
    cli("shell", "add", box)
    cli("resource", "add", "box 1", "--shell", "Box", "--address", "10.0.0.1", "-a", PIN)
    return cli


PIN = "Pin=0000-secret"


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """A shell of this test's own."""
    return written(tmp_path / "box")


@pytest.fixture
def new(tmp_path: Path) -> Cli:
    """Nothing is installed, built or kept yet."""
    return Cli(tmp_path / "home")


@pytest.fixture
def kept(new: Cli, box: Path) -> Cli:
    """With the shell installed and a resource, to be changed."""
    return filled(new, box)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Cli, Path]:
    """One home for all tests that change nothing in it, and its shell."""
    folder = tmp_path_factory.mktemp("shared")
    return filled(Cli(folder / "home"), written(folder / "box")), folder / "box"


@pytest.fixture
def cli(shared: tuple[Cli, Path]) -> Cli:
    """The command line in the shared home."""
    return Cli(Path(shared[0].environ["SHELLDOCK_HOME"]))


@pytest.fixture
def same(shared: tuple[Cli, Path]) -> Path:
    """The shell of the shared home."""
    return shared[1]


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "waited too long"
        time.sleep(0.02)


# ---- running once -------------------------------------------------------------------------------


def test_a_result_is_all_that_standard_output_has(new: Cli, box: Path) -> None:
    done = new.run("run", box, "hello", "name=World")
    assert (done.returncode, done.stdout) == (0, "Hello, World!\n")
    assert "building environment BoxDriver_1_0_0-" in done.stderr
    again = new.run("run", box, "hello", "name=World", "greeting=Bye=bye")
    assert (again.stdout, again.stderr) == ("Bye=bye, World!\n", "")


def test_a_bare_driver_folder_runs_as_well(cli: Cli, same: Path) -> None:
    assert cli("run", same / "src", "hello", "name=World") == "Hello, World!\n"


def test_a_command_without_a_result_prints_nothing_r1(cli: Cli, same: Path) -> None:
    assert cli("run", same, "nothing") == ""


def test_a_single_run_keeps_no_resource_and_no_shell(new: Cli, box: Path) -> None:
    new("run", box, "nothing")
    assert new.json("resource", "list") == []
    assert new.json("shell", "list")["shells"] == []


def test_name_address_and_attributes_are_what_the_driver_sees(cli: Cli, same: Path) -> None:
    given = [
        "--name",
        "rack [2]",
        "--address",
        "10.0.0.7",
        "-a",
        "Colour=blue",
        "--attribute",
        "Pin=1234",
    ]
    facts = json.loads(cli("run", same, "facts", *given))
    assert (facts["name"], facts["address"]) == ("rack [2]", "10.0.0.7")
    assert facts["attributes"]["Box.Colour"] == "blue"
    assert facts["attributes"]["Box.Pin"] not in ("", "1234")


def test_a_value_can_come_from_a_file_or_standard_input(
    cli: Cli, same: Path, tmp_path: Path
) -> None:
    (tmp_path / "name.txt").write_text("Ann\nBob")
    assert cli("run", same, "hello", f"name=@{tmp_path / 'name.txt'}") == "Hello, Ann\nBob!\n"
    assert cli("run", same, "hello", "name=@-", given="Zoë") == "Hello, Zoë!\n"
    assert cli("run", same, "hello", "name=@@home") == "Hello, @home!\n"


def test_values_may_come_without_names_in_the_order_of_the_parameters_c3(
    cli: Cli, same: Path
) -> None:
    assert cli("run", same, "hello", "--value", "World") == "Hello, World!\n"
    assert cli("execute", "box 1", "hello", "--value", "World", "--value", "@-", given="Bye") == (
        "Bye, World!\n"
    )


def test_json_has_the_whole_execution_and_nothing_else(cli: Cli, same: Path) -> None:
    execution = cli.json("run", same, "hello", "name=World")
    assert (execution["state"], execution["result"]) == ("completed", "Hello, World!")
    assert execution["inputs"] == {"name": "World"}


def test_what_a_driver_says_is_told_while_it_works(cli: Cli, same: Path, tmp_path: Path) -> None:
    with cli.start("run", same, "tell", f"gate={tmp_path / 'gate'}") as process:
        assert read_until(process.stderr, "half [way]")
        assert process.poll() is None
        (tmp_path / "gate").touch()
        assert process.communicate(timeout=60)[0] == "done\n"
    assert process.returncode == 0


def read_until(stream: IO[str] | None, text: str) -> str:
    assert stream is not None
    for line in stream:
        if text in line:
            return line
    return ""


# ---- what goes wrong ----------------------------------------------------------------------------

FAILURES: dict[str, tuple[list[str], int, str, str]] = {
    "the driver raises": (
        ["run", "BOX", "fail"],
        1,
        "driver",
        "'fail' failed with ValueError: no route to host",
    ),
    "the process ends": (["run", "BOX", "die"], 1, "lost", "die"),
    "a limit": (
        ["run", "BOX", "hang", "started=STARTED", "--timeout", "0.3"],
        1,
        "limit",
        "limit 'command' of 0.3 s",
    ),
    "unknown input": (["run", "BOX", "hello", "nam=x"], 2, "input", "did you mean 'name'?"),
    "too many values": (
        ["run", "BOX", "hello", "--value", "a", "--value", "b", "--value", "c"],
        2,
        "input",
        "got 3 values; it takes 2: name, greeting",
    ),
    "names and none": (["run", "BOX", "hello", "a=b", "--value", "c"], 2, "input", "not both"),
    "missing input": (["run", "BOX", "hello"], 2, "input", "name"),
    "no equals sign": (
        ["run", "BOX", "hello", "World"],
        2,
        "input",
        "expected NAME=VALUE, got 'World'",
    ),
    "an input twice": (
        ["run", "BOX", "hello", "name=a", "name=b"],
        2,
        "input",
        "'name' is given twice",
    ),
    "an unreadable file": (["run", "BOX", "hello", "name=@/no/file"], 2, "input", "'/no/file'"),
    "unknown attribute": (
        ["run", "BOX", "nothing", "-a", "Color=x"],
        2,
        "input",
        "did you mean 'Box.Colour'?",
    ),
    "bad value": (["run", "BOX", "nothing", "-a", "Colour=green"], 2, "input", "'red', 'blue'"),
    "unknown option": (["run", "BOX", "nothing", "--attr", "x"], 2, "usage", "--attr"),
    "missing argument": (["run", "BOX"], 2, "usage", "see 'shelldock run --help'"),
    "unknown subcommand": (["rnu"], 2, "usage", "did you mean 'run'?"),
    "unknown command": (["run", "BOX", "helo"], 3, "not-found", "did you mean 'hello'?"),
    "no such path": (["run", "BOX/nowhere", "hello"], 3, "not-found", "nowhere"),
    "no such shell": (["run", "Bax", "hello"], 3, "not-found", "no shell 'Bax'"),
    "no shell there": (["run", "BOX/..", "hello"], 3, "shell", "cannot read shell"),
    "no such resource": (["execute", "box 9", "hello"], 3, "not-found", "no resource 'box 9'"),
    "no such log": (["logs", "box 9"], 3, "not-found", "no log of 'box 9'"),
    "no interpreter": (["run", "BOX", "nothing", "--python", "3.99"], 4, "python", "3.99"),
    "nothing to set": (["resource", "set", "x"], 2, "input", "--address"),
    "no settings file": (["--settings", "/no/file", "plugins"], 2, "settings", "'/no/file'"),
}


@pytest.fixture
def here(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The command line in this process: its start is most of what the many failures would take."""
    for name, value in cli.environ.items():
        monkeypatch.setenv(name, value)
    loggers = [logging.getLogger(), logging.getLogger("asyncio")]
    before = [(one, one.handlers[:], one.level) for one in loggers]
    yield
    for one, handlers, level in before:
        one.handlers[:] = handlers
        one.setLevel(level)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(("arguments", "code", "name", "said"), FAILURES.values(), ids=FAILURES)
def test_a_failure_is_one_line_and_an_exit_code(
    same: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    name: str,
    said: str,
) -> None:
    names = {"BOX": str(same), "STARTED": str(tmp_path / "s")}
    given = [re.sub("BOX|STARTED", lambda found: names[found[0]], one) for one in arguments]
    assert main(given) == code
    out, err = capsys.readouterr()
    *progress, line = err.splitlines()
    assert line.startswith("shelldock: ")
    assert said in line
    assert all(one.startswith(("building environment", "environment ")) for one in progress), err
    assert out == ""
    assert main([*given, "--json"]) == code
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == name
    assert said in " ".join(error["message"].split())


def test_a_failed_process_has_the_exit_code(cli: Cli, same: Path) -> None:
    done = cli.run("run", same, "fail")
    assert (done.returncode, done.stdout) == (1, "")
    line, more = done.stderr.splitlines()[-1].split("; more in: shelldock ")
    assert line == "shelldock: 'fail' failed with ValueError: no route to host"
    trace = cli.run(*more.split()).stdout.splitlines()  # R4
    assert any(line.endswith(" ERROR Traceback (most recent call last):") for line in trace)
    assert [line.partition(" ERROR ")[2] for line in trace[-2:]] == [
        "ValueError: no route",
        "to host",
    ]
    assert cli.run("run", same, "helo").returncode == 3


def test_a_trace_is_shown_only_when_asked_for_r4(cli: Cli, same: Path) -> None:
    assert "Traceback" not in cli.run("run", same, "fail").stderr
    told = cli.run("--verbose", "run", same, "fail").stderr
    assert "Traceback" in told
    assert 'raise ValueError("no route' in told
    assert (
        json.loads(cli.run("run", same, "fail", "--json").stdout)["error"]["type"] == "ValueError"
    )


def test_a_driver_that_cannot_be_imported_is_named_with_its_line(cli: Cli, box: Path) -> None:
    (box / "src" / "driver.py").write_text("import nowhere_to_be_found\n")
    done = cli.run("run", box, "hello", "name=x")
    assert done.returncode == 4
    assert "nowhere_to_be_found" in done.stderr.splitlines()[-1]


def test_a_requirement_that_cannot_be_had_is_told_in_the_installers_words(
    cli: Cli, box: Path, tmp_path: Path
) -> None:
    (tmp_path / "wheels").mkdir()
    (box / "src" / "requirements.txt").write_text(
        f"--no-index\n--find-links {tmp_path / 'wheels'}\nnot-there==1\n"
    )
    done = cli.run("run", box, "hello", "name=x", "--json")
    assert done.returncode == 4
    assert json.loads(done.stdout)["error"]["code"] == "environment"
    assert "not-there" in done.stdout


def test_every_error_has_an_exit_code_and_the_page_says_so() -> None:
    page = (DOCS / "exit-codes.md").read_text()
    codes = {
        one.code
        for one in vars(errors).values()
        if isinstance(one, type) and issubclass(one, errors.ShelldockError)
    }
    assert codes | {"usage"} == EXIT_CODES.keys()
    for code, number in EXIT_CODES.items():
        assert re.search(rf"^\| {number} \|.*`{code}`", page, re.MULTILINE), f"{code} → {number}"


# ---- interrupts ---------------------------------------------------------------------------------


def test_an_interrupt_cancels_the_command(cli: Cli, same: Path, tmp_path: Path) -> None:
    with cli.start("run", same, "wait", f"started={tmp_path / 's'}", "--json") as process:
        until((tmp_path / "s").exists)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "cancelling" in err
    assert json.loads(out)["error"]["code"] == "cancelled"
    assert json.loads(out)["execution"]["result"] == "stopped in good order"


def test_a_second_interrupt_terminates_the_driver(cli: Cli, same: Path, tmp_path: Path) -> None:
    started = tmp_path / "s"
    cli.environ["SHELLDOCK_LIMITS__CANCEL_GRACE"] = "60"
    with cli.start("run", same, "hang", f"started={started}") as process:
        until(lambda: started.exists() and started.read_text())
        pid = int(started.read_text())
        process.send_signal(signal.SIGINT)
        assert read_until(process.stderr, "cancelling")
        assert psutil.pid_exists(pid)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60)[0] == ""
    assert process.returncode == 1
    until(lambda: not psutil.pid_exists(pid))


# ---- what is kept -------------------------------------------------------------------------------


def test_a_resource_is_executed_on_its_own_data(cli: Cli) -> None:
    facts = json.loads(cli("execute", "box 1", "facts"))
    assert (facts["name"], facts["address"]) == ("box 1", "10.0.0.1")
    assert cli.json("execute", "box 1", "hello", "name=you")["result"] == "Hello, you!"


def test_passwords_are_not_shown_and_not_printed_in_clear(kept: Cli, tmp_path: Path) -> None:
    shown = kept("resource", "show", "box 1")
    assert re.search(r"^Box\.Pin +\*+ *$", shown, re.MULTILINE)
    assert re.search(r"^Box\.Colour +red *$", shown, re.MULTILINE)
    everything = (
        shown + kept("resource", "show", "box 1", "--json") + kept("execute", "box 1", "facts")
    )
    everything += kept("--verbose", "resource", "set", "box 1", "-a", "Pin=1111-secret", "--json")
    assert "-secret" not in everything
    files = [
        file for file in (tmp_path / "home").rglob("*") if file.is_file() and file.suffix != ".py"
    ]
    assert not [file for file in files if b"-secret" in file.read_bytes()]


def test_a_resource_is_listed_changed_and_removed(kept: Cli) -> None:
    assert kept("resource", "list").splitlines()[1].split() == ["box", "1", "Box", "10.0.0.1"]
    kept("resource", "set", "box 1", "--address", "10.0.0.2", "-a", "Colour=blue", "--exclude")
    changed = kept.json("resource", "list")[0]
    assert (changed["address"], changed["excluded"]) == ("10.0.0.2", True)
    assert changed["attributes"]["Box.Colour"] == "blue"
    assert [one["name"] for one in kept.json("resource", "remove", "box 1")] == ["box 1"]
    assert kept.json("resource", "list") == []


def test_a_shell_in_use_is_removed_by_force_only(kept: Cli, box: Path) -> None:
    refused = kept.run("shell", "remove", "Box")
    assert (refused.returncode, "'box 1'" in refused.stderr) == (2, True)
    kept("shell", "remove", "Box", "--force")
    assert kept.json("shell", "list")["shells"] == []
    assert kept("resource", "show", "box 1").startswith("Name")


def test_a_shell_is_shown_with_its_commands_and_attributes(cli: Cli, same: Path) -> None:
    for shell in ("Box", same):
        shown = cli("shell", "show", shell)
        assert re.search(r"^hello +name \[greeting\]\n +Greet somebody\.", shown, re.MULTILINE)
        assert re.search(
            r"^Box\.Colour +string, one of red, blue, default 'red'", shown, re.MULTILINE
        )
        assert cli.json("shell", "show", shell)["model"] == "Box"


def test_hidden_commands_can_be_called_and_are_listed_on_request_only_d3(
    cli: Cli, same: Path
) -> None:
    shown = cli.run("shell", "show", same)
    assert not re.search(r"^secret ", shown.stdout, re.MULTILINE)
    assert shown.stderr == "2 hidden commands; --all shows them\n"
    assert re.search(
        r"^secret +in 'Hidden Commands'; hidden",
        cli("shell", "show", "--all", same),
        re.MULTILINE,
    )
    assert cli("run", same, "secret") == "told\n"


def test_category_visibility_tags_and_lookups_are_shown_d4_d5_d6_d7(cli: Cli, same: Path) -> None:
    assert re.search(
        r"^dial +\[speed\]\n +Dial in: Call it\.\n +speed: one of slow, fast, default 'slow'\n"
        r" +in 'All'; for administrators; tags power, allow_shared$",
        cli("shell", "show", same),
        re.MULTILINE,
    )


def test_a_power_command_gets_the_remote_context_and_the_default_of_the_metadata_d5_d7(
    cli: Cli, same: Path
) -> None:
    assert cli("run", same, "dial") == "ResourceRemoteCommandContext slow\n"


def test_a_command_without_inputs_is_listed_too_c1(cli: Cli, same: Path) -> None:
    assert re.search(r"^nothing$", cli("shell", "show", same), re.MULTILINE)


def test_a_shell_is_shown_with_the_python_it_gets_and_why_d9(cli: Cli, same: Path) -> None:
    shown = cli("shell", "show", same)
    assert re.search(
        r"^Python +3\.\d+\.\d+ at /.*: the metadata of shell 'Box' ask for Python 3.*\(another with --python\)",
        shown,
        re.MULTILINE,
    )
    assert "it was asked for" in cli("shell", "show", same, "--python", sys.executable)
    found = cli.json("shell", "show", same)["interpreter"]
    assert Path(found["path"]).exists()
    assert found["version"].startswith("3.")
    setting = {"SHELLDOCK_PLUGINS__ENVIRONMENT__PYTHON": found["version"]}
    cli.environ |= setting
    assert "plugins.environment.python asks for" in cli("shell", "show", same)


def test_a_shell_for_python_2_is_shown_with_what_to_do_d9_v8(new: Cli, box: Path) -> None:
    metadata = box / "src" / "drivermetadata.xml"
    metadata.write_text(metadata.read_text().replace(' PythonVersion="3"', ""))
    shown = new("shell", "show", box)
    assert re.search(r"^Python +none: .*does not run here.*--python 3\.", shown, re.MULTILINE)
    assert new.json("shell", "show", box)["interpreter"]["error"]["code"] == "python"
    refused = new.run("run", box, "hello", "name=you")
    assert (refused.returncode, "--python 3." in refused.stderr) == (4, True)
    asked = new("shell", "show", box, "--python", "3")
    assert re.search(r"^Python +3\..*it was asked for", asked, re.MULTILINE)


def test_a_variable_is_given_to_the_driver_v9(cli: Cli, same: Path) -> None:
    assert cli("run", same, "level", "--env", "LOG_LEVEL=DEBUG") == "DEBUG\n"
    assert cli("execute", "box 1", "level", "--env", "LOG_LEVEL=ERROR") == "ERROR\n"
    refused = cli.run("run", same, "level", "--env", "LOG_PATH=/tmp")
    assert (refused.returncode, "'LOG_PATH' is not for you to set" in refused.stderr) == (2, True)


def test_discovery_prints_a_tree_and_keeps_it_n2_n3(kept: Cli, tmp_path: Path) -> None:
    done = kept.run("discover", "box 1")
    assert done.stdout.splitlines() == [
        "box 1  10.0.0.1  Box",
        "└── Chassis 1  CH1  Box.GenericChassis",
        "    └── GE1  CH1/P1  Box.GenericPort",
    ]
    assert done.stderr.splitlines()[-1] == "2 sub-resources"
    shown = kept("resource", "show", "box 1")
    assert "GE1  CH1/P1" in shown
    assert re.search(r"^CS_GenericResource\.Vendor +ACME", shown, re.MULTILINE)
    kept("resource", "set", "box 1", "--address", tmp_path)
    told = kept.json("discover", "box 1")
    found = {one["name"]: one["excluded"] for one in told["resources"]}
    assert found == {"box 1": False, "box 1/Chassis 1": False, "box 1/Chassis 1/GE1": True}
    assert told["excluded"] == ["box 1/Chassis 1/GE1"]
    assert "GE1  CH1/P1  Box.GenericPort  excluded" in kept("resource", "show", "box 1")
    again = kept.run("discover", "box 1")
    assert again.stderr.splitlines()[-1] == "1 sub-resources, 1 excluded; nothing changed"
    kept("resource", "set", "box 1", "--address", "10.0.0.1")
    back = kept.run("discover", "box 1/Chassis 1")
    assert "GE1  CH1/P1  Box.GenericPort  changed" in back.stdout
    assert back.stderr.splitlines()[-1] == "2 sub-resources; 1 changed"
    facts = json.loads(kept("execute", "box 1/Chassis 1/GE1", "facts"))
    assert facts["name"] == "box 1"


def test_a_failed_discovery_is_told_shown_and_refuses_commands_until_it_is_included_n1(
    kept: Cli,
) -> None:
    kept("resource", "set", "box 1", "--address", "raise")
    failed = kept.run("discover", "box 1", "--json")
    said = json.loads(failed.stdout)["error"]
    assert (failed.returncode, said["code"], said["cause"]) == (1, "discovery", "driver")
    assert (said["type"], said["text"]) == ("OSError", "no route\nto host")
    message = (
        "Discovery failed for resource 'box 1': 'get_inventory' command failed with 'OSError' error. "
        "Description: no route to host. The resource is now excluded"
    )
    assert said["message"].startswith(message)
    assert f"excluded, Error: {message}" in kept("resource", "list")
    assert re.search(
        rf"^Status +excluded, Error: {message}", kept("resource", "show", "box 1"), re.M
    )
    refused = kept.run("execute", "box 1", "nothing")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "shelldock resource set 'box 1' --include" in refused.stderr
    kept("resource", "set", "box 1", "--include")
    kept("execute", "box 1", "nothing")
    assert "Discovery failed" not in kept("resource", "show", "box 1")


def test_an_excluded_sub_resource_refuses_commands_that_would_go_to_its_root_n1(kept: Cli) -> None:
    kept("discover", "box 1")
    kept("resource", "set", "box 1/Chassis 1", "--exclude")
    refused = kept.run("execute", "box 1/Chassis 1/GE1", "facts")
    assert (refused.returncode, "'box 1/Chassis 1' is excluded" in refused.stderr) == (2, True)
    kept("execute", "box 1", "facts")


@pytest.fixture
def asking(kept: Cli, box: Path) -> Cli:
    """A user with a shell whose discovery asks."""
    definition = box / "shell-definition.yaml"
    capability = """capabilities:
      found:
        type: cloudshell.capabilities.AutoDiscovery
        properties:
          Colour: {type: string}
          Pin: {type: cloudshell.datatypes.Password}
          Sessions Concurrency Limit: {type: integer}
          User: {type: string}
    artifacts:"""
    definition.write_text(definition.read_text().replace("artifacts:", capability, 1))
    kept("shell", "add", box, "--force")
    return kept


def test_what_discovery_asks_for_is_shown_and_noted_where_it_is_missing_n1(asking: Cli) -> None:
    shown = asking("shell", "show", "Box")
    assert re.search(r"^Asks for +Colour, Pin, Sessions Concurrency Limit, User$", shown, re.M)
    added = asking.run("resource", "add", "b2", "--shell", "Box", "-a", "Box.User=me")
    assert added.stderr.splitlines() == [
        "resource 'b2' added",
        "left empty, though discovery asks for it: Pin",
    ]
    silent = asking.run("resource", "add", "b3", "--shell", "Box", "-a", "User=me", "-a", "pin=1")
    assert silent.stderr == "resource 'b3' added\n"


def test_what_discovery_asks_for_is_asked_on_a_terminal_and_passwords_are_not_seen_n1(
    asking: Cli,
) -> None:
    main, other = pty.openpty()
    command = [sys.executable, "-m", "shelldock", "resource", "add", "b2", "--shell", "Box"]
    with subprocess.Popen(
        command, env=asking.environ, stdin=other, stdout=other, stderr=other, start_new_session=True
    ) as process:
        os.close(other)
        seen = ""
        for label, answer in (("Address", "10.9.9.9"), ("Pin", "1234-secret"), ("User", "")):
            seen += typed(main, label, answer)
        seen += until_closed(main)
    assert process.returncode == 0
    assert "-secret" not in seen
    assert "resource 'b2' added" in seen
    (made,) = (one for one in asking.json("resource", "list") if one["name"] == "b2")
    assert (made["address"], made["attributes"]["Box.User"]) == ("10.9.9.9", "")
    assert made["attributes"]["Box.Pin"]


def typed(terminal: int, label: str, answer: str) -> str:
    """Answer the question with this label; what was to be seen until it was asked."""
    seen = ""
    while not re.search(rf"{label}[^\n]*: $", seen):
        seen += os.read(terminal, 1000).decode()
    os.write(terminal, f"{answer}\n".encode())
    return seen


def until_closed(terminal: int) -> str:
    """What is still to be seen on a terminal until nobody writes to it any more."""
    seen = b""
    with suppress(OSError):  # how Linux tells that
        while more := os.read(terminal, 1000):
            seen += more
    os.close(terminal)
    return seen.decode()


def test_what_a_driver_prints_is_in_its_log_l1(cli: Cli) -> None:
    cli("execute", "box 1", "nothing")
    assert "initialized for box 1" in cli("logs", "box 1")
    path = Path(cli("logs", "box 1", "--path").strip())
    assert path.is_relative_to(cli.environ["SHELLDOCK_HOME"])
    assert "initialized for box 1" in path.read_text()
    assert path.name in cli("logs")
    assert any("initialized" in line["text"] for line in cli.json("logs", "box 1")["lines"])


def test_what_an_execution_wrote_is_shown_by_its_id_r4(cli: Cli) -> None:
    ids = [cli.json("execute", "box 1", "nothing")["id"] for _ in range(2)]
    for one in ids:
        shown = cli("logs", "--execution", one).splitlines()
        assert shown
        assert all(line.split(" ")[1] == one for line in shown)
        found = cli.json("logs", "--execution", one)
        assert [line["text"] for line in found["lines"]][-1] == shown[-1].split(" ", 3)[3]
        assert len(found["logs"]) == 1
    done = cli.run("logs", "--execution", "nobody")
    assert done.returncode == 3
    assert "no line of execution 'nobody'" in done.stderr


def test_logs_can_be_asked_for_since_a_time_l1(cli: Cli) -> None:
    cli("execute", "box 1", "nothing")
    assert cli("logs", "box 1", "--since", "1h")
    assert cli("logs", "box 1", "--since", "2100-01-01") == ""
    assert json.loads(cli("logs", "--since", "2100-01-01 10:00", "--json")) == []
    done = cli.run("logs", "box 1", "--since", "soon")
    assert done.returncode == 2
    assert "no time is 'soon'; give one like '10m'" in done.stderr


def test_a_log_can_be_followed_as_json_of_one_execution_l1(cli: Cli) -> None:
    execution = cli.json("execute", "box 1", "nothing")["id"]
    path = Path(cli("logs", "--execution", execution, "--path").strip())
    with cli.start("logs", "--execution", execution, "--follow", "--json") as process:
        try:
            assert read_until(process.stdout, "initialized")
            with path.open("a") as file:
                stamp = "2100-01-01T00:00:00.000+0000"
                file.write(f"{stamp} other out not this\n{stamp} {execution} INFO this\n")
            line = json.loads(read_until(process.stdout, "this").splitlines()[-1])
            assert (line["execution"], line["level"], line["text"]) == (execution, "INFO", "this")
        finally:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def test_a_log_can_be_followed(cli: Cli) -> None:
    cli("execute", "box 1", "nothing")
    path = Path(cli("logs", "box 1", "--path").strip())
    with cli.start("logs", "box 1", "--follow", "--lines", "1") as process:
        try:
            assert read_until(process.stderr, str(path))
            with path.open("a") as file:
                file.write("a line of later\n")
            assert read_until(process.stdout, "a line of later")
        finally:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode == 130


def test_environments_are_built_listed_and_pruned(new: Cli, box: Path) -> None:
    built = new.json("env", "build", box)
    assert Path(built["python"]).exists()
    assert new("env", "build", box).strip() == built["path"]
    (listed,) = new.json("env", "list")
    assert listed["name"] == built["name"]
    assert built["name"] in new("env", "list")
    assert new.json("env", "prune") == []
    assert [one["name"] for one in new.json("env", "prune", "--days", "0")] == [built["name"]]
    assert not Path(built["path"]).exists()


# ---- plugins ------------------------------------------------------------------------------------

PLUGIN = """
from shelldock.hookspecs import hookimpl


@hookimpl
def shelldock_commands(app):
    @app.command()
    def moon(far: bool = False):
        "Say where the moon is."
        print("far" if far else "near")
"""


def distribution(folder: Path, name: str, code: str) -> None:
    """An installed distribution with one plugin."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[shelldock.plugins]\n{name} = {name}_plugin\n")
    (folder / f"{name}_plugin.py").write_text(code)


@pytest.fixture
def plugged(cli: Cli, tmp_path: Path) -> Cli:
    distribution(tmp_path / "site", "moon", PLUGIN)
    distribution(tmp_path / "site", "wreck", "import nothing_like_that")
    cli.environ["PYTHONPATH"] = str(tmp_path / "site")
    return cli


def test_plugins_are_listed_and_broken_ones_say_why(plugged: Cli) -> None:
    done = plugged.run("plugins")
    assert done.returncode == 0
    assert re.search(r"^moon .*commands", done.stdout, re.MULTILINE)
    assert re.search(r"^wreck .*not used: .*nothing_like_that", done.stdout, re.MULTILINE)
    assert re.search(r"^idle .*idle_limit\n.*limit = 600", done.stdout, re.MULTILINE)
    listed = {one["name"]: one for one in plugged.json("plugins")}
    assert listed["moon"]["hooks"] == ["shelldock_commands"]
    assert "nothing_like_that" in listed["wreck"]["reason"]


def test_a_plugin_adds_commands(plugged: Cli) -> None:
    assert plugged("moon", "--far") == "far\n"
    assert "Say where the moon is." in plugged("--help")
    assert (
        plugged.run("mon")
        .stderr.splitlines()[-1]
        .startswith("shelldock: no command 'mon'; did you mean 'moon'")
    )


# ---- the command line itself --------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], []], ids=" ".join)
def test_neither_the_database_nor_the_cipher_is_imported_for(
    cli: Cli, arguments: list[str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "shelldock", *arguments],
        env=cli.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "shelldock.cli" in done.stderr
    assert not re.search("sqlalchemy|cryptography", done.stderr)
    assert "shelldock" in done.stdout


def test_help_works_whatever_the_settings_say(new: Cli, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "settings.toml").write_text("[limits]\ncleenup = 3\n")
    assert "discover" in new("--help")
    done = new.run("shell", "list")
    assert (done.returncode, "'limits.cleenup'" in done.stderr or "cleenup" in done.stderr) == (
        2,
        True,
    )


def test_settings_come_from_the_file_that_is_named(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("[plugins.idle]\nlimit = 77\n")
    listed = {one["name"]: one for one in cli.json("--settings", tmp_path / "mine.toml", "plugins")}
    assert listed["idle"]["settings"]["limit"] == 77


def test_whoever_stops_reading_ends_it_quietly(cli: Cli, same: Path) -> None:
    with cli.start("shell", "show", same, "--json") as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0


def commands() -> dict[str, typer.main.TyperGroup]:  # type: ignore[name-defined]
    found = {}
    for name, (module, _) in COMMANDS.items():
        app = import_module(f"shelldock.cli.{module}").app
        command = typer.main.get_command(app)
        for below, one in getattr(command, "commands", {}).items():
            found[f"{name} {below}"] = one
        if not hasattr(command, "commands"):
            found[name] = command
    return found


def test_the_list_of_commands_says_what_each_says_itself() -> None:
    for name, (module, sentence) in COMMANDS.items():
        help_text = typer.main.get_command(import_module(f"shelldock.cli.{module}").app).help or ""
        assert help_text.partition("\n")[0] == sentence, name


def test_every_command_and_option_is_on_its_page() -> None:
    page = (DOCS / "cli.md").read_text()
    for name, command in commands().items():
        section = re.search(
            rf"^#+ `shelldock {name}`$(.*?)(?=^#+ |\Z)", page, re.MULTILINE | re.DOTALL
        )
        assert section, f"shelldock {name} has no section"
        for option in (
            option for one in command.params for option in one.opts if option.startswith("--")
        ):
            general = option == "--json" and "--json" in page
            assert general or f"`{option}" in section[1], f"{option} of shelldock {name}"


def test_tables_fit_a_narrow_terminal(kept: Cli) -> None:
    kept.environ["COLUMNS"] = "80"
    kept("resource", "add", "b" * 100, "--shell", "Box")
    for arguments in (
        ["resource", "list"],
        ["shell", "list"],
        ["plugins"],
        ["shell", "show", "Box"],
    ):
        assert max(map(len, kept(*arguments).splitlines())) <= 80


@pytest.mark.skipif(os.name != "posix", reason="a pseudo-terminal is needed")
def test_on_a_terminal_progress_leaves_no_trace(new: Cli, box: Path) -> None:
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "shelldock", "run", str(box), "hello", "name=World"],
        env=new.environ | {"TERM": "xterm"},
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    )
    os.close(theirs)
    shown = b""
    with process:
        try:
            while part := os.read(ours, 4096):
                shown += part
        except OSError:  # the terminal's other end is closed
            pass
        assert process.stdout
        assert process.stdout.read() == "Hello, World!\n"
    os.close(ours)
    assert b"is ready after" in shown
    assert shown.count(b"\x1b[?25h") == shown.count(b"\x1b[?25l"), "the cursor is shown again"


ENDING = """
import atexit, sys, threading, time
import shelldock.__main__ as program

def work():
    time.sleep(0.2)
    print("a thread has ended")

def main():
    atexit.register(print, "what was registered is called")
    threading.Thread(target=work).start()
    print("the command has ended")
    return 3

program.main = main
sys.exit(program.run())
"""


def test_what_waits_for_the_end_of_the_process_has_its_turn() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ENDING], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (3, "")
    assert done.stdout.splitlines() == [
        "the command has ended",
        "a thread has ended",
        "what was registered is called",
    ]
