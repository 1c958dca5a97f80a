"""The board of persons × days: who is free, who is where, what each still may. Numbers and words; a template draws them.

Marks are letters: 隊 this team, 派 another case, 候 one that is not decided yet, 他 one that the reader may not see,
不 away (why is never known), 席 a place without a name, 重 two at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from states.calendar import Calendar, CalendarEnds
from states.dates import HALVES, WEEKDAYS, WHOLE, days_between
from states.documents import Amount, amount
from states.places import Directory
from workflow import board, candidates, colleagues
from workflow.access import Actor
from workflow.board import Half, Person
from workflow.colleagues import Colleague
from workflow.db import type_connection
from workflow.web import filling
from workflow.web.filling import Place, Told, halves_text

WIDEST = 45  # days; more columns cannot be read
MOST_PEOPLE = 40  # on the board of one case; the others are chosen by name
# Who may know where else the staff are; everybody else sees this team's days alone.
SEES = frozenset({"bureau", "director", "headquarters"})

LETTERS = {
    "here": ("隊", "on", "この隊で行く日"),
    "elsewhere": ("派", "other", "ほかの派遣"),
    "maybe": ("候", "maybe", "ほかの派遣の案(決定前)"),
    "hidden": ("他", "other", "ほかの派遣(案件は見られません)"),
    "away": ("不", "away", "不在(理由は出しません)"),
    "seat": ("席", "maybe", "名前の決まっていない席"),
    "clash": ("重", "clash", "重なり"),
}
HERE, CLASH = LETTERS["here"][0], LETTERS["clash"][0]


@dataclass(frozen=True)
class Mark:
    """A letter in a cell; `half` is 前 or 後 where it stands for half the day."""

    letter: str
    look: str
    words: str
    half: str = ""
    href: str = ""


@dataclass(frozen=True)
class Cell:
    """One person on one day: marks, and a tick where the person can be sent or is."""

    day: date
    marks: tuple[Mark, ...] = ()
    tick: str = ""
    ticked: bool = False
    half: str = ""
    clash: bool = False


@dataclass(frozen=True)
class Sum:
    """A figure at the end of a row, with its label and the kind of status where it is one."""

    label: str
    text: str
    kind: str = ""


@dataclass(frozen=True)
class Line:
    """A row of the board."""

    name: str
    sub: str
    cells: tuple[Cell, ...]
    sums: tuple[Sum, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Board:
    """Rows of people over days, under headings; beside it what is said of the rows of a team, and whom to send."""

    days: tuple[date, ...]
    off: Mapping[date, str]
    groups: tuple[tuple[str, tuple[Line, ...]], ...]
    table: str = ""
    was: str = ""
    told: tuple[Told, ...] = ()
    places: tuple[Place, ...] = ()
    heads: int = 0
    total: Amount = 0
    others: int = 0

    @property
    def within(self) -> str:
        return f"{self.days[0]}/{self.days[-1]}" if self.days else ""

    @property
    def sums(self) -> tuple[str, ...]:
        """The headings of the figures."""
        return tuple(figure.label for _, lines in self.groups[:1] for line in lines[:1] for figure in line.sums)

    @property
    def legend(self) -> tuple[tuple[str, str, str], ...]:
        """The letters that occur, with what they mean."""
        cells = [cell for _, lines in self.groups for line in lines for cell in line.cells]
        there = {mark.letter for cell in cells for mark in cell.marks}
        there |= {HERE for cell in cells if cell.ticked} | {CLASH for cell in cells if cell.clash}
        return tuple(entry for entry in LETTERS.values() if entry[0] in there)

    @property
    def clashes(self) -> list[tuple[str, date]]:
        """Who is in two places on which day."""
        return [
            (line.name, cell.day) for _, lines in self.groups for line in lines for cell in line.cells if cell.clash
        ]


@dataclass(frozen=True)
class Around:
    """What a board needs besides the rows of a team: whose case, whose staff, which calendar, where to."""

    conn: type_connection
    reader: Actor
    case_id: int
    offices: Sequence[str]
    calendar: Calendar
    place: str
    today: date

    def board(
        self, table: str, members: Sequence[Any], span: tuple[date, date] | None, *, about: int, wishes: Sequence[Any] = (),
        editing: bool = False,
    ) -> Board:  # fmt: skip
        """The board of these members over the span (reading it, over their own days); `about` is how many one person may.

        Members have person, called, reading, headcount, leader, section, role and substitute; wishes have skill,
        headcount and reading. With `editing` the whole staff stands there with ticks, and every open place with its
        candidates.
        """
        own = sorted({day for member in members for day in member.reading.days})
        first, last = span if span and (editing or not own) else (own[0], own[-1]) if own else (self.today, self.today)
        days = tuple(days_between(first, last)) if (span or own) and (last - first).days < WIDEST else ()
        staff = colleagues.of_offices(self.conn, self.offices) if self.reader.roles & SEES else []
        named = {member.person for member in members if member.person}
        chosen = [c for c in staff if editing or c.id in named]
        seen = (min([first, *own]), max([last, *own]))
        known = board.over(self.conn, self.reader.person_id, chosen, *seen, case_id=self.case_id, place=self.place)
        people = {person.colleague.id: person for person in known}
        rest = [person for person in known if person.colleague.id not in named]
        shown = _freest(rest, days) if editing else []
        rows = tuple(_member_line(members, member, people, days, about, editing) for member in _once(members))
        groups = [("この隊" if shown else "", rows)] if rows else []
        groups += [(head, tuple(_free_line(p, days, about) for p in group)) for head, group in _by_section(shown)]
        return Board(
            days, off_days(days, self.calendar), tuple(groups), table, _was(members, people, days),
            tuple(filling.told(member, people.get(member.person or 0), self.calendar) for member in members),
            tuple(self._places(members, wishes, table, days, rest)) if editing and days else (),
            sum(m.headcount for m in members), amount(sum(len(m.reading.half_days) * m.headcount for m in members)),
            len(rest) - len(shown) if editing else 0,
        )  # fmt: skip

    def _places(
        self, members: Sequence[Any], wishes: Sequence[Any], table: str, days: Sequence[date], people: Sequence[Person]
    ) -> list[Place]:
        directory = Directory.from_csv()
        nearness = {office: candidates.near(directory, office, self.place, self.today) for office in self.offices}
        return filling.places(members, wishes, table, days, people, self.calendar, nearness)


def everybody(people: Sequence[Person], days: Sequence[date], calendar: Calendar) -> Board:
    """The board of an office: everybody, with links to the cases and how many working days each is free."""
    off = off_days(days, calendar)
    working = [day for day in days if day not in off]
    groups = [
        (heading, tuple(_office_line(person, days, working) for person in group))
        for heading, group in _by_section(people)
    ]
    return Board(tuple(days), off, tuple(groups))


def off_days(days: Iterable[date], calendar: Calendar) -> dict[date, str]:
    """The days on which the office does not work, each with its letter: 土, 日, 祝 or 休."""
    found = {}
    for day in days:
        try:
            works, holiday = calendar.is_business_day(day), calendar.holiday_name(day)
        except CalendarEnds:
            works, holiday = day.weekday() < len("月火水木金"), ""
        if not works:
            found[day] = "祝" if holiday else WEEKDAYS[day.weekday()] if day.weekday() > WEEKDAYS.index("金") else "休"
    return found


# ── rows ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _once(members: Sequence[Any]) -> list[Any]:
    """The members without those whose person stood in an earlier row."""
    seen: set[int] = set()
    found = []
    for member in members:
        if not member.person or member.person not in seen:
            found.append(member)
        seen.add(member.person or 0)
    return found


def _freest(people: Sequence[Person], days: Sequence[date]) -> list[Person]:
    """Whom the board shows besides the team: all, or where they are too many those with the most free days."""
    order = sorted(people, key=lambda p: (-sum(len(p.free(day)) for day in days), p.used, p.colleague.id))
    kept = {person.colleague.id for person in order[:MOST_PEOPLE]}
    return [person for person in people if person.colleague.id in kept]


def _by_section(people: Sequence[Person]) -> list[tuple[str, list[Person]]]:
    offices = {person.colleague.office for person in people}
    found: dict[str, list[Person]] = {}
    for person in people:
        c = person.colleague
        heading = " ".join(filter(None, (c.office_name if len(offices) > 1 else "", c.section or "所属なし")))
        found.setdefault(heading, []).append(person)
    return list(found.items())


def _member_line(
    members: Sequence[Any], who: Any, people: Mapping[int, Person], days: Sequence[date], about: int, editing: bool
) -> Line:
    """The row of a person of the team, with the days of all his or her rows; or of a place without a name."""
    if not who.person:
        here = frozenset(who.reading.half_days)
        called = who.called + (f" {who.headcount}人" if who.headcount > 1 else "")
        cells = tuple(Cell(day, _seat(here, day)) for day in days)
        return Line(called, who.section, cells, _case_sums(here, about, None, who.headcount))
    rows = [member for member in members if member.person == who.person]
    here = frozenset(half for member in rows for half in member.reading.half_days)
    called = who.called + ("(隊長)" if any(member.leader for member in rows) else "")
    known = people.get(who.person)
    person = known or Person(Colleague(who.person, who.called, "", who.section, who.role, "", ""))
    cells = tuple(_cell(person, here, day, ticks=editing and known is not None) for day in days)
    sub = _sub(person) if editing else " ".join(filter(None, (who.section, who.role)))
    return Line(called, sub, cells, _case_sums(here, about, known), tuple(_notes(person, days)))


def _free_line(person: Person, days: Sequence[date], about: int) -> Line:
    cells = tuple(_cell(person, frozenset(), day, ticks=True) for day in days)
    sums = _case_sums(frozenset(), about, person)
    return Line(person.colleague.name, _sub(person), cells, sums, tuple(_notes(person, days)))


def _office_line(person: Person, days: Sequence[date], working: Sequence[date]) -> Line:
    cells = tuple(_cell(person, frozenset(), day, ticks=False) for day in days)
    free = amount(sum(len(person.free(day)) for day in working))
    return Line(person.colleague.name, _sub(person), cells, (Sum("平日の空き", f"{free:g}日"), _of_year(person.used)))


def _sub(person: Person) -> str:
    """What somebody who chooses people reads beside a name: skills, where none are entered the post."""
    return "・".join(person.skills) or " ".join(filter(None, (person.colleague.section, person.colleague.title)))


def _case_sums(here: frozenset[Half], about: int, person: Person | None, heads: int = 1) -> tuple[Sum, ...]:
    """Days in this case, what is left of the about-one-week, and of somebody known the days of the year with these."""
    left = about - len({day for day, _ in here})
    own = Sum("この案件", f"{amount(len(here) * heads):g}日")
    rest = Sum(f"{about}日まで", f"あと{left}日") if left >= 0 else Sum(f"{about}日まで", f"{-left}日超", "warn")
    return (own, rest, _of_year(person.used + amount(len(here)) if person else None))


def _of_year(used: Amount | None) -> Sum:
    return Sum("今年度", "—" if used is None else f"{used:g}日")


# ── cells ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _cell(person: Person, here: frozenset[Half], day: date, *, ticks: bool) -> Cell:
    kinds = [_kind(person, here, (day, half)) for half in WHOLE]
    same = kinds[0] == kinds[1]
    marks = []
    for half, (kind, number, case) in enumerate(kinds):
        if kind and not (half and same):
            letter, look, words = LETTERS[kind]
            part = "" if same else HALVES[half]
            marks.append(Mark(letter, look, f"{part}{words}{number}", part[-1:], f"/cases/{case}" if case else ""))
    own, free = tuple(half for half in WHOLE if (day, half) in here), person.free(day)
    clash = any(kind == "clash" for kind, _, _ in kinds)
    if not ticks or not (own or free):
        return Cell(day, tuple(marks), clash=clash)
    halves = own or free
    tick = f"{person.colleague.id}:{day}.{''.join(map(str, halves))}"
    beside = tuple(mark for mark in marks if mark.letter not in (HERE, CLASH))
    return Cell(day, beside, tick, bool(own), "" if halves == WHOLE else HALVES[halves[0]][-1], clash)


def _kind(person: Person, here: frozenset[Half], half: Half) -> tuple[str, str, int]:
    """What a half-day is: the name of its letter, the number of the other case, its id where the reader may open it."""
    other, away = person.elsewhere.get(half), half[0] in person.away
    if half in here:
        return ("clash" if other or away else "here"), "", 0
    if other and away:
        return "clash", f" 不在とほかの派遣 {other.number}".rstrip(), other.case_id or 0
    if other and other.seen:
        return ("elsewhere" if other.decided else "maybe"), f" {other.number}".rstrip(), other.case_id or 0
    return ("hidden" if other else "away" if away else ""), "", 0


def _seat(here: frozenset[Half], day: date) -> tuple[Mark, ...]:
    halves = [half for half in WHOLE if (day, half) in here]
    letter, look, words = LETTERS["seat"]
    part = HALVES[halves[0]] if len(halves) == 1 else ""
    return (Mark(letter, look, part + words, part[-1:]),) if halves else ()


def _notes(person: Person, days: Sequence[date]) -> list[str]:
    """In which other cases the person is on these days."""
    cases: dict[int, tuple[str, set[Half]]] = {}
    for half, other in person.elsewhere.items():
        if other.case_id and (not days or days[0] <= half[0] <= days[-1]):
            cases.setdefault(other.case_id, (other.number or other.title, set()))[1].add(half)
    return [f"{halves_text(halves)} {called}" for called, halves in cases.values()]


def _was(members: Sequence[Any], people: Mapping[int, Person], days: Sequence[date]) -> str:
    """The ticks as the page shows them."""
    found: dict[tuple[int, date], set[int]] = {}
    for member in members:
        for day, half in member.reading.half_days if member.person in people else ():
            if day in days:
                found.setdefault((member.person, day), set()).add(half)
    return " ".join(f"{person}:{day}.{''.join(map(str, sorted(halves)))}" for (person, day), halves in found.items())
