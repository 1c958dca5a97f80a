"""Days on which people are away: entered by oneself, by those who keep them for an office, or from a file; ended by coming back.

The kind is the ground on which a deputy decides. It is seen by the person, by who entered it, and by the deputy who may act;
everybody else sees only that somebody is away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from psycopg.rows import dict_row

from states.dates import read_date, short
from states.routes import AFTER, ASKS
from states.seats import ABSENCES
from states.text import search_key, visible
from workflow.access import HELD, TODAY, Actor
from workflow.cases import today
from workflow.colleagues import LONGEST_ABSENCE, NotTaken
from workflow.documents import rows as tables
from workflow.documents.declared import DocumentProblem
from workflow.loading import Connection, NotFound
from workflow.tenures import person_of

KEEPS = frozenset({"bureau", "records"})  # general affairs and secretaries enter for anybody of their office
OTHER = "other"

PEOPLE = f"""SELECT DISTINCT ON (n.id) n.id, n.name, concat_ws(' ', nullif(p.section, ''), p.title), p.section, n.kana
FROM tenure t JOIN post p ON p.id = t.post_id JOIN person n ON n.id = t.person_id
WHERE p.org_code = ANY (%(offices)s) AND {HELD.replace("t.person_id = %(person)s AND ", "")} ORDER BY n.id, t.id"""


def offices(actor: Actor) -> list[str]:
    """The organisations for whose people this person may enter."""
    return sorted({post.org_code for post in actor.posts if post.role in KEEPS})


def people(conn: Connection, actor: Actor) -> list[tuple[int, str]]:
    """For whom this person may enter: oneself first, then everybody of the offices kept, each with post."""
    rows = conn.execute(PEOPLE, {"offices": offices(actor)}, prepare=True).fetchall()
    others = sorted((row for row in rows if row[0] != actor.person_id), key=lambda row: (row[3], row[4], row[0]))
    return [(actor.person_id, f"{actor.name}(自分)"), *((row[0], f"{row[1]}({row[2]})") for row in others)]


LISTED = f"""SELECT a.id, a.person_id, a.valid_from, a.valid_to, a.kind, n.name AS entered_by, a.entered_by AS entered_id, w.name,
  a.valid_from <= {TODAY} AND a.valid_to >= {TODAY} AS now, a.valid_from < {TODAY} AS begun
FROM absence a JOIN person n ON n.id = a.entered_by JOIN person w ON w.id = a.person_id
WHERE a.person_id = ANY (%(people)s) AND a.valid_to >= {TODAY} - 30 ORDER BY a.valid_from, a.id"""


def listed(conn: Connection, people: Sequence[int], reader: int = 0) -> list[dict[str, Any]]:
    """Absences that are still to come or have ended in the last thirty days; `kind_label` only where the reader may see it."""
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(LISTED, {"people": list(people)}, prepare=True).fetchall()
    return [
        row | {"kind_label": ABSENCES[row["kind"]] if reader in (row["person_id"], row["entered_id"]) else "不在"}
        for row in rows
    ]


def enter(conn: Connection, actor: Actor, typed: Mapping[str, str]) -> int:
    """Enter days on which a person is away; returns the entry's id.

    `typed` holds person (an id), kind (other where blank), from, to as written; a blank end means one day. Raises
    `NotFound` for somebody for whom one does not enter, `NotTaken`.
    """
    person, wrong = typed.get("person", ""), dict[str, str]()
    if not (person.isascii() and person.isdecimal() and len(person) < len(str(2**63))):
        raise NotTaken({"person": "職員を選んでください。"})
    if int(person) not in dict(people(conn, actor)):
        raise NotFound
    kind = typed.get("kind", "") or OTHER
    if kind not in ABSENCES:
        wrong["kind"] = "種類を選んでください。"
    span = _span(typed, wrong)
    if wrong or span is None:
        raise NotTaken(wrong)
    return _insert(conn, actor, int(person), kind, *span)


def _span(typed: Mapping[str, str], wrong: dict[str, str]) -> tuple[date, date] | None:
    """First and last day as typed; what is wrong with them goes to their fields."""
    first = read_date(typed.get("from", ""))
    last = read_date(typed["to"]) if typed.get("to", "").strip() else first
    wrong |= {name: reading.problem for name, reading in (("from", first), ("to", last)) if reading.problem}
    if first.date and last.date and last.date < first.date:
        wrong["to"] = "終わりの日が初めの日より前です。どちらかを直してください。"
    elif first.date and last.date and (last.date - first.date).days >= LONGEST_ABSENCE:
        wrong["to"] = "1年を超える不在は入れられません。日を確かめるか、年ごとに分けて入れてください。"
    return None if first.date is None or last.date is None else (first.date, last.date)


def _insert(conn: Connection, actor: Actor, person: int, kind: str, first: date, last: date) -> int:
    row = conn.execute(
        "INSERT INTO absence (person_id, valid_from, valid_to, entered_by, kind) VALUES (%s, %s, %s, %s, %s) RETURNING id",
        (person, first, last, actor.person_id, kind),
    ).fetchone()
    assert row is not None
    return int(row[0])


def _entry(conn: Connection, actor: Actor, number: int) -> tuple[int, date, date]:
    """Person, first and last day of an entry. Raises `NotFound`, also for somebody for whom one does not enter."""
    row = conn.execute("SELECT person_id, valid_from, valid_to FROM absence WHERE id = %s", (number,)).fetchone()
    if row is None or row[0] not in dict(people(conn, actor)):
        raise NotFound
    return row[0], row[1], row[2]


def drop(conn: Connection, actor: Actor, number: int) -> None:
    """Take an entry back that has not begun; what has may be the ground of a decision by now. Raises `NotFound`, `NotTaken`."""
    _, first, _ = _entry(conn, actor, number)
    if first < today(conn):
        said = "もう始まった不在は取り消せません(代決の根拠になります)。戻ったときは「戻りました」を押してください。"
        raise NotTaken({"entry": said})
    conn.execute("DELETE FROM absence WHERE id = %s", (number,))


def came_back(conn: Connection, actor: Actor, number: int) -> None:
    """End a running absence with the day before today. Raises `NotFound`, `NotTaken` where it is not running."""
    _, first, last = _entry(conn, actor, number)
    now = today(conn)
    if not first <= now <= last:
        raise NotTaken({"entry": "この不在は、いまの日にかかっていません。一覧を見直してください。"})
    if first == now:  # what was decided this morning on its ground says so itself
        conn.execute("DELETE FROM absence WHERE id = %s", (number,))
    conn.execute(
        "UPDATE absence SET valid_to = %s WHERE id = %s AND valid_from < %s", (now - timedelta(days=1), number, now)
    )


AFTERWARDS = f"""SELECT count(*) FROM tenure t JOIN post p ON p.id = t.post_id JOIN step s ON s.role = '#' || p.id AND s.org_code = p.org_code
WHERE s.closed_at IS NULL AND s.ask = %(ask)s AND {HELD}"""


def to_read_afterwards(conn: Connection, person: int) -> int:
    """How many decisions that a deputy took wait to be read by this person."""
    row = conn.execute(AFTERWARDS, {"person": person, "ask": ASKS[AFTER]}, prepare=True).fetchone()
    assert row is not None
    return int(row[0])


# ── from a file ─────────────────────────────────────────────────────────────────────────────────────────────────────

NUMBER, NAME, KIND, FROM, TO = "職員番号", "氏名", "種類", "初めの日", "終わりの日"


@dataclass(frozen=True)
class Column:
    """A column of the file, as the blank form explains it."""

    heading: str
    hint: str
    need: bool = False
    choices: tuple[str, ...] = ()
    width: int = 16
    code: bool = False


COLUMNS = (
    Column(NUMBER, "登録してある職員番号", need=True),
    Column(NAME, "書いてあれば、番号の確かめに使います"),
    Column(KIND, "空けると「不在」になります", choices=tuple(ABSENCES.values())),
    Column(FROM, "2026-11-09、R8.11.9 など", need=True),
    Column(TO, "1日だけなら空けておけます"),
)


@dataclass(frozen=True)
class Line:
    """A row of the file: what would be entered, or what is wrong with it, by column."""

    line: int
    name: str = ""
    person: int = 0
    kind: str = OTHER
    first: date | None = None
    last: date | None = None
    known: bool = False  # the same entry is there already
    problems: tuple[tuple[str, str], ...] = ()

    @property
    def told(self) -> str:
        """「11月9日(月)〜11月11日(水) 出張」."""
        days = [short(day) for day in (self.first, self.last) if day]
        return f"{'〜'.join(dict.fromkeys(days))} {ABSENCES.get(self.kind, '')}"


def blank() -> bytes:
    """The workbook to fill in."""
    return tables.blank(COLUMNS, "不在")


def read_file(conn: Connection, actor: Actor, data: bytes) -> list[Line]:
    """What the rows of a file would enter; nothing is entered. Raises `NotFound` for who keeps no office, `NotTaken`."""
    if not offices(actor):
        raise NotFound
    try:
        found = tables.read_table(data, COLUMNS)
    except DocumentProblem as problem:
        raise NotTaken({"file": str(problem)}) from None
    if not found.rows:
        raise NotTaken({"file": "見出しの下に、不在の行がありません。何も取り込んでいません。"})
    known = dict(people(conn, actor))
    empty = {(line, heading): reason for line, heading, reason in found.problems}
    lines = []
    for line, texts in found.rows:
        wrong = {heading: reason for (at, heading), reason in empty.items() if at == line}
        lines.append(_line(conn, known, line, {key: value.strip() for key, value in texts.items()}, wrong))
    return lines


def _line(
    conn: Connection, known: Mapping[int, str], line: int, texts: Mapping[str, str], wrong: dict[str, str]
) -> Line:
    person = person_of(conn, texts.get(NUMBER, ""))
    if person is None or person[0] not in known:
        number = visible(texts.get(NUMBER, ""))
        wrong.setdefault(NUMBER, f"職員番号「{number}」の人は、この所属にいません。番号を確かめてください。")
        person = None
    elif texts.get(NAME) and search_key(texts[NAME]) != search_key(person[1]):
        wrong.setdefault(NAME, f"この職員番号は{person[1]}です。「{visible(texts[NAME])}」と違います。")
    kinds = {label: kind for kind, label in ABSENCES.items()}
    kind = kinds.get(texts.get(KIND) or ABSENCES[OTHER], "")
    if not kind:
        wrong.setdefault(
            KIND, f"「{visible(texts.get(KIND, ''))}」は種類にありません。{'、'.join(kinds)}から選んでください。"
        )
    days: dict[str, str] = {}
    span = _span({"from": texts.get(FROM, ""), "to": texts.get(TO, "")}, days)
    for name, said in days.items():
        wrong.setdefault({"from": FROM, "to": TO}[name], said)
    if wrong or person is None or span is None:
        return Line(line, person[1] if person else visible(texts.get(NAME, "")), problems=tuple(wrong.items()))
    row = conn.execute(
        "SELECT 1 FROM absence WHERE person_id = %s AND valid_from = %s AND valid_to = %s", (person[0], *span)
    ).fetchone()
    return Line(line, person[1], person[0], kind, *span, known=row is not None)


def take_in(conn: Connection, actor: Actor, data: bytes, *, good_ones: bool) -> int:
    """Enter the rows of a file, all or the good ones, in one transaction; returns how many. Raises `NotFound`, `NotTaken`."""
    with conn.transaction():
        lines = read_file(conn, actor, data)
        if any(line.problems for line in lines) and not good_ones:
            raise NotTaken({"file": "直す行があるので、何も取り込んでいません。直してから、もう一度選んでください。"})
        new = [line for line in lines if not line.problems and not line.known]
        for line in new:
            assert line.first is not None
            assert line.last is not None
            _insert(conn, actor, line.person, line.kind, line.first, line.last)
    return len(new)
