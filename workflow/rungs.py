"""On which business days around a deadline reminders come: as its process declares, or as the administrator has settled it.

The newest row that has begun counts; one without rungs goes back to what the process declares.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg.rows import dict_row

from states import catalogue
from states.dates import read_date
from states.terms import Deadline
from workflow.access import TODAY, Actor
from workflow.audience import Connection
from workflow.loading import NotFound

SETTLES = "administrator"
STANDARD = Deadline.rungs
FIRST, LAST, MOST = -15, 30, 10  # business days before and after that are looked at, and how many rungs

IN_FORCE = f"""SELECT DISTINCT ON (process, kind) process, kind, rungs FROM rung_setting WHERE valid_from <= {TODAY}
ORDER BY process, kind, valid_from DESC"""
LISTED = f"""SELECT s.process, s.kind, s.rungs, s.valid_from, s.valid_from <= {TODAY} AS begun,
  (SELECT name FROM person WHERE id = s.set_by) AS set_by, s.set_at FROM rung_setting s ORDER BY s.valid_from"""
SETTLE = """INSERT INTO rung_setting (process, kind, valid_from, rungs, set_by, set_at) VALUES (%(process)s, %(kind)s, %(since)s, %(rungs)s, %(person)s, clock_now())
ON CONFLICT (process, kind, valid_from) DO UPDATE SET rungs = EXCLUDED.rungs, set_by = EXCLUDED.set_by, set_at = EXCLUDED.set_at"""


@dataclass
class NotSettled(Exception):
    """Why nothing was changed, in Japanese, and which field it is about: `rungs` or `since`."""

    sentence: str
    field: str


def in_force(conn: Connection) -> dict[tuple[str, str], tuple[int, ...]]:
    """What the administrator has settled for today, by process and kind of deadline."""
    rows = conn.execute(IN_FORCE, prepare=True).fetchall()
    return {(process, kind): tuple(sorted(rungs)) for process, kind, rungs in rows if rungs}


def declared(process: str, version: int, kind: str) -> tuple[int, ...]:
    """The rungs of a kind of deadline as its process declares them."""
    dues = catalogue.process(process, version).deadlines
    return next((tuple(sorted(due.rungs)) for due in dues if due.kind == kind), STANDARD)


def listed(conn: Connection, actor: Actor) -> list[Mapping[str, Any]]:
    """Every kind of deadline that a person has: process, label, rungs of today, changes to come. Raises `NotFound`."""
    if SETTLES not in actor.roles:
        raise NotFound
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(LISTED, prepare=True).fetchall()
    found: list[Mapping[str, Any]] = []
    for process in catalogue.newest().values():
        for due in (due for due in process.deadlines if not due.move):
            own = [row for row in rows if (row["process"], row["kind"]) == (process.key, due.kind)]
            now = next((row for row in reversed(own) if row["begun"]), None)
            standard = tuple(sorted(due.rungs))
            found.append({
                "code": f"{process.key}:{due.kind}", "process": process.label, "label": due.label, "holder": due.holder, "standard": standard,
                "rungs": tuple(sorted(now["rungs"])) if now and now["rungs"] else standard, "since": now["valid_from"] if now else None,
                "by": now["set_by"] if now else "", "coming": [row for row in own if not row["begun"]],
            })  # fmt: skip
    return found


def settle(conn: Connection, actor: Actor, code: str, *, typed: str, since: str) -> None:
    """Remind on these days from a day on; nothing typed goes back to what is declared. Raises `NotFound`, `NotSettled`."""
    if code not in {row["code"] for row in listed(conn, actor)}:
        raise NotFound
    wanted = read(typed)
    reading = read_date(since)
    row = conn.execute(f"SELECT {TODAY}", prepare=True).fetchone()
    assert row is not None
    today: date = row[0]
    if reading.date is None:
        raise NotSettled(f"{reading.problem or '始める日を書いてください。'}何も変えていません。", "since")
    if reading.date < today:
        said = "始める日は、今日より前にはできません。何も変えていません。今日か、これからの日にしてください。"
        raise NotSettled(said, "since")
    process, _, kind = code.partition(":")
    told = {"process": process, "kind": kind, "since": reading.date, "rungs": wanted, "person": actor.person_id}
    conn.execute(SETTLE, told)


def read(typed: str) -> list[int] | None:
    """「-5、-1、0、3、7」 as numbers, None where nothing is typed. Raises `NotSettled`."""
    text = unicodedata.normalize("NFKC", typed).replace("−", "-").replace("‐", "-").strip()
    if not text:
        return None
    parts = [part for part in re.split(r"[\s、,;・]+", text) if part]
    if not all(re.fullmatch(r"[-+]?[0-9]{1,3}", part) for part in parts):
        said = "数を「-5、-1、0、3、7」のように書いてください(期限の前の日はマイナス)。何も変えていません。"
        raise NotSettled(said, "rungs")
    found = sorted({int(part) for part in parts})
    if len(found) > MOST or found[0] < FIRST or found[-1] > LAST:
        said = f"期限の{-FIRST}営業日前から{LAST}営業日後までの、{MOST}個までにしてください。何も変えていません。"
        raise NotSettled(said, "rungs")
    return found


def told(rungs: Sequence[int]) -> str:
    """「5営業日前、前の営業日、当日、3営業日後」."""
    words = {0: "当日", -1: "前の営業日", 1: "次の営業日"}
    return "、".join(words.get(n) or f"{abs(n)}営業日{'前' if n < 0 else '後'}" for n in rungs)
