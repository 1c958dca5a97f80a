"""The files of a case as they stand in the database: listed, read in pieces, gone with an erasure.

A file is never replaced. A draft's files wait without an event; the case's first act records them.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import count

from psycopg.rows import class_row

from workflow.db import Database
from workflow.loading import Connection
from workflow.reach import Reach


class Damaged(Exception):
    """The stored bytes are not those that were received; nothing of the last piece was given out."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file as a list shows it. `seq` is the event that recorded it, None while a draft waits for its first."""

    id: int
    case_id: int
    seq: int | None
    scope: str
    label: str
    name: str
    media_type: str
    size: int
    sha256: str
    org_name: str
    added_at: datetime
    erased_seq: int | None


DAY = "(a.added_at AT TIME ZONE 'Asia/Tokyo')::date"

# The organisation as it was called on the day.
READABLE = f"""SELECT a.id, a.case_id, a.seq, a.scope, a.label, a.name, a.media_type, a.size, a.sha256,
  coalesce((SELECT o.name FROM organisation o WHERE o.code = a.org_code AND (o.valid_from IS NULL OR o.valid_from <= {DAY})
    AND (o.valid_to IS NULL OR o.valid_to >= {DAY}) LIMIT 1), a.org_code) AS org_name, a.added_at, a.erased_seq
FROM attachment a WHERE a.case_id = %(case)s AND (a.scope = 'shared' OR %(internal)s)
  AND (%(until)s::int IS NULL OR a.seq <= %(until)s) AND (%(id)s::bigint IS NULL OR a.id = %(id)s) ORDER BY a.id"""


def listed(conn: Connection, case_id: int, reach: Reach) -> list[Attachment]:
    """The files of a case that a reader may have, the oldest first."""
    return _found(conn, case_id, reach, None)


def one(conn: Connection, case_id: int, reach: Reach, attachment_id: int) -> Attachment | None:
    """One of these files; None also for one that was erased."""
    found = _found(conn, case_id, reach, attachment_id)
    return found[0] if found and found[0].erased_seq is None else None


def _found(conn: Connection, case_id: int, reach: Reach, attachment_id: int | None) -> list[Attachment]:
    wanted = {"case": case_id, "internal": reach.files, "until": reach.until, "id": attachment_id}
    with conn.cursor(row_factory=class_row(Attachment)) as cursor:
        return cursor.execute(READABLE, wanted, prepare=True).fetchall()


def prove(conn: Connection, file: Attachment) -> None:
    """Read a file through. Raises `Damaged` where its bytes are not those that were received."""
    for _ in _pieces(file, partial(_piece, conn, file)):
        pass


def beginning(conn: Connection, file: Attachment) -> bytes:
    """The first piece of a file, as it was received."""
    return _piece(conn, file, 0) or b""


def stream(db: Database, file: Attachment) -> Iterator[bytes]:
    """The bytes of a file, piece by piece, no connection held in between. Raises `Damaged` before the last piece."""

    def read(number: int) -> bytes | None:
        with db.connection() as conn:
            return _piece(conn, file, number)

    return _pieces(file, read)


def _piece(conn: Connection, file: Attachment, number: int) -> bytes | None:
    row = conn.execute(
        "SELECT data FROM attachment_part WHERE attachment_id = %s AND ord = %s", (file.id, number), prepare=True, binary=True
    ).fetchone()  # fmt: skip
    return bytes(row[0]) if row else None


def _pieces(file: Attachment, read: Callable[[int], bytes | None]) -> Iterator[bytes]:
    digest, size, held = hashlib.sha256(), 0, b""
    for piece in map(read, count()):
        if piece is None:
            break
        if held:
            yield held
        held = piece
        digest.update(piece)
        size += len(piece)
    if (size, digest.hexdigest()) != (file.size, file.sha256):
        raise Damaged
    yield held


def erase(conn: Connection, case_id: int, attachment_id: int, seq: int) -> None:
    """Let a file go with the erasing event `seq`: its bytes, name, label and digest; that there was one stays told."""
    conn.execute("DELETE FROM attachment_part p USING attachment a WHERE a.id = p.attachment_id AND a.case_id = %s AND a.id = %s",
                 (case_id, attachment_id))  # fmt: skip
    conn.execute(
        "UPDATE attachment SET name = '', label = '', sha256 = '', erased_seq = %s WHERE case_id = %s AND id = %s",
        (seq, case_id, attachment_id),
    )
