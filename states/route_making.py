"""Making a route by a rule of the table, and seating it: everybody is asked once, and nobody decides what is his own."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from states.authority import CIRCULATE, CONSENT, DECIDE, REVIEW, Matter, Rule, reasons
from states.routes import (
    AFTER,
    AGAIN,
    BLOCKING,
    MARKS,
    MERGED,
    OPEN,
    RETURNED,
    WAITING,
    Route,
    Step,
    apart,
    settled,
)
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
    last = max((step.version for step in before.steps if step.agreed), default=0)
    for old in before.steps:
        new = next((s for s in route.steps if (s.kind, s.post, s.stage) == (old.kind, old.post, old.stage)), None)
        if new is None:
            continue
        if old.agreed and not changed(old):
            kept = replace(old, no=new.no, into=new.into)
        else:
            since = at if changed(replace(old, version=last)) else old.since
            kept = replace(new, reopened=old.version if old.agreed else 0, since=since)
        route = route.with_step(kept)
    return settled(apart(route), at)


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
    # Merged steps are looked at anew, since others may hold their posts; what somebody has answered, or drafted, stays so.
    for step in route.steps:
        into = route.step(step.into)
        if step.state == MERGED and into is not None and (not into.settled or into.state == MERGED):
            route = route.with_step(replace(step, state=WAITING, into=-1))
    for step in route.steps:
        if step.kind in (REVIEW, CONSENT) and step.state in (WAITING, OPEN):
            there = _asked_with(route, step, seats)
            if there != step.into or there >= 0:
                route = route.with_step(replace(step, state=MERGED if there >= 0 else step.state, into=there))
    return route


def reseated(route: Route, seats: Seats, at: int) -> Route:
    """The route as the posts are held now. What a person answered, or had covered by drafting, stays so after he has left."""
    settled_ = {step.no for step in route.steps if step.settled and step.state != MERGED} | {0}
    kept = [step for step in route.steps if step.state == MERGED and step.into in settled_]
    route = seated(route, seats)
    for step in kept:
        route = route.with_step(step)
    return settled(route, at)


def _asked_with(route: Route, step: Step, seats: Seats) -> int:
    """The step that asks the same person; 0 for the drafter, -1 for nobody else.

    The last one that is asked for sure: a consent of any or some may be passed by without this person.
    """
    person = _sole(step, seats)
    if person is None:
        return -1
    if person == route.drafter:
        return 0
    same = [
        s
        for s in route.steps
        if s.no != step.no and s.kind in BLOCKING and s.stage and not s.settled and _sole(s, seats) == person
    ]
    later = [s for s in same if s.no > step.no and (_sure(route, s) or s.stage == step.stage)]
    if later:
        return later[-1].no
    earlier = [
        s
        for s in route.steps
        if s.no < step.no and s.agreed and s.by == person and s.acting != "deputy" and s.at > step.since
    ]
    earlier += [] if _sure(route, step) else [s for s in same if s.no < step.no]
    return earlier[0].no if earlier else -1


def _sole(step: Step, seats: Seats) -> int | None:
    seat = seats.get(step.post)
    return seat.sole if seat else None


def _sure(route: Route, step: Step) -> bool:
    """Whether the route cannot go on without this step's own answer."""
    return step.kind != CONSENT or step.mandatory or route.stages[step.stage - 1].passes == "all"


def _passed_up(route: Route, step: Step, seats: Seats) -> Step:
    """The decision where the post's holders may take it, or at the nearest superior whose holders may.

    The table gives the power to a post: once somebody holds it who may decide, the decision is there again.
    """
    own, before = seats.get(step.passed_from), step
    if own is not None and not own.holders:  # a vacant post waits for who stands in for it; its superior has been asked
        step = replace(step, instead=f"{own.called}は空席なので、上位の職のままとします")
    elif own is not None:
        step = replace(step, post=own.post, org=own.org, title=own.called, instead="", passed_from=0)
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
            return step if step.passed_from else before
        why = "起案者" if any(h.person == route.drafter for h in seat.holders) else "この件の本人"
        instead = f"{seat.called}は{why}なので、上位の職に回します"
        first = step.passed_from or step.post
        step = replace(step, post=above.post, org=above.org, title=above.called, instead=instead, passed_from=first)
        seat = above
    return step if step.post == before.post else replace(step, hold="")


def may_decide(route: Route, person: int) -> bool:
    """Whether a person may decide in this round: not who drafted it, nor whom it concerns."""
    return person != route.drafter and person not in route.excluded
