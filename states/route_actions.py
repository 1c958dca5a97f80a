"""The verbs of a route: who may do each, when, and what comes of it. One table that is code, screen and document at once.

A verb never moves the case: it changes its route. What moves the case (decide, decline, send back, pull back) are rows of
the process, done by roles that the route gives: the decider's own, `reviewer`, `consenter`, `drafter`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from states import route_verbs as verbs
from states.authority import CIRCULATE, CONSENT, DECIDE, REVIEW
from states.dates import read_date
from states.kernel import Move, Offer, Process, Refused
from states.route_making import reseated
from states.routes import (
    AFTER,
    AGAIN,
    BLOCKING,
    CONSULT,
    DONE,
    KINDS,
    MARKS,
    RUNNING,
    STOPPED,
    STRAIGHT,
    WAITING,
    Answer,
    Route,
    Step,
    of,
)
from states.seats import Seats
from states.standings import Standing, Stands
from states.terms import STAY, Action, Facts, Guard, Input, Verdict, block, guard

REVIEWER, CONSENTER, READER, ADVISER, DRAFTER, SUPERIOR, ANSWERED, COLLEAGUE = (
    "reviewer", "consenter", "reader", "adviser", "drafter", "superior", "answered", "colleague",
)  # fmt: skip
ROLES = {REVIEW: REVIEWER, CONSENT: CONSENTER, CIRCULATE: READER, AFTER: READER, CONSULT: ADVISER}
WHO = {
    REVIEWER: "回議の順番にある職", CONSENTER: "合議を求められた職", READER: "供覧・後閲の職", ADVISER: "相談を受けた職",
    DRAFTER: "起案した人(またはその職の後任)", SUPERIOR: "後の順番にある上位の職", ANSWERED: "直前に答えた人",
    "decider": "決裁の順番にある職",
}  # fmt: skip

REMARK = Input("remark", "意見(局内だけに残ります)", required=False, internal=True)
WHY = Input("remark", "理由(局内だけに残ります)", internal=True)
THEN = Input(
    "then", "直したあとの回り方", "choice", required=False, internal=True,
    choices=((AGAIN, "はじめから回し直す"), (STRAIGHT, "戻した人に直接戻す")), hint="選ばなければ、はじめから回し直します",
)  # fmt: skip
MARK = Input(
    "mark", "決裁での扱い", "choice", hint="選ぶと、代決はできません", required=False, internal=True, choices=tuple(MARKS.items()),
)  # fmt: skip


def route_of(facts: Facts) -> Route:
    """The route that the verbs are about; only asked where one stands."""
    route = of(facts.form)
    assert route is not None
    return route


def running(facts: Facts) -> bool:
    """Whether a route is under way in this case."""
    route = of(facts.form)
    return route is not None and route.status in (RUNNING, STOPPED)


def standing_of(facts: Facts) -> Sequence[Standing]:
    """Where the person of these facts stands on the route."""
    return _stands(facts).steps


def _stands(facts: Facts) -> Stands:
    found: Stands = facts.registers.get("stands") or Stands()
    return found


def _mine(facts: Facts, *kinds: str) -> Standing | None:
    return next((one for one in _stands(facts).steps if one.step.kind in kinds), None)


def _given(facts: Facts) -> Step | None:
    """The last answer of this person that nobody has answered after."""
    route, person = route_of(facts), int(facts.actor) if facts.actor.isdigit() else 0
    own = [
        s
        for s in route.steps
        if s.state == DONE and s.by == person and s.kind in (REVIEW, CONSENT) and not _with_another(route, s)
    ]
    last = max(own, key=lambda s: s.at, default=None)
    later = [s for s in route.steps if last and s.state == DONE and s.kind in BLOCKING and s.at > last.at]
    return None if later else last


def _with_another(route: Route, step: Step) -> bool:
    """Whether a step was answered along with the one it was merged into."""
    into = route.step(step.into)
    return into is not None and into.state == DONE and into.at == step.at


def _later(facts: Facts) -> Step | None:
    """The later step at which this person will stand."""
    posts = facts.registers.get("posts", ())
    return next(
        (s for s in route_of(facts).steps if s.state == WAITING and s.kind in (REVIEW, DECIDE) and s.post in posts),
        None,
    )


@guard(None)
def unopened(facts: Facts) -> Iterator[Verdict]:
    """What the next person has opened is not pulled back any more."""
    if facts.registers.get("opened"):
        yield block("次の人がもう開いたので、引き戻せません。取り下げるか、次の人に差戻しを頼んでください。")


@guard(None)
def not_stopped(facts: Facts) -> Iterator[Verdict]:
    if route_of(facts).status == STOPPED:
        yield block("同意しない職があるので止まっています。起案した人が進め方を決めるまで待ってください。")


@guard(None)
def consents_are_in(facts: Facts) -> Iterator[Verdict]:
    """A superior may act before a review, never before the consent of others."""
    route, target = route_of(facts), _later(facts)
    open_ = [s for s in route.steps if target and s.kind == CONSENT and s.stage < target.stage and not s.settled]
    if open_:
        yield block(f"合議の済んでいない職({'、'.join(s.title for s in open_)})があるので、引き上げられません。")


@guard(None)
def review_day(facts: Facts) -> Iterator[Verdict]:
    typed = facts.inputs.get("review_on")
    if typed:
        reading = read_date(str(typed))
        if reading.date is None:
            yield block(reading.problem, "review_on")
        elif reading.date <= facts.today:
            yield block("再検討の日は、明日より後の日にしてください。", "review_on")


@dataclass(frozen=True)
class Verb:
    """One row of the table: the act, when it may be done in words, and what it makes of the route."""

    name: str
    label: str
    by: frozenset[str]
    when: str
    effect: str
    turn: Callable[[Route, Facts, Answer], Route]
    asks: tuple[Input, ...] = ()
    guards: tuple[Guard, ...] = ()
    main: bool = False
    bulk: bool = False  # nothing is decided by it, so that several may be done at once
    rare: bool = False  # beside the answer itself; the page folds it

    @property
    def who(self) -> str:
        return "、".join(WHO[role] for role in sorted(self.by))

    def action(self, state: str, asks: Sequence[Input]) -> Action:
        return Action(
            self.name, (state,), STAY, self.label, self.by, self.effect, self.guards, asks=tuple(asks), main=self.main
        )


def _answer(said: str, *kinds: str) -> Callable[[Route, Facts, Answer], Route]:
    def turn(route: Route, facts: Facts, answer: Answer) -> Route:
        one = _mine(facts, *kinds)
        assert one is not None
        return verbs.answered(route, one.step.no, said, answer, str(facts.inputs.get("remark") or ""))

    return turn


def _send_back(route: Route, facts: Facts, answer: Answer) -> Route:
    one = _mine(facts, REVIEW, CONSENT, DECIDE)
    assert one is not None
    return verbs.sent_back(
        route, one.step.no, int(facts.inputs["to"]), str(facts.inputs.get("then") or AGAIN), answer.at
    )


def _pull_back(route: Route, facts: Facts, answer: Answer) -> Route:
    step = _given(facts)
    if step is None:
        raise Refused("guard", "引き戻せる答えがありません。何も変えていません。最新の画面を開いてください。")
    return verbs.pulled_back(route, step.no, answer.at)


def _hold(route: Route, facts: Facts, answer: Answer) -> Route:
    one = _mine(facts, REVIEW, CONSENT)
    assert one is not None
    day = read_date(str(facts.inputs["review_on"])).date
    return route.with_step(replace(one.step, hold=day.isoformat() if day else ""))


def _take_up(route: Route, facts: Facts, answer: Answer) -> Route:
    step = _later(facts)
    assert step is not None
    return verbs.taken_up(route, step.no, answer.at)


def _pass_over(route: Route, facts: Facts, answer: Answer) -> Route:
    return verbs.passed_over(route, int(facts.inputs["step"]), answer.at)


def _add(kind: str) -> Callable[[Route, Facts, Answer], Route]:
    def turn(route: Route, facts: Facts, answer: Answer) -> Route:
        seats: Seats = facts.registers["seats"]
        seat = seats.get(int(facts.inputs["post"]))
        assert seat is not None
        one = _mine(facts, REVIEW, CONSENT, DECIDE)
        asker = one.step.no if one else 0
        return verbs.added(route, kind, seat, answer.at, asker=asker, remark=str(facts.inputs.get("remark") or ""))

    return turn


_TO = Input("to", "戻す先", "choice", internal=True)
_POST = Input("post", "相手の職", "choice", internal=True)
_STEP = Input("step", "後閲にする職", "choice", internal=True)
_QUESTION = Input("remark", "聞きたいこと(局内だけに残ります)", internal=True)
_AT_TURN = frozenset({REVIEWER, CONSENTER})

VERBS: tuple[Verb, ...] = (
    Verb("approve_step", "承認して上げる", frozenset({REVIEWER}), "回議の順番が来ている間", "次の職に回ります",
         _answer("approve", REVIEW), (REMARK,), main=True),
    Verb("agree_step", "合議に同意する", frozenset({CONSENTER}), "合議を求められている間", "同意が残り、そろえば次に進みます",
         _answer("agree", CONSENT), (REMARK,), main=True),
    Verb("disagree_step", "合議に同意しない", frozenset({CONSENTER}), "合議を求められている間",
         "理由が起案者と決裁者に見えます。代決はできなくなります", _answer("disagree", CONSENT), (WHY,)),
    Verb("return_step", "前の段階に差し戻す", _AT_TURN | {"decider"}, "順番が来ている間。起案者へ戻すのは「差し戻す」",
         "選んだ職がもう一度答えます", _send_back, (_TO, THEN, WHY), rare=True),
    Verb("pull_back_step", "答えを引き戻す", frozenset({ANSWERED}), "次の人が開くまで", "自分の番に戻ります",
         _pull_back, (), (unopened,)),
    Verb("hold_step", "保留する(回議・合議)", _AT_TURN, "順番が来ている間", "順番はそのままで、再検討の日と理由が残ります",
         _hold, (Input("review_on", "再検討の日", "date", internal=True), WHY), (review_day,), rare=True),
    Verb("take_up", "引き上げる", frozenset({SUPERIOR}), "自分より前の回議が残っている間。合議は飛ばせません",
         "前の回議を飛ばして自分の番になり、飛ばされた職は後閲します", _take_up, (WHY,), (not_stopped, consents_are_in)),
    Verb("pass_over", "不在の職を後閲にする", frozenset({DRAFTER}), "回議の職が不在で、順番が来ている間",
         "次に進み、不在の人は戻ってから読みます", _pass_over, (_STEP,)),
    Verb("go_on", "不同意のまま上げる", frozenset({DRAFTER}), "合議が不同意で止まっている間",
         "不同意の意見を添えて次に進みます。代決はできません", lambda route, facts, answer: verbs.went_on(route, answer.at), (WHY,)),
    Verb("ask_advice", "先に意見を聞く", _AT_TURN | {"decider"}, "順番が来ている間", "相手の受信箱に入り、答えがここに残ります",
         _add(CONSULT), (_POST, _QUESTION), rare=True),
    Verb("give_advice", "相談に答える", frozenset({ADVISER}), "相談を受けている間", "聞いた人に意見が残ります",
         _answer("advise", CONSULT), (Input("remark", "意見(局内だけに残ります)", internal=True),), main=True),
    Verb("circulate", "供覧に回す", _AT_TURN | {DRAFTER, "decider"}, "回っている間", "相手が読みます。決裁は待ちません",
         _add(CIRCULATE), (_POST,), rare=True),
    Verb("mark_read", "読みました", frozenset({READER}), "供覧か後閲を求められている間", "読んだ日時が決裁欄に残ります",
         _answer("read", CIRCULATE, AFTER), (REMARK,), main=True, bulk=True),
)  # fmt: skip
BY_NAME = {verb.name: verb for verb in VERBS}
REOPENING = frozenset({"return_step", "pull_back_step", "go_on"})  # verbs after which somebody is asked again
LABELS = {verb.name: verb.label for verb in VERBS} | {
    "follow_route": "人事の発令に合わせる",
    "reassign_step": "回す職を替える",
}


def offers(process: Process, facts: Facts, wanted: Sequence[Verb] = VERBS) -> list[Offer]:
    """Every verb that the roles in `facts` have on the route now, allowed or refused with its sentences."""
    route = of(facts.form) if process.matters else None
    if route is None:
        return []
    state = process.state(facts.state)
    found = []
    for verb in wanted:
        if _by(verb, process, facts) & facts.roles and (asks := _asks(verb, route, facts)) is not None:
            action = replace(verb.action(facts.state, asks), by=_by(verb, process, facts))
            found.append(Offer(action, state, tuple(action.verdicts(facts))))
    return found


def judged(process: Process, facts: Facts, name: str) -> Move:
    """The verb as a move that stays where it is, or `Refused` with the reason."""
    offer = next(iter(offers(process, facts, (BY_NAME[name],))), None)
    if offer is None:
        raise Refused(
            "role", f"「{BY_NAME[name].label}」は、いまのあなたの番ではできません。{waiting(facts)}何も変えていません。"
        )
    lacking = list(offer.refusals) or list(offer.action.missing(facts))
    if lacking:
        raise Refused(
            "guard", f"「{offer.action.label}」はまだできません。{''.join(v.sentence for v in lacking)}", lacking
        )
    return Move(offer.action, facts.state, facts.state, offer.verdicts)


def waiting(facts: Facts) -> str:
    """Whose answer is awaited, as a sentence; empty where nobody's is."""
    route = of(facts.form)
    if route is None or route.status not in (RUNNING, STOPPED):
        return ""
    if route.status == STOPPED:
        return "同意しない職があったので、起案した人が進め方を決めるのを待っています。"
    asked = [f"{step.title}の{KINDS[step.kind]}" for step in route.open if step.kind in BLOCKING]
    return f"いまは、{'、'.join(asked)}を待っています。" if asked else ""


def turned(facts: Facts, name: str, answer: Answer) -> Route:
    """The route after the verb; it has been decided before.

    Who is asked again is asked as the posts are held now: they may have changed hands since the first answer.
    """
    route = BY_NAME[name].turn(route_of(facts), facts, answer)
    return reseated(route, facts.registers["seats"], answer.at) if name in REOPENING else route


def _by(verb: Verb, process: Process, facts: Facts) -> frozenset[str]:
    matter = process.matter(facts.state)
    decider = {matter.role} if matter and running(facts) else set()
    return frozenset((verb.by - {"decider"}) | (decider if "decider" in verb.by else set()))


def _asks(verb: Verb, route: Route, facts: Facts) -> list[Input] | None:
    """What the verb asks for, with the choices of this route; None where there is nothing to choose."""
    choices = {"to": _earlier, "post": _others, "step": _absent}
    found = [
        replace(ask, choices=choices[ask.name](route, facts)) if ask.name in choices and not ask.choices else ask
        for ask in verb.asks
    ]
    if any(ask.name in choices and not ask.choices for ask in found):
        return None
    if verb.name == "go_on" and route.status != STOPPED:
        return None
    if verb.name == "pull_back_step" and _given(facts) is None:
        return None
    if verb.name == "take_up" and _later(facts) is None:
        return None
    return found


def _earlier(route: Route, facts: Facts) -> tuple[tuple[str, str], ...]:
    one = _mine(facts, REVIEW, CONSENT, DECIDE)
    here = one.step.stage if one else 0
    return tuple(
        (str(s.no), f"{KINDS[s.kind]} {s.title}") for s in route.steps if s.state == DONE and 0 < s.stage < here
    )


def _others(route: Route, facts: Facts) -> tuple[tuple[str, str], ...]:
    seats: Seats = facts.registers.get("seats") or Seats()
    own = facts.registers.get("posts", ())
    reading = {s.post for s in route.open if s.kind in (CIRCULATE, CONSULT)}
    return tuple(
        (str(seat.post), f"{seat.org_name} {seat.called}") for seat in seats.by_post.values()
        if seat.holders and seat.post not in own and seat.post not in reading
    )  # fmt: skip


def _absent(route: Route, facts: Facts) -> tuple[tuple[str, str], ...]:
    seats: Seats = facts.registers.get("seats") or Seats()
    found = []
    for step in route.open:
        seat = seats.get(step.post)
        if step.kind == REVIEW and seat and seat.away:
            found.append((str(step.no), step.title))
    return tuple(found)
