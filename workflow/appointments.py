"""A list of appointment orders (発令) taken in: read, tried out on every open case, then begun on its day.

A trial is the real thing rolled back, so that the report says what will be. Nothing runs at midnight: tenures end the day
before and begin on the day, and rights are read at every request. Until that day the list can be taken back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from states.dates import read_date, wareki
from states.seats import CONCURRENT, MAIN, STAND_INS, TENURES
from states.text import search_key, visible
from workflow import touched
from workflow.access import Actor
from workflow.cases import today
from workflow.colleagues import NotTaken
from workflow.documents import rows as tables
from workflow.documents.declared import DocumentProblem
from workflow.loading import Connection, NotFound
from workflow.posts import ROLES, administrator
from workflow.tenures import AHEAD, BACK, called, conflict, person_of, record, seat
from workflow.touched import Touched

LEAVES = "leave"
KINDS = {label: kind for kind, label in TENURES.items()} | {"退職・離任": LEAVES, "退職": LEAVES, "離任": LEAVES}
NUMBER, NAME, ORG, SECTION, TITLE, KIND, ORDER = (
    "職員番号", "氏名", "異動後の組織", "係・課", "職名", "発令の種類", "発令番号",
)  # fmt: skip


@dataclass(frozen=True)
class Column:
    """A column of the list, as the blank form explains it."""

    heading: str
    hint: str
    need: bool = False
    choices: tuple[str, ...] = ()
    width: int = 16
    code: bool = False


COLUMNS = (
    Column(NUMBER, "登録してある職員番号", need=True),
    Column(NAME, "番号の確かめに使います", need=True),
    Column(ORG, "局や課の正式な名前か、組織コード。退職・離任では空けられます", width=28),
    Column(SECTION, "職の画面にあるとおり。局長のように係・課がない職は空けます", width=20),
    Column(TITLE, "職の画面にあるとおり", width=20),
    Column(KIND, "本務は、それまでの本務を前の日で終わらせます。ほかは加わるだけです", need=True, choices=(*TENURES.values(), "退職・離任")),
    Column(ORDER, "発令通知の番号"),
)  # fmt: skip


@dataclass(frozen=True)
class Problem:
    """Why a row cannot be taken in: its line, the column it is about, the sentence."""

    line: int
    column: str
    sentence: str


@dataclass
class Row:
    """One order of the list, as far as it could be understood, and what it brings about."""

    line: int
    person: int = 0
    staff_no: str = ""
    name: str = ""
    kind: str = ""
    post: int = 0
    where: str = ""
    order: str = ""
    same: bool = False  # holds it so already
    tenure: int = 0
    ended: list[tuple[int, date | None, str]] = field(default_factory=list)  # tenure, its end before, what it was
    goes_on: list[str] = field(default_factory=list)  # tenures beside that stay

    @property
    def kind_label(self) -> str:
        return TENURES.get(self.kind, "退職・離任")

    def as_json(self) -> dict[str, Any]:
        ended = [[tenure, was.isoformat() if was else None, told] for tenure, was, told in self.ended]
        return {
            "line": self.line, "person": self.person, "name": self.name, "kind": self.kind, "post": self.post, "where": self.where,
            "order": self.order, "tenure": self.tenure, "ended": ended,
        }  # fmt: skip


@dataclass(frozen=True)
class Report:
    """What a list would do: good rows, rows that go back, and what becomes of every open case that it touches."""

    effective: date
    rows: Sequence[Row]
    problems: Sequence[Problem]
    cases: Sequence[Touched]
    keeps: int  # open cases that stay as they are


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def blank() -> bytes:
    """The workbook to fill in."""
    return tables.blank(COLUMNS, "発令")


def effective_day(conn: Connection, typed: str) -> date:
    """The day from which a list counts. Raises `NotTaken`."""
    reading = read_date(typed)
    if reading.date is None:
        raise NotTaken({"effective": reading.problem or "発令日を書いてください。"})
    if not -BACK <= (reading.date - today(conn)).days <= AHEAD:
        raise NotTaken({"effective": f"発令日は、{BACK}日前から10年先までにしてください。"})
    return reading.date


def read(data: bytes) -> tables.Rows:
    """The filled-in rows. Raises `NotTaken` for what is no such list."""
    try:
        found = tables.read_table(data, COLUMNS)
    except DocumentProblem as problem:
        raise NotTaken({"file": str(problem)}) from None
    if not found.rows:
        raise NotTaken({"file": "見出しの下に、発令の行がありません。何も取り込んでいません。"})
    return found


def _understood(conn: Connection, effective: date, told: tables.Rows) -> tuple[list[Row], list[Problem]]:
    """The rows as persons and posts; what cannot be understood is a problem."""
    rows, problems, mains = [], list[Problem](), dict[int, int]()
    cells = {(line, heading) for line, heading, _ in told.problems}
    problems += [Problem(line, heading, reason) for line, heading, reason in told.problems]
    for line, texts in told.rows:
        row, wrong = _row(conn, effective, line, {key: value.strip() for key, value in texts.items()})
        if not wrong and row.kind == MAIN and mains.setdefault(row.person, line) != line:
            said = (
                f"{row.name}の本務が{mains[row.person]}行目にもあります。どちらかを消すか、兼務などに直してください。"
            )
            wrong = [Problem(line, KIND, said)]
        problems += wrong
        if not wrong and not any(there == line for there, _ in cells):
            rows.append(row)
    return rows, problems


def _row(conn: Connection, effective: date, line: int, texts: Mapping[str, str]) -> tuple[Row, list[Problem]]:
    wrong: list[Problem] = []
    row = Row(line, staff_no=texts.get(NUMBER, ""), order=texts.get(ORDER, "")[:60])
    kind = KINDS.get("".join(texts.get(KIND, "").split()), "")
    if not kind:
        said = f"「{visible(texts.get(KIND, ''))}」は発令の種類にありません。{'、'.join(COLUMNS[5].choices)}から選んでください。"
        wrong.append(Problem(line, KIND, said))
    person = person_of(conn, row.staff_no)
    if person is None:
        said = f"職員番号「{visible(row.staff_no)}」の人は登録されていません。番号を確かめるか、先に利用者を登録してください。"
        wrong.append(Problem(line, NUMBER, said))
    else:
        row.person, row.name, row.kind = person[0], person[1], kind
        if search_key(texts.get(NAME, "")) != search_key(person[1]):
            said = f"職員番号「{row.staff_no}」は{person[1]}です。「{visible(texts.get(NAME, ''))}」と違うので、どちらかを直してください。"
            wrong.append(Problem(line, NAME, said))
    if kind == LEAVES and not texts.get(ORG, "") and not texts.get(TITLE, ""):
        return row, wrong
    found = _post(conn, effective, row, texts)
    return row, wrong + ([Problem(line, *found)] if found else [])


ORGS = """SELECT DISTINCT code, name FROM organisation WHERE (code = %(text)s OR name = %(text)s OR short = %(text)s)
  AND (valid_from IS NULL OR valid_from <= %(day)s) AND (valid_to IS NULL OR valid_to >= %(day)s)"""
POSTS = """SELECT p.id, p.role, p.section, p.title, EXISTS (SELECT 1 FROM tenure t WHERE t.post_id = p.id AND t.person_id = %(person)s
    AND (t.valid_to IS NULL OR t.valid_to >= %(day)s)) AS own,
  NOT EXISTS (SELECT 1 FROM tenure t WHERE t.post_id = p.id AND (t.valid_to IS NULL OR t.valid_to >= %(day)s)) AS free
FROM post p WHERE p.org_code = %(org)s AND p.section = %(section)s AND p.title = %(title)s
  AND p.valid_from <= %(day)s AND (p.valid_to IS NULL OR p.valid_to >= %(day)s) ORDER BY own DESC, free DESC, p.id"""


def _post(conn: Connection, effective: date, row: Row, texts: Mapping[str, str]) -> tuple[str, str] | None:
    """Find the post that a row names: of several alike the person's own, then one that is free; else column and sentence."""
    orgs = conn.execute(ORGS, {"text": texts.get(ORG, ""), "day": effective}).fetchall()
    if len(orgs) != 1:
        said = (
            "という組織は、発令日にはありません"
            if not orgs
            else "という組織がいくつもあります。組織コードで書いてください"
        )
        return ORG, f"「{visible(texts.get(ORG, ''))}」{said}。"
    section, title = texts.get(SECTION, ""), texts.get(TITLE, "")
    found = conn.execute(
        POSTS, {"org": orgs[0][0], "section": section, "title": title, "day": effective, "person": row.person}
    ).fetchall()
    row.where = f"{orgs[0][1]} {called(section, title)}"
    if not found:
        return (
            TITLE,
            f"「{visible(row.where)}」という職は、発令日にはありません。書き方を確かめるか、先に「職」の画面で職を加えてください。",
        )
    if len({post[1] for post in found}) > 1:
        roles = "と".join(sorted({ROLES.get(post[1], post[1]) for post in found}))
        return (
            TITLE,
            f"「{row.where}」は、役割の違う職({roles})がいくつもあります。「職」の画面で、職名を分けてください。",
        )
    row.post = int(found[0][0])
    return None


# ── trying out and taking in ────────────────────────────────────────────────────────────────────────────────────────


def trial(conn: Connection, actor: Actor, effective: date, data: bytes) -> Report:
    """What the list would do; nothing of it stays. Raises `NotFound`, `NotTaken`."""
    administrator(actor)
    told = read(data)
    with conn.transaction(force_rollback=True):
        before = touched.before(conn, effective)
        rows, problems = _carried(conn, actor, effective, told)
        leavers = {row.person for row in rows if row.ended}
        cases, keeps = touched.after(conn, effective, before, leavers)
    return Report(effective, rows, problems, cases, keeps)


def take(conn: Connection, actor: Actor, effective: date, data: bytes, name: str, *, good_ones: bool) -> int:
    """Take the list in, all of it or the good rows; returns its number. Raises `NotFound`, `NotTaken`."""
    administrator(actor)
    told = read(data)
    with conn.transaction():
        conn.execute(
            "LOCK TABLE tenure IN SHARE ROW EXCLUSIVE MODE"
        )  # nobody is seated between the check and the write
        rows, problems = _carried(conn, actor, effective, told)
        if not rows or (problems and not good_ones):
            raise NotTaken({"file": "直す行があるので、何も取り込んでいません。直してから、もう一度選んでください。"})
        if all(row.same for row in rows):
            raise NotTaken({"file": "この一覧の発令は、もうそのとおりになっています。何も変えていません。"})
        made = conn.execute(
            """INSERT INTO appointment_list (effective_on, name, rows, tenures, ended, taken_by, taken_at)
               VALUES (%s, %s, %s, %s, %s, %s, clock_now()) RETURNING id""",
            (effective, name[:100], Jsonb([row.as_json() for row in rows]), [row.tenure for row in rows if row.tenure],
             [tenure for row in rows for tenure, _, _ in row.ended], actor.person_id),
        ).fetchone()  # fmt: skip
        assert made is not None
        for row in rows:
            if not row.same:
                record(conn, actor, row.post or None, _sentence(row, effective))
    return int(made[0])


def _sentence(row: Row, effective: date) -> str:
    said = f"{row.name}を{wareki(effective)}から「{row.where}」({row.kind_label})に就けました。" if row.tenure else ""
    ended = "、".join(told for _, _, told in row.ended)
    return (
        said
        + (f"{row.name}: {ended}を{wareki(effective - timedelta(days=1))}で終わりにしました。" if ended else "")
        + "(発令一覧)"
    )


def _carried(conn: Connection, actor: Actor, effective: date, told: tables.Rows) -> tuple[list[Row], list[Problem]]:
    """Carry out every row that can be; a row that cannot takes its own ends back, so the rest is tried again without it."""
    bad: list[Problem] = []
    while True:
        rows, problems = _understood(conn, effective, told)
        refused = {problem.line for problem in bad}
        rows = [row for row in rows if row.line not in refused]
        with conn.transaction() as tried:
            found = _written(conn, actor, effective, rows)
            if found:
                raise psycopg.Rollback(tried)
        if not found:
            return rows, sorted([*problems, *bad], key=lambda problem: problem.line)
        bad += found


def _written(conn: Connection, actor: Actor, effective: date, rows: Sequence[Row]) -> list[Problem]:
    """End what the rows end, then begin what they begin; returns what could not be."""
    bad = []
    for row in rows:
        if row.person == actor.person_id:
            bad.append(Problem(row.line, NUMBER, "自分の発令は、ほかの管理者が取り込みます。この行を除いてください。"))
            continue
        row.same = row.kind != LEAVES and bool(conn.execute(HOLDS, _span(row, effective)).fetchone())
        if not row.same:
            _end(conn, row, effective)
            if row.kind == LEAVES and not row.ended:
                bad.append(Problem(row.line, KIND, f"{row.name}が発令日に就いている職はありません。"))
    for row in rows:
        if bad or row.same or row.kind == LEAVES:
            continue
        _make_room(conn, row, effective)
        post = dict(zip(("id", "valid_from", "valid_to"), conn.execute(
            "SELECT id, valid_from, valid_to FROM post WHERE id = %s", (row.post,)).fetchone() or (), strict=True))  # fmt: skip
        wrong = conflict(conn, actor, post, (row.person, row.name), row.kind, effective, None)
        if wrong:
            column = {"person": NUMBER, "kind": KIND}.get(next(iter(wrong)), TITLE)
            bad.append(Problem(row.line, column, next(iter(wrong.values()))))
        else:
            row.tenure = seat(conn, row.post, row.person, row.kind, effective, None, row.order)
    return bad


def _span(row: Row, effective: date) -> dict[str, Any]:
    return {"post": row.post, "person": row.person, "kind": row.kind, "day": effective}


HOLDS = """SELECT 1 FROM tenure WHERE post_id = %(post)s AND person_id = %(person)s AND kind = %(kind)s AND valid_from <= %(day)s AND valid_to IS NULL"""
OWN = """SELECT t.id, t.valid_to, t.kind, t.post_id, concat_ws(' ', nullif(p.section, ''), p.title) FROM tenure t JOIN post p ON p.id = t.post_id
WHERE t.person_id = %(person)s AND t.valid_from < %(day)s AND (t.valid_to IS NULL OR t.valid_to >= %(day)s) ORDER BY t.id"""


def _end(conn: Connection, row: Row, effective: date) -> None:
    """End what the order ends: the main post before, or everything (or the one post) that is left."""
    for tenure, until, kind, post, name in conn.execute(OWN, _span(row, effective)).fetchall():
        told = f"「{name}」({TENURES[kind]})"
        if (row.kind == MAIN and kind == MAIN) or (row.kind == LEAVES and row.post in (0, post)):
            _ended(conn, row, tenure, until, told, effective)
        elif row.kind == MAIN:
            row.goes_on.append(told)


IN_PLACE = """SELECT t.id, t.valid_to, t.kind, n.name FROM tenure t JOIN person n ON n.id = t.person_id WHERE t.post_id = %(post)s
  AND t.kind = ANY (%(kinds)s) AND t.valid_from < %(day)s AND (t.valid_to IS NULL OR t.valid_to >= %(day)s)"""


def _make_room(conn: Connection, row: Row, effective: date) -> None:
    """Who stood in a vacant post leaves it when it is filled."""
    if row.kind in (MAIN, CONCURRENT):
        told = _span(row, effective) | {"kinds": sorted(STAND_INS)}
        for tenure, until, kind, name in conn.execute(IN_PLACE, told).fetchall():
            _ended(conn, row, tenure, until, f"{name}の{TENURES[kind]}", effective)


def _ended(conn: Connection, row: Row, tenure: int, until: date | None, told: str, effective: date) -> None:
    conn.execute("UPDATE tenure SET valid_to = %s WHERE id = %s", (effective - timedelta(days=1), tenure))
    row.ended.append((tenure, until, told))


# ── lists that were taken in ────────────────────────────────────────────────────────────────────────────────────────

LISTED = """SELECT a.id, a.effective_on, a.name, a.taken_at, a.undone_at, jsonb_array_length(a.rows) AS rows, n.name AS taken_by,
  u.name AS undone_by FROM appointment_list a JOIN person n ON n.id = a.taken_by LEFT JOIN person u ON u.id = a.undone_by
ORDER BY a.id DESC LIMIT 30"""


def listed(conn: Connection, actor: Actor) -> list[dict[str, Any]]:
    """The last lists, with whether each can still be taken back. Raises `NotFound`."""
    administrator(actor)
    now = today(conn)
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(LISTED).fetchall()
    return [row | {"open": row["undone_at"] is None and row["effective_on"] > now} for row in rows]


def take_back(conn: Connection, actor: Actor, number: int) -> None:
    """Take a list back before its day: what it began never begins, what it ended goes on. Raises `NotFound`, `NotTaken`."""
    administrator(actor)
    with conn.transaction():
        row = conn.execute(
            "SELECT effective_on, rows, name FROM appointment_list WHERE id = %s AND undone_at IS NULL FOR UPDATE",
            (number,),
        ).fetchone()
        if row is None:
            raise NotFound
        effective, orders, name = row
        if effective <= today(conn):
            said = (
                f"発令日({wareki(effective)})が来たので、取り消せません。直すところは、次の発令として入れてください。"
            )
            raise NotTaken({f"undo-{number}": said})
        for order in orders:
            conn.execute("UPDATE tenure SET valid_to = valid_from - 1 WHERE id = %s", (order["tenure"],))
            for tenure, was, _ in order["ended"]:  # what somebody changed since stays as he left it
                conn.execute(
                    "UPDATE tenure SET valid_to = %s WHERE id = %s AND valid_to = %s",
                    (was, tenure, effective - timedelta(days=1)),
                )
        conn.execute(
            "UPDATE appointment_list SET undone_by = %s, undone_at = clock_now() WHERE id = %s",
            (actor.person_id, number),
        )
        record(conn, actor, None, f"{wareki(effective)}の発令一覧「{name}」({len(orders)}行)を取り消しました。")
