"""Whom to send: the persons for a place in a team, in an order that can be told, each with its reasons. Pure.

Skill first, then how many of the days are free, then nearness as far as the directory tells it (kilometres are not
known), then how little somebody went this year, then who was there last. What is still equal goes by section and kana.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from states.calendar import Calendar, CalendarEnds
from states.dates import HALVES, short, wareki
from states.places import Directory, Municipality
from states.text import search_key, visible
from workflow.board import Half, Person

ORDER = "得意なこと、空いている日の多さ、近さ、今年度の派遣の少なさ、派遣先へ最後に行った日の新しさの順に並べています。"
NEAR = ("振興局のあるまちです", "振興局のあるまちと同じ郡です", "振興局の管内です", "振興局の管外です")
NOWHERE = len(NEAR)
_BETWEEN = str.maketrans(dict.fromkeys("、・,,／/()()\n\u3000", " "))


@dataclass(frozen=True)
class Wanted:
    """A place to be filled: which skill, how many, on which half-days; `row` is its number where it is a row."""

    skill: str
    headcount: int
    half_days: tuple[Half, ...] = ()
    row: int | None = None


@dataclass(frozen=True)
class Reason:
    """One reason in words: ok, warn, or none where it speaks neither for nor against."""

    kind: str
    words: str


@dataclass(frozen=True)
class Candidate:
    """A person for a place; `equals` is how many others stand level before section and kana decide."""

    person: Person
    reasons: tuple[Reason, ...]
    standing: tuple[float, ...] = field(repr=False)
    equals: int = 0

    @property
    def free(self) -> bool:
        return not any(reason.kind == "warn" for reason in self.reasons)


def ranked(
    wanted: Wanted, people: Sequence[Person], span: Sequence[date], calendar: Calendar, nearness: Mapping[str, int]
) -> list[Candidate]:
    """Everybody for the place, the best first; `span` are the days looked at where the place names none.

    `nearness` is the rank of each office (see `near`), `NOWHERE` where the place is not known.
    """
    working = [day for day in span if _works(day, calendar)]
    least = min((person.used for person in people), default=0)
    found = [_candidate(wanted, p, working, nearness.get(p.colleague.office, NOWHERE), p.used == least) for p in people]
    counts: dict[tuple[float, ...], int] = {}
    for candidate in found:
        counts[candidate.standing] = counts.get(candidate.standing, 0) + 1
    found.sort(key=lambda c: (c.standing, c.person.colleague.section, c.person.colleague.kana, c.person.colleague.id))
    return [Candidate(c.person, c.reasons, c.standing, counts[c.standing] - 1) for c in found]


def near(directory: Directory, office: str, place: str, on: date) -> int:
    """How near a municipality lies to an office's seat: the same town, the same county, the office's area, elsewhere."""
    bureau, there = directory.office(office), directory.municipality(place, on)
    if bureau is None or there is None:
        return NOWHERE
    seat = _seat(directory, bureau.location, bureau.prefecture_code, on)
    if seat and seat.code == there.code:
        return 0
    if seat and seat.county and seat.county == there.county and seat.prefecture_code == there.prefecture_code:
        return 1
    return 2 if there.office_code == office else 3


def _seat(directory: Directory, name: str, prefecture: str, on: date) -> Municipality | None:
    found = directory.by_name(name, on, prefecture)
    return found[0] if len(found) == 1 else None


def _candidate(wanted: Wanted, person: Person, working: Sequence[date], nearness: int, least: bool) -> Candidate:
    skill = _skilled(wanted.skill, person)
    taken = [half for half in wanted.half_days if person.taken(half)]
    free = sum(len(person.free(day)) for day in working) / 2
    reasons = [_skill_told(wanted.skill, skill, person), _free_told(wanted, person, taken, free, len(working))]
    reasons += [Reason("none", NEAR[nearness])] if nearness < NOWHERE else []
    reasons.append(Reason("none", f"今年度は{person.used:g}日{'(この中で最も少ない)' if least else ''}"))
    reasons += _visit_told(person) if nearness < NOWHERE else []
    standing = (
        0 if skill or not wanted.skill.strip() else 1,
        len(taken) if wanted.half_days else -free,
        nearness,
        person.used,
        -person.visit.day.toordinal() if person.visit else 0,
    )
    return Candidate(person, tuple(reason for reason in reasons if reason.words), standing)


def _skilled(wanted: str, person: Person) -> str:
    """The skill, or the post's title, that meets a word of what is wanted."""
    words = [key for word in wanted.translate(_BETWEEN).split() if (key := search_key(word))]
    for own in (*person.skills, person.colleague.title):
        key = search_key(own)
        if key and any(key in word or word in key for word in words):
            return own
    return ""


def _skill_told(wanted: str, skill: str, person: Person) -> Reason:
    if skill:
        return Reason("ok", f"{'職' if skill == person.colleague.title else '得意なこと'}: {visible(skill)}")
    if wanted.strip():
        return Reason("none", f"「{visible(wanted.strip())}」の登録はありません")
    return Reason("none", f"得意なこと: {visible('、'.join(person.skills))}" if person.skills else "")


def _free_told(wanted: Wanted, person: Person, taken: Sequence[Half], free: float, working: int) -> Reason:
    if not wanted.half_days:
        return Reason("ok" if free else "warn", f"期間の平日{working}日のうち空き{free:g}日")
    if not taken:
        return Reason("ok", f"希望の{len({day for day, _ in wanted.half_days})}日とも空いています")
    days: dict[date, list[int]] = {}
    for day, half in taken:
        days.setdefault(day, []).append(half)
    said = [
        f"{short(day)}{HALVES[halves[0]] if len(halves) == 1 else ''}は{'不在' if day in person.away else 'ほかの派遣'}"
        for day, halves in days.items()
    ]
    return Reason("warn", "、".join(said[:4]) + (f"など{len(said)}日" if len(said) > 4 else ""))


def _visit_told(person: Person) -> list[Reason]:
    if person.visit is None:
        return [Reason("none", "派遣先へは、この5年行っていません")]
    number = f"({person.visit.number})" if person.visit.number else ""
    return [Reason("none", f"派遣先へ最後に行ったのは{wareki(person.visit.day)}{number}")]


def _works(day: date, calendar: Calendar) -> bool:
    try:
        return calendar.is_business_day(day)
    except CalendarEnds:
        return False
