"""The least that a driver can be, with one small library."""

import time

import cowsay


class BenchmarkDriver:
    """Returns what it is given."""

    def initialize(self, context):
        """Has nothing to open."""
        self.library = cowsay

    def echo(self, context, text):
        """The text that came."""
        return text

    def wait(self, context, seconds):
        """Takes its time."""
        time.sleep(float(seconds))

    def repeat(self, context, text, times):
        """As long a text as is wanted."""
        return text * int(times)
