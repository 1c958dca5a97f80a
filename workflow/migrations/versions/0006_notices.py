"""Notices: by which way and when a person is told, digests, the calendar feed."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "preference",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("mail", sa.String(), nullable=False),
        sa.Column("informed", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(mail IN ('at_once', 'morning', 'twice')) IS TRUE", name=op.f("ck_preference_mail")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_preference_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_preference")),
    )
    op.create_table(
        "rung_setting",
        sa.Column("process", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("rungs", sa.ARRAY(sa.SmallInteger()), nullable=True),
        sa.Column("set_by", sa.BigInteger(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["set_by"], ["person.id"], name=op.f("fk_rung_setting_set_by")),
        sa.PrimaryKeyConstraint("process", "kind", "valid_from", name=op.f("pk_rung_setting")),
    )
    # A digest is of many cases: its row and its mail name none.
    op.alter_column("outbox", "case_id", nullable=True)
    op.alter_column("message", "case_id", nullable=True)
    op.add_column("message", sa.Column("gathered", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("message", sa.Column("digest_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_message_digest_id"), "message", "outbox", ["digest_id"], ["id"])
    waits = sa.text("gathered AND digest_id IS NULL AND sent_at IS NULL")
    op.create_index("ix_message_gathered", "message", ["person_id", "made_at"], postgresql_where=waits)
    named = sa.text("digest_id IS NOT NULL")
    op.create_index("ix_message_digest", "message", ["digest_id"], postgresql_where=named)
    failed = sa.text("done_at IS NOT NULL AND trouble IS NOT NULL")
    op.create_index("ix_outbox_failed", "outbox", ["case_id"], postgresql_where=failed)
    op.create_table(
        "feed",
        sa.Column("person_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_feed_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_feed")),
        sa.UniqueConstraint("digest", name=op.f("uq_feed_digest")),
    )


def downgrade() -> None:
    raise RuntimeError("History does not go back; restore a backup instead.")
