"""A driver for a database of a sandbox's own, on a MySQL or MariaDB server that is there already."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pymysql
import server
from backups import Backups
from cloudshell.shell.core.driver_context import AutoLoadAttribute, AutoLoadDetails
from cloudshell.shell.core.resource_driver_interface import ResourceDriverInterface
from cloudshell.shell.core.session.cloudshell_session import CloudShellSessionContext
from cloudshell.shell.core.session.logging_session import LoggingSessionContext
from server import AppError, Login

if TYPE_CHECKING:
    from cloudshell.api.cloudshell_api import CloudShellAPISession
    from cloudshell.shell.core.driver_context import (
        AutoLoadCommandContext,
        CancellationContext,
        InitCommandContext,
        ResourceCommandContext,
        ResourceContextDetails,
    )
    from pymysql.connections import Connection

MODEL = "MySQL App"
OVER = ("Teardown", "Completed")
"""What a sandbox's status is from the moment on at which it ends."""


@dataclass(frozen=True)
class App:
    """One app of one sandbox, as its attributes say it is."""

    api: CloudShellAPISession
    sandbox: str
    name: str
    admin: Login
    database: str
    """What its database is called, whether it is there or not."""
    password: str
    """Empty as long as it is not."""
    backup_folder: str

    @property
    def login(self) -> Login:
        """That of its own user."""
        if not self.password:
            raise AppError(f"'{self.name}' has no database yet; run 'provision' first")
        own = {"user": self.database, "database": self.database, "password": self.password}
        return replace(self.admin, **own)

    @property
    def backups(self) -> Backups:
        """Those of this app."""
        if not self.backup_folder:
            raise AppError(f"'{self.name}' has nowhere to write backups; set 'Backup Folder'")
        return Backups(Path(self.backup_folder) / self.database)

    def set(self, attribute: str, value: str) -> None:
        """Set an attribute, which is encrypted where it is a password."""
        self.api.SetAttributeValue(self.name, f"{MODEL}.{attribute}", value)

    def remove(self) -> None:
        """Take the database, its user and the backups away."""
        server.deprovision(self.admin, self.database)
        if self.backup_folder:
            self.backups.remove()


class MysqlAppDriver(ResourceDriverInterface):
    """The commands of the app; several may run at once, each with a connection of its own."""

    def __init__(self) -> None:
        """Connect to nothing yet."""
        self._app: App | None = None
        self._staying = threading.Lock()
        self._files = threading.Lock()

    def initialize(self, context: InitCommandContext) -> None:
        """Wait for the first command, which tells the sandbox."""

    def cleanup(self) -> None:
        """Remove the database where ``keep_alive`` had not begun when the sandbox ended."""
        self._remove_if_over()

    # ---- its life -------------------------------------------------------------------------------

    def provision(self, context: ResourceCommandContext) -> str:
        """Make the app's database and its user; does no harm where they are there already."""
        with self._command(context) as app:
            password = app.password or server.new_password()
            self._app = app
            app.set("Database", app.database)
            app.set("Database Password", password)
            server.provision(app.admin, app.database, password)
            self._stay(app)
            return f"database {app.database} is ready"

    def deprovision(self, context: ResourceCommandContext) -> str:
        """Remove the app's database, its user and its backups."""
        with self._command(context) as app:
            app.remove()
            self._app = None
            app.set("Database Password", "")
            app.set("Database", "")
            return f"database {app.database} is removed"

    def keep_alive(
        self, context: ResourceCommandContext, cancellation_context: CancellationContext
    ) -> None:
        """Run until the sandbox ends, so that this instance is there to clean up, however idle it is."""
        while not cancellation_context.is_cancelled:
            time.sleep(0.2)
        self._remove_if_over()

    def _stay(self, app: App) -> None:
        """Have ``keep_alive`` run, unless this instance has it already."""
        self._app = app
        if self._staying.acquire(blocking=False):
            app.api.EnqueueCommand(app.sandbox, app.name, "Resource", "keep_alive")

    def _remove_if_over(self) -> None:
        """An instance also ends when its server restarts; then the sandbox goes on, and the database stays."""
        app, self._app = self._app, None
        if app is not None:
            details = app.api.GetReservationDetails(app.sandbox, disableCache=True)
            if details.ReservationDescription.Status in OVER:
                app.remove()

    # ---- tables ---------------------------------------------------------------------------------

    def create_table(self, context: ResourceCommandContext, table: str, columns: str) -> str:
        """Make a table."""
        with self._database(context) as database, database.cursor() as cursor:
            cursor.execute(f"CREATE TABLE {server.quoted(table)} ({columns})")
            return f"table {table} created"

    def drop_table(self, context: ResourceCommandContext, table: str) -> str:
        """Remove a table with all that is in it."""
        with self._database(context) as database, database.cursor() as cursor:
            cursor.execute(f"DROP TABLE {server.quoted(table)}")
            return f"table {table} dropped"

    def list_tables(self, context: ResourceCommandContext) -> str:
        """Return the names of the tables, one a line."""
        with self._database(context) as database:
            return "\n".join(server.tables(database))

    def insert_rows(self, context: ResourceCommandContext, table: str, rows: str) -> str:
        """Add rows, a JSON list of objects, all or none; return how many."""
        with self._database(context) as database:
            given = json.loads(rows)
            if not isinstance(given, list) or not all(isinstance(row, dict) for row in given):
                raise AppError("rows are a JSON list of objects, each with values by column")
            return str(server.insert(database, table, given))

    def list_rows(self, context: ResourceCommandContext, table: str, limit: str = "100") -> str:
        """Return rows of a table as a JSON list of objects."""
        with self._database(context) as database:
            found = server.rows(database, table, int(limit or 100))
            return json.dumps(found, default=str, ensure_ascii=False)

    # ---- backups --------------------------------------------------------------------------------

    def backup(
        self,
        context: ResourceCommandContext,
        cancellation_context: CancellationContext,
        name: str = "",
    ) -> str:
        """Write all tables into a file as SQL; return its path."""
        name = name or time.strftime("%Y%m%d-%H%M%S", time.gmtime())
        with self._command(context) as app, app.login.connected() as database, self._files:
            statements = until_cancelled(server.dump(database), cancellation_context)
            return str(app.backups.write(name, statements))

    def restore(self, context: ResourceCommandContext, name: str) -> str:
        """Replace all tables with those of a backup; return how many rows came back."""
        with self._command(context) as app, self._files:
            statements = app.backups.read(name)
            with app.login.connected() as database:
                return str(server.load(database, statements))

    def list_backups(self, context: ResourceCommandContext) -> str:
        """Return their names, oldest first, one a line."""
        with self._command(context) as app:
            return "\n".join(app.backups.names())

    # ---- health ---------------------------------------------------------------------------------

    def health_check(self, context: ResourceCommandContext) -> str:
        """Log on, read, and set the live status of the app."""
        with self._command(context) as app:
            try:
                with app.login.connected() as database:
                    said = f"{len(server.tables(database))} tables on {server.version(app.login)}"
            except (AppError, pymysql.MySQLError) as error:
                app.api.SetResourceLiveStatus(app.name, "Error", str(error))
                return f"Health check on resource {app.name} failed: {error}"
            app.api.SetResourceLiveStatus(app.name, "Online", said)
            return f"Health check on resource {app.name} passed: {said}"

    def get_inventory(self, context: AutoLoadCommandContext) -> AutoLoadDetails:
        """Ask the server for its version; an app has no sub-resources."""
        api = CloudShellSessionContext(context).get_api()
        version = server.version(admin_of(context.resource, api))
        return AutoLoadDetails([], [AutoLoadAttribute("", f"{MODEL}.Server Version", version)])

    # ---- what every command needs ---------------------------------------------------------------

    @contextmanager
    def _command(self, context: ResourceCommandContext) -> Iterator[App]:
        with LoggingSessionContext(context) as logger:
            app = app_of(context)
            if app.password:
                self._stay(app)
            try:
                yield app
            except (AppError, pymysql.MySQLError) as error:
                logger.error("%s: %s", app.database, error)
                raise

    @contextmanager
    def _database(self, context: ResourceCommandContext) -> Iterator[Connection]:
        with self._command(context) as app, app.login.connected() as database:
            yield database


def app_of(context: ResourceCommandContext) -> App:
    """The app that a command is for."""
    if context.reservation is None:
        raise AppError(f"'{context.resource.fullname}' is no sandbox's; start a sandbox with it")
    api = CloudShellSessionContext(context).get_api()
    sandbox, name = context.reservation.reservation_id, context.resource.fullname
    given = context.resource.attributes
    return App(
        api=api,
        sandbox=sandbox,
        name=name,
        admin=admin_of(context.resource, api),
        database=f"app{hashlib.sha256(f'{sandbox}/{name}'.encode()).hexdigest()[:20]}",
        password=api.DecryptPassword(given[f"{MODEL}.Database Password"]).Value,
        backup_folder=given[f"{MODEL}.Backup Folder"],
    )


def admin_of(resource: ResourceContextDetails, api: CloudShellAPISession) -> Login:
    """Who may make databases and users."""
    given = resource.attributes
    password = api.DecryptPassword(given[f"{MODEL}.Password"]).Value
    port = int(given[f"{MODEL}.Port"])
    return Login(resource.address, port, given[f"{MODEL}.User"], password)


def until_cancelled(parts: Iterable[str], cancellation: CancellationContext) -> Iterator[str]:
    """All parts, or an end in between: somebody cancelled the command."""
    for part in parts:
        if cancellation.is_cancelled:
            raise AppError("the backup was cancelled; nothing was written")
        yield part
