"""Making a route by a rule of the table, and seating it: everybody is asked once, and nobody decides what is his own."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from states.authority import CIRCULATE, CONSENT, DECIDE, REVIEW, Matter, Rule, reasons
from states.routes import AFTER, AGAIN, BLOCKING, MARKS, MERGED, OPEN, RETURNED, WAITING, Route, Step, settled
from states.seats import Seats


@dataclass(frozen=True)
class Drafter:
    """Who put the case up, from which post."""

    person: int
    name: str
    post: int
    title: str
    org: str
    section: str


class Unresolved(Exception):
    """A rule that names a post which nobody has; the sentence says which."""


def made(
    rule: Rule, matter: Matter, seats: Seats, drafter: Drafter, lead: str, *, at: int, excluded: Collection[int] = (), mark: str = "",
) -> Route:  # fmt: skip
    """The route by this rule, its first stage asked. Raises `Unresolved`."""
    steps: list[Step] = []
    for number, stage in enumerate(rule.stages, start=1):
        for address in stage.asked:
            seat = seats.at(address, lead, drafter.section)
            if seat is None:
                where = f"{address.section if address.section != '=' else drafter.section} {address.title}".strip()
                raise Unresolved(f"専決規程にある「{where}」という職が、いまありません。管理者に連絡してください。")
            steps.append(
                Step(
                    len(steps) + 1,
                    stage.kind,
                    seat.post,
                    seat.org,
                    seat.called,
                    number,
                    stage.covers,
                    address.mandatory,
                )
            )
    marks = (mark,) if mark in MARKS else ()
    route = Route(
        matter.key, matter.label, rule.id, rule.article, tuple(reasons(rule, matter)), rule.standing, rule.no_deputy, rule.bulk,
        drafter.person, drafter.name, drafter.post, drafter.title, rule.stages, tuple(steps), tuple(sorted(excluded)), marks, drafted_at=at,
    )  # fmt: skip
    return settled(seated(route, seats), at)


def carried(route: Route, before: Route, changed: Callable[[Step], bool], at: int) -> Route:
    """A route made anew that keeps the answers of the one before, where what they were about has not changed.

    After a return that runs again nothing is kept; after one that comes straight back, what stood before it.
    """
    if before.status == RETURNED and before.then == AGAIN:
        return route
    for old in before.steps:
        new = next((s for s in route.steps if (s.kind, s.post, s.stage) == (old.kind, old.post, old.stage)), None)
        if new is None or not old.agreed:
            continue
        kept = replace(new, state=WAITING, reopened=old.version) if changed(old) else replace(old, no=new.no, into=-1)
        route = route.with_step(kept)
    return settled(route, at)


def with_readers(route: Route, before: Route) -> Route:
    """The route with those who have still to read what went before."""
    beside = [step for step in before.steps if step.kind in (AFTER, CIRCULATE) and step.state == OPEN]
    first = len(route.steps) + 1
    added = tuple(replace(step, no=first + n, stage=0) for n, step in enumerate(beside))
    return replace(route, steps=route.steps + added)


def seated(route: Route, seats: Seats) -> Route:
    """The route with everybody asked once, as the posts are held now: a person who stands twice is asked at the later step.

    The drafter and whom the case itself concerns never decide: the superior of the post does.
    """
    for step in route.steps:
        if step.kind == DECIDE and not step.settled:
            route = route.with_step(_passed_up(route, step, seats))
    for number, step in enumerate(route.steps):
        if step.kind not in (REVIEW, CONSENT) or step.state not in (WAITING, OPEN, MERGED):
            continue
        into = _asked_with(route, step, number, seats)
        if into >= 0:
            route = route.with_step(replace(step, state=MERGED, into=into))
        elif step.state == MERGED:
            route = route.with_step(replace(step, state=WAITING, into=-1))
    return route


def _asked_with(route: Route, step: Step, number: int, seats: Seats) -> int:
    """The step that asks the same person; 0 for the drafter, -1 for nobody else."""
    seat = seats.get(step.post)
    person = seat.sole if seat else None
    if person is None:
        return -1
    if person == route.drafter:
        return 0
    for later in route.steps[number + 1 :]:
        there = seats.get(later.post)
        if later.kind in BLOCKING and not later.settled and there and there.sole == person:
            return later.no
    earlier = next((s for s in route.steps[:number] if s.agreed and s.by == person and not s.acting), None)
    return earlier.no if earlier else -1


def _passed_up(route: Route, step: Step, seats: Seats) -> Step:
    """The decision where the post's holders may take it, or at the nearest superior whose holders may."""
    seat, seen = seats.get(step.post), set[int]()
    while (
        seat is not None
        and seat.post not in seen
        and seat.holders
        and all(not may_decide(route, h.person) for h in seat.holders)
    ):
        seen.add(seat.post)
        above = seats.get(seat.superior)
        if above is None:
            return step
        why = "起案者" if any(h.person == route.drafter for h in seat.holders) else "この件の本人"
        instead = f"{seat.called}は{why}なので、上位の職に回します"
        step = replace(step, post=above.post, org=above.org, title=above.called, instead=instead)
        seat = above
    return step


def may_decide(route: Route, person: int) -> bool:
    """Whether a person may decide in this round: not who drafted it, nor whom it concerns."""
    return person != route.drafter and person not in route.excluded
