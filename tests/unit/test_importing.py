"""Modules that are imported when something of theirs is wanted."""

from __future__ import annotations

import subprocess
import sys

DEFERRED = """
import sys
from shelldock.cli.importing import deferred

with deferred("fractions"):
    from fractions import Fraction
    assert isinstance(Fraction, type)
assert "fractions" not in sys.modules
half = Fraction(2, denominator=4)

import fractions

assert half == 0.5
assert type(half) is fractions.Fraction
with deferred("fractions"):
    from fractions import Fraction
assert Fraction is fractions.Fraction
"""


def test_a_deferred_module_is_imported_when_one_of_its_classes_is_called() -> None:
    subprocess.run([sys.executable, "-c", DEFERRED], check=True, timeout=60)
