"""How a line of the simulated switch becomes a command: words, their abbreviations, and complaints."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

S = TypeVar("S")
Run = Callable[[S, list[str]], Awaitable[None]]


class Complaint(Exception):
    """What the switch says instead of doing what it was told; ``at`` is the word it stumbled over."""

    def __init__(self, text: str, at: int | None = None) -> None:
        self.at = at
        super().__init__(text)


@dataclass(frozen=True)
class Command(Generic[S]):
    """One command: its words, the mode it needs, and what runs it with the words that follow."""

    words: tuple[str, ...]
    mode: str
    run: Run[S]
    more: bool
    """Whether words may follow."""


class Commands(Generic[S]):
    """All commands; ``S`` is the session that they are run with."""

    def __init__(self) -> None:
        self._known: list[Command[S]] = []

    def offer(self, words: str, mode: str, more: bool = False) -> Callable[[Run[S]], Run[S]]:
        """Offer the function that this decorates under these words."""

        def keep(run: Run[S]) -> Run[S]:
            self._known.append(Command(tuple(words.split()), mode, run, more))
            return run

        return keep

    def find(self, words: list[str], modes: Iterable[str]) -> tuple[Command[S], list[str]]:
        """The command that the words, whole or abbreviated, name, and the words that are left."""
        near = [one for one in self._known if one.mode in modes]
        for at, word in enumerate(words):
            longer = nearest(at, word.lower(), near)
            if not longer:
                done = [one for one in near if len(one.words) == at and one.more]
                if not done:
                    raise Complaint("% Invalid input detected at '^' marker.", at)
                return done[0], words[at:]
            if len({one.words[at] for one in longer}) > 1:
                raise Complaint(f'% Ambiguous command:  "{" ".join(words)}"')
            near = longer
        done = [one for one in near if len(one.words) == len(words)]
        if not done:
            raise Complaint("% Incomplete command.")
        return done[0], []


def nearest(at: int, word: str, commands: list[Command[S]]) -> list[Command[S]]:
    """Those whose word at this place is this one or, where none is, starts with it."""
    longer = [one for one in commands if len(one.words) > at]
    exact = [one for one in longer if one.words[at] == word]
    return exact or [one for one in longer if one.words[at].startswith(word)]
