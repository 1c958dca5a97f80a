"""What a change of persons does to open cases: keeps, goes to a successor, is left to nobody, would be one's own, loses a deputy.

An administrator sees no case: a line names number, office, matter and posts, never what it is about.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from states import catalogue
from states.authority import DECIDE
from states.route_making import reseated
from states.routes import BLOCKING, Route
from states.seats import Seat
from workflow.following import SeatsOf, live
from workflow.loading import Connection
from workflow.seating import in_force

MOVES, ORPHANED, OWN, DEPUTIES = "moves", "orphaned", "own", "deputies"
LABELS = {
    OWN: "自分の起案を決裁することになる", ORPHANED: "だれの手にも渡らない", DEPUTIES: "代決の順が崩れる", MOVES: "後任に移る",
}  # fmt: skip


@dataclass(frozen=True)
class Touched:
    """A case with what becomes of it: kind and sentence, the gravest first."""

    number: str
    office: str
    matter: str
    notes: tuple[tuple[str, str], ...]

    @property
    def kind(self) -> str:
        return self.notes[0][0]


@dataclass(frozen=True)
class Before:
    """Seats and routes as they would be without the change, and who has which post of whose drafts."""

    seats: dict[int, tuple[Route, Any, str]]
    posts: dict[int, list[int]]


def before(conn: Connection, day: date) -> Before:
    """How every open case would stand on that day without the change."""
    seats = SeatsOf(conn, day)
    routes = {case: (reseated(route, there, now), there, lead) for case, lead, route, now in live(conn)
              for there in (seats(lead, route),)}  # fmt: skip
    return Before(routes, _posts_of(conn, day))


def after(conn: Connection, day: date, was: Before, people: Collection[int]) -> tuple[list[Touched], int]:
    """What becomes of each case that the change touches, the gravest first, and how many open cases stay as they are."""
    seats, found = SeatsOf(conn, day), list[tuple[int, list[tuple[str, str]]]]()
    for case, lead, route, now in live(conn):
        there = seats(lead, route)
        found.append((case, list(_notes(*was.seats[case][:2], reseated(route, there, now), there))))
    drafts = list(_drafts(conn, day, was, people))
    order = list(LABELS)
    about = {row[0]: row[1:] for row in conn.execute(ABOUT, ([case for case, notes in found if notes],)).fetchall()}
    lines = []
    for case, notes in found:
        if notes:
            number, key, version, office = about[case]
            process = catalogue.process(key, version)
            notes.sort(key=lambda note: order.index(note[0]))
            label = was.seats[case][0].label
            lines.append(
                Touched(number or "番号なし", office or "", f"{process.label} ・ {label}", tuple(dict.fromkeys(notes)))
            )
    lines += drafts
    return sorted(lines, key=lambda line: (order.index(line.kind), line.office, line.number)), len(found) - len(
        lines
    ) + len(drafts)


ABOUT = """SELECT c.id, c.number, c.process, c.process_version,
  (SELECT o.name FROM organisation o WHERE o.code = c.lead ORDER BY o.valid_to DESC NULLS FIRST LIMIT 1) FROM cases c WHERE c.id = ANY (%s)"""


def _notes(route: Route, seats: Any, now: Route, there: Any) -> Iterator[tuple[str, str]]:
    """What becomes of one route: `route` as it would be without the change, `now` with it."""
    if now.deciding.post != route.deciding.post and not now.deciding.passed_from:
        yield MOVES, f"決裁は、規程のとおり「{now.deciding.title}」に戻ります。"
    elif now.deciding.post != route.deciding.post:
        yield OWN, f"{now.deciding.instead}。決裁は「{now.deciding.title}」になります。"
    for step in now.steps:
        if step.kind not in BLOCKING or step.settled:
            continue
        old, new = seats.get(step.post), there.get(step.post)
        if old is not None and old.holders and (new is None or not new.holders):
            said = "なくなります" if new is None else "空席になります。職務代理か事務取扱が要ります(代決はできません)"
            yield ORPHANED, f"「{step.title}」が{said}。"
        elif new is not None and _people(old) != _people(new):
            yield MOVES, f"「{step.title}」: {_named(old)} → {_named(new)}"
        if step.kind == DECIDE and new is not None and (lost := _lost(seats, old, there, new)):
            yield DEPUTIES, f"「{step.title}」の代決の順のうち、{'、'.join(lost)}がいなくなります。"


def _people(seat: Seat | None) -> frozenset[int]:
    return frozenset(holder.person for holder in seat.holders) if seat else frozenset()


def _named(seat: Seat | None) -> str:
    return "、".join(holder.name for holder in seat.holders) if seat and seat.holders else "空席"


def _lost(seats: Any, old: Seat | None, there: Any, new: Seat) -> list[str]:
    """The deputies that somebody held, and nobody will."""
    lost = []
    for post in old.deputies if old else ():
        was, now = seats.get(post), there.get(post)
        if was is not None and was.holders and (now is None or not now.holders):
            lost.append(f"「{was.called}」")
    return lost


# ── drafts ──────────────────────────────────────────────────────────────────────────────────────────────────────────

_DAY = "%(day)s::date"
HELD = f"""SELECT t.person_id, array_agg(t.post_id ORDER BY t.id) FROM tenure t JOIN post p ON p.id = t.post_id
WHERE {in_force("t", _DAY)} AND {in_force("p", _DAY)} GROUP BY t.person_id"""
DRAFTS = f"""SELECT c.process, c.process_version, c.opened_by, n.name, v.org_code,
  (SELECT o.name FROM organisation o WHERE o.code = v.org_code ORDER BY o.valid_to DESC NULLS FIRST LIMIT 1),
  EXISTS (SELECT 1 FROM tenure t JOIN post p ON p.id = t.post_id WHERE t.person_id = c.opened_by AND p.org_code = v.org_code
    AND {in_force("t", _DAY)} AND {in_force("p", _DAY)})
FROM cases c JOIN person n ON n.id = c.opened_by JOIN LATERAL (
  SELECT v.org_code FROM party v WHERE v.case_id = c.id AND v.valid_to IS NULL ORDER BY v.part LIMIT 1) v ON true
WHERE c.version = 0 AND c.opened_by = ANY (%(people)s) ORDER BY c.id"""
NOW_THERE = f"""SELECT n.name FROM tenure t JOIN person n ON n.id = t.person_id JOIN post p ON p.id = t.post_id
WHERE t.post_id = ANY (%(posts)s) AND p.org_code = %(org)s AND t.person_id <> %(person)s AND {in_force("t", _DAY)} ORDER BY t.id"""


def _posts_of(conn: Connection, day: date) -> dict[int, list[int]]:
    return {person: list(posts) for person, posts in conn.execute(HELD, {"day": day}).fetchall()}


def _drafts(conn: Connection, day: date, was: Before, people: Collection[int]) -> Iterator[Touched]:
    """The drafts of those who leave the office: they stay with it, and with whoever has the post next."""
    for key, version, person, name, org, office, stays in conn.execute(
        DRAFTS, {"day": day, "people": list(people)}
    ).fetchall():
        if stays:
            continue
        told = {"posts": was.posts.get(person, []), "org": org, "person": person, "day": day}
        heirs: Sequence[str] = [row[0] for row in conn.execute(NOW_THERE, told).fetchall()]
        note = (MOVES, f"{name}の下書き → {'、'.join(heirs)}") if heirs else (
            ORPHANED, f"{name}の下書きは、後任がいません。所属のほかの人は続けて書けます。")  # fmt: skip
        yield Touched("番号なし(下書き)", office or "", catalogue.process(key, version).label, (note,))
