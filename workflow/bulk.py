"""Several cases at once: what is only read or confirmed, and decisions of those matters that the office's table allows.

Each case is an act of its own with a key of its own: one that is refused stops no other, and whoever sends the same form
again gets the same answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID, uuid5

from states.authority import DECIDE
from states.dates import short
from states.kernel import Offer, Refused
from states.route_actions import BY_NAME
from states.standings import Stands
from workflow import cases, routing
from workflow.cases import Conflict, View
from workflow.deadlines import TOKYO, local_day
from workflow.loading import Connection, NotFound, load

MOST = 100  # cases of one form
READ, CONFIRM, DECISION = "read", "confirm", "decide"  # what may be done with several at once: one sort at a time
SORTS = (READ, CONFIRM, DECISION)
DONE, REFUSED, LATE = "done", "refused", "late"
NOT_TOGETHER = "この案件は、まとめては扱えません。何も変えていません。開いて、1件ずつ行ってください。"
NO_CASE = "この案件は見つかりません。何も変えていません。"
NO_POST = "いま就いている職では、もう行えません。何も変えていません。"


@dataclass(frozen=True)
class Chosen:
    """A row that was ticked: the case and the version that the list showed."""

    case_id: int
    version: int


@dataclass(frozen=True)
class Result:
    """What became of one row: `done`, `refused` with its sentence, or `late` because somebody was faster."""

    case_id: int
    number: str | None = None
    title: str = ""
    label: str = ""
    outcome: str = DONE
    sentence: str = ""


def run(conn: Connection, person_id: int, sort: str, chosen: Sequence[Chosen], key: UUID) -> list[Result]:
    """Do with each case what may be done with several at once, of this sort and no other; `conn` is in autocommit."""
    unique = {one.case_id: one for one in chosen}
    return [_one(conn, person_id, sort, one, uuid5(key, f"{sort} {one.case_id}")) for one in unique.values()]


def _one(conn: Connection, person_id: int, sort: str, chosen: Chosen, key: UUID) -> Result:
    try:
        view = cases.look(conn, person_id, chosen.case_id)
    except NotFound:
        return Result(chosen.case_id, outcome=REFUSED, sentence=NO_CASE)
    found = Result(view.id, view.number, view.title, sentence="行いました。")
    if _answered(conn, person_id, key):
        return found
    offer = able(view, sort)
    try:
        if view.version != chosen.version:
            raise cases.conflict(conn, load(conn, view.id, person_id))
        if offer is None:
            return replace(found, outcome=REFUSED, sentence=NOT_TOGETHER)
        found = replace(found, label=offer.action.label)
        cases.act(conn, person_id, view.id, offer.action.name, version=chosen.version, key=key)
    except cases.KeyReused:
        return found  # the same form at the same moment: that one was carried out
    except Refused as refusal:
        return replace(found, outcome=REFUSED, sentence=refusal.sentence)
    except Conflict as conflict:
        return replace(found, outcome=LATE, sentence=_faster(conflict))
    except cases.PostLost:
        return replace(found, outcome=REFUSED, sentence=NO_POST)
    return found


def able(view: View, sort: str) -> Offer | None:
    """What of a case may be done together with others: nothing that asks for words, no decision but at one's own step."""
    fitting = [o for o in view.offers if o.allowed and not any(ask.required for ask in o.action.asks)]
    return next((offer for offer in fitting if _sort(view, offer) == sort), None)


def _sort(view: View, offer: Offer) -> str:
    """What doing this with several at once would be; empty where each is done by itself."""
    if offer.action.name in BY_NAME:
        return READ if BY_NAME[offer.action.name].bulk else ""
    return CONFIRM if offer.action.bulk else DECISION if _decides(view, offer) else ""


def _decides(view: View, offer: Offer) -> bool:
    """Whether the office's table lets this decision be one of several; a warning is weighed on the page of the case."""
    matter = view.process.matter(view.state.name)
    if matter is None or offer.action.name not in matter.decides or not offer.action.main or offer.warnings:
        return False
    route = routing.live(view.process, view.state.name, view.facts.form)
    found: Stands = view.facts.registers.get("stands") or Stands()
    own = any(one.step.kind == DECIDE and one.acting != routing.DEPUTY for one in found.steps)
    return route is not None and route.bulk and own


def _answered(conn: Connection, person_id: int, key: UUID) -> bool:
    """Whether this row was carried out by the same form before."""
    text = "SELECT 1 FROM idempotency WHERE person_id = %s AND key = %s"
    return conn.execute(text, (person_id, key), prepare=True).fetchone() is not None


def _faster(conflict: Conflict) -> str:
    at = conflict.when.astimezone(TOKYO)
    when = f"{short(local_day(conflict.when))} {at.hour}:{at.minute:02}"
    return (
        f"{conflict.who}さんが {when} に「{conflict.action_label}」を行いました。この件は何も変えていません。"
        "最新の画面を開いて、確かめてください。"
    )
