"""The personnel unit of headquarters is named, and a recognised body is an organisation, so that it may have an account."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0017"
down_revision: str | None = "0016"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# The same body, recognised again by the same office, is the same organisation; what another office calls so is another.
BODY = """
CREATE FUNCTION body_of_recognition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(7224, hashtext(NEW.office || ' ' || NEW.name_key));
  SELECT r.org_code INTO NEW.org_code FROM recognition r
    WHERE r.office = NEW.office AND r.name_key = NEW.name_key AND r.org_code <> '' ORDER BY r.id LIMIT 1;
  IF NOT FOUND THEN
    NEW.org_code := 'body-' || NEW.id;
    INSERT INTO organisation (code, kind, name, short, kana, office, sort, contact)
      VALUES (NEW.org_code, 'body', NEW.name, NEW.name, '', NEW.office, NEW.id, '');
  END IF;
  RETURN NEW;
END $$
"""

# Entries from before: one organisation for each body of an office, under the number of its first entry.
EARLIER = """
WITH first AS (SELECT office, name_key, min(id) AS id FROM recognition GROUP BY office, name_key)
UPDATE recognition r SET org_code = 'body-' || f.id FROM first f WHERE f.office = r.office AND f.name_key = r.name_key
"""
ORGANISATIONS = """
INSERT INTO organisation (code, kind, name, short, kana, office, sort, contact)
SELECT r.org_code, 'body', r.name, r.name, '', r.office, r.id, '' FROM recognition r WHERE r.org_code = 'body-' || r.id
"""


def upgrade() -> None:
    op.add_column("installation", sa.Column("personnel", sa.String(), server_default=sa.text("''"), nullable=False))
    op.add_column("recognition", sa.Column("org_code", sa.String(), server_default=sa.text("''"), nullable=False))
    for text in (BODY, EARLIER, ORGANISATIONS):
        op.execute(text)
    op.execute("CREATE TRIGGER body BEFORE INSERT ON recognition FOR EACH ROW EXECUTE FUNCTION body_of_recognition()")


def downgrade() -> None:
    raise RuntimeError("History does not go back; restore a backup instead.")
