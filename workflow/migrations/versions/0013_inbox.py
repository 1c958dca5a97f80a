"""What an item of an inbox wants and who waits for it; one's own acts by day: found without reading what lies behind them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

OPEN = sa.text("closed_at IS NULL")
# Rows from before: the step of a route is told by what it asked.
KINDS = """UPDATE step SET kind = CASE WHEN ask LIKE '%(保留中)' THEN 'held' WHEN ask = '回議する' THEN 'review'
  WHEN ask = '合議に答える' THEN 'consent' WHEN ask IN ('供覧を読む', '後閲する') THEN 'read' WHEN ask = '相談に答える' THEN 'advice'
  WHEN ask LIKE '同意しない職があったので%' THEN '' ELSE 'decide' END
WHERE closed_at IS NULL AND left(role, 1) = '#'"""


def upgrade() -> None:
    op.add_column("step", sa.Column("kind", sa.String(), server_default=sa.text("''"), nullable=False))
    op.add_column("step", sa.Column("awaited_by", sa.ARRAY(sa.String()), nullable=True))
    op.execute(KINDS)
    op.drop_index("ix_step_desk", "step")
    op.create_index(
        "ix_step_desk", "step", ["org_code", "role", "kind", "due_at", "id"], postgresql_where=OPEN,
        postgresql_include=["case_id", "person_id", "ask"],
    )  # fmt: skip
    op.create_index(
        "ix_step_awaited", "step", ["awaited_by"], postgresql_using="gin", postgresql_with={"gin_pending_list_limit": "256"},
        postgresql_where=sa.text("closed_at IS NULL AND awaited_by IS NOT NULL"),
    )  # fmt: skip
    op.create_index(
        "ix_event_actor", "event", ["actor", "at", "case_id", "seq"], postgresql_where=sa.text("actor <> 'clock'")
    )


def downgrade() -> None:
    raise RuntimeError("History does not go back; restore a backup instead.")
