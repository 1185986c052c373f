"""Passwords survive encryption, a restart and a race for the key, and nothing else can read them (N5)."""

from __future__ import annotations

import logging
import subprocess
import sys
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelldock.errors import StoreError
from shelldock.vault import EMPTY, Vault

VAULT = Vault.ephemeral()


@given(st.text())
def test_n5_a_text_comes_back_as_it_was(text: str) -> None:
    assert VAULT.decrypt(VAULT.encrypt(text)) == text


@given(st.text(min_size=1))
def test_n5_the_encrypted_text_does_not_show_the_clear_one(text: str) -> None:
    encrypted = VAULT.encrypt(text)
    assert encrypted != text
    assert VAULT.is_encrypted(encrypted)


@given(st.text())
def test_n5_text_that_was_never_encrypted_is_returned_unchanged(text: str) -> None:
    assert VAULT.decrypt(text) == text
    assert not VAULT.is_encrypted(text)


def test_n5_encrypted_text_is_not_encrypted_twice() -> None:
    once = VAULT.encrypt("secret")
    assert VAULT.encrypt(once) == once


def test_the_empty_password_of_cloudshell_is_empty_n5_p4() -> None:
    assert VAULT.decrypt(EMPTY) == ""
    assert VAULT.encrypt(EMPTY) == EMPTY


def test_n5_no_password_stays_no_password() -> None:
    assert VAULT.encrypt("") == ""


def test_the_same_password_looks_different_each_time() -> None:
    assert VAULT.encrypt("secret") != VAULT.encrypt("secret")


def test_a_password_encrypted_with_another_key_is_returned_unchanged_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    foreign = Vault.ephemeral().encrypt("secret")
    assert VAULT.decrypt(foreign) == foreign
    assert "another key" in caplog.text
    assert foreign not in caplog.text


def test_a_password_that_looks_encrypted_is_still_encrypted() -> None:
    foreign = Vault.ephemeral().encrypt("secret")
    assert VAULT.encrypt(foreign) != foreign
    assert VAULT.decrypt(VAULT.encrypt(foreign)) == foreign


@pytest.mark.parametrize("text", ["gAAAA", "gAAAAABé", "gAAAA" + "A" * 200, "gAAAAAB=="])
def test_text_that_begins_like_an_encrypted_one_is_returned_unchanged(text: str) -> None:
    assert VAULT.decrypt(text) == text


def test_passwords_survive_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "new folder" / "key"
    encrypted = Vault.load(file).encrypt("secret")
    assert Vault.load(file).decrypt(encrypted) == "secret"


def test_a_new_key_is_for_its_owner_only_and_leaves_nothing_aside(tmp_path: Path) -> None:
    file = tmp_path / "key"
    Vault.load(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_key_that_others_may_read_is_used_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "key"
    encrypted = Vault.load(file).encrypt("secret")
    assert not caplog.records
    file.chmod(0o644)
    assert Vault.load(file).decrypt(encrypted) == "secret"
    assert caplog.records[0].levelno == logging.WARNING
    assert "chmod 600" in caplog.text


@pytest.mark.parametrize("content", [b"", b"not a key", urlsafe_b64encode(b"too short")])
def test_a_damaged_key_is_refused_with_its_path(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "key"
    file.write_bytes(content)
    with pytest.raises(StoreError, match=str(file)):
        Vault.load(file)
    assert file.read_bytes() == content


def test_a_key_file_that_cannot_be_made_is_refused_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file/key"):
        Vault.load(tmp_path / "file" / "key")


def test_processes_that_race_for_the_key_share_it(tmp_path: Path) -> None:
    file = tmp_path / "key"
    code = (
        "import sys; from pathlib import Path; from shelldock.vault import Vault; sys.stdin.readline();"
        "print(Vault.load(Path(sys.argv[1])).encrypt('secret'))"
    )
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(6)
    ]
    for racer in racers:
        assert racer.stdin
        racer.stdin.write("go\n")
        racer.stdin.flush()
    written = [racer.communicate(timeout=30)[0].strip() for racer in racers]
    assert [Vault.load(file).decrypt(one) for one in written] == ["secret"] * 6
