"""Environments are carried to a machine that reaches no index, in one file that is verified."""

from __future__ import annotations

import json
import os
from pathlib import Path
from zipfile import ZipFile

import pytest
from tests.index import LocalIndex
from tests.workshop import Workshop

from shelldock import AsyncHost
from shelldock.bundles import CONTENTS
from shelldock.errors import InputError, PythonError, ShellError
from shelldock.model import Shell
from shelldock.paths import Paths
from shelldock.settings import Settings, load

MORE = "def which(self, context):\n    import alpha\n    return alpha.__file__"


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    """With an index that nobody serves, and nothing in uv's cache."""
    for name in [name for name in os.environ if name.startswith("UV_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cold"))
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    return load(None, {"SHELLDOCK_PLUGINS__ENVIRONMENT__INDEX_URL": "http://127.0.0.1:9/simple"})


@pytest.fixture
async def bundle(tmp_path: Path, workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What was exported where there is an index."""
    file = tmp_path / "environments.zip"
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "warm"))
    shell = workshop.shell(more=MORE, requirements="alpha\n")
    with LocalIndex(tmp_path / "index") as index:
        index.add("alpha", "1.0")
        told = {"SHELLDOCK_PLUGINS__ENVIRONMENT__INDEX_URL": index.url}
        async with AsyncHost(load(None, told), paths=Paths.below(tmp_path / "there")) as host:
            (made,) = await host.export_environments([host.open_shell(shell)], file)
    assert made.pins == ("alpha==1.0",)
    return file


async def test_an_exported_environment_needs_no_index_where_it_is_imported_v5(
    bundle: Path, settings: Settings, tmp_path: Path, workshop: Workshop
) -> None:
    async with AsyncHost(settings, paths=Paths.below(tmp_path / "here")) as host:
        (made,) = await host.import_environments(bundle)
        assert made.pins == ("alpha==1.0",)
        ended = await host.execute(host.target(workshop.folder / "Box", "box"), "which")
        assert ended.environment == made.name
        assert str(made.path) in (ended.result or "")
        assert (
            await host.import_environments(bundle)
            == [one for one in host.environments.list() if one.name == made.name]
            or len(host.environments.list()) == 1
        )


def changed(bundle: Path, name: str, old: str, new: str) -> None:
    """Write the bundle anew with another text in the file whose name ends so."""
    with ZipFile(bundle) as archive:
        files = {info: archive.read(info) for info in archive.infolist()}
    found = [info for info in files if info.filename.endswith(name)]
    assert found
    with ZipFile(bundle, "w") as archive:
        for info, content in files.items():
            text = content.replace(old.encode(), new.encode()) if info in found else content
            archive.writestr(info, text)


def halved(bundle: Path) -> None:
    """Lose the second half of the bundle."""
    bundle.write_bytes(bundle.read_bytes()[: bundle.stat().st_size // 2])


@pytest.mark.parametrize(
    ("name", "old", "new", "why"),
    [
        ("alpha.py", "1.0", "6.6", r"'lib/.*/alpha.py' is not what was written"),
        (CONTENTS, '"platform":"', '"platform":"plan9-', r"was made on plan9-.*, and this is"),
        (CONTENTS, '"format":1', '"format":99', r"has format 99, this version reads 1"),
        (CONTENTS, '"lib/', '"../lib/', r"would lie outside"),
        (CONTENTS, '"made"', '"mad"', r"is no file that 'shelldock env export' wrote"),
        ("", "", "", r"or is damaged"),
    ],
    ids=["changed", "platform", "format", "outside", "contents", "cut off"],
)
async def test_a_damaged_or_foreign_file_is_refused_and_nothing_of_it_is_kept_v5(
    bundle: Path, settings: Settings, tmp_path: Path, name: str, old: str, new: str, why: str
) -> None:
    changed(bundle, name, old, new) if name else halved(bundle)
    async with AsyncHost(settings, paths=Paths.below(tmp_path / "here")) as host:
        with pytest.raises(InputError, match=why):
            await host.import_environments(bundle)
        assert host.environments.list() == []


async def test_a_file_that_is_not_there_is_refused_v5(settings: Settings, tmp_path: Path) -> None:
    async with AsyncHost(settings, paths=Paths.below(tmp_path / "here")) as host:
        with pytest.raises(InputError, match="there is no file"):
            await host.import_environments(tmp_path / "nowhere.zip")


async def test_another_version_of_python_is_refused_by_its_number_v5(
    bundle: Path, settings: Settings, tmp_path: Path
) -> None:
    with ZipFile(bundle) as archive:
        contents = json.loads(archive.read(CONTENTS))
    changed(bundle, CONTENTS, contents["environments"][0]["needs"]["version"], "3.99.0")
    async with AsyncHost(settings, paths=Paths.below(tmp_path / "here")) as host:
        with pytest.raises(PythonError, match=r"3\.99"):
            await host.import_environments(bundle)


async def test_a_shell_without_a_driver_has_nothing_to_export_v5(
    settings: Settings, tmp_path: Path
) -> None:
    async with AsyncHost(settings, paths=Paths.below(tmp_path / "here")) as host:
        with pytest.raises(ShellError, match="has no driver"):
            await host.export_environments([Shell(name="none", path=tmp_path)], tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists()
