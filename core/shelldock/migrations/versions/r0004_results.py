"""Results of executions that are too long to be read with all else."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Leave those that are there where they are: in the records."""
    op.add_column("executions", sa.Column("result", sa.Text))
