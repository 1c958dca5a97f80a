"""Time: days that a law or an office changes, dates set per office, extensions and moves."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("closure", sa.Column("kind", sa.String(), server_default=sa.text("'closed'"), nullable=False))
    op.add_column("closure", sa.Column("set_by", sa.BigInteger(), nullable=True))
    op.add_column("closure", sa.Column("set_at", sa.DateTime(timezone=True), nullable=True))
    op.create_foreign_key(op.f("fk_closure_set_by"), "closure", "person", ["set_by"], ["id"])
    op.create_check_constraint(op.f("ck_closure_kind"), "closure", "(kind IN ('closed', 'holiday', 'working')) IS TRUE")
    op.create_check_constraint(op.f("ck_closure_law"), "closure", "(kind = 'closed' OR office IS NULL) IS TRUE")
    op.add_column("deadline", sa.Column("planned_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "deadline_rule",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("process", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("office", sa.String(), nullable=True),
        sa.Column("days", sa.Integer(), nullable=True),
        sa.Column("month", sa.SmallInteger(), nullable=True),
        sa.Column("day", sa.SmallInteger(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("set_by", sa.BigInteger(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_by", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "((days IS NULL) = (month IS NOT NULL) AND (month IS NULL) = (day IS NULL)) IS TRUE",
            name=op.f("ck_deadline_rule_one"),
        ),
        sa.CheckConstraint(
            "(valid_to IS NULL OR valid_to >= valid_from - 1) IS TRUE", name=op.f("ck_deadline_rule_period")
        ),
        sa.ForeignKeyConstraint(["ended_by"], ["person.id"], name=op.f("fk_deadline_rule_ended_by")),
        sa.ForeignKeyConstraint(["set_by"], ["person.id"], name=op.f("fk_deadline_rule_set_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deadline_rule")),
    )
    op.create_index("ix_deadline_rule_process", "deadline_rule", ["process", "valid_from"], unique=False)
    op.create_table(
        "deadline_move",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("office", sa.String(), nullable=True),
        sa.Column("day_from", sa.Date(), nullable=False),
        sa.Column("day_to", sa.Date(), nullable=False),
        sa.Column("to_day", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("set_by", sa.BigInteger(), nullable=False),
        sa.Column("post_id", sa.BigInteger(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("moved", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("failed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(day_from <= day_to AND day_to < to_day) IS TRUE", name=op.f("ck_deadline_move_later")),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_deadline_move_post_id")),
        sa.ForeignKeyConstraint(["set_by"], ["person.id"], name=op.f("fk_deadline_move_set_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deadline_move")),
    )
    op.create_index(
        "ix_deadline_move_open", "deadline_move", ["id"], unique=False, postgresql_where=sa.text("done_at IS NULL")
    )


def downgrade() -> None:
    raise RuntimeError("History does not go back; restore a backup instead.")
