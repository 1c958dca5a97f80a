"""Where a person stands on a route: at which open step, from which post, or for whom as a deputy."""

from collections.abc import Collection
from dataclasses import dataclass, field

from states.authority import DECIDE
from states.route_making import may_decide
from states.routes import BLOCKING, Route, Step
from states.seats import STAND_INS, TENURES, Seat, Seats


@dataclass(frozen=True)
class Standing:
    """Where a person stands on a route: at which step, from which post, for whom."""

    step: Step
    seat: int
    acting: str = ""
    for_person: int = 0
    for_name: str = ""
    ground: str = ""


@dataclass
class Stands:
    """Everything about one person on one route: steps open to them, and why not as a deputy."""

    steps: list[Standing] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def stands(route: Route, person: int, posts: Collection[int], seats: Seats) -> Stands:
    """The open steps that this person may answer: from a post held, or as the first deputy present of an absent holder."""
    found = Stands()
    for step in route.open:
        decides = step.kind == DECIDE
        seat = seats.get(step.post)
        if step.post in posts:
            if decides and not may_decide(route, person):
                found.refused.append("起案した人と、この件の本人は、決裁できません。")
                continue
            tenure = next((h.tenure for h in seat.holders if h.person == person), "") if seat else ""
            found.steps.append(
                Standing(
                    step,
                    step.post,
                    tenure if tenure in STAND_INS else "",
                    ground=TENURES[tenure] if tenure in STAND_INS else "",
                )
            )
        elif seat is not None and step.kind in BLOCKING and set(seat.deputies) & set(posts):
            deputy, why = _deputy(route, step, seat, person, seats)
            if deputy is None:
                found.refused.append(why)
                continue
            away = seat.holders[0]
            found.steps.append(Standing(step, deputy.post, "deputy", away.person, away.name, away.absent))
    return found


def _deputy(route: Route, step: Step, seat: Seat, person: int, seats: Seats) -> tuple[Seat | None, str]:
    if step.kind == DECIDE and (bar := route.barred()):
        return None, bar
    barred = {route.drafter, *route.excluded} if step.kind == DECIDE else {route.drafter}
    return seats.deputy(seat, person, barred)
