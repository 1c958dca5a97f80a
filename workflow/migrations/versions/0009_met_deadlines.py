"""Deadlines that were met, by day, and the reminders of a case, are found without reading what lies behind them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    met = sa.text("closed_at IS NOT NULL AND left_days IS NULL AND move = ''")
    op.create_index("ix_deadline_met", "deadline", ["due_at", "id"], postgresql_where=met)
    op.create_index("ix_deadline_opened", "deadline", ["case_id", "kind", "opened_at"])
    reminder = sa.text("starts_with(kind, 'reminder:')")
    op.create_index("ix_outbox_reminder", "outbox", ["case_id", "id"], postgresql_where=reminder)


def downgrade() -> None:
    raise RuntimeError("History does not go back; restore a backup instead.")
