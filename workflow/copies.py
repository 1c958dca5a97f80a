"""What else says what a case says, beside its history: mails, working copies, attentions, compiled files, answers kept.

An erasure reaches all of them in its own transaction. A mail that left, a paper that was printed and a file that was handed
out are beyond reach; that they exist is on record.
"""

import html
import io
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from states.dates import read_date
from states.places import Directory
from workflow.blackout import Words, texts
from workflow.history import canonical
from workflow.loading import Connection, Loaded

SHORTEST = 2  # characters of a text by which a copy is known
WITHDRAWN = "載っていた案件の内容が消去されたため、このファイルは取り下げました。要るときは、もう一度つくってください。"

# Texts of a case outside its history: table, key, columns.
_TEXTS = (
    ("message", "id", ("subject", "body")),
    ("attention", "id", ("sentence",)),
    ("step", "id", ("ask",)),
    ("retention_hold", "id", ("reason",)),
)
_OF_CASE = "case_id = %(case)s"
# A digest is of many cases and says something of each.
_IN_DIGEST = " OR outbox_id IN (SELECT digest_id FROM message WHERE case_id = %(case)s)"
_ALL_OFFICES = "all"


def telling(values: Iterable[Any], codes: frozenset[str]) -> Words:
    """What of these values tells something where it stands elsewhere: no codes, numbers, days and names of organisations."""
    directory = Directory.from_csv()
    known = {o.name for o in directory.offices} | {m.name for m in directory.municipalities}
    found = {line.strip() for value in values for text in texts(value, codes) for line in (text, *text.splitlines())}
    told = {
        text for text in found
        if len(text) >= SHORTEST and text not in known and not re.fullmatch(r"[\d\s.,:/~〜-]*", text) and read_date(text).date is None
    }  # fmt: skip
    return Words(tuple(sorted(told, key=len, reverse=True)), codes)


def black_out(conn: Connection, case_id: int, words: Words, erased: Sequence[str]) -> None:
    """Black the words out of every copy; the field groups that were erased go out of what is being written."""
    for table, key, columns in _TEXTS:
        of = f"{_OF_CASE}{_IN_DIGEST if table == 'message' else ''}"
        rows = conn.execute(f"SELECT {key}, {', '.join(columns)} FROM {table} WHERE {of}", {"case": case_id}).fetchall()
        for row in rows:
            said = [words.black(text) for text in row[1:]]
            if said != list(row[1:]):
                places = ", ".join(f"{column} = %s" for column in columns)
                conn.execute(f"UPDATE {table} SET {places} WHERE {key} = %s", (*said, row[0]))
    rows = conn.execute("SELECT id, payload, trouble FROM outbox WHERE case_id = %s", (case_id,)).fetchall()
    for outbox, payload, trouble in rows:
        black = words.black(payload), words.black(trouble)
        if black != (payload, trouble):
            conn.execute(
                "UPDATE outbox SET payload = %s::jsonb, trouble = %s WHERE id = %s",
                (canonical(black[0]), black[1], outbox),
            )
    # Counted as a save, so that a window with the old text is told before it writes that text again.
    rows = conn.execute("SELECT org_code, form FROM working WHERE case_id = %s", (case_id,)).fetchall()
    for org, form in rows:
        left = words.black({group: part for group, part in form.items() if group not in erased})
        if not left:
            conn.execute("DELETE FROM working WHERE case_id = %s AND org_code = %s", (case_id, org))
        elif left != form:
            conn.execute(
                "UPDATE working SET form = %s::jsonb, saves = saves + 1 WHERE case_id = %s AND org_code = %s",
                (canonical(left), case_id, org),
            )


def clear(conn: Connection, case_id: int) -> None:
    """Drop every copy of a case of which nothing is kept; a digest that spoke of it among others loses its words."""
    conn.execute(
        """UPDATE message SET subject = '', body = '' WHERE outbox_id IN
             (SELECT digest_id FROM message WHERE case_id = %s)""",
        (case_id,),
    )
    for table in ("message", "attention", "step", "waiting", "working", "search_entry"):
        conn.execute(f"DELETE FROM {table} WHERE case_id = %s", (case_id,))
    conn.execute("UPDATE retention_hold SET reason = '' WHERE case_id = %s", (case_id,))
    conn.execute(
        "UPDATE outbox SET payload = '{}', trouble = NULL, done_at = coalesce(done_at, now()) WHERE case_id = %s",
        (case_id,),
    )
    conn.execute(
        """UPDATE comment SET names = '{"actor": "", "post": "", "office": ""}' WHERE case_id = %s""", (case_id,)
    )


def rename_file(conn: Connection, case_id: int, told: Mapping[str, Any]) -> None:
    """A file whose name held the words keeps its bytes under the blacked-out name."""
    conn.execute(
        "UPDATE attachment SET name = %s, label = %s WHERE case_id = %s AND id = %s",
        (told["name"], told["label"], case_id, told["id"]),
    )


def keep_remark(conn: Connection, remark: int, body: str) -> None:
    """An erased remark says what was left of it."""
    conn.execute("UPDATE comment SET body = %s WHERE id = %s", (body, remark))


def forget_answers(conn: Connection, case_id: int) -> None:
    """Drop the answers kept for requests on this case: the digest of a short text tells who guesses it.

    An answer does not name its case; it was written by the same transaction as the event or the remark that it is about.
    """
    conn.execute("DELETE FROM idempotency i USING event e WHERE e.case_id = %s AND i.xmin = e.xmin", (case_id,))
    conn.execute("DELETE FROM idempotency i USING comment c WHERE c.case_id = %s AND i.xmin = c.xmin", (case_id,))
    conn.execute(
        """DELETE FROM idempotency i USING cases c WHERE c.id = %s AND i.person_id = c.opened_by
           AND i.result @> jsonb_build_object('made', c.id)""",
        (case_id,),
    )


# ── compiled files ──────────────────────────────────────────────────────────────────────────────────────────────────


def withdraw_reports(conn: Connection, case: Loaded, words: Words) -> None:
    """Take back every compiled file that holds one of the words; who needs it has it made anew, without them."""
    offices = sorted({case.row.lead, _ALL_OFFICES, *(party["org"] for party in case.parties)})
    jobs = conn.execute(
        "SELECT id, file FROM report_job WHERE file IS NOT NULL AND process = %s AND office = ANY (%s)",
        (case.process.key, offices),
    ).fetchall()
    for job, file in jobs:
        if any(words.within(text) for text in written(bytes(file))):
            conn.execute(
                "UPDATE report_job SET file = NULL, sha256 = NULL, trouble = %s WHERE id = %s", (WITHDRAWN, job)
            )


def written(workbook: bytes) -> list[str]:
    """Every text of a workbook of ours, cell by cell."""
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        parts = [archive.read(name).decode() for name in archive.namelist() if name.endswith(".xml")]
    return [html.unescape(text) for part in parts for text in re.findall(r"<(?:t|v)\b[^>]*>([^<]+)<", part)]
