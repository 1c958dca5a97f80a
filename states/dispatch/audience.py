"""Whose turn it is on a dispatch, and who reads which of its contents."""

from collections.abc import Iterator, Sequence

from states.dispatch import appointment, countersign, parties, situation
from states.dispatch.after import APPOINTING
from states.dispatch.road import WAITS_FOR_PARTNERS
from states.dispatch.roles import BODY, OFFICE, PERSONNEL
from states.terms import DECISION, HELD, Ask, Facts

SHARED = frozenset({
    "request", "contact", "receipt", "forwarding", "co_offices", "own_decision", "consent", "conditions", "decision", "appointment", "change_request",
    "changes", "stop", "actual", "result", "evaluation",
})  # fmt: skip
DECIDED = frozenset({
    "preparing", "change_judgement", "change_consultation", "dispatched", "stopped", "awaiting_report", "reported",
})  # fmt: skip
OWN = frozenset({"municipality", "municipality_head"})
# Personnel: the orders, whom and which days they are about, and what headquarters consented to; nothing of how it was weighed.
SEEN_BY_PERSONNEL = frozenset({
    "request", "team", "consultation", "change_consultation", "conditions", "decision", "appointment", "countersign", "change", "changes",
    "stop", "actual",
})  # fmt: skip
# A body: what is asked for and decided about the days at its place.
SEEN_BY_BODY = frozenset({"request", "receipt", "team", "decision", "changes", "stop", "actual", "result"})
SEEN_BESIDE = frozenset({"file", "succession", "erasure"})  # of what the acts wrote beside the form


def asks(facts: Facts) -> Sequence[Ask] | None:
    """Whose turn it is, where that is more than the holder of the state."""
    found = _asks(facts)
    more = list(_orders(facts)) if facts.state in APPOINTING else []
    if facts.state in DECIDED and facts.state != "reported" and facts.read.change_request.waits:
        more.append(Ask("bureau", "変更の希望に答える"))
    return [*(found or ()), *more] if more else found


def _orders(facts: Facts) -> Iterator[Ask]:
    """Who has to do with the appointment orders next: personnel, or the bureau where it got them back."""
    if countersign.waits(facts):
        yield Ask("personnel", "併任の発令を確かめる", "countersign", also=("begin",))
    elif countersign.to_mend(facts):
        yield Ask("bureau", "人事担当から戻った発令を直す", "begin")


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
    if facts.state == "stopped":
        return [Ask("director", "緊急の停止を追認する(事後決裁)", "ratification")]
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
    if roles and roles <= PERSONNEL | BODY:
        return _read_by_few(group, roles, state) if kind.startswith("form:") else group in SEEN_BESIDE
    if not kind.startswith("form:"):
        return group not in ("internal", "shown")
    if _read_by_few(group, roles, state):
        return True
    if group == "team":
        return "staff" in roles or state in DECIDED
    if group == "consent_note":
        return bool(roles & OWN)
    return group in SHARED or (group == "report" and "staff" in roles)


def _read_by_few(group: str, roles: frozenset[str], state: str) -> bool:
    """What personnel or a body reads: the little that its part in the case is about."""
    body = group in SEEN_BY_BODY and (group != "team" or state in DECIDED)
    return bool(roles & PERSONNEL and group in SEEN_BY_PERSONNEL) or bool(roles & BODY and body)
