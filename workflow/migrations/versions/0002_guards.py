"""What the database itself refuses: changes to history, content emptied without an erasing event, a clock that moves."""

from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None

CLOCK = """
CREATE FUNCTION clock_now() RETURNS timestamptz LANGUAGE sql STABLE
RETURN now() + (SELECT clock_offset FROM installation)
"""

REFUSE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% of % is refused: history is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$
"""

# The one change that content knows: emptied, in the transaction whose erasing event lists it.
KEEP = """
CREATE FUNCTION keep_content() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.salt IS NULL AND NEW.data IS NULL AND OLD.salt IS NOT NULL
     AND (NEW.case_id, NEW.seq, NEW.ord, NEW.kind, NEW.digest) = (OLD.case_id, OLD.seq, OLD.ord, OLD.kind, OLD.digest)
     AND EXISTS (
       SELECT 1 FROM event e JOIN content x ON x.case_id = e.case_id AND x.seq = e.seq AND x.kind = 'erasure',
         jsonb_array_elements(convert_from(x.data, 'UTF8')::jsonb -> 'erased') AS place
       WHERE e.case_id = OLD.case_id AND e.action = 'erase' AND e.xmin = pg_current_xact_id()::xid
         AND place = jsonb_build_array(OLD.seq, OLD.ord)) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'content of case % is kept: only an erasing event may empty it', OLD.case_id USING ERRCODE = 'insufficient_privilege';
END $$
"""

ERASE = """
CREATE FUNCTION erase_content(of_case bigint, by_seq int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE n int;
BEGIN
  UPDATE content c SET salt = NULL, data = NULL
  FROM content x, jsonb_array_elements(convert_from(x.data, 'UTF8')::jsonb -> 'erased') AS id
  WHERE x.case_id = of_case AND x.seq = by_seq AND x.kind = 'erasure'
    AND c.case_id = of_case AND c.seq = (id ->> 0)::int AND c.ord = (id ->> 1)::int AND c.salt IS NOT NULL;
  GET DIAGNOSTICS n = ROW_COUNT;
  RETURN n;
END $$
"""

# A demonstration stays one for good, is never made of a database that already has cases, and alone may shift its clock.
MARK = """
CREATE FUNCTION keep_installation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'the installation row stays';
  END IF;
  IF OLD.demonstration AND NOT NEW.demonstration THEN
    RAISE EXCEPTION 'a demonstration stays one for good';
  END IF;
  IF NEW.demonstration AND NOT OLD.demonstration AND EXISTS (SELECT 1 FROM event) THEN
    RAISE EXCEPTION 'a database with history does not become a demonstration';
  END IF;
  RETURN NEW;
END $$
"""

# A number was taken but the case was not moved, or only some were taken: undo the whole statement, leave no gap.
LOST = """
CREATE FUNCTION lost_counter(taken bigint, won bigint, wanted bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF taken > 0 AND (won = 0 OR taken <> wanted) THEN
    RAISE EXCEPTION 'a number was taken by somebody else first' USING ERRCODE = 'TB001';
  END IF;
  RETURN won > 0;
END $$
"""


def upgrade() -> None:
    for text in (CLOCK, REFUSE, KEEP, ERASE, MARK, LOST):
        op.execute(text)
    for table in ("event", "export_record"):
        op.execute(
            f"CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    op.execute("CREATE TRIGGER keep_data BEFORE UPDATE ON content FOR EACH ROW EXECUTE FUNCTION keep_content()")
    op.execute("CREATE TRIGGER keep_rows BEFORE DELETE ON content FOR EACH ROW EXECUTE FUNCTION refuse_change()")
    op.execute(
        "CREATE TRIGGER keep_mark BEFORE UPDATE OR DELETE ON installation FOR EACH ROW EXECUTE FUNCTION keep_installation()"
    )
    for table in ("event", "content", "export_record", "installation"):
        op.execute(
            f"CREATE TRIGGER keep_table BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    # ALWAYS: the guards hold under session_replication_role = replica, too.
    for table, trigger in (
        ("event", "keep_rows"),
        ("export_record", "keep_rows"),
        ("content", "keep_data"),
        ("content", "keep_rows"),
    ):
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")
    for table in ("event", "content", "export_record", "installation"):
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER keep_table")
    op.execute("REVOKE ALL ON FUNCTION erase_content(bigint, int) FROM PUBLIC")


def downgrade() -> None:
    raise RuntimeError("History does not go back; restore a backup instead.")
