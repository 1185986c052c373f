"""Tokens that say on whose behalf a driver calls, without a table of them."""

from __future__ import annotations

import secrets
from hashlib import blake2b
from hmac import compare_digest

_MAC_DIGITS = 64


class Tokens:
    """Mints tokens and tells whom they were minted for.

    A token is the BLAKE2b of its subject, keyed, and then the subject, in hexadecimal digits: clients put tokens into
    paths and headers, where ``/``, ``+`` and ``;`` would hurt. Nothing is remembered, so no number of logins fills the
    memory, and a token is good for as long as the host lives: a driver that logs in again with the token of its
    ``initialize`` succeeds. There is no ``revoke`` for the same reason: a driver may keep a session beyond the
    command it was opened in, and a token reaches no further than the API of the host that minted it.

    :param key: the secret, of 64 bytes at most; random for each host unless given (several nodes of one host share it).
    """

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or secrets.token_bytes(32)

    def mint(self, subject: str) -> str:
        """The token of ``subject`` (an execution, an instance); the same each time."""
        raw = subject.encode("utf-8", "surrogatepass")
        return blake2b(raw, key=self._key, digest_size=_MAC_DIGITS // 2).hexdigest() + raw.hex()

    def subject(self, token: str) -> str | None:
        """Whom ``token`` was minted for, or None where it is not one of ours. The time taken tells nothing."""
        try:
            subject = bytes.fromhex(token[_MAC_DIGITS:]).decode("utf-8", "surrogatepass")
        except ValueError:
            return None
        # Whole texts are compared, so a token has one spelling: no capitals, no blanks between digits.
        genuine = compare_digest(self.mint(subject).encode(), token.encode("utf-8", "replace"))
        return subject if genuine else None
