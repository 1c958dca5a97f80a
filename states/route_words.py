"""A route in words: the mark of a step, who answered for whom, what an act made of the route. Pure."""

from collections.abc import Mapping
from dataclasses import replace

from states.authority import DECIDE
from states.previews import passes_said
from states.route_actions import BY_NAME
from states.routes import (
    AFTER,
    BLOCKING,
    DECIDED,
    DONE,
    ENDED,
    KINDS,
    MERGED,
    OPEN,
    RETURNED,
    RUNNING,
    SKIPPED,
    STOPPED,
    SUSPENDED,
    VOID,
    WAITING,
    Route,
    Step,
)
from states.seats import STAND_INS, TENURES

DEPUTY = "deputy"
SAID = {"approve": "済", "agree": "同意", "disagree": "不同意", "read": "閲覧", "advise": "意見"}
STANDS = {
    RUNNING: "回っています",
    STOPPED: "同意しない職があって、止まっています",
    SUSPENDED: "ほかの答えを待つ間、止まっています",
    RETURNED: "起案した人に戻っています",
    DECIDED: "決裁が済みました",
    ENDED: "終わりました",
}
REOPENED = "承認のあとに内容が変わったので、"
AGAIN = "もう一度答えます"


def mark(step: Step) -> tuple[str, str]:
    """What stands in the box of a step, and its shape: empty, `for` (代), `after` (後閲) or `wait`."""
    if step.state == DONE:
        if step.kind == AFTER:
            return "後閲", "after"
        if step.acting == DEPUTY:
            return "代", "for"
        return SAID.get(step.answer, "決" if step.kind == DECIDE else "済"), ""
    if step.state == SKIPPED:
        return "後閲", "after"
    if step.state == OPEN:
        return ("保留", "") if step.hold else ("▶", "")
    return ("—", "wait") if step.state in (MERGED, VOID) else ("・", "wait")


def answered_by(step: Step) -> str:
    """Who gave the answer, and for whom where it was not the post's own holder: 副局長 ○○(局長 △△ 出張につき代決)."""
    post = step.seat_title if step.acting == DEPUTY else ""
    who = " ".join(filter(None, (post, step.name)))
    return f"{who}({why})" if (why := for_whom(step)) else who


def for_whom(step: Step) -> str:
    """For whom and why somebody else answered; empty where the post's own holder did."""
    if step.acting == DEPUTY:
        away = " ".join(filter(None, (step.title, step.for_name, step.ground)))
        return f"{away}につき{'代決' if step.kind == DECIDE else '代わり'}"
    return TENURES[step.acting] if step.acting in STAND_INS else ""


def acted(names: Mapping[str, str], action: str) -> str:
    """The same of an event, by the names that it keeps."""
    if names.get("for_post"):
        away = " ".join(filter(None, (names["for_post"], names.get("for"), names.get("ground"))))
        return f"{away}につき{'代わり' if action in BY_NAME else '代決'}"
    return names.get("as", "")


def acted_outside(names: Mapping[str, str], action: str) -> str:
    """What others are told of it: the posts, no name and no ground."""
    if names.get("for_post"):
        return f"{names['for_post']}の{'代わり' if action in BY_NAME else '代決'}"
    return names.get("as", "")


def together(route: Route, number: int) -> str:
    """How those who are asked together pass, as a sentence; empty where one alone is asked."""
    passes = passes_said(route.stages[number - 1])
    posts = "、".join(step.title for step in route.at_stage(number))
    return f"{posts}に同時に回します({passes})。" if passes else ""


def beside(step: Step, route: Route) -> list[str]:
    """What is to be said of a step besides its answer: whose place it takes, with whom it is asked, why anew."""
    told = [f"{step.instead}。"] if step.instead else []
    if step.state == MERGED:
        into = route.step(step.into)
        told.append(
            f"「{into.title}」と同じ人なので、一度だけ答えます" if into else "起案した人の職なので、改めて聞きません"
        )
    if step.state == VOID:
        told.append("答えを待たずに進みました")
    if step.state == SKIPPED:
        told.append("不在などのため、先へ進めました")
    if step.reopened and not step.settled:
        told.append(f"{REOPENED}{AGAIN}")
    return told


def order(route: Route) -> str:
    """Who is asked one after the other: 回議 係長 → 合議 課長・室長 → 決裁 局長."""
    said = []
    for number in range(1, len(route.stages) + 1):
        here = [step for step in route.at_stage(number) if step.state != MERGED]
        if here:
            said.append(f"{KINDS[here[0].kind]} {'・'.join(step.title for step in here)}")
    return " → ".join(said)


def changed(before: Route | None, after: Route) -> str:
    """What an act made of the route, in one line; empty where nothing that one asks about has changed."""
    if before is None or before.drafted_at != after.drafted_at:
        return f"回る順: {order(after)}({after.article})" if after.article else f"回る順: {order(after)}"
    told = [said for step in after.steps if (said := _turned(before.step(step.no), step))]
    if after.status != before.status:
        told.append(STANDS[after.status])
    opened = [step for step in after.open if step.kind in BLOCKING and not _was_open(before, step)]
    if opened:
        told.append(f"次は {'・'.join(f'{step.title}({KINDS[step.kind]})' for step in opened)}")
    return "。".join(dict.fromkeys(told))


def _was_open(before: Route, step: Step) -> bool:
    old = before.step(step.no)
    return old is not None and old.state == OPEN and old.post == step.post


def _turned(old: Step | None, new: Step) -> str:
    """What became of one step."""
    where = f"{new.title}({KINDS[new.kind]})"
    if old is None:
        return f"加わりました: {where}"
    if old.post != new.post:
        return f"{old.title}に代えて {where}"
    if new.hold != old.hold and new.hold:
        return f"{where}は保留"
    if new.state == old.state or replace(old, state=new.state) == new:
        return f"{where}を飛ばしました" if new.state == SKIPPED != old.state else ""
    if old.state == DONE and new.state in (WAITING, OPEN):
        return f"{where}は{AGAIN}"
    return ""


def later(route: Route, step: Step) -> str:
    """What has still to be answered before the turn of a step comes: 「回議 1、合議 2」."""
    left: dict[str, int] = {}
    for other in route.steps:
        if 0 < other.stage < step.stage and not other.settled and other.kind in BLOCKING:
            left[KINDS[other.kind]] = left.get(KINDS[other.kind], 0) + 1
    return "、".join(f"{kind} {count}" for kind, count in left.items())
