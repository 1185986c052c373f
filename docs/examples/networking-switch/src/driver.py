"""A driver for switches that speak Cisco IOS, on the published networking packages."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloudshell.networking.cisco.cli.cisco_cli_handler import CiscoCli
from cloudshell.networking.cisco.flows.cisco_autoload_flow import CiscoSnmpAutoloadFlow
from cloudshell.networking.cisco.flows.cisco_configuration_flow import CiscoConfigurationFlow
from cloudshell.networking.cisco.flows.cisco_connectivity_flow import CiscoConnectivityFlow
from cloudshell.networking.cisco.flows.cisco_load_firmware_flow import CiscoLoadFirmwareFlow
from cloudshell.networking.cisco.flows.cisco_run_command_flow import CiscoRunCommandFlow
from cloudshell.networking.cisco.flows.cisco_state_flow import CiscoStateFlow
from cloudshell.networking.cisco.snmp.cisco_snmp_handler import (
    CiscoEnableDisableSnmpFlow,
    CiscoSnmpHandler,
)
from cloudshell.shell.core.driver_utils import GlobalLock
from cloudshell.shell.core.orchestration_save_restore import OrchestrationSaveRestore
from cloudshell.shell.core.resource_driver_interface import ResourceDriverInterface
from cloudshell.shell.core.session.cloudshell_session import CloudShellSessionContext
from cloudshell.shell.core.session.logging_session import LoggingSessionContext
from cloudshell.shell.standards.networking.autoload_model import NetworkingResourceModel
from cloudshell.shell.standards.networking.driver_interface import (
    NetworkingResourceDriverInterface,
)
from cloudshell.shell.standards.networking.resource_config import NetworkingResourceConfig

if TYPE_CHECKING:
    from collections.abc import Iterator
    from logging import Logger

    from cloudshell.api.cloudshell_api import CloudShellAPISession
    from cloudshell.networking.cisco.cli.cisco_cli_handler import CiscoCliHandler
    from cloudshell.shell.core.driver_context import (
        AutoLoadCommandContext,
        AutoLoadDetails,
        InitCommandContext,
        ResourceCommandContext,
    )


@dataclass
class Work:
    """What one command needs: its log, the API, the resource's settings and a way to its command line."""

    logger: Logger
    api: CloudShellAPISession
    config: NetworkingResourceConfig
    cli: CiscoCliHandler


class NetworkingSwitchDriver(ResourceDriverInterface, NetworkingResourceDriverInterface):
    """The commands of a switch; several may run at once, each with a session from the pool."""

    SUPPORTED_OS = r"Cisco IOS"

    def __init__(self) -> None:
        """Connect to nothing: a session is opened by the first command that needs one."""
        self._cli: CiscoCli | None = None

    def initialize(self, context: InitCommandContext) -> str:
        """Make the pool of command line sessions, as large as the resource allows."""
        api = CloudShellSessionContext(context).get_api()
        self._cli = CiscoCli(NetworkingResourceConfig.from_context(context, api))
        return "Finished initializing"

    def cleanup(self) -> None:
        """Leave the sessions to the end of the process."""

    @contextmanager
    def _work(self, context: ResourceCommandContext | AutoLoadCommandContext) -> Iterator[Work]:
        with LoggingSessionContext(context) as logger:
            api = CloudShellSessionContext(context).get_api()
            config = NetworkingResourceConfig.from_context(context, api)
            yield Work(logger, api, config, self._cli.get_cli_handler(config, logger))

    @GlobalLock.lock
    def get_inventory(self, context: AutoLoadCommandContext) -> AutoLoadDetails:
        """Read the switch's structure over SNMP."""
        with self._work(context) as work:
            snmp = CiscoSnmpHandler.from_config(
                CiscoEnableDisableSnmpFlow(work.cli, work.logger), work.config, work.logger
            )
            model = NetworkingResourceModel.from_resource_config(work.config)
            return CiscoSnmpAutoloadFlow(work.logger, snmp).discover(self.SUPPORTED_OS, model)

    def run_custom_command(self, context: ResourceCommandContext, custom_command: str) -> str:
        """Run commands in the privileged mode; several have semicolons between them."""
        with self._work(context) as work:
            return CiscoRunCommandFlow(work.logger, work.cli).run_custom_command(custom_command)

    def run_custom_config_command(
        self, context: ResourceCommandContext, custom_command: str
    ) -> str:
        """Run commands in the configuration mode; several have semicolons between them."""
        with self._work(context) as work:
            flow = CiscoRunCommandFlow(work.logger, work.cli)
            return flow.run_custom_config_command(custom_command)

    def save(
        self,
        context: ResourceCommandContext,
        folder_path: str,
        configuration_type: str = "Running",
        vrf_management_name: str = "",
    ) -> str:
        """Copy a configuration to a server; returns the name that the file got."""
        with self._work(context) as work:
            flow = CiscoConfigurationFlow(work.cli, work.config, work.logger)
            return flow.save(folder_path, configuration_type or "Running", vrf_management_name)

    @GlobalLock.lock
    def restore(
        self,
        context: ResourceCommandContext,
        path: str,
        configuration_type: str = "Running",
        restore_method: str = "Override",
        vrf_management_name: str = "",
    ) -> None:
        """Put a saved configuration back."""
        with self._work(context) as work:
            flow = CiscoConfigurationFlow(work.cli, work.config, work.logger)
            flow.restore(
                path,
                configuration_type or "Running",
                restore_method or "Override",
                vrf_management_name,
            )

    @GlobalLock.lock
    def load_firmware(
        self, context: ResourceCommandContext, path: str, vrf_management_name: str = ""
    ) -> None:
        """Copy an image to the switch, boot from it and check that it runs."""
        with self._work(context) as work:
            flow = CiscoLoadFirmwareFlow(work.cli, work.logger, work.config)
            flow.load_firmware(path, vrf_management_name)

    def orchestration_save(
        self, context: ResourceCommandContext, mode: str = "shallow", custom_params: str = ""
    ) -> str:
        """Save the running configuration to the backup location; returns JSON for ``orchestration_restore``."""
        with self._work(context) as work:
            flow = CiscoConfigurationFlow(work.cli, work.config, work.logger)
            saved = flow.orchestration_save(mode, custom_params)
            keeper = OrchestrationSaveRestore(work.logger, work.config.name)
            return keeper.prepare_orchestration_save_result(saved)

    def orchestration_restore(
        self, context: ResourceCommandContext, saved_artifact_info: str, custom_params: str = ""
    ) -> None:
        """Restore what ``orchestration_save`` returned."""
        with self._work(context) as work:
            keeper = OrchestrationSaveRestore(work.logger, work.config.name)
            what = keeper.parse_orchestration_save_result(saved_artifact_info, custom_params)
        self.restore(context, **what)

    def ApplyConnectivityChanges(  # noqa: N802 - the standard's name
        self, context: ResourceCommandContext, request: str
    ) -> str:
        """Set and remove the VLANs that the request, JSON, asks for; returns JSON with each one's outcome."""
        with self._work(context) as work:
            flow = CiscoConnectivityFlow(
                work.cli,
                work.logger,
                support_vlan_range_str=True,
                support_multi_vlan_str=True,
                is_switch=True,
            )
            return flow.apply_connectivity(request)

    def health_check(self, context: ResourceCommandContext) -> str:
        """Ask the switch for a prompt and set the live status of the resource."""
        with self._work(context) as work:
            flow = CiscoStateFlow(work.logger, work.config, work.cli, work.api)
            return flow.health_check()

    def shutdown(self, context: ResourceCommandContext) -> None:
        """Say that switches cannot be shut down."""
        with self._work(context) as work:
            CiscoStateFlow(work.logger, work.config, work.cli, work.api).shutdown()
