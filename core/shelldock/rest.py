"""The HTTP under a client: JSON out and in, errors as what they were, events that survive a broken connection."""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar
from urllib.parse import urlsplit

import msgspec

from shelldock.errors import Fact, ShelldockError, UnreachableError, revive
from shelldock.model import Value

if TYPE_CHECKING:
    import httpx

log = logging.getLogger(__name__)

T = TypeVar("T")

ATTEMPTS: Final = 3
"""How often in a row something is asked that may be asked twice."""

PAUSE: Final = 0.5
"""Seconds between two of them."""

ANSWER: Final = 60.0
"""Seconds that a server has for an answer, beside what it was asked to wait."""

SILENCE: Final = 45.0
"""Seconds without a byte after which a stream of events is dead: a server says every 15 that there is nothing new."""

LOST: Final = 20.0
"""Seconds in which a stream that broke off is taken up again; a server that is started anew is there by then."""

LOCAL: Final = ("localhost", "127.0.0.1", "::1")


class Event(Value, frozen=True, kw_only=True):
    """Something that happened on the server; ``reset``: some was missed, so ask how things are."""

    id: str = ""
    kind: str
    data: dict[str, Any]


class Page(Value, frozen=True, kw_only=True):
    """A part of a list; ``next`` is where the next part begins, and empty where there is none."""

    items: list[msgspec.Raw]
    next: str = ""


class _Problem(Value, frozen=True, kw_only=True):
    code: str
    detail: str
    facts: dict[str, Fact] = msgspec.field(default_factory=dict)


class Rest:
    """Asks below ``/api/`` of a server.

    Raises what the server raised, and ``UnreachableError`` where there is no answer, or none of ours.
    """

    def __init__(self, url: str, token: str, certificate: str) -> None:
        import httpx  # takes a tenth of a second that most command lines have no use for

        self.url = url.rstrip("/")
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UnreachableError(url, "expected a URL such as http://host:8160")
        self._http = httpx.Client(
            base_url=f"{self.url}/api/",
            verify=_trust(self.url, certificate),
            timeout=httpx.Timeout(ANSWER, connect=10.0),
            trust_env=parts.hostname not in LOCAL,  # no proxy leads back to this machine
        )
        self.show(token)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def show(self, token: str) -> None:
        """Show this token from now on; empty: none."""
        self._http.headers.pop("Authorization", None)
        if token:
            self._http.headers["Authorization"] = f"Bearer {token}"

    def ask(self, type: type[T], method: str, place: str, body: object = None, **how: Any) -> T:
        """What the server answers, as ``type``; ``how`` as for ``send``."""
        return self.read(self.send(method, place, body, **how).content, type)

    def all(
        self, type: type[T], place: str, query: Mapping[str, object | None] | None = None
    ) -> list[T]:
        """A list, page after page."""
        found: list[T] = []
        after: str | None = None
        while after != "":
            page = self.ask(Page, "GET", place, query={**(query or {}), "after": after})
            found += [self.read(one, type) for one in page.items]
            after = page.next
        return found

    def send(
        self,
        method: str,
        place: str,
        body: object = None,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        again: bool = False,
        patient: bool = False,
    ) -> httpx.Response:
        """The answer, which is no error.

        :param body: bytes as they are, anything else as JSON.
        :param again: whether it may be asked for again where the answer was lost, as for what changes nothing.
        :param patient: wait for as long as it takes.
        """
        import httpx

        wait = (query or {}).get("wait") or 0.0
        kind = "application/zip" if isinstance(body, bytes) else "application/json"
        request = self._http.build_request(
            method,
            place,
            params=given(query or {}),
            headers={**({"Content-Type": kind} if body is not None else {}), **(headers or {})},
            content=body if isinstance(body, bytes | None) else msgspec.json.encode(body),
            timeout=httpx.Timeout(10, read=None if patient else ANSWER + wait),
        )
        left = ATTEMPTS if again or method == "GET" else 1
        while True:
            try:
                answer = self._http.send(request)
                break
            except httpx.TransportError as error:
                left -= 1
                if not left:
                    raise self._unreachable(error) from error
                time.sleep(PAUSE)
        if not answer.is_success:
            raise self._error(answer)
        return answer

    def listen(self, query: Mapping[str, Any], after: str) -> httpx.Response:
        """A stream of events that has begun."""
        import httpx

        request = self._http.build_request(
            "GET",
            "events",
            params=given(query),
            headers={"Last-Event-ID": after} if after else {},
            timeout=httpx.Timeout(10, read=SILENCE),
        )
        try:
            answer = self._http.send(request, stream=True)
            if answer.is_error:
                try:
                    answer.read()
                finally:
                    answer.close()
                raise self._error(answer)
        except httpx.TransportError as error:
            raise self._unreachable(error) from error
        return answer

    def read(self, data: bytes | msgspec.Raw, type: type[T]) -> T:
        """JSON as ``type``."""
        try:
            return msgspec.json.decode(data, type=type, dec_hook=_made)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UnreachableError(
                self.url, f"it does not answer as this version does: {error}"
            ) from error

    def _unreachable(self, error: httpx.TransportError) -> UnreachableError:
        return UnreachableError(self.url, str(error) or type(error).__name__)

    def _error(self, answer: httpx.Response) -> ShelldockError:
        try:
            problem = msgspec.json.decode(answer.content, type=_Problem)
        except (msgspec.DecodeError, UnicodeDecodeError):
            said = f"it answered {answer.status_code}, not as a Shelldock server does"
            return UnreachableError(self.url, said)
        return revive(problem.code, problem.detail, problem.facts)


class Events(Iterator[Event]):
    """Events of a server, from when this is made, without end. Close it, or use it as a context manager.

    A connection that breaks is made again where it was; ``UnreachableError`` where that goes on for ``LOST`` seconds.
    """

    def __init__(self, rest: Rest, query: Mapping[str, Any], after: str) -> None:
        self._rest = rest
        self._query = query
        self._after = after
        self._answer = rest.listen(query, after)
        self._read = read_events(self._answer.iter_lines())

    def __enter__(self) -> Self:
        """They are heard already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Hear no more."""
        self.close()

    def close(self) -> None:
        """Hear no more."""
        self._answer.close()

    def __next__(self) -> Event:
        """Wait for the next event."""
        import httpx

        while True:
            try:
                event = next(self._read)
            except (StopIteration, httpx.TransportError, msgspec.DecodeError) as error:
                log.info("the events of %s broke off: %s", self._rest.url, error)
                self._listen_again()
            else:
                self._after = event.id or self._after
                return event

    def _listen_again(self) -> None:
        self._answer.close()
        end = time.monotonic() + LOST
        while True:
            time.sleep(PAUSE)
            try:
                self._answer = self._rest.listen(self._query, self._after)
                break
            except UnreachableError:
                if time.monotonic() > end:
                    raise
        self._read = read_events(self._answer.iter_lines())


def read_events(lines: Iterator[str]) -> Iterator[Event]:
    """The events of a ``text/event-stream``; comments are left out (HTML standard, 9.2.6)."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        if line and name:
            value = value.removeprefix(" ")
            more = name == "data" and name in fields
            fields[name] = f"{fields[name]}\n{value}" if more else value
        elif not line and fields:
            if "data" in fields:
                yield Event(
                    id=fields.get("id", ""),
                    kind=fields.get("event", "message"),
                    data=msgspec.json.decode(fields["data"] or "{}", type=dict[str, Any]),
                )
            fields = {}


def _made(type: Any, data: object) -> object:
    return type(data)


def given(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Those fields that say something."""
    return {name: value for name, value in fields.items() if value not in (None, "")}


def _trust(url: str, certificate: str) -> ssl.SSLContext | bool:
    if not certificate:
        return True
    try:
        return ssl.create_default_context(cafile=certificate)
    except OSError as error:
        raise UnreachableError(url, f"cannot read certificate {certificate!r}: {error}") from error
