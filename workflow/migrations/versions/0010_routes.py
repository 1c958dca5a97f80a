"""Routes: the table of decisions, deputies and superiors of posts, kinds of tenures and absences, reading marks, kept views."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("post", sa.Column("superior_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_post_superior_id"), "post", "post", ["superior_id"], ["id"])
    op.add_column("tenure", sa.Column("kind", sa.String(), server_default=sa.text("'main'"), nullable=False))
    op.add_column("tenure", sa.Column("order_no", sa.String(), server_default=sa.text("''"), nullable=False))
    op.create_check_constraint(
        op.f("ck_tenure_kind"), "tenure", "(kind IN ('main', 'concurrent', 'joint', 'charge', 'acting')) IS TRUE"
    )
    op.add_column("absence", sa.Column("kind", sa.String(), server_default=sa.text("'other'"), nullable=False))
    op.create_check_constraint(
        op.f("ck_absence_kind"), "absence", "(kind IN ('trip', 'leave', 'illness', 'other')) IS TRUE"
    )
    op.create_table(
        "deputy",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("post_id", sa.BigInteger(), nullable=False),
        sa.Column("deputy_id", sa.BigInteger(), nullable=False),
        sa.Column("sort", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_deputy_post_id")),
        sa.ForeignKeyConstraint(["deputy_id"], ["post.id"], name=op.f("fk_deputy_deputy_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deputy")),
    )
    op.create_index("ix_deputy_post", "deputy", ["post_id"])
    op.create_table(
        "appointment_list",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("rows", postgresql.JSONB(), nullable=False),
        sa.Column("tenures", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("ended", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("taken_by", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_by", sa.BigInteger(), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["taken_by"], ["person.id"], name=op.f("fk_appointment_list_taken_by")),
        sa.ForeignKeyConstraint(["undone_by"], ["person.id"], name=op.f("fk_appointment_list_undone_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointment_list")),
    )
    op.create_table(
        "authority_rule",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("process", sa.String(), nullable=False),
        sa.Column("matter", sa.String(), nullable=False),
        sa.Column("office", sa.String(), nullable=True),
        sa.Column("article", sa.String(), nullable=False),
        sa.Column("tests", postgresql.JSONB(), nullable=False),
        sa.Column("stages", postgresql.JSONB(), nullable=False),
        sa.Column("standing", sa.Boolean(), nullable=False),
        sa.Column("no_deputy", sa.Boolean(), nullable=False),
        sa.Column("bulk", sa.Boolean(), nullable=False),
        sa.Column("sort", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("set_by", sa.BigInteger(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("consented_by", sa.BigInteger(), nullable=True),
        sa.Column("consented_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_reason", sa.String(), nullable=True),
        sa.CheckConstraint(
            "(valid_to IS NULL OR valid_to >= valid_from - 1) IS TRUE", name=op.f("ck_authority_rule_period")
        ),
        sa.CheckConstraint(
            "(consented_by IS NULL OR consented_by <> set_by) IS TRUE", name=op.f("ck_authority_rule_second")
        ),
        sa.CheckConstraint(
            "((consented_by IS NULL) = (consented_at IS NULL)) IS TRUE", name=op.f("ck_authority_rule_consent")
        ),
        sa.ForeignKeyConstraint(["set_by"], ["person.id"], name=op.f("fk_authority_rule_set_by")),
        sa.ForeignKeyConstraint(["consented_by"], ["person.id"], name=op.f("fk_authority_rule_consented_by")),
        sa.ForeignKeyConstraint(["ended_by"], ["person.id"], name=op.f("fk_authority_rule_ended_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authority_rule")),
    )
    op.create_index("ix_authority_rule_matter", "authority_rule", ["process", "matter"])
    op.create_table(
        "opened",
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_opened_case_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_opened_person_id")),
        sa.PrimaryKeyConstraint("case_id", "version", "person_id", name=op.f("pk_opened")),
    )
    op.create_table(
        "saved_view",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("query", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("shared_with", sa.String(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_saved_view_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
        sa.UniqueConstraint("person_id", "path", "name", name=op.f("uq_saved_view_person_id_path_name")),
    )
    op.create_index("ix_saved_view_shared", "saved_view", ["shared_with", "path"])
    op.create_table(
        "routes_followed",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("terms", sa.String(), nullable=False),
        sa.Column("followed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_routes_followed")),
    )


def downgrade() -> None:
    raise RuntimeError("History does not go back; restore a backup instead.")
