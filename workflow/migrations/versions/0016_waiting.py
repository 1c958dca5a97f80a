"""Who waits for others on a route, a row for each: what a person waits for is read in its order, not gathered and sorted."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0016"
down_revision: str | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

WAITING = """INSERT INTO waiting (case_id, who, due_at)
SELECT s.case_id, u.who, min(s.due_at) FROM step s, unnest(s.awaited_by) AS u (who) WHERE s.closed_at IS NULL GROUP BY s.case_id, u.who"""


def upgrade() -> None:
    op.create_table(
        "waiting",
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "who", name=op.f("pk_waiting")),
    )
    op.create_index("ix_waiting_who", "waiting", ["who", "due_at", "case_id"])
    op.execute(WAITING)
    op.drop_index("ix_step_awaited", "step")


def downgrade() -> None:
    raise RuntimeError("History does not go back; restore a backup instead.")
