"""Archives of strangers are unpacked whole, inside of their folder, or refused with a sentence."""

from __future__ import annotations

import io
import stat
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shelldock.errors import ShellError
from shelldock_cloudshell.archives import Limits, is_archive, unpack


def archive(path: Path, *members: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        for member, content in members:
            opened.writestr(member, content)
    return path


def left_behind(cache: Path) -> list[Path]:
    return list(cache.iterdir()) if cache.exists() else []


def test_content_arrives_as_it_was_packed(tmp_path: Path) -> None:
    script = zipfile.ZipInfo("bin/run.sh")
    script.external_attr = (stat.S_IFREG | 0o755) << 16
    path = archive(
        tmp_path / "a.zip",
        ("driver.py", b"x = 1\n"),
        ("data/blank name.txt", b"\xff\0"),
        (script, b"#!"),
    )
    folder = unpack(path, tmp_path / "cache")
    assert (folder / "driver.py").read_bytes() == b"x = 1\n"
    assert (folder / "data/blank name.txt").read_bytes() == b"\xff\0"
    assert (folder / "bin/run.sh").stat().st_mode & stat.S_IXUSR
    assert not (folder / "driver.py").stat().st_mode & stat.S_IXUSR


def test_equal_archives_share_one_folder_and_others_do_not(tmp_path: Path) -> None:
    first = archive(tmp_path / "a.zip", (zipfile.ZipInfo("a.py"), b"1"))
    again = archive(tmp_path / "b.zip", (zipfile.ZipInfo("a.py"), b"1"))
    other = archive(tmp_path / "c.zip", (zipfile.ZipInfo("a.py"), b"2"))
    cache = tmp_path / "cache"
    assert unpack(first, cache) == unpack(again, cache) != unpack(other, cache)


def test_many_at_once_make_one_whole_folder(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", *((f"f{index}.txt", b"x" * 1000) for index in range(200)))
    cache = tmp_path / "cache"
    with ThreadPoolExecutor(8) as pool:
        folders = set(pool.map(lambda _: unpack(path, cache), range(16)))
    assert len(folders) == 1
    assert len(list(folders.pop().iterdir())) == 200
    assert len(left_behind(cache)) == 1


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../evil.py", "would escape the folder"),
        ("a/../../evil.py", "would escape the folder"),
        ("/etc/evil", "absolute"),
        ("C:evil.py", "names a drive"),
        ("c:/evil.py", "names a drive"),
        ("..\\evil.py", "backslash"),
        ("a\\b.py", "backslash"),
        ("a\nb.py", "control characters"),
        ("/", "has no name"),
    ],
)
def test_a_member_with_a_dangerous_name_is_refused_by_name(
    tmp_path: Path, name: str, reason: str
) -> None:
    path = archive(tmp_path / "evil.zip", ("good.py", b""), (name, b"evil"))
    with pytest.raises(ShellError, match=reason) as caught:
        unpack(path, tmp_path / "cache")
    assert repr(name) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert left_behind(tmp_path / "cache") == []
    assert not list(tmp_path.rglob("evil*.py"))


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (stat.S_IFLNK, "symbolic link"),
        (stat.S_IFIFO, "no ordinary file"),
        (stat.S_IFCHR, "no ordinary file"),
    ],
)
def test_a_member_that_is_no_file_is_refused(tmp_path: Path, kind: int, reason: str) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = (kind | 0o777) << 16
    with pytest.raises(ShellError, match=reason):
        unpack(archive(tmp_path / "evil.zip", (link, b"/etc/passwd")), tmp_path / "cache")
    assert left_behind(tmp_path / "cache") == []


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", ("secret.py", b"x"))
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    path.write_bytes(content)
    with pytest.raises(ShellError, match=r"'secret\.py' is encrypted"):
        unpack(path, tmp_path / "cache")


def test_gigabytes_of_zeros_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened,
        opened.open("zeros", "w") as file,
    ):
        for _ in range(600):
            file.write(bytes(2**20))
    with pytest.raises(ShellError, match="expands to 600 MiB; at most 512 MiB"):
        unpack(path, tmp_path / "cache")
    assert left_behind(tmp_path / "cache") == []


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(files=3), "holds 4 files"),
        (Limits(total=2**20), "expands to 4 MiB; at most 1 MiB"),
        (Limits(ratio_from=0), "more than 200 times its size"),
    ],
)
def test_limits_are_named(tmp_path: Path, limits: Limits, reason: str) -> None:
    path = archive(tmp_path / "a.zip", *((f"{index}", bytes(2**20)) for index in range(4)))
    with pytest.raises(ShellError, match=reason):
        unpack(path, tmp_path / "cache", limits)


def test_a_member_that_is_larger_than_it_says_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", ("liar", bytes(2**20)))
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\x01\x02") + 24
    content[at : at + 4] = (10).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(ShellError, match="damaged"):
        unpack(path, tmp_path / "cache")
    assert left_behind(tmp_path / "cache") == []


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 and nothing more"])
def test_what_is_not_a_zip_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    assert is_archive(path)
    with pytest.raises(ShellError, match="not a zip archive"):
        unpack(path, tmp_path / "cache")


def test_a_file_that_is_also_a_folder_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", ("a", b"file"), ("a/b", b"in a folder"))
    with pytest.raises(ShellError, match="'a/b' cannot be written"):
        unpack(path, tmp_path / "cache")
    assert left_behind(tmp_path / "cache") == []


def packed() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("drivermetadata.xml", b"<Driver/>" * 40)
        opened.writestr("folder/driver.py", b"class ADriver: pass\n" * 40)
    return buffer.getvalue()


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    damage=st.lists(st.tuples(st.integers(0, len(packed()) - 1), st.integers(0, 255)), max_size=8)
)
def test_a_damaged_archive_is_unpacked_inside_or_refused(
    tmp_path: Path, damage: list[tuple[int, int]]
) -> None:
    content = bytearray(packed())
    for position, value in damage:
        content[position] = value
    path = tmp_path / "damaged.zip"
    path.write_bytes(content)
    cache = tmp_path / "cache"
    with suppress(ShellError):
        assert unpack(path, cache).parent == cache
    assert {one.name for one in tmp_path.iterdir()} <= {"damaged.zip", "cache"}
    assert not [one for one in left_behind(cache) if one.name.startswith(".")]


NAME = st.text(st.sampled_from("ab./\\:C \0é"), min_size=1, max_size=12)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(names=st.lists(NAME, min_size=1, max_size=4))
def test_no_name_leads_out_of_the_folder(tmp_path: Path, names: list[str]) -> None:
    path = tmp_path / "names.zip"
    with zipfile.ZipFile(path, "w") as opened:
        for name in dict.fromkeys(names):
            info = zipfile.ZipInfo()
            info.filename = info.orig_filename = name
            opened.writestr(info, b"x")
    cache = tmp_path / "cache"
    with suppress(ShellError):
        unpack(path, cache)
    outside = [one for one in tmp_path.rglob("*") if not one.is_relative_to(cache)]
    assert outside == [path]
