"""The server, and the databases on it: what is asked of it in SQL."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pymysql
from pymysql.connections import Connection
from pymysql.cursors import DictCursor, SSDictCursor

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


class AppError(Exception):
    """Something that the user of the app can put right."""


@dataclass(frozen=True)
class Login:
    """Where to log on, and as whom."""

    host: str
    port: int
    user: str
    password: str
    database: str = ""

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        """A connection for one command, whose changes are kept only if all of it succeeds."""
        connection = pymysql.connect(
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password,
            database=self.database or None,
            charset="utf8mb4",
            connect_timeout=10,
            cursorclass=DictCursor,
        )
        with connection:
            yield connection
            connection.commit()


def quoted(name: str) -> str:
    """A name of a table or column, in a statement."""
    if not NAME.fullmatch(name):
        raise AppError(f"'{name}' is no name; use letters, digits and underscores")
    return f"`{name}`"


def new_password() -> str:
    """One that nobody knows."""
    return secrets.token_urlsafe(24)


def provision(admin: Login, database: str, password: str) -> None:
    """Make a database, and a user of the same name who may use it and nothing else."""
    with admin.connected() as connection, connection.cursor() as cursor:
        name = quoted(database)
        cursor.execute(f"CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET utf8mb4")
        cursor.execute("CREATE USER IF NOT EXISTS %s@'%%' IDENTIFIED BY %s", (database, password))
        cursor.execute("ALTER USER %s@'%%' IDENTIFIED BY %s", (database, password))
        cursor.execute(f"GRANT ALL ON {name}.* TO %s@'%%'", (database,))


def deprovision(admin: Login, database: str) -> None:
    """Remove a database and its user, where they are there."""
    with admin.connected() as connection, connection.cursor() as cursor:
        cursor.execute("DROP USER IF EXISTS %s@'%%'", (database,))
        cursor.execute(f"DROP DATABASE IF EXISTS {quoted(database)}")


def version(login: Login) -> str:
    """What the server says that it is."""
    with login.connected() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT VERSION() AS version")
        return str(cursor.fetchone()["version"])


def tables(connection: Connection) -> list[str]:
    """The names of a database's tables."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW FULL TABLES WHERE Table_type = 'BASE TABLE'")
        return sorted(next(iter(row.values())) for row in cursor.fetchall())


def insert(connection: Connection, table: str, rows: list[dict[str, Any]]) -> int:
    """Add rows; how many."""
    with connection.cursor() as cursor:
        for row in rows:
            columns = ", ".join(quoted(column) for column in row)
            places = ", ".join(["%s"] * len(row))
            statement = f"INSERT INTO {quoted(table)} ({columns}) VALUES ({places})"
            cursor.execute(statement, list(row.values()))
    return len(rows)


def rows(connection: Connection, table: str, limit: int) -> list[dict[str, Any]]:
    """Rows of a table, at most ``limit``."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {quoted(table)} LIMIT %s", (limit,))
        return list(cursor.fetchall())


def dump(connection: Connection) -> Iterator[str]:
    """A database as SQL, one statement a line, as it is at one moment; it is never in memory as a whole."""
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
    for table in tables(connection):
        with connection.cursor() as cursor:
            cursor.execute(f"SHOW CREATE TABLE `{table}`")
            yield " ".join(cursor.fetchone()["Create Table"].split("\n"))
        with connection.cursor(SSDictCursor) as cursor:
            cursor.execute(f"SELECT * FROM `{table}`")
            for row in cursor:
                columns = ", ".join(f"`{column}`" for column in row)
                yield f"INSERT INTO `{table}` ({columns}) VALUES {connection.literal(tuple(row.values()))}"


def load(connection: Connection, statements: list[str]) -> int:
    """Replace all tables of a database with what ``dump`` gave; how many rows that were."""
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION foreign_key_checks = 0")
        cursor.execute("SET SESSION sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO')")
        for table in tables(connection):
            cursor.execute(f"DROP TABLE `{table}`")
        for statement in statements:
            cursor.execute(statement)
    return sum(one.startswith("INSERT ") for one in statements)
