"""Makes a shell of a single Python file: its class ``Driver``, and what a comment at its top says of it."""

import ast
from hashlib import sha256
from pathlib import Path

import msgspec

from shelldock import hookimpl
from shelldock.errors import ShellError
from shelldock.model import Attribute, AttributeType, Command, Driver, Parameter, Shell, Value


class Said(Value, frozen=True, kw_only=True):
    """What the comment may say, as TOML between ``# /// script`` and ``# ///``."""

    dependencies: tuple[str, ...] = ()
    attributes: dict[str, AttributeType] = msgspec.field(default_factory=dict)


@hookimpl
def shelldock_read_shell(path: Path) -> Shell | None:
    """Answer for files that have a class called ``Driver``; they are for Python 3."""
    if path.suffix != ".py":
        return None
    try:
        content = path.read_bytes()
        found = [one for one in ast.parse(content).body if isinstance(one, ast.ClassDef)]
        said = msgspec.toml.decode(comment(content.decode()), type=Said)
    except (SyntaxError, ValueError) as error:  # that of TOML is a ValueError
        raise ShellError(path, str(error)) from error
    driver = next((one for one in found if one.name == "Driver"), None)
    if driver is None or not path.stem.isidentifier():
        raise ShellError(path, "expected a class called Driver, in a file that can be imported")
    return Shell(
        name=path.stem,
        model=path.stem,
        family="CS_GenericResource",
        attributes=tuple(
            Attribute(name=f"{path.stem}.{name}", type=kind)
            for name, kind in said.attributes.items()
        ),
        driver=Driver(
            name=path.stem,
            main_class=f"{path.stem}.Driver",
            source=path.parent,
            digest=sha256(content).hexdigest(),
            python="3",
            requirements=said.dependencies,
            commands=tuple(command(one) for one in driver.body if is_public(one)),
            complete=not driver.bases,  # what it inherits is not looked at
        ),
        path=path,
    )


def comment(text: str) -> str:
    """The TOML of the comment; empty where there is none."""
    block = text.partition("# /// script\n")[2].partition("# ///\n")[0]
    return "\n".join(line.removeprefix("#").removeprefix(" ") for line in block.splitlines())


def is_public(node: ast.stmt) -> bool:
    """Whether a part of the class is a command."""
    of_the_host = ("initialize", "cleanup")
    return (
        isinstance(node, ast.FunctionDef)
        and not node.name.startswith("_")
        and node.name not in of_the_host
    )


def command(method: ast.FunctionDef) -> Command:
    """What the class says of one of its methods."""
    names = [one.arg for one in method.args.args[2:]]  # after self and context
    optional = len(method.args.defaults)
    mandatory = names[: len(names) - optional]
    return Command(
        name=method.name,
        description=ast.get_docstring(method) or "",
        parameters=tuple(Parameter(name=one, mandatory=one in mandatory) for one in names),
    )
