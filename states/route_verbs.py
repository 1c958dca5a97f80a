"""What is done on a route: every verb turns one route into the next. Who may do it is told by `standings`."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, replace

from states.authority import CIRCULATE, CONSENT, REVIEW
from states.routes import (
    AFTER,
    AGAIN,
    BLOCKING,
    CONSULT,
    DECIDED,
    DONE,
    MERGED,
    OPEN,
    SKIPPED,
    STRAIGHT,
    VOID,
    WAITING,
    Answer,
    Route,
    Step,
    apart,
    settled,
)  # fmt: skip
from states.seats import Seat


def answered(route: Route, no: int, said: str, answer: Answer, remark: str = "") -> Route:
    """A step answered, with every step that was merged into it; the next ones are asked."""
    for step in route.steps:
        if step.no == no or (step.state == MERGED and step.into == no):
            # One answer: nobody consents from one post and refuses from another.
            alike = said if said == "disagree" else "agree"
            word = said if step.no == no else alike if step.kind == CONSENT else "approve"
            route = route.with_step(
                replace(
                    step,
                    state=DONE,
                    answer=word,
                    remark=remark if step.no == no else "",
                    hold="",
                    reopened=0,
                    **asdict(answer),
                )
            )
    return settled(route, answer.at)


def concluded(route: Route, answer: Answer, said: str) -> Route:
    """The route after its decision; who was absent reads it afterwards."""
    step = route.deciding
    route = replace(answered(route, step.no, said, answer), status=DECIDED)
    route = replace(route, steps=tuple(_after_all(s, answer.at) for s in route.steps))
    return read_afterwards(route, route.deciding, answer.at) if answer.acting == "deputy" else route


def _after_all(step: Step, at: int) -> Step:
    """After the decision only readers are asked."""
    if step.kind == CIRCULATE and step.state == WAITING:
        return replace(step, state=OPEN, opened_at=at)
    return replace(step, state=VOID) if step.kind in (REVIEW, CONSENT, CONSULT) and not step.settled else step


def read_afterwards(route: Route, of: Step, at: int) -> Route:
    """A step of its own for the post that was absent; it stays open until it is read."""
    after = Step(len(route.steps) + 1, AFTER, of.post, of.org, of.title, state=OPEN, opened_at=at, asker=of.no)
    return replace(route, steps=(*route.steps, after))


def added(route: Route, kind: str, seat: Seat, at: int, *, asker: int = 0, remark: str = "") -> Route:
    """A post that somebody asks for advice, or gives the case to read; it holds nothing up."""
    step = Step(
        len(route.steps) + 1,
        kind,
        seat.post,
        seat.org,
        seat.called,
        state=OPEN,
        opened_at=at,
        asker=asker,
        remark=remark,
    )
    return replace(route, steps=(*route.steps, step))


def taken_up(route: Route, no: int, at: int) -> Route:
    """A superior acts before the turn (引上げ): the reviews before are passed over, and read afterwards."""
    target = route.step(no)
    assert target is not None
    passed = [s for s in route.steps if 0 < s.stage < target.stage and s.kind == REVIEW and not s.settled]
    for step in passed:
        route = passed_over(route, step.no, at)
    return settled(route, at)


def passed_over(route: Route, no: int, at: int) -> Route:
    """An absent reviewer is passed over and reads afterwards."""
    step = route.step(no)
    assert step is not None
    return settled(read_afterwards(route.with_step(replace(step, state=SKIPPED)), step, at), at)


def sent_back(route: Route, by: int, to: int, then: str, at: int) -> Route:
    """An earlier step is asked again; straight, it comes back to who sent it, else everybody between is asked again too."""
    sender, target = route.step(by), route.step(to)
    assert sender is not None
    assert target is not None
    for step in route.steps:
        between = target.stage <= step.stage < sender.stage and then == AGAIN
        if step.no == to or (between and step.stage and step.state in (DONE, VOID)):
            route = route.with_step(asked_again(step, at))
    kept = (n for n in route.forced if n < target.stage or (then == STRAIGHT and n != target.stage))
    return settled(replace(remerged(route), forced=tuple(kept)), at)


def asked_again(step: Step, at: int) -> Step:
    """The step as if it had not been answered; what was answered stays known as `reopened`."""
    return replace(step, state=WAITING, answer="", reopened=step.version, hold="", since=at)


def remerged(route: Route) -> Route:
    """Who is asked again at two steps of the same person is asked once: the one waits with the other."""
    for step in route.steps:
        into = route.step(step.into)
        if step.state == WAITING and into is not None and not into.settled:
            route = route.with_step(replace(step, state=MERGED))
    return route


def pulled_back(route: Route, no: int, at: int) -> Route:
    """An answer taken back by who gave it, with those that were given along with it."""
    back = route.step(no)
    assert back is not None
    along = [s for s in route.steps if s.stage and s.state == DONE and (s.by, s.at) == (back.by, back.at)]
    for step in along:
        merged = any(step.into == other.no for other in along)
        route = route.with_step(replace(step, state=MERGED if merged else WAITING, answer="", hold=""))
    return settled(route, at)


def paused(route: Route) -> Route:
    """A route that is not live any more: nobody is asked, except to read."""
    steps = (
        replace(s, state=WAITING, hold="") if s.state == OPEN and s.stage and s.kind != CIRCULATE else s
        for s in route.steps
    )
    return replace(
        route, steps=tuple(replace(s, state=VOID) if s.state == OPEN and s.kind == CONSULT else s for s in steps)
    )


def reopened(route: Route, changed: Collection[str], at: int) -> Route:
    """After a change of substance those who approved what changed are asked again, nobody else."""
    for step in route.steps:
        if step.stage and step.kind in BLOCKING and touches(step.covers, changed):
            route = route.with_step(asked_again(step, at) if step.agreed else replace(step, since=at))
    return settled(apart(remerged(route)), at)


def touches(covers: Sequence[str], changed: Collection[str]) -> bool:
    """Whether an approval of these field groups was about something that changed."""
    return bool(changed) if not covers else any(group.partition(":")[0] in covers for group in changed)


def went_on(route: Route, at: int) -> Route:
    """The drafter lets a route go on although a group did not agree; the decider sees who did not, and no deputy decides."""
    stopped = [
        n
        for n, stage in enumerate(route.stages, 1)
        if stage.kind == CONSENT and any(s.answer == "disagree" for s in route.at_stage(n))
    ]
    route = settled(replace(route, forced=tuple(sorted({*route.forced, *stopped}))), at)
    # Whoever was to be asked at a step that is passed by now is asked at the own one.
    for step in route.steps:
        into = route.step(step.into)
        if step.state == MERGED and into is not None and into.state == VOID:
            route = route.with_step(replace(step, state=WAITING, into=-1))
    return settled(route, at)


def reassigned(route: Route, no: int, seat: Seat, why: str, at: int) -> Route:
    """Another post is asked instead, by an administrator; the reason stays visible."""
    step = route.step(no)
    assert step is not None
    return settled(
        route.with_step(
            replace(step, post=seat.post, org=seat.org, title=seat.called, instead=why, hold="", passed_from=0)
        ),
        at,
    )
