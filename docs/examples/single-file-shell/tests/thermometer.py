# /// script
# dependencies = ["cowsay>=6.1,<7"]
# attributes = {Scale = "string", Password = "password"}
# ///
"""Tells a temperature."""

import cowsay


class Driver:
    def read(self, context, room="hall"):
        """Reads the temperature of a room."""
        scale = context.resource.attributes["thermometer.Scale"] or "C"
        return cowsay.get_output_string("cow", f"{room}: 20 {scale}")
