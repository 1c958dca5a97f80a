"""Carries out the effects that acts left as rows: notices and reminders become mails, letters are written and filed.

A row is claimed with a lease by the database's clock. Whoever dies with it loses nothing: the lease runs out and another
takes it. In the database every effect happens once; a mail may go out twice, then with the same Message-ID.
"""

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from psycopg.rows import class_row

from workflow import coming, digests, mail
from workflow.access import TODAY, actor
from workflow.audience import Connection
from workflow.db import Database
from workflow.documents import letters
from workflow.notices import (
    NO_ADDRESS,
    NO_HOLDER,
    REMARKED,
    Message,
    Row,
    Told,
    call_attention,
    notice,
    remark,
    reminder,
    settle,
    still_wanted,
)
from workflow.preferences import AT_ONCE, OVERFLOW, chosen
from workflow.settings import settings

log = logging.getLogger(__name__)

CHUNK = 20
LEASE = 45  # seconds a claimed row stays ours; longer than one hanging mail takes
PATIENT_TRIES = 8  # then somebody is told; a row that fails by itself is given up
LAST_TRY = 500  # about five days
UNSENT, WAITS, UNWRITTEN = "mail", "mail_waits", "letter"  # kinds of attention
# What a row says of itself when it told everybody but some.
LACKS = {NO_ADDRESS: "メールアドレスの登録がありません", NO_HOLDER: "いま就いている方がいません"}
_TELL_OTHERWISE = "受信箱には出ています。必要なら電話で伝え、管理者に登録を頼んでください。"

CLAIM = f"""WITH due AS (
  SELECT id FROM outbox WHERE done_at IS NULL AND next_at <= now() ORDER BY next_at, id LIMIT {CHUNK} FOR UPDATE SKIP LOCKED)
UPDATE outbox o SET next_at = now() + interval '{LEASE} seconds', tries = o.tries + 1 FROM due WHERE o.id = due.id
RETURNING o.id, coalesce(o.case_id, 0) AS case_id, o.seq, o.kind, o.payload, o.dedup, o.tries, o.trouble"""

_OURS = "id = %(id)s AND tries = %(tries)s AND done_at IS NULL"

# Who begins a row says so, and who ends says how: a row that was begun again and again and never ended kills its worker.
BEGUN = "begun "
BEGIN = f"UPDATE outbox SET next_at = now() + interval '{LEASE} seconds', trouble = %(trouble)s WHERE {_OURS}"
RENEW = f"UPDATE outbox SET next_at = now() + interval '{LEASE} seconds' WHERE {_OURS}"
RELEASE = f"UPDATE outbox SET next_at = now() WHERE {_OURS}"
FINISH = f"UPDATE outbox SET done_at = now(), trouble = %(trouble)s WHERE {_OURS}"
# 2, 4, 8 … seconds up to a minute, later a quarter of an hour; scattered, so that a server that comes back is not run down.
POSTPONE = f"""UPDATE outbox SET trouble = %(trouble)s, next_at = now() + (0.5 + random() / 2) * interval '1 second'
  * CASE WHEN %(soon)s THEN 1 WHEN tries > 60 THEN 900 ELSE least(60, 2 ^ least(tries, 10)) END WHERE {_OURS}"""

MADE = "SELECT count(*) FROM message WHERE outbox_id = %(id)s"
MAKE = f"""INSERT INTO message (outbox_id, case_id, person_id, address, message_id, subject, body, gathered, made_at)
SELECT o.id, o.case_id, u.*, clock_now() FROM outbox o,
  unnest(%(person)s::bigint[], %(address)s::text[], %(message_id)s::text[], %(subject)s::text[], %(body)s::text[], %(gathered)s::bool[]) AS u
WHERE {_OURS.replace("id =", "o.id =", 1)} ON CONFLICT DO NOTHING"""
UNSENT_OF = f"""SELECT m.id, m.person_id, m.address, m.message_id, m.subject, m.body, m.made_at,
  coalesce((SELECT o.name FROM organisation o JOIN cases c ON c.lead = o.code WHERE c.id = m.case_id
    AND (o.valid_from IS NULL OR o.valid_from <= {TODAY}) AND (o.valid_to IS NULL OR o.valid_to >= {TODAY}) LIMIT 1), '')
FROM message m WHERE m.outbox_id = %(id)s AND m.sent_at IS NULL AND NOT m.gathered ORDER BY m.id"""
SENT = "UPDATE message SET sent_at = clock_now() WHERE id = %s AND sent_at IS NULL"
KEPT = "UPDATE message SET sent_at = clock_now() WHERE outbox_id = %(id)s AND sent_at IS NULL AND NOT gathered"
DROPPED = "DELETE FROM message WHERE outbox_id = %(id)s AND sent_at IS NULL"

# How many mails each of these people got by themselves within the last minutes, counted no further than the limit.
LATELY = f"""SELECT p.id, (SELECT count(*) FROM (SELECT m.made_at FROM message m WHERE m.person_id = p.id AND NOT m.gathered
    ORDER BY m.id DESC LIMIT %(most)s) x WHERE x.made_at > clock_now() - interval '{OVERFLOW.seconds} seconds')
FROM unnest(%(people)s::bigint[]) AS p (id)"""


class Taken(Exception):
    """Another worker has the row: our lease ran out."""


class Postponed(Exception):
    """The row waits; `soon` when only somebody else was faster."""

    def __init__(self, sentence: str, *, soon: bool = False) -> None:
        super().__init__(sentence)
        self.soon = soon


class Hopeless(Exception):
    """The row is given up."""


@dataclass(slots=True)
class Delivered:
    """What one run did, in rows."""

    done: int = 0
    waiting: int = 0
    given_up: int = 0


def deliver(db: Database, seconds: float = 20.0) -> Delivered:
    """Carry out every row that is due, for at most about that long. Any number of these may run at once."""
    told, until = Delivered(), time.monotonic() + seconds
    with db.connection() as conn, mail.Post(_server(conn)) as post:
        while rows := _claim(conn):
            for row in rows:
                if time.monotonic() > until:
                    conn.execute(RELEASE, _place(row), prepare=True)
                else:
                    _carry_out(conn, post, row, told)
            if post.gone or time.monotonic() > until:
                break
    return told


def _server(conn: Connection) -> str:
    """The mail server's URL; none while a demonstration plays in the past, whose mails nobody is to get."""
    row = conn.execute("SELECT clock_now() < now() FROM installation", prepare=True).fetchone()
    return "" if row and row[0] else settings().smtp_url


def _claim(conn: Connection) -> Sequence[Row]:
    with conn.cursor(row_factory=class_row(Row)) as cursor:
        rows = cursor.execute(CLAIM, prepare=True).fetchall()
    # Letters first: they wait for no server.
    return sorted(rows, key=lambda row: (not row.kind.startswith("letter:"), row.id))


def _place(row: Row) -> dict[str, Any]:
    return {"id": row.id, "tries": row.tries}


def _carry_out(conn: Connection, post: mail.Post, row: Row, told: Delivered) -> None:
    """Do one row, whatever happens: one bad row never stops the others. Only a lost database ends the run."""
    begun = int(row.trouble.removeprefix(BEGUN)) if row.trouble and row.trouble.startswith(BEGUN) else 0
    with suppress(Taken):
        try:
            if begun >= PATIENT_TRIES:
                raise Hopeless(f"処理が{begun}回、途中で止まりました")
            _ours(conn, BEGIN, row, trouble=f"{BEGUN}{begun + 1}")
            if row.kind.startswith("letter:"):
                _letter(conn, row)
            else:
                _mails(conn, post, row)
            told.done += 1
        except (Postponed, mail.Unreachable) as reason:
            _postpone(conn, row, str(reason), soon=isinstance(reason, Postponed) and reason.soon)
            told.waiting += 1
        except Hopeless as reason:
            _give_up(conn, row, str(reason))
            told.given_up += 1
        except Taken:  # nothing has failed: another does it
            raise
        except Exception as error:
            if conn.closed:
                raise
            log.exception("outbox row %s (%s) failed at try %s", row.id, row.kind, row.tries)
            if row.tries > PATIENT_TRIES:
                _give_up(conn, row, type(error).__name__)
                told.given_up += 1
            else:
                _ours(conn, POSTPONE, row, trouble=type(error).__name__, soon=False)
                told.waiting += 1


def _ours(conn: Connection, text: str, row: Row, **values: Any) -> None:
    """Write to the row while it is ours. Raises `Taken`."""
    if not conn.execute(text, _place(row) | values, prepare=True).rowcount:
        raise Taken


def _letter(conn: Connection, row: Row) -> None:
    """Write the declared letter and file it by an event of its own."""
    if not letters.file(conn, row.case_id, row.kind.partition(":")[2], row.seq):
        raise Postponed("案件がちょうど動いていました", soon=True)
    _ours(conn, FINISH, row, trouble=None)


def _mails(conn: Connection, post: mail.Post, row: Row) -> None:
    """Make the row's messages, once, and send those that have not gone out."""
    lacking = digests.write(conn, row) if row.kind == digests.DIGEST else _prepare(conn, post, row)
    refused = _send(conn, post, row) or lacking or None
    if row.kind == digests.DIGEST:
        if lacking:
            _call(conn, row, NO_ADDRESS, f"まとめの通知メールを送れませんでした。{lacking}。{_TELL_OTHERWISE}")
        elif not refused:
            digests.told(conn, row)
    _ours(conn, FINISH, row, trouble=refused)
    if row.tries > PATIENT_TRIES:
        for case_id in digests.cases_of(conn, row):
            settle(conn, case_id, WAITS)


def _prepare(conn: Connection, post: mail.Post, row: Row) -> str:
    """Make the messages of a row that has none, or that is tried anew; returns who could not be told, in a few words."""
    made = conn.execute(MADE, _place(row), prepare=True).fetchone()
    if not made or not made[0] or row.tries == 1:
        found = _messages(conn, row)
        return _make(conn, post, row, found) if found is not None else ""
    if not still_wanted(conn, row):
        conn.execute(DROPPED, _place(row), prepare=True)
    return ""


def _messages(conn: Connection, row: Row) -> Told | None:
    if row.kind == "notice":
        return notice(conn, row)
    if row.kind.startswith("reminder:"):
        return reminder(conn, row)
    if row.kind == REMARKED:
        return remark(conn, row)
    if row.kind in (coming.CAME, coming.AWAY):
        return coming.told(conn, row)
    raise Postponed(f"この版では扱えない種類({row.kind})です")  # a newer version beside us knows it


def _make(conn: Connection, post: mail.Post, row: Row, found: Told) -> str:
    wanted = chosen(conn, [m.person_id for m in found.messages])
    messages = [m for m in found.messages if wanted[m.person_id].informed or not m.informs]
    crowded = _crowded(conn, messages) if post.named else frozenset()
    columns = {
        "person": [m.person_id for m in messages], "address": [m.address for m in messages],
        "message_id": [m.message_id for m in messages], "subject": [m.subject for m in messages], "body": [m.body for m in messages],
        "gathered": [wanted[m.person_id].mail != AT_ONCE or m.person_id in crowded for m in messages],
    }  # fmt: skip
    if messages:
        conn.execute(MAKE, _place(row) | columns, prepare=True)
    for kind, sentence in found.lacking.items():
        call_attention(conn, row.case_id, kind, sentence)
    return "。".join(LACKS[kind] for kind in found.lacking)


def _crowded(conn: Connection, messages: Sequence[Message]) -> frozenset[int]:
    """Who has been mailed so often within the last minutes that the rest had better come as one mail."""
    most = settings().mail_burst
    if not most:
        return frozenset()
    told = {"people": [m.person_id for m in messages], "most": most}
    return frozenset(person for person, lately in conn.execute(LATELY, told, prepare=True).fetchall() if lately >= most)


def _send(conn: Connection, post: mail.Post, row: Row) -> str | None:
    """Send what is unsent; returns what was refused for good. Raises `Postponed` when some of it is to be tried again."""
    if not post.named:
        conn.execute(KEPT, _place(row), prepare=True)
        return None
    never, later = "", ""
    for number, person, address, message_id, subject, body, made_at, office in conn.execute(
        UNSENT_OF, _place(row), prepare=True
    ).fetchall():
        _ours(conn, RENEW, row)
        try:
            post.send(mail.message(office, address, subject, body, message_id, made_at))
        except mail.Later as reason:
            later = str(reason)
        except mail.Never as reason:
            never = str(reason)
            _refused(conn, row, person, never)
        else:
            conn.execute(SENT, (number,), prepare=True)
    if later:
        raise Postponed(later)
    return never or None


def _refused(conn: Connection, row: Row, person_id: int, reason: str) -> None:
    told = actor(conn, person_id)
    home = told.home if told else None
    post = " ".join(filter(None, (home.org_name, home.section, home.title))) if home else "宛先の方"
    _call(
        conn, row, UNSENT,
        f"{post}への通知メールが受け取られませんでした。{reason}。受信箱には出ています。電話などで伝え、メールアドレスを管理者に確かめてください。",
    )  # fmt: skip


def _postpone(conn: Connection, row: Row, reason: str, *, soon: bool) -> None:
    if row.tries > LAST_TRY:
        _give_up(conn, row, reason)
        return
    _ours(conn, POSTPONE, row, trouble=reason, soon=soon)
    if row.tries > PATIENT_TRIES and not soon:
        _call(
            conn, row, WAITS,
            f"通知メールをまだ送れていません。{reason}。自動で送り直しています。急ぐときは電話などで伝えてください。受信箱には出ています。",
        )  # fmt: skip


def _give_up(conn: Connection, row: Row, reason: str) -> None:
    """Nothing more is tried by itself; somebody sees it, and the others go on."""
    _ours(conn, FINISH, row, trouble=reason)
    if row.kind.startswith("letter:"):
        kind, what = UNWRITTEN, "通知文書を作れませんでした"
    else:
        kind, what = UNSENT, "通知メールを送れませんでした"
    _call(conn, row, kind, f"{what}({reason})。案件の記録はそのままです。電話や書面で伝え、管理者に連絡してください。")


def _call(conn: Connection, row: Row, kind: str, sentence: str) -> None:
    """Say it on every case that the row speaks of, to the office that leads it."""
    for case_id in digests.cases_of(conn, row):
        call_attention(conn, case_id, kind, sentence)
