"""The options in requirements files, in pip's grammar."""

from __future__ import annotations

from pathlib import Path

import pytest

from shelldock_cloudshell.requirements import Options, options_of


def read(folder: Path, text: str) -> Options:
    (folder / "requirements.txt").write_text(text)
    return options_of(folder / "requirements.txt")


@pytest.mark.parametrize(
    ("line", "sources"),
    [
        ("-i https://a/simple", ["--index-url", "https://a/simple"]),
        ("-ihttps://a/simple", ["--index-url", "https://a/simple"]),
        ("--index-url=https://a/?x=1  # ours", ["--index-url", "https://a/?x=1"]),
        ("--extra-index-url https://a", ["--extra-index-url", "https://a"]),
        ("--extra-index-url \\\n  https://a", ["--extra-index-url", "https://a"]),
        ("-f https://a/files", ["--find-links", "https://a/files"]),
        ("--no-index", ["--no-index"]),
        ("--no-index --find-links https://a", ["--no-index", "--find-links", "https://a"]),
        ("--trusted-host a.example", ["--allow-insecure-host", "a.example"]),
        ("--no-binary :all:", ["--no-binary", ":all:"]),
        ("--find-links 'https://a b'", ["--find-links", "https://a b"]),
        ("# --no-index", []),
        ("name==1.0 --hash=sha256:00", []),
        ("--prefer-binary\n-e .", []),
    ],
)
def test_options_become_those_of_uv_v3(tmp_path: Path, line: str, sources: list[str]) -> None:
    options = read(tmp_path, f"{line}\nsix\n")
    assert options.sources == sources
    assert options.refused == []
    assert options.has_index == ("--index-url" in sources)


def test_release_candidates_are_for_the_resolution_only(tmp_path: Path) -> None:
    options = read(tmp_path, "--pre\nsix\n")
    assert (options.sources, options.resolving) == ([], ["--prerelease", "allow"])


def test_a_relative_folder_is_relative_to_its_file(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "more.txt").write_text("--find-links wheels\n")
    options = read(tmp_path, "-r more/more.txt\n-f ./own\n")
    assert options.sources == [
        "--find-links",
        f"{tmp_path}/more/wheels",
        "--find-links",
        f"{tmp_path}/own",
    ]


def test_files_that_include_each_other_end(tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text("-r requirements.txt\n--no-index\n")
    assert read(tmp_path, "-r more.txt\n-c more.txt\n-r missing.txt\n").sources == ["--no-index"]


def test_what_uv_has_no_equal_of_is_named_as_it_was_written(tmp_path: Path) -> None:
    options = read(tmp_path, "--use-feature=fast-deps  # please\nsix\n")
    assert options.refused == ["--use-feature=fast-deps"]


def test_a_file_of_another_system_is_read(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_bytes(
        b"\xef\xbb\xbf--pre\r\nsix \xe9\r\n--no-index\r\n-i 'x\r\n"
    )
    options = options_of(tmp_path / "requirements.txt")
    assert options.resolving == ["--prerelease", "allow"]
    assert options.sources[0] == "--no-index"
