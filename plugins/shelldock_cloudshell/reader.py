"""Reading shells: packages, project folders and driver folders of both generations."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from shelldock.errors import ShellError
from shelldock.model import Driver, Shell
from shelldock_cloudshell import archives, datamodel, definition, drivers, metadata, standards
from shelldock_cloudshell.documents import parse_yaml, read_text

_META: Final = "TOSCA-Metadata/TOSCA.meta"
_PYTHON_DRIVERS: Final = "Resource Drivers - Python"
_EXPECTED: Final = (
    "shell-definition.yaml, TOSCA-Metadata/TOSCA.meta, a data model or a driver's sources"
)


class Reader:
    """Reads shells; what is unpacked and parsed is kept in ``cache``, named after its content."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache

    def read(self, path: Path) -> Shell | None:
        """The shell at ``path``; None where it is neither an archive nor a folder that holds a shell.

        Raises ``ShellError`` where it is a shell, but broken, and for layer-1 drivers (P5).
        """
        path = path.absolute()
        if path.is_dir():
            return self._folder(path, path)
        if not archives.is_archive(path):
            return None
        shell = self._folder(path, _inner(archives.unpack(path, self._cache)))
        if shell is None:
            raise ShellError(path, f"no shell is in it; expected {_EXPECTED}")
        return shell

    def _folder(self, path: Path, folder: Path) -> Shell | None:
        """The shell in ``folder``, which is ``path`` or was unpacked from it."""
        _refuse_layer_1(path, folder)
        written = _definition(folder)
        if written is not None:
            return self._second(path, folder, written)
        model = _model_file(folder)
        if model is not None:
            return self._first(path, folder, model)
        source = _sources(folder)
        return _bare(path, drivers.read(source)) if source is not None else None

    # ---- second generation --------------------------------------------------------------------

    def _second(self, path: Path, folder: Path, file: Path) -> Shell:
        said = definition.read(file, self._cache)
        _refuse_layer_1_name(path, said.name)
        source = (
            _described(folder)
            or self._artifact(path, folder, said.artifact)
            or _undescribed(folder)
        )
        return Shell(
            name=said.name,
            version=said.version,
            author=said.author,
            description=said.description,
            kind=said.kind,
            model=said.model,
            family=said.family,
            attributes=said.attributes,
            driver=drivers.read(source) if source is not None else None,
            concurrent=said.concurrent,
            drops_attributes=said.drops_attributes,
            discovery=said.discovery,
            path=path,
        )

    def _artifact(self, path: Path, folder: Path, name: str) -> Path | None:
        """The sources in the driver's archive; None where the package lacks it, as some do (P2)."""
        if not name:
            return None
        archive = _within(path, folder, name)
        if not archive.is_file():
            archive = folder / archive.name
        return _inner(archives.unpack(archive, self._cache)) if archive.is_file() else None

    # ---- first generation ---------------------------------------------------------------------

    def _first(self, path: Path, folder: Path, file: Path) -> Shell:
        driver = self._first_driver(path, folder, file)
        config = _any_case(folder, "datamodel/shellconfig.xml", "Configuration/shellconfig.xml")
        asked = datamodel.template(config, driver.name) if config else datamodel.Template()
        added = _any_case(folder, "datamodel/shell_model.xml")
        model = datamodel.read(file, driver.name, wanted=asked.model, added=added)
        project = _shell_yml(folder, self._cache)
        return Shell(
            name=project.get("name") or path.stem,
            version=project.get("version") or driver.version,
            author=project.get("author", ""),
            description=project.get("description") or model.description,
            generation=1,
            kind=model.kind,
            model=model.name,
            family=model.family,
            attributes=model.attributes,
            driver=driver,
            concurrent=model.concurrent,
            discovery=asked.discovery,
            path=path,
        )

    def _first_driver(self, path: Path, folder: Path, file: Path) -> Driver:
        source = _sources(folder)
        if source is not None:
            return drivers.read(source)
        packed = _any_case(folder, _PYTHON_DRIVERS)
        found = {one.stem if one.is_file() else one.name: one for one in _packed(packed)}
        if not found:
            raise ShellError(path, f"no driver is in it; expected src or {_PYTHON_DRIVERS!r}")
        names = [*datamodel.drivers(file), *found]
        chosen = next(found[name] for name in names if name in found)
        if chosen.is_file():
            chosen = _inner(archives.unpack(chosen, self._cache))
        return drivers.read(chosen)


def _bare(path: Path, driver: Driver) -> Shell:
    """A driver without a declaration serves a generic resource called as the driver."""
    base = standards.standard("GenericResource")
    return Shell(
        name=driver.name,
        version=driver.version,
        model=driver.name,
        family=base.family,
        attributes=tuple(standards.attributes(base, driver.name)),
        driver=driver,
        path=path,
    )


# ---- finding the parts --------------------------------------------------------------------------


def _definition(folder: Path) -> Path | None:
    """The entry definition: the one that TOSCA.meta names, else the usual one."""
    meta = folder / _META
    if meta.is_file():
        named = _entry(meta)
        file = _within(meta, folder, named)
        if not file.is_file():
            raise ShellError(meta, f"names {named!r} as its definition, which is not there")
        return file
    usual = folder / definition.FILE
    return usual if usual.is_file() else None


def _entry(meta: Path) -> str:
    """``Entry-Definitions`` of TOSCA.meta: lines split once on ``:``, blank ones skipped (P2)."""
    for line in read_text(meta).splitlines():
        key, colon, value = line.partition(":")
        if colon and key.strip().casefold() == "entry-definitions" and value.strip():
            return value.strip()
    return definition.FILE


def _model_file(folder: Path) -> Path | None:
    return _any_case(folder, "datamodel/datamodel.xml", "datamodel.xml")


def _sources(folder: Path) -> Path | None:
    """The import root of the driver in a project or driver folder; None where there is none."""
    return _described(folder) or _undescribed(folder)


def _described(folder: Path) -> Path | None:
    """Sources with metadata: in ``src``, in the folder itself, or in the one of ``drivers/<name>``."""
    for one in (folder / "src", folder):
        if (one / metadata.FILE).is_file():
            return one
    nested = sorted(folder.glob(f"drivers/*/{metadata.FILE}"))
    return nested[0].parent if len(nested) == 1 else None


def _undescribed(folder: Path) -> Path | None:
    """Python files without metadata (D1); a lone ``__init__.py`` only makes the folder a package."""
    for one in (folder / "src", folder):
        if any(not file.name.startswith("__") for file in one.glob("*.py")):
            return one
    return None


def _packed(folder: Path | None) -> list[Path]:
    if folder is None:
        return []
    return sorted(
        one
        for one in folder.iterdir()
        if one.suffix.lower() == ".zip" or (one / metadata.FILE).is_file()
    )


def _shell_yml(folder: Path, cache: Path) -> dict[str, str]:
    file = folder / "shell.yml"
    said = parse_yaml(file, cache).get("shell") if file.is_file() else None
    return {str(key): str(value) for key, value in said.items()} if isinstance(said, dict) else {}


def _inner(folder: Path) -> Path:
    """The folder itself, or the only one in it: archives of a repository have one more level."""
    inside = list(folder.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else folder


def _within(path: Path, folder: Path, name: str) -> Path:
    target = folder / name
    if not target.resolve().is_relative_to(folder.resolve()):
        raise ShellError(path, f"names the file {name!r}, which is outside of the shell")
    return target


def _any_case(folder: Path, *names: str) -> Path | None:
    """The first of the paths that is there, whatever the case of its parts."""
    for name in names:
        found: Path | None = folder
        for part in name.split("/"):
            found = _child(found, part) if found is not None and found.is_dir() else None
        if found is not None:
            return found
    return None


def _child(folder: Path, name: str) -> Path | None:
    exact = folder / name
    if exact.exists():
        return exact
    return next((one for one in folder.iterdir() if one.name.casefold() == name.casefold()), None)


# ---- layer 1 ------------------------------------------------------------------------------------


def _refuse_layer_1(path: Path, folder: Path) -> None:
    _refuse_layer_1_name(path, path.stem)
    if any(folder.glob("*_runtime_configuration.json")):
        _refuse_layer_1_name(path, "CloudshellL1")


def _refuse_layer_1_name(path: Path, name: str) -> None:
    if name.replace("-", "").replace("_", "").casefold().startswith("cloudshelll1"):
        raise ShellError(
            path,
            "a layer-1 driver, which is a program of its own and no shell; these cannot be run",
        )
