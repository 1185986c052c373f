"""What uv says when it fails, in one line."""

from __future__ import annotations

import pytest

from shelldock_cloudshell.uv import LONGEST, reason

CONFLICT = """\
warning: something that does not matter
  cause: of no interest
error: No solution found when resolving dependencies
  cause: Because only six>=0.3.0 is available
         and you require six<0.1, we can conclude that your requirements are unsatisfiable.

hint: `six` was found on https://a, but not at the requested version.

And so on.
"""
OLDER = """\
  × No solution found when resolving dependencies:
  ╰─▶ Because only six>=0.3.0 is available and you require six<0.1, we can
      conclude that your requirements are unsatisfiable.
"""
BUILD = """\
   Building pycrypto==2.6.1
error: Failed to build `pycrypto==2.6.1`
  cause: The build backend returned an error
  cause: Call to `build_wheel` failed (exit status: 1)

         [stdout]
         checking for an error: no

         [stderr]
         warning: something
         src/x.c:33:10: fatal error: longintrepr.h: No such file or directory
         error: Command '['gcc']' failed

hint: install something
"""
TRACEBACK = """\
error: Failed to build `bad`

         [stderr]
         Traceback (most recent call last):
           File "<string>", line 14, in raise_error
             raise_error: it is
         ModuleNotFoundError: No module named 'six'
"""
GRAMMAR = """\
error: Couldn't parse requirement in `requirements.txt` at position 0
  cause: after parsing `1.0.0`, found `<=2.0.0`, which is not part of a valid version
         power-lib>=1.0.0<=2.0.0
                        ^^^^^^^^^
"""


@pytest.mark.parametrize(
    ("output", "wanted"),
    [
        (
            CONFLICT,
            "Because only six>=0.3.0 is available and you require six<0.1, we can conclude that your requirements are "
            "unsatisfiable. hint: `six` was found on https://a, but not at the requested version.",
        ),
        (
            OLDER,
            "Because only six>=0.3.0 is available and you require six<0.1, we can conclude that your requirements are "
            "unsatisfiable.",
        ),
        (
            BUILD,
            "Failed to build `pycrypto==2.6.1`: The build backend returned an error: Call to `build_wheel` failed "
            "(exit status: 1) (src/x.c:33:10: fatal error: longintrepr.h: No such file or directory) "
            "hint: install something",
        ),
        (TRACEBACK, "Failed to build `bad` (ModuleNotFoundError: No module named 'six')"),
        (
            GRAMMAR,
            "Couldn't parse requirement in `requirements.txt` at position 0: after parsing `1.0.0`, found `<=2.0.0`, "
            "which is not part of a valid version power-lib>=1.0.0<=2.0.0",
        ),
        ("something else\nKilled", "Killed"),
        ("", ""),
    ],
    ids=[
        "conflict",
        "conflict as older versions draw it",
        "build",
        "traceback",
        "grammar",
        "unknown",
        "nothing",
    ],
)
def test_the_reason_is_uvs_own_in_one_line_v6(output: str, wanted: str) -> None:
    assert reason(output) == wanted


def test_a_very_long_reason_is_cut() -> None:
    assert len(reason("error: " + "x" * 10_000)) == LONGEST
