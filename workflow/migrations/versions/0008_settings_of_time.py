"""Several days of the year in a rule, days that a law brings along, and what was taken out or ended stays readable."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("deadline_rule", sa.Column("on_days", sa.ARRAY(sa.SmallInteger()), nullable=True))
    op.add_column("deadline_rule", sa.Column("ended_reason", sa.String(), nullable=True))
    op.execute("UPDATE deadline_rule SET on_days = ARRAY[month * 100 + day] WHERE month IS NOT NULL")
    op.drop_constraint(op.f("ck_deadline_rule_one"), "deadline_rule", type_="check")
    op.drop_column("deadline_rule", "month")
    op.drop_column("deadline_rule", "day")
    op.create_check_constraint(
        op.f("ck_deadline_rule_one"),
        "deadline_rule",
        "((days IS NULL) = (on_days IS NOT NULL) AND coalesce(cardinality(on_days), 1) > 0) IS TRUE",
    )
    op.add_column("deadline_move", sa.Column("deadlines", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("closure", sa.Column("derived", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_table(
        "closure_ended",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("office", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("derived", sa.Boolean(), nullable=False),
        sa.Column("set_by", sa.BigInteger(), nullable=True),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_reason", sa.String(), nullable=False),
        sa.Column("ended_by", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["ended_by"], ["person.id"], name=op.f("fk_closure_ended_ended_by")),
        sa.ForeignKeyConstraint(["set_by"], ["person.id"], name=op.f("fk_closure_ended_set_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closure_ended")),
    )
    op.create_index(
        "ix_deadline_moved", "deadline", ["opened_at"], unique=False, postgresql_where=sa.text("planned_at IS NOT NULL")
    )


def downgrade() -> None:
    raise RuntimeError("History does not go back; restore a backup instead.")
