"""Beside the rows of a team: whether each person is free, what rest days cost, and whom to send for a place that is open."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from states.calendar import Calendar
from states.dates import WHOLE, days_text
from states.substitute import Settlement, settle
from workflow import candidates
from workflow.board import Half, Person
from workflow.candidates import Candidate, Wanted
from workflow.web.ticks import NEW, SET

MOST_CANDIDATES = 5  # for one place
MOST_PLACES = 8  # wishes and open rows that get candidates


@dataclass(frozen=True)
class Told:
    """What is said beside a row of the team: verdicts, and the rest days that need a substitute."""

    verdicts: tuple[tuple[str, str, str], ...]  # kind, word, sentence
    settlement: Settlement


@dataclass(frozen=True)
class Place:
    """A place with whom to send there; beside each candidate the value of the button that puts him or her in."""

    title: str
    found: tuple[tuple[Candidate, str], ...]


def halves_text(halves: Iterable[Half]) -> str:
    """「11/9-11、11/12午前」, of half-days."""
    by_day: dict[date, tuple[int, ...]] = {}
    for day, half in sorted(halves):
        by_day[day] = (*by_day.get(day, ()), half)
    return days_text(by_day, {day: own for day, own in by_day.items() if own != WHOLE})


def told(member: Any, person: Person | None, calendar: Calendar) -> Told:
    """Whether the person is free on the days of the row, and which rest days need a substitute."""
    settlement = settle(member.reading, member.substitute, calendar)
    if person is None or not member.reading.days:
        return Told((), settlement)
    found = []
    for where, halves in _taken(member, person).items():
        if where:
            said = f"{halves_text(halves)}は{where}に入っています。日か人を替えてください。"
            found.append(("stop", "重なり", said))
        else:
            found.append(
                ("warn", "不在", f"{halves_text(halves)}は不在です。日か人を替えるか、本人に確かめてください。")
            )
    return Told(tuple(found) or (("ok", "空き", "どの日も空いています。"),), settlement)


def _taken(member: Any, person: Person) -> Mapping[str, set[Half]]:
    """The half-days on which the person is not free, by the other case; by nothing where the person is away."""
    found: dict[str, set[Half]] = {}
    for half in member.reading.half_days:
        other = person.elsewhere.get(half)
        if other:
            number = f"({other.number})" if other.number else ""
            found.setdefault(f"ほかの派遣{number}", set()).add(half)
        elif half[0] in person.away:
            found.setdefault("", set()).add(half)
    return found


def places(
    members: Sequence[Any], wishes: Sequence[Any], table: str, days: Sequence[date], people: Sequence[Person],
    calendar: Calendar, nearness: Mapping[str, int],
) -> list[Place]:  # fmt: skip
    """Every row without a name and every wish of the request, each with whom to send; else who could go at all."""
    wanted = [Wanted(m.role, m.headcount, m.reading.half_days, n) for n, m in enumerate(members) if not m.person]
    wanted += [Wanted(w.skill, _count(w.headcount), w.reading.half_days) for w in wishes]
    found = []
    for place in wanted[:MOST_PLACES] or [Wanted("", 1)]:
        best = candidates.ranked(place, people, days, calendar, nearness)[:MOST_CANDIDATES]
        picks = tuple((candidate, _pick(table, place, candidate)) for candidate in best)
        found.append(Place(_title(place) if wanted else "この期間に行ける人", picks))
    return found


def _title(place: Wanted) -> str:
    told = " ・ ".join(filter(None, (f"{place.headcount}人", halves_text(place.half_days))))
    if place.row is None:
        return f"市町村の希望: {place.skill.strip() or '職員'}({told})"
    return f"{place.row + 1}行目の席: {place.skill.strip() or '名前の決まっていない職員'}({told})"


def _pick(table: str, place: Wanted, candidate: Candidate) -> str:
    """The value of the button that puts somebody into the place: the fields that it writes.

    A wish becomes a row of its own. Of a row for several, one gets the name and the others wait in a row behind.
    """
    row = NEW if place.row is None else place.row
    fields: list[tuple[str, Any]] = [
        ("person", candidate.person.colleague.id),
        ("role", ""),
        ("section", ""),
        ("headcount", 1),
    ]
    if place.row is None:
        fields.append(("days", halves_text(place.half_days)))
    written = [(f"{table}.{row}.{key}", value) for key, value in fields]
    if place.row is not None and place.headcount > 1:
        rest = (("role", place.skill), ("days", halves_text(place.half_days)), ("headcount", place.headcount - 1))
        written += [(f"{table}.{NEW}.{key}", value) for key, value in rest]
    return SET + urlencode(written)


def _count(written: str) -> int:
    return int(written) if written.isascii() and written.isdecimal() and 0 < len(written) < len("1000") else 1
