"""The same small driver, but with everything imported that a driver for Cisco's switches imports."""

import time

from cloudshell.networking.cisco.cli import cisco_cli_handler
from cloudshell.networking.cisco.flows import (
    cisco_autoload_flow,
    cisco_configuration_flow,
    cisco_connectivity_flow,
    cisco_load_firmware_flow,
    cisco_run_command_flow,
    cisco_state_flow,
)
from cloudshell.networking.cisco.snmp import cisco_snmp_handler
from cloudshell.shell.core.session import cloudshell_session, logging_session
from cloudshell.shell.standards.networking import autoload_model, resource_config


class BenchmarkDriver:
    """Returns what it is given."""

    def initialize(self, context):
        """Has nothing to open; keeps the libraries, as a driver that uses them would."""
        self.libraries = (
            autoload_model,
            cisco_autoload_flow,
            cisco_cli_handler,
            cisco_configuration_flow,
            cisco_connectivity_flow,
            cisco_load_firmware_flow,
            cisco_run_command_flow,
            cisco_snmp_handler,
            cisco_state_flow,
            cloudshell_session,
            logging_session,
            resource_config,
        )

    def echo(self, context, text):
        """The text that came."""
        return text

    def wait(self, context, seconds):
        """Takes its time."""
        time.sleep(float(seconds))
