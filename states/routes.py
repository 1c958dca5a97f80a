"""A route: who is asked in which order, and how far it has come. Pure; the verbs that change it stand in `route_verbs`.

It stands in the form of the case as a group of its own, so that history, verification and erasure hold for it as for
anything else. Only an open step asks somebody. What is asked now follows from what was answered (`settled`), so that a
step which is opened again finds its place by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from typing import Any

from states.authority import CIRCULATE, CONSENT, DECIDE, REVIEW, Matter, Stage, stage_of, stored
from states.terms import ADVICE, DECISION, HELD, READING, Ask

GROUP = "route"  # field group of the form
CONSULT, AFTER = "consult", "review_after"  # kinds of steps beside the stages
KINDS = {REVIEW: "回議", CONSENT: "合議", DECIDE: "決裁", CIRCULATE: "供覧", CONSULT: "相談", AFTER: "後閲"}
ASKS = {
    REVIEW: "回議する",
    CONSENT: "合議に答える",
    CIRCULATE: "供覧を読む",
    CONSULT: "相談に答える",
    AFTER: "後閲する",
}
ASK_DRAFTER = "同意しない職があったので、進め方を決める"
WORK = {CIRCULATE: READING, AFTER: READING, CONSULT: ADVICE}  # sort of work, where it is not the step's own kind
MARKS = {"important": "重要", "unusual": "異例", "disputed": "疑義がある", "new": "新規"}
WAITING, OPEN, DONE, MERGED, SKIPPED, VOID = "waiting", "open", "done", "merged", "skipped", "void"
RUNNING, STOPPED, SUSPENDED, RETURNED, DECIDED, ENDED = (
    "running",
    "stopped",
    "suspended",
    "returned",
    "decided",
    "ended",
)
BLOCKING = frozenset({REVIEW, CONSENT, DECIDE})
AGAIN, STRAIGHT = "again", "straight"


@dataclass(frozen=True)
class Step:
    """One post that is asked. `by` answered it from `seat`; `acting` says how, where it was not the post's own holder.

    `version` is the version of the case that the answer was given on, `into` the step that a merged one is asked with
    (0: the drafter's own), `asker` the step that asked for advice, `for_person` who was absent.
    """

    no: int
    kind: str
    post: int
    org: str
    title: str
    stage: int = 0
    covers: tuple[str, ...] = ()
    mandatory: bool = False
    state: str = WAITING
    answer: str = ""
    by: int = 0
    name: str = ""
    seat: int = 0
    seat_title: str = ""
    acting: str = ""  # deputy | charge | acting
    for_person: int = 0
    for_name: str = ""
    ground: str = ""
    at: int = 0  # microseconds since 1970
    version: int = 0
    remark: str = ""
    opened_at: int = 0
    hold: str = ""
    into: int = -1
    asker: int = 0
    reopened: int = 0  # version of the answer that no longer counts, since what it was about has changed
    since: int = 0  # moment of that change: no answer of the same person from before it counts here
    instead: str = ""  # the post that would have been asked, and why it is not
    passed_from: int = 0  # the post that decides by the table, while its superior is asked

    @property
    def agreed(self) -> bool:
        return self.state == DONE and self.answer in ("approve", "agree")

    @property
    def settled(self) -> bool:
        return self.state in (DONE, MERGED, SKIPPED, VOID)


@dataclass(frozen=True)
class Answer:
    """Who answers, from which post, when, on which version; for whom and why, where somebody is absent."""

    by: int
    name: str
    seat: int
    seat_title: str
    at: int
    version: int
    acting: str = ""
    for_person: int = 0
    for_name: str = ""
    ground: str = ""


@dataclass(frozen=True)
class Route:
    """The route of one round, as it stands."""

    matter: str
    label: str
    rule: int
    article: str
    why: tuple[str, ...]
    standing: bool
    no_deputy: bool
    bulk: bool
    drafter: int
    drafter_name: str
    drafter_post: int
    drafter_title: str
    stages: tuple[Stage, ...]
    steps: tuple[Step, ...]
    excluded: tuple[int, ...] = ()
    marks: tuple[str, ...] = ()
    status: str = RUNNING
    then: str = AGAIN
    returned_by: int = 0  # step that sent the case back
    drafted_at: int = 0
    forced: tuple[int, ...] = ()  # stages that went on although somebody did not agree

    def step(self, no: int) -> Step | None:
        return next((step for step in self.steps if step.no == no), None)

    @property
    def open(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.state == OPEN)

    @property
    def deciding(self) -> Step:
        return next(step for step in self.steps if step.kind == DECIDE)

    @property
    def disagreed(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.state == DONE and step.answer == "disagree")

    def at_stage(self, number: int) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.stage == number)

    def with_step(self, changed: Step) -> "Route":
        return replace(self, steps=tuple(changed if step.no == changed.no else step for step in self.steps))

    def barred(self) -> str:
        """Why nobody may decide as a deputy; empty where somebody may."""
        if self.no_deputy:
            return f"この事項は代決できません({self.article or '専決規程'})。"
        if self.marks:
            return f"{'・'.join(MARKS[mark] for mark in self.marks)}とされた案件は、代決できません。"
        return "同意しない職があるので、代決できません。" if self.disagreed else ""


# ── how far it has come ────────────────────────────────────────────────────────────────────────────────────────────────


def settled(route: Route, at: int) -> Route:
    """The route with exactly those steps open whose turn it is; `stopped` where a group did not agree."""
    if route.status not in (RUNNING, STOPPED):
        return route
    status, blocked = RUNNING, False
    for number, stage in enumerate(route.stages, start=1):
        here = route.at_stage(number)
        outcome = "later" if blocked else _outcome(route, stage, here, number)
        turned = {step.no: _turned(step, outcome, at) for step in here}
        if any(turned[step.no] is not step for step in here):
            route = replace(route, steps=tuple(turned.get(step.no, step) for step in route.steps))
        if outcome == "stopped":
            status = STOPPED
        blocked = blocked or outcome in ("asked", "stopped")
    return replace(route, status=status)


def _outcome(route: Route, stage: Stage, here: Sequence[Step], number: int) -> str:
    """asked, passed or stopped."""
    if stage.kind == CIRCULATE:
        return "beside"
    if stage.kind != CONSENT:
        return "passed" if all(step.settled for step in here) else "asked"
    elsewhere = [step for step in here if step.state == MERGED and not _answered_elsewhere(route, step)]
    agreed = [step for step in here if step.agreed or (step.state in (MERGED, SKIPPED) and step not in elsewhere)]
    against = [step for step in here if step.state == DONE and step.answer == "disagree"]
    # Who was not needed while the group had passed is needed again once it has not.
    left = [step for step in here if not step.settled or step.state == VOID]
    if number in route.forced:
        return "passed"
    # Who is asked later says nothing here yet: neither for a consent of one, nor against a consent of all.
    asked_here = len(here) - len(elsewhere)
    need = min({"any": 1, "quorum": stage.quorum}.get(stage.passes, len(here)), asked_here)
    musts = [step for step in here if step.mandatory and step not in elsewhere]
    passes = len(agreed) >= need and all(step in agreed for step in musts)
    if stage.refusal == "all" and left:
        return "asked"
    if stage.refusal == "first" and against:
        return "stopped"
    if passes:
        return "passed"
    return "asked" if left else "stopped"


def _answered_elsewhere(route: Route, step: Step) -> bool:
    """Whether the person of a merged step has spoken already: as the drafter, or where the step was merged into."""
    into = route.step(step.into)
    return into is None or into.agreed


def apart(route: Route) -> Route:
    """Who was heard along with an answer that stands is asked alone, where what this step is about has changed after it."""
    for step in route.steps:
        into = route.step(step.into)
        if step.state == MERGED and into is not None and into.agreed and into.at <= step.since:
            route = route.with_step(replace(step, state=WAITING, into=-1, reopened=into.version))
    return route


def _turned(step: Step, outcome: str, at: int) -> Step:
    if step.settled and not (step.state == VOID and outcome in ("asked", "beside")):
        return step
    wanted = {"asked": OPEN, "beside": OPEN, "passed": VOID, "stopped": VOID, "later": WAITING}[outcome]
    if wanted == step.state:
        return step
    return replace(step, state=wanted, opened_at=at if wanted == OPEN else step.opened_at)


# ── whom it asks ────────────────────────────────────────────────────────────────────────────────────────────────────────


def desk(post: int) -> str:
    """The desk of a post in the inbox: its items follow whoever holds it."""
    return f"#{post}"


def asked(route: Route, matter: Matter | None, asks: Sequence[Ask]) -> list[Ask]:
    """Who is asked while a route stands: in place of the decider's own desk the posts whose turn it is, beside them its readers."""
    running = matter is not None and matter.key == route.matter and route.status in (RUNNING, STOPPED)
    own = next((ask for ask in asks if matter and ask.holder == matter.role), None) if running else None
    found = [ask for ask in asks if ask is not own]
    if running and route.status == STOPPED:
        found.append(_ask(ASK_DRAFTER, route.drafter_post, "", own))
    for step in route.open:
        if step.kind not in BLOCKING:
            found.append(_ask(ASKS[step.kind], step.post, step.org, None, WORK[step.kind]))
        elif running:
            decides = own if own and step.kind == DECIDE else None
            label = decides.label if decides else ASKS.get(step.kind, KINDS[step.kind])
            kind = HELD if step.hold or (decides and decides.kind == HELD) else step.kind
            found.append(_ask(f"{label}(保留中)" if step.hold else label, step.post, step.org, own, kind))
    return list(dict.fromkeys(found))


def decided_without(matter: Matter | None, asks: Sequence[Ask]) -> list[Ask]:
    """The process's own asks where no route stands: what its decider is asked is a decision."""
    return [
        replace(ask, kind=DECISION) if matter and ask.holder == matter.role and not ask.kind else ask for ask in asks
    ]


def awaited_by(route: Route) -> tuple[str, ...]:
    """Who waits for others while a route runs: its drafter and who answered (`@person`), the posts that come later (`#post`)."""
    people = {route.drafter, *(step.by for step in route.steps if step.state == DONE and step.kind in BLOCKING)}
    later = {desk(step.post) for step in route.steps if step.state == WAITING and step.kind in BLOCKING}
    return tuple(sorted(later | {f"@{person}" for person in people if person}))


def _ask(label: str, post: int, org: str, like: Ask | None, kind: str = "") -> Ask:
    if like is None:
        return Ask(desk(post), label, org=org, kind=kind)
    return replace(like, holder=desk(post), label=label, org=org, person=None, kind=kind)


# ── stored ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

_USUAL = {f.name: f.default for f in fields(Step) if f.default is not MISSING}
_TOLD = {f.name: f.default for f in fields(Route) if f.name not in ("stages", "steps")}


def to_json(route: Route) -> dict[str, Any]:
    """The route as the form keeps it; what is usual is left out."""
    told: dict[str, Any] = {"status": route.status}
    for name, usual in _TOLD.items():
        value = getattr(route, name)
        if value != usual:
            told[name] = list(value) if isinstance(value, tuple) else value
    told |= {"stages": stored(route.stages), "steps": [_step_told(step) for step in route.steps]}
    _remember(told, route)
    return told


def _step_told(step: Step) -> dict[str, Any]:
    told: dict[str, Any] = {"no": step.no, "kind": step.kind, "post": step.post, "org": step.org, "title": step.title}
    for name, usual in _USUAL.items():
        value = getattr(step, name)
        if value != usual:
            told[name] = list(value) if isinstance(value, tuple) else value
    return told


# Those that were read last: an act asks for the one route of its case over and over, and stored JSON is never changed in place.
_RECENT: list[tuple[Mapping[str, Any], Route]] = []


def of(form: Mapping[str, Any]) -> Route | None:
    """The route that a form keeps; None without one, or where it was erased."""
    told = form.get(GROUP)
    if not told or "steps" not in told:
        return None
    for known, route in _RECENT[:]:
        if known is told:
            return route
    made = _read(told)
    _remember(told, made)
    return made


def _remember(told: Mapping[str, Any], route: Route) -> None:
    _RECENT[:] = [(told, route), *_RECENT[:3]]


def _read(told: Mapping[str, Any]) -> Route:
    steps = tuple(Step(**{**step, "covers": tuple(step.get("covers", ()))}) for step in told["steps"])
    stages = tuple(stage_of(stage) for stage in told["stages"])
    own: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
    own |= {"steps": steps, "stages": stages}
    return Route(**own)
