"""A large archive: the ledger by day, and a search that never reads through pending entries."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_index("ix_assignment_day", "assignment", ["day", "case_id"], unique=False)
    op.execute(sa.text("ALTER INDEX ix_search_entry_grams SET (fastupdate = off)"))
    # What is pending until now goes into the index.
    op.execute(sa.text("SELECT gin_clean_pending_list('ix_search_entry_grams')"))


def downgrade() -> None:
    raise RuntimeError("History does not go back; restore a backup instead.")
