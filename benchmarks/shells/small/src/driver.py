"""The least that a driver can be, with one small library."""

import cowsay


class BenchmarkDriver:
    """Returns what it is given."""

    def initialize(self, context):
        """Has nothing to open."""
        self.library = cowsay

    def echo(self, context, text):
        """The text that came."""
        return text
