"""Whose work a person may do today as the first deputy present (代決): asked of the one law, for lists and for notices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from states import routes
from states.routes import BLOCKING, Route
from states.seats import ABSENCES, STAND_INS, Seats
from states.standings import Standing, stands
from workflow.access import HELD, TODAY
from workflow.seating import Connection, around, in_force

MINE = f"""WITH mine AS MATERIALIZED (SELECT DISTINCT p.id FROM tenure t JOIN post p ON p.id = t.post_id WHERE {HELD})
SELECT (SELECT array_agg(id) FROM mine),
  (SELECT array_agg(DISTINCT d.post_id) FROM deputy d JOIN mine ON mine.id = d.deputy_id WHERE {in_force("d", TODAY)})"""


@dataclass(frozen=True)
class Deputy:
    """A person as the deputy of others: own posts, and those posts of absent holders that may be theirs to act for today."""

    person: int
    posts: frozenset[int] = frozenset()
    absent: tuple[int, ...] = ()
    seats: Seats = field(default_factory=Seats)

    def standing(self, form: Mapping[str, Any], post: int) -> Standing | None:
        """Where this person stands on the route for the absent holder of a post; None where the law lets another act, or nobody."""
        route = routes.of(form)
        return self.on(route, post) if route else None

    def on(self, route: Route, post: int) -> Standing | None:
        found = stands(route, self.person, self.posts, self.seats).steps
        return next((one for one in found if one.acting == "deputy" and one.step.post == post), None)


def of_person(conn: Connection, person_id: int) -> Deputy:
    """The posts whose holder is absent today and in whose order of deputies this person stands."""
    row = conn.execute(MINE, {"person": person_id}, prepare=True).fetchone()
    own, others = (row[0] or [], row[1] or []) if row else ([], [])
    if not others:
        return Deputy(person_id, frozenset(own))
    near = around(conn, others)
    absent = [post for post in sorted({*others} - {*own}) if _is_away(near, post)]
    return Deputy(person_id, frozenset(own), tuple(absent), near)


def _is_away(near: Seats, post: int) -> bool:
    seat = near.get(post)
    return seat is not None and seat.away and not any(holder.tenure in STAND_INS for holder in seat.holders)


def acting(near: Seats, route: Route, post: int) -> list[tuple[int, Standing]]:
    """Who may act today for the absent holder of a post that the route asks: persons, each with the standing."""
    seat = near.get(post)
    if seat is None or not _is_away(near, post) or not any(s.post == post and s.kind in BLOCKING for s in route.open):
        return []
    people: dict[int, set[int]] = {}
    for deputy in filter(None, map(near.get, seat.deputies)):
        for holder in deputy.holders:
            people.setdefault(holder.person, set()).add(deputy.post)
    found = [(person, Deputy(person, frozenset(own), (), near).on(route, post)) for person, own in people.items()]
    return [(person, one) for person, one in found if one is not None]


def ground_of(standing: Standing) -> str:
    """Why somebody acts, in words: 「出張」."""
    return ABSENCES.get(standing.ground, standing.ground)


def posts_of(roles: Sequence[str]) -> list[int]:
    """The posts among these desks."""
    return sorted({int(role[1:]) for role in roles if role.startswith("#")})
