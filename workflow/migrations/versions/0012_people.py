"""People and posts: the superior of a post from a day on, and a record of who changed what of posts."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "superior",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("post_id", sa.BigInteger(), nullable=False),
        sa.Column("superior_id", sa.BigInteger(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_superior_post_id")),
        sa.ForeignKeyConstraint(["superior_id"], ["post.id"], name=op.f("fk_superior_superior_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_superior")),
    )
    op.create_index("ix_superior_post", "superior", ["post_id", "valid_from"])
    op.create_table(
        "post_record",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by", sa.BigInteger(), nullable=False),
        sa.Column("post_id", sa.BigInteger(), nullable=True),
        sa.Column("said", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["set_by"], ["person.id"], name=op.f("fk_post_record_set_by")),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_post_record_post_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_post_record")),
    )
    op.create_index("ix_post_record_post", "post_record", ["post_id", "id"])


def downgrade() -> None:
    raise RuntimeError("History does not go back; restore a backup instead.")
