"""The table of decisions is kept: what a row replaces, an end that a second person consents to, and nothing rewritten."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

KEEP = """
CREATE FUNCTION keep_rule() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.id, NEW.process, NEW.matter, NEW.office, NEW.article, NEW.tests, NEW.stages, NEW.standing, NEW.no_deputy, NEW.bulk, NEW.sort,
      NEW.reason, NEW.set_by, NEW.set_at, NEW.replaces_id) IS NOT DISTINCT FROM
     (OLD.id, OLD.process, OLD.matter, OLD.office, OLD.article, OLD.tests, OLD.stages, OLD.standing, OLD.no_deputy, OLD.bulk, OLD.sort,
      OLD.reason, OLD.set_by, OLD.set_at, OLD.replaces_id)
     AND (OLD.consented_at IS NULL
          OR (NEW.consented_by, NEW.consented_at, NEW.valid_from) = (OLD.consented_by, OLD.consented_at, OLD.valid_from)) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'rule % of decision is kept: end it and set another', OLD.id USING ERRCODE = 'insufficient_privilege';
END $$
"""


def upgrade() -> None:
    op.add_column("authority_rule", sa.Column("replaces_id", sa.BigInteger(), nullable=True))
    op.add_column("authority_rule", sa.Column("ends_on", sa.Date(), nullable=True))
    op.add_column("authority_rule", sa.Column("end_consented_by", sa.BigInteger(), nullable=True))
    op.add_column("authority_rule", sa.Column("end_consented_at", sa.DateTime(timezone=True), nullable=True))
    op.create_foreign_key(
        op.f("fk_authority_rule_replaces_id"), "authority_rule", "authority_rule", ["replaces_id"], ["id"]
    )
    op.create_foreign_key(
        op.f("fk_authority_rule_end_consented_by"), "authority_rule", "person", ["end_consented_by"], ["id"]
    )
    op.create_check_constraint(
        op.f("ck_authority_rule_end_second"),
        "authority_rule",
        "(end_consented_by IS NULL OR end_consented_by <> ended_by) IS TRUE",
    )
    op.create_check_constraint(
        op.f("ck_authority_rule_end_consent"),
        "authority_rule",
        "((end_consented_by IS NULL) = (end_consented_at IS NULL)) IS TRUE",
    )
    op.execute(KEEP)
    op.execute("CREATE TRIGGER keep_rule BEFORE UPDATE ON authority_rule FOR EACH ROW EXECUTE FUNCTION keep_rule()")
    op.execute("CREATE TRIGGER keep_rows BEFORE DELETE ON authority_rule FOR EACH ROW EXECUTE FUNCTION refuse_change()")
    op.execute(
        "CREATE TRIGGER keep_table BEFORE TRUNCATE ON authority_rule FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    for trigger in ("keep_rule", "keep_rows", "keep_table"):
        op.execute(f"ALTER TABLE authority_rule ENABLE ALWAYS TRIGGER {trigger}")


def downgrade() -> None:
    raise RuntimeError("History does not go back; restore a backup instead.")
