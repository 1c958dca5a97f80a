"""Whose turn it is on a dispatch, and who reads which of its contents."""

from collections.abc import Sequence

from states.dispatch import appointment, parties, situation
from states.dispatch.road import WAITS_FOR_PARTNERS
from states.dispatch.roles import OFFICE
from states.terms import DECISION, HELD, Ask, Facts

SHARED = frozenset({
    "request", "contact", "receipt", "forwarding", "co_offices", "own_decision", "consent", "conditions", "decision", "appointment", "change_request",
    "changes", "stop", "actual", "result", "evaluation",
})  # fmt: skip
DECIDED = frozenset({
    "preparing", "change_judgement", "change_consultation", "dispatched", "stopped", "awaiting_report", "reported",
})  # fmt: skip
OWN = frozenset({"municipality", "municipality_head"})


def asks(facts: Facts) -> Sequence[Ask] | None:
    """Whose turn it is, where that is more than the holder of the state."""
    found = _asks(facts)
    wish = facts.state in DECIDED and facts.state != "reported" and facts.read.change_request.waits
    return [*(found or ()), Ask("bureau", "変更の希望に答える")] if wish else found


def _asks(facts: Facts) -> Sequence[Ask] | None:
    if facts.state == "own_approval":
        returned = facts.read.own_approval.returned_on
        return [
            Ask("municipality", "庁内で直して、もう一度伺う", "march_request")
            if returned
            else Ask("municipality_head", "庁内で決裁する", "march_request", kind=DECISION)
        ]
    if facts.state in WAITS_FOR_PARTNERS:
        waiting = [
            Ask("partner", "共同の要請に同意するか答える", org=code)
            for code, said in parties.answers(facts).items()
            if not said
        ]
        return [_desk(facts), *waiting]
    if facts.state == "correction" and situation.own_initiative(facts):
        return [Ask("bureau", "直して判断を求める", "correction")]
    if facts.state == "correction":
        return [Ask("municipality", "補正して出し直す", "correction", also=("march_request",))]
    if facts.state == "director_judgement" and (facts.form.get("hold") or {}).get("review_on"):
        return [Ask("director", "保留中の件を再検討する", "review", kind=HELD)]
    if facts.state in ("preparing", "dispatched"):
        return _preparation(facts)
    if facts.state == "change_judgement":
        return [Ask("director", "変更を判断する", "change"), *_preparation(facts)]
    if facts.state == "change_consultation":
        return [Ask("headquarters", "変更の協議に回答する", "change_consultation"), *_preparation(facts)]
    if facts.state in ("awaiting_report", "reported"):
        return _reports(facts)
    return None


def _desk(facts: Facts) -> Ask:
    if facts.state == "concurrent_appointment_consultation":
        return Ask("headquarters", "併任協議に回答する", "consultation")
    return Ask("bureau", "検討して判断を求める", "reply") if facts.number else Ask("bureau", "収受する", "receive")


def _preparation(facts: Facts) -> list[Ask]:
    """What the first day waits for, where it has not come."""
    if situation.standing(facts) != "preparing" or not appointment.lacking(facts):
        return []
    return [Ask("bureau", "承諾と発令をそろえる", "begin")]


def _reports(facts: Facts) -> list[Ask]:
    found = [Ask("staff", "復命する", "trip_report", person) for person in situation.unreported(facts)]
    if not situation.result_filed(facts):
        found.append(Ask("bureau", "結果を報告する", "result", also=("year_end",)))
    if situation.to_evaluate(facts):
        found.append(Ask("municipality", "派遣を評価する", "evaluation"))
    return found


def reads(kind: str, roles: frozenset[str], state: str) -> bool:
    """Who sees which content: outside the office what was decided, staff also the reports; nobody's inner deliberation."""
    group = kind.removeprefix("form:").partition(":")[0]
    if group == "own_approval":
        return bool(roles & (OWN | {"auditor", "records"}))
    if roles & OFFICE:
        return True
    if not kind.startswith("form:"):
        return group not in ("internal", "shown")
    if group == "team":
        return "staff" in roles or state in DECIDED
    if group == "consent_note":
        return bool(roles & OWN)
    return group in SHARED or (group == "report" and "staff" in roles)
