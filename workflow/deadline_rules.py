"""Days, or days of the year, that an administrator sets in place of the process file's, for all or for one office, with dates.

They hold for deadlines that open from that day on; one that runs already keeps its day.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from psycopg.rows import dict_row

from states import catalogue
from states.dates import read_date
from states.kernel import Process
from states.terms import Deadline
from states.text import narrow
from workflow.access import TODAY, Actor
from workflow.calendar_days import NotTaken, administrator, offices, unsaid
from workflow.cases import today
from workflow.loading import Connection, NotFound

MOST_DAYS = 250  # business days, about a year
MOST_ON = 12  # days of the year
LABELS = {
    "days": "営業日の数",
    "on": "毎年の日",
    "office": "局",
    "since": "始める日",
    "reason": "理由",
    "until": "最後の日",
    "why": "終える理由",
}
_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True)
class Item:
    """A deadline that can be set otherwise: what the process file says of it, and the rules on it, the newest first."""

    process: Process
    deadline: Deadline
    says: str
    rules: Sequence[Mapping[str, Any]]

    @property
    def key(self) -> str:
        return f"{self.process.key}.{self.deadline.kind}"


LISTED = f"""SELECT x.*, n.name AS set_by_name, e.name AS ended_by_name, x.valid_from > {TODAY} AS coming, coalesce(x.valid_to < {TODAY}, false) AS over,
  coalesce(x.valid_to < x.valid_from, false) AS void,
  (SELECT o.name FROM organisation o WHERE o.code = x.office ORDER BY o.valid_to DESC NULLS FIRST LIMIT 1) AS office_name
FROM deadline_rule x JOIN person n ON n.id = x.set_by LEFT JOIN person e ON e.id = x.ended_by
ORDER BY x.valid_to IS NULL DESC, x.valid_from DESC, x.id DESC"""


def listed(conn: Connection, actor: Actor) -> list[Item]:
    """Every deadline of every process that is counted and not dated by the case itself. Raises `NotFound`."""
    administrator(actor)
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(LISTED, prepare=True).fetchall()
    found = []
    for process in catalogue.newest().values():
        for item in process.deadlines:
            if settable(item):
                own = [row | {"says": said(row["days"], pairs(row["on_days"]))} for row in rows
                       if (row["process"], row["kind"]) == (process.key, item.kind)]  # fmt: skip
                found.append(Item(process, item, said(item.days or None, item.on), own))
    return found


def unsettable(process: Process) -> list[str]:
    """What the deadlines are called whose day each case names itself."""
    return list(dict.fromkeys(item.label for item in process.deadlines if not settable(item)))


def settable(item: Deadline) -> bool:
    """A date that the case itself names, or a move of the clock, is nobody's to set."""
    return item.at is None and not item.move


def said(days: int | None, on: Sequence[tuple[int, int]]) -> str:
    """「10営業日」 or 「毎年3月10日・4月10日」."""
    return f"{days}営業日" if days is not None else "毎年" + "・".join(f"{month}月{day}日" for month, day in on)


def pairs(on_days: Sequence[int] | None) -> list[tuple[int, int]]:
    """Days of the year as (month, day)."""
    return [divmod(day, 100) for day in on_days or ()]


def set_rule(conn: Connection, actor: Actor, typed: Mapping[str, str]) -> int:
    """Set a deadline (`process.kind`) otherwise from a day on; returns the rule's number. Raises `NotFound`, `NotTaken`."""
    administrator(actor)
    item = next((item for item in listed(conn, actor) if item.key == typed.get("deadline", "")), None)
    if item is None:
        raise NotFound
    wrong: dict[str, str] = {}
    days, on = narrow(typed.get("days", "")).strip(), typed.get("on", "").strip()
    number: int | None = None
    yearly: list[int] | None = None
    if bool(days) == bool(on):
        wrong["days"] = "営業日の数か、毎年の日の、どちらか一つを書いてください。"
    elif days:
        number = int(days) if days.isascii() and days.isdigit() and len(days) < 5 else 0
        if not 1 <= number <= MOST_DAYS:
            wrong["days"] = f"営業日の数は、1から{MOST_DAYS}までの整数で書いてください。"
    elif (yearly := _days_of_year(on)) is None:
        wrong["on"] = f"毎年の日は「3月31日」か「3/10、4/10」のように、ある日を{MOST_ON}日まで書いてください。"
    office, reason = typed.get("office", ""), typed.get("reason", "").strip()
    if office and office not in dict(offices(conn)):
        wrong["office"] = "局を選び直してください。"
    if problem := unsaid(reason):
        wrong["reason"] = problem
    reading = read_date(typed.get("since", ""))
    if reading.date is None:
        wrong["since"] = reading.problem
    elif reading.date < today(conn):
        wrong["since"] = "始める日は、きょうより前にはできません。きょうか、これからの日にしてください。"
    if wrong:
        raise NotTaken(wrong)
    row = conn.execute(
        """INSERT INTO deadline_rule (process, kind, office, days, on_days, valid_from, reason, set_by, set_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, clock_now()) RETURNING id""",
        (item.process.key, item.deadline.kind, office or None, number, yearly, reading.date, reason, actor.person_id),
    ).fetchone()
    assert row is not None
    return int(row[0])


def end_rule(conn: Connection, actor: Actor, number: int, last_day: str, why: str) -> None:
    """Give a rule its last day and say why; one that has not begun by then never holds. Raises `NotFound`, `NotTaken`."""
    administrator(actor)
    row = conn.execute("SELECT valid_from FROM deadline_rule WHERE id = %s AND valid_to IS NULL", (number,)).fetchone()
    if row is None:
        raise NotFound
    reading, wrong = read_date(last_day), {}
    if reading.date is None:
        wrong["until"] = reading.problem
    elif reading.date < today(conn) - timedelta(days=1):
        wrong["until"] = "最後の日は、きのうより前にはできません。すぐに終えるときは、きのうの日を書いてください。"
    if problem := unsaid(why.strip()):
        wrong["why"] = problem
    if wrong or reading.date is None:
        raise NotTaken(wrong)
    conn.execute(
        """UPDATE deadline_rule SET valid_to = %s, ended_by = %s, ended_at = clock_now(), ended_reason = %s
           WHERE id = %s AND valid_to IS NULL""",
        (max(reading.date, row[0] - timedelta(days=1)), actor.person_id, why.strip(), number),
    )


def _days_of_year(typed: str) -> list[int] | None:
    """Days of the year as typed (3月10日、4/10), as month × 100 + day in order; None where one of them is none."""
    found = [_month_day(part) for part in re.split(r"[、,・とや\s]+", narrow(typed).strip()) if part]
    return sorted({day for day in found if day}) if found and all(found) and len(found) <= MOST_ON else None


def _month_day(typed: str) -> int | None:
    """A day of the year as typed: 3月31日, 3/31, 3.31."""
    parts = re.fullmatch(r"(?:毎年)?([0-9]{1,2})[月/.-]([0-9]{1,2})日?", typed)
    if parts is None:
        return None
    month, day = int(parts[1]), int(parts[2])
    return month * 100 + day if 1 <= month <= len(_LENGTHS) and 1 <= day <= _LENGTHS[month - 1] else None
