"""Greets, and remembers how often."""

import cowsay


class HelloDriver:
    """The commands of the shell are the public methods of this class."""

    def initialize(self, context):
        """Runs once, in a new process, before the first command."""
        self.greeted = 0

    def hello(self, context, name):
        """Greets ``name`` in the words of the resource that the command is for."""
        self.greeted += 1
        greeting = context.resource.attributes["Hello.Greeting"]
        return cowsay.get_output_string("cow", f"{greeting}, {name}!")

    def count(self, context):
        """Tells how many were greeted by this instance."""
        return self.greeted

    def cleanup(self):
        """Runs once, after the last command: when idle for long, or when the host stops."""
