"""Records of a file become cases by entry on behalf: all of them or the good ones, each once however often the file comes.

What the process sends back to be mended stays out, what it warns of goes in. A record is known by its id at its office
(by its content where it has none): a second run finds the case that the first one made, and goes on where that was killed.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any
from uuid import UUID, uuid5

from states import catalogue
from states.calendar import Calendar
from states.kernel import Process, Refused
from states.places import Directory
from states.text import visible
from workflow import cases, duplicates, history
from workflow.access import PostHeld, actor
from workflow.accounts import login_key
from workflow.documents import rows
from workflow.documents.declared import DocumentProblem
from workflow.duplicates import Twin
from workflow.loading import Connection, Loaded, load
from workflow.once import once

RECORDS = UUID("6f1d0b0e-6a51-4a0f-9d53-0d6a5b1f3c27")  # names the keys of records among all others
ANYBODY = 0  # a record's key is its own, whoever brings the file
ACCEPTED, RETURNED, LEFT = "accepted", "returned", "left"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a record goes back: rule (None where no rule covers it), field of the record, what the file calls it, its line."""

    rule: str | None
    field: str
    named: str
    line: int
    sentence: str


@dataclass(frozen=True)
class Answer:
    """What became of one record. `told` is what the rules say of it, `again` that an earlier run had taken it in."""

    record: str
    line: int
    outcome: str  # accepted, returned, or left: good, but not taken in because another one is not
    title: str = ""
    told: Mapping[str, Any] = field(default_factory=dict)
    reasons: tuple[Reason, ...] = ()
    twins: tuple[Twin, ...] = ()
    case: int | None = None
    number: str | None = None
    again: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "outcome": self.outcome, "case": self.case, "number": self.number, "again": self.again, **self.told, "line": self.line,
            "reasons": [{"rule": r.rule, "field": r.field, "sentence": r.sentence, "line": r.line} for r in self.reasons],
            "twins": [{"case": t.case_id, "number": t.number, "title": t.title, "reasons": list(t.reasons)} for t in self.twins],
        }  # fmt: skip


class Unreadable(ValueError):
    """A file of which nothing can be taken in: line and reason of each problem, in Japanese."""

    def __init__(self, problems: Sequence[tuple[int, str]]) -> None:
        super().__init__("\n".join(f"{line}行目: {reason}" if line else reason for line, reason in problems))
        self.problems = tuple(problems)


# ── reading and judging ─────────────────────────────────────────────────────────────────────────────────────────────


def people_of(conn: Connection, logins: Iterable[str]) -> list[int]:
    """The persons with these logins. Raises `Refused` for one that nobody has."""
    found = []
    for login in logins:
        row = conn.execute(
            "SELECT person_id FROM account WHERE login = %s AND NOT disabled", (login_key(login),)
        ).fetchone()
        if row is None:
            raise Refused("role", f"「{login}」というログイン名の利用者はいません。何も取り込んでいません。")
        found.append(int(row[0]))
    return found


def takers() -> dict[str, frozenset[str]]:
    """The processes that take files in, each with the roles that may bring them."""
    found: dict[str, frozenset[str]] = {}
    for key in catalogue.newest():
        with suppress(KeyError):
            by = getattr(catalogue.intake(key), "BY", None)  # without it, records are held against the rules only
            found |= {key: by} if by else {}
    return found


def has_form(process_key: str) -> bool:
    """Whether there is a workbook to fill in; some processes take JSON only."""
    return bool(catalogue.intake(process_key).COLUMNS)


def blank_form(process_key: str) -> bytes:
    """The workbook to fill in. Raises KeyError for a process that has none."""
    if not has_form(process_key):
        raise KeyError(process_key)
    return rows.blank(catalogue.intake(process_key).COLUMNS)


def read(conn: Connection, people: Sequence[int], process_key: str, data: bytes) -> Any:
    """The records of a JSON file or of a filled-in workbook. Raises `Unreadable`, KeyError."""
    intake = catalogue.intake(process_key)
    if rows.is_workbook(data):
        try:
            book = rows.read(data, intake.COLUMNS)
        except DocumentProblem as problem:
            raise Unreadable([(0, str(problem))]) from None
        seats = _seats(conn, people)
        reading = intake.read_rows(book.rows, book.letters, book.problems, seats[0][1].org_code if seats else "")
    else:
        reading = intake.read_each(data)
    if reading.whole:
        raise Unreadable([(p.line, p.reason) for p in reading.whole])
    return reading


def judge(conn: Connection, people: Sequence[int], process_key: str, reading: Any) -> list[Answer]:
    """What would become of every record; nothing is stored. Raises `Refused` when none of the people may enter any."""
    return [answer for answer, _ in _judged(conn, people, process_key, reading)]


@dataclass(frozen=True)
class _Wanted:
    """A record that may become a case: how, by whom, under which key."""

    record: Any
    entry: Any
    person: int
    key: UUID
    content: str


def _judged(
    conn: Connection, people: Sequence[int], process_key: str, reading: Any
) -> list[tuple[Answer, _Wanted | None]]:
    intake, process = catalogue.intake(process_key), catalogue.process(process_key)
    directory, calendar = Directory.from_csv(), Calendar()
    seats = _seats(conn, people)
    if not any(post.role in intake.BY for _, post in seats):
        raise Refused("role", f"「{process.label}」を取り込む役目を、その職は持っていません。何も取り込んでいません。")
    told = intake.check(reading.records, directory, calendar)
    to_mend = intake.to_mend(reading.records, directory, calendar, cases.today(conn))
    wanted: dict[str, _Wanted] = {}
    answers: list[tuple[Answer, _Wanted | None]] = []
    for record_id, record in reading.records.items():
        entry = intake.entry(record, {})
        reasons = [
            Reason(r["rule"], r["field"], reading.named(r["field"]), reading.line(record_id, r["field"]), r["sentence"])
            for r in to_mend.get(record_id, ())
        ]
        by = intake.BY & process.opens.get(entry.origin, frozenset())
        person = next((who for who, post in seats if post.org_code == entry.office and post.role in by), None)
        if person is None and not any(r.field == "office_code" for r in reasons):
            reasons.append(_elsewhere(reading, record_id, entry, seats, directory))
        answer = Answer(record_id, reading.line(record_id, ""), RETURNED, record.title, told[record_id], tuple(reasons))
        if reasons or person is None:
            answers.append((answer, None))
            continue
        content = history.canonical(record.model_dump(by_alias=True, mode="json"))
        wanted[record_id] = _Wanted(
            record, entry, person, _key(process_key, entry.office, record_id, content, reading), content
        )
        answers.append((replace(answer, outcome=LEFT), wanted[record_id]))
    known = _known(conn, [w.key for w in wanted.values()])
    found = [_recognised(conn, intake, process, answer, want, known, reading) for answer, want in answers]
    return sorted([*found, *((unsound, None) for unsound in _unsound(reading))], key=lambda pair: pair[0].line)


def _seats(conn: Connection, people: Sequence[int]) -> list[tuple[int, PostHeld]]:
    """Every post of these people, with its holder."""
    found = [actor(conn, person) for person in people]
    return [(one.person_id, post) for one in found if one for post in one.posts]


def _elsewhere(
    reading: Any, record_id: str, entry: Any, seats: Sequence[tuple[int, PostHeld]], directory: Directory
) -> Reason:
    """Why the people cannot enter a record that is addressed to another bureau."""
    office, path = directory.office(entry.office), "office_code"
    named = office.name if office else entry.office or "宛先のない"
    own = "、".join(dict.fromkeys(post.org_name for _, post in seats))
    sentence = f"{named}あての記録です。{own}の職では取り込めません。{named}の方が取り込んでください。"
    return Reason(None, path, reading.named(path), reading.line(record_id, path), sentence)


def _unsound(reading: Any) -> list[Answer]:
    """The records that cannot even be read, each with everything that is wrong."""
    found: dict[str, list[Reason]] = {}
    for p in reading.problems:
        found.setdefault(p.record, []).append(Reason(None, p.field, reading.named(p.field), p.line, p.reason))
    told = {"decision": "return_for_correction"}
    return [Answer(record, reasons[0].line, RETURNED, "", told, tuple(reasons)) for record, reasons in found.items()]


# ── records that were taken in before ───────────────────────────────────────────────────────────────────────────────


def _key(process_key: str, office: str, record_id: str, content: str, reading: Any) -> UUID:
    own = hashlib.sha256(content.encode()).hexdigest() if record_id in reading.counted else f"id:{record_id}"
    return uuid5(RECORDS, "\n".join((process_key, office, own)))


# A draft that was thrown away since is as if it had never been taken in.
KNOWN = """SELECT i.key, i.request, c.id, c.number FROM idempotency i LEFT JOIN cases c ON c.id = (i.result ->> 'made')::bigint
WHERE i.person_id = %s AND i.key = ANY (%s)"""
FORGET = "DELETE FROM idempotency WHERE person_id = %s AND key = %s AND NOT EXISTS (SELECT 1 FROM cases WHERE id = (result ->> 'made')::bigint)"


def _known(conn: Connection, keys: Sequence[UUID]) -> dict[UUID, tuple[bytes, int | None, str | None]]:
    found = conn.execute(KNOWN, (ANYBODY, list(keys))).fetchall()
    return {row[0]: (bytes(row[1]), row[2], row[3]) for row in found}


def _recognised(
    conn: Connection, intake: ModuleType, process: Process, answer: Answer, want: _Wanted | None, known: Mapping[UUID, Any],
    reading: Any,
) -> tuple[Answer, _Wanted | None]:  # fmt: skip
    """The answer with what is there already: the case that an earlier run made of it, or cases that may be the same."""
    if want is None:
        return answer, None
    request, case_id, number = known.get(want.key, (b"", None, None))
    if case_id is None:
        form, places = want.entry.form, intake.places(want.record, Directory.from_csv())
        twins = duplicates.find(conn, want.person, process, form, places)
        return replace(answer, twins=tuple(twins)), want
    if request != hashlib.sha256(want.content.encode()).digest():
        called = number or f"案件 {case_id}"
        sentence = (
            f"この記録は、もう{called}として取り込んであり、内容が違います。直すときは、案件の画面で直してください。"
        )
        reason = Reason(None, "id", reading.named("id"), answer.line, sentence)
        return replace(answer, outcome=RETURNED, reasons=(reason,), case=case_id, number=number), None
    return replace(answer, case=case_id, number=number, again=True), want


# ── taking in ───────────────────────────────────────────────────────────────────────────────────────────────────────


def take_in(
    conn: Connection, people: Sequence[int], process_key: str, reading: Any, *, good_ones: bool = False
) -> list[Answer]:
    """Take the records in and answer each. Unless `good_ones`, nothing is stored while one of them has to go back.

    Raises `Refused` when none of the people may enter any.
    """
    judged = _judged(conn, people, process_key, reading)
    if not good_ones and any(answer.outcome == RETURNED for answer, _ in judged):
        return [answer for answer, _ in judged]
    intake = catalogue.intake(process_key)
    by_id = {answer.record: (answer, want) for answer, want in judged}
    numbers: dict[str, str] = {}
    for record_id in intake.in_order(reading.records):
        answer, want = by_id[record_id]
        if want is not None:
            answer = _entered(conn, intake, process_key, answer, want, numbers)
            by_id[record_id] = (answer, None)
        if answer.number:
            numbers[record_id] = answer.number
    return [by_id[answer.record][0] for answer, _ in judged]


def _entered(
    conn: Connection, intake: ModuleType, process_key: str, answer: Answer, want: _Wanted, numbers: Mapping[str, str]
) -> Answer:
    """Open the case and do the acts that take it in, as far as an earlier run has not done them."""
    entry = intake.entry(want.record, numbers)
    if not answer.again:
        conn.execute(FORGET, (ANYBODY, want.key))

    def opened() -> int:
        return cases.open_case(conn, want.person, process_key, entry.origin, entry.form, org=entry.office)

    case_id = once(conn, ANYBODY, want.key, want.record.model_dump(by_alias=True, mode="json"), opened)
    case = load(conn, case_id, want.person)
    if entry.enters and case.row.version == 0:
        case = _acted(conn, want, case_id, entry.enters, 0, {})
    twins = duplicates.of_case(conn, want.person, case) if entry.receives and case.row.version == 1 else []
    if entry.receives and case.row.version == 1 and not any(twin.plain for twin in twins):
        case = _acted(conn, want, case_id, entry.receives, 1, entry.inputs)
    return replace(answer, outcome=ACCEPTED, case=case_id, number=case.row.number, twins=tuple(twins) or answer.twins)


def _acted(
    conn: Connection, want: _Wanted, case_id: int, action: str, version: int, inputs: Mapping[str, str]
) -> Loaded:
    """The case after the act; who was faster, perhaps the same file sent twice, has done it."""
    with suppress(cases.Conflict):
        cases.act(conn, want.person, case_id, action, version=version, key=uuid5(want.key, action), inputs=dict(inputs))
    return load(conn, case_id, want.person)


def told(answers: Sequence[Answer]) -> list[str]:
    """The answers as lines for a terminal, and what they come to."""
    lines: list[str] = []
    for answer in answers:
        word = {ACCEPTED: "取り込みました", RETURNED: "戻します", LEFT: "まだ取り込んでいません"}[answer.outcome]
        called = answer.number or (f"案件 {answer.case}" if answer.case else "")
        again = "(前に取り込んだもの)" if answer.again else ""
        decision = answer.told.get("decision", "")
        lines.append(" ".join(filter(None, (f"{visible(answer.record)}:", f"{word}{again}", called, decision))))
        lines += [f"  {r.line}行目 {r.named} {r.rule or '—'} {r.sentence}" for r in answer.reasons]
        lines += [f"  注意 {w['rule']} {w['sentence']}" for w in answer.told.get("warnings", ())]
        lines += [
            f"  よく似た案件: {t.number or t.case_id} {visible(t.title)} {''.join(t.reasons)}" for t in answer.twins
        ]
    counts = [sum(answer.outcome == outcome for answer in answers) for outcome in (ACCEPTED, RETURNED, LEFT)]
    lines.append(f"{len(answers)}件: 取り込んだもの {counts[0]}件、戻すもの {counts[1]}件、残したもの {counts[2]}件。")
    if counts[2]:
        lines.append(
            "戻すものがあるので、何も取り込んでいません。直してからもう一度行うか、--good-ones でよいものだけを取り込んでください。"
        )
    return lines
