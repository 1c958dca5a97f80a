"""A proposed end of a row of the table of decisions that was taken back stays known: who, when, why."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "dropped_end",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("rule_id", sa.BigInteger(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("ended_by", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_reason", sa.String(), nullable=False),
        sa.Column("dropped_by", sa.BigInteger(), nullable=False),
        sa.Column("dropped_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["rule_id"], ["authority_rule.id"], name=op.f("fk_dropped_end_rule_id")),
        sa.ForeignKeyConstraint(["ended_by"], ["person.id"], name=op.f("fk_dropped_end_ended_by")),
        sa.ForeignKeyConstraint(["dropped_by"], ["person.id"], name=op.f("fk_dropped_end_dropped_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dropped_end")),
    )
    op.create_index("ix_dropped_end_rule", "dropped_end", ["rule_id", "id"])
    op.execute(
        "CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE ON dropped_end FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER keep_table BEFORE TRUNCATE ON dropped_end FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    for trigger in ("keep_rows", "keep_table"):
        op.execute(f"ALTER TABLE dropped_end ENABLE ALWAYS TRIGGER {trigger}")


def downgrade() -> None:
    raise RuntimeError("History does not go back; restore a backup instead.")
