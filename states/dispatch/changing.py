"""How a decided dispatch is changed: what a proposal owes, what the decision writes, and where the case goes then.

Every rule of the first decision is asked again, on the form as it would be. A proposal never stops the days: the clock
goes on, and `change.back` says where the case stands meanwhile.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from states.dates import one_month_last_day, short
from states.dispatch import situation
from states.dispatch.change import as_proposed, difference, proposed
from states.dispatch.form import erased, read
from states.dispatch.labels import CHANGES
from states.dispatch.stopping import dropped_change
from states.terms import Facts, Guard, Verdict, block, guard, ok
from states.text import visible

_FIELDS = (("team.members", "change.members"), ("request.period", "change.period"), ("request.place", "change.place"))


def on_the_proposal(inner: Guard) -> Guard:
    """The same rule, held against the form as it would be; a cancellation changes nothing that a rule could speak of."""

    def ask(facts: Facts) -> Iterable[Verdict]:
        if facts.read.change.kind in ("", "cancel"):
            return
        for verdict in inner.ask(as_proposed(facts)):
            yield Verdict(verdict.level, verdict.sentence, _in_change(verdict.field), verdict.rule, verdict.remedy)

    return Guard(inner.rule, inner.name, ask)


def once_begun(inner: Guard) -> Guard:
    """The same rule, asked when the days have begun; before, the clock asks it on the first day."""

    def ask(facts: Facts) -> Iterable[Verdict]:
        return inner.ask(facts) if situation.standing(facts) in situation.BEGUN else ()

    return Guard(inner.rule, inner.name, ask)


def _in_change(field: str) -> str:
    return next((new + field.removeprefix(old) for old, new in _FIELDS if field.startswith(old)), field)


@guard("D-07")
def stays_within_a_month(facts: Facts) -> Iterator[Verdict]:
    """What goes beyond a month is no extension (要領2(4)): it is new work, or a matter for another scheme."""
    form = as_proposed(facts).read
    if facts.read.change.kind in ("", "cancel") or form.request.period.span is None:
        return
    first, last = form.request.period.span
    limit = one_month_last_day(first)
    if last > limit:
        yield block(
            f"変更すると期間が{form.request.period.length}日になり、1業務1か月({short(limit)}まで)を超えます。これは延長ではありません。"
            "続きが要るときは、新しい業務として別の要請にするか、地方自治法252条の17の派遣など別の制度を検討してください。",
            "change.period.to",
        )
    else:
        yield ok(f"変更後の期間は{form.request.period.length}日で、1か月以内です。", "change.period.to")


@guard(None)
def change_written(facts: Facts) -> Iterator[Verdict]:
    """What changes, for what cause and why."""
    change = facts.read.change
    if facts.state in situation.CHANGING and not change.kind:
        yield block("変更の内容が消去されています。変更しないと決めるか、伺いを取り下げてください。", "change.kind")
        return
    if not change.kind and "change" not in facts.registers.get("edited", ()):
        return
    for value, label, field in (
        (change.kind, "変更の種類", "change.kind"),
        (change.reason_code, "変更の事由", "change.reason_code"),
        (change.reason.strip(), "変更の理由", "change.reason"),
    ):
        if not value:
            yield block(f"「{label}」を入れてください。", field)
    if change.kind == "cancel" and change.period.to.strip():
        end = change.period.end
        if end.date is None:
            yield block(end.problem, "change.period.to")
        elif end.date > facts.today:
            yield block(
                "中止では、実際に行った最後の日を今日までの日で書きます。先の日までにするときは「短縮」です。",
                "change.period.to",
            )
    elif change.kind and not difference(facts.form):
        yield block("変わる所がありません。期間、場所、職員と派遣日のどれかを直してください。", "change.members")


@guard(None)
def past_stays(facts: Facts) -> Iterator[Verdict]:
    """Days that are over stay as they were for everybody; nobody is sent into the past."""
    if facts.read.change.kind in ("", "cancel"):
        return
    was, then = _past(facts, facts.read), _past(facts, as_proposed(facts).read)
    begun = situation.standing(facts) in situation.BEGUN
    for person in dict.fromkeys((*was, *then)):
        added, taken = (
            then.get(person, set()) - was.get(person, set()),
            was.get(person, set()) - then.get(person, set()),
        )
        moved = sorted({day for day, _ in (added | taken if begun else added)})
        if moved:
            days = "、".join(short(day) for day in moved[:3]) + ("など" if len(moved) > 3 else "")
            yield block(
                f"{visible(situation.called(facts.read, person))}の{days}は、もう過ぎた日です。過ぎた日は変えられません。"
                "実際と違うときは、復命の「実際に行った日」で直します。",
                "change.members",
            )


def _past(facts: Facts, form: Any) -> dict[int, set[tuple[date, int]]]:
    """Person → the half-days before today."""
    found: dict[int, set[tuple[date, int]]] = {}
    for person, day, half in situation.half_days(form):
        if day < facts.today:
            found.setdefault(person, set()).add((day, half))
    return found


@guard(None)
def another_director(facts: Facts) -> Iterator[Verdict]:
    """Who is to go by the change does not decide it."""
    if facts.actor.isdigit() and int(facts.actor) in {m.person for m in facts.read.change.members}:
        yield block("変更で派遣される人は、その変更を判断できません。上位の職に判断を求めてください。")


@guard(None)
def wish_answered(facts: Facts) -> Iterator[Verdict]:
    if facts.read.change_request.waits:
        yield block("前の変更の希望に、まだ答えが届いていません。振興局に連絡してください。")


@guard(None)
def wish_waits(facts: Facts) -> Iterator[Verdict]:
    if not facts.read.change_request.waits:
        yield block("答えを待っている変更の希望はありません。")


# ── where it goes ───────────────────────────────────────────────────────────────────────────────────────────────────


def back_to(state: str) -> Any:
    """Whether the case goes back to that state when nothing is changed."""
    return lambda facts: situation.standing(facts) == state


def leads_to(state: str, *, cancels: bool, told: bool) -> Any:
    """Whether the decision leads to that state, as a cancellation or not, headquarters being told or not."""

    def leads(facts: Facts) -> bool:
        cancelling = facts.read.change.kind == "cancel"
        return cancelling == cancels and _concurrent(facts) == told and outcome(facts) == state

    return leads


def _concurrent(facts: Facts) -> bool:
    return bool(facts.read.request.concurrent_appointment == "needed")


def outcome(facts: Facts) -> str:
    """The state after the change: a dispatch with one dispatched day always goes on to its report."""
    back = situation.standing(facts)
    if facts.read.change.kind == "cancel":
        return "awaiting_report" if situation.anybody_went(facts, _cancelled_on(facts)) else "cancelled"
    if back not in situation.BEGUN:
        return "preparing"
    remains = any(day >= facts.today for day in situation.days_of(as_proposed(facts)))
    return "dispatched" if remains else "awaiting_report"


def _cancelled_on(facts: Facts) -> date:
    """The last day really worked: as written, else today."""
    end: date | None = facts.read.change.period.end.date if facts.read.change.period.to.strip() else None
    return min(end or facts.today, facts.today)


# ── what it writes ──────────────────────────────────────────────────────────────────────────────────────────────────


def put_forward(facts: Facts) -> Mapping[str, Any]:
    """A new round: its drafter, his reasons, and where the case stands meanwhile."""
    change = facts.read.change
    return {
        "change": {"by": facts.actor, "on": facts.today.isoformat(), "back": facts.state},
        "drafting": {
            "by": facts.actor,
            "on": facts.today.isoformat(),
            "note": change.reason,
            "reasons": dict(facts.inputs.get("reasons") or {}),
        },
    }


def goes_on_as(state: str) -> Any:
    """The clock moved on although a change is being judged."""
    return lambda facts: {"change": {"back": state}}


def decided(facts: Facts) -> Mapping[str, Any]:
    """The change as decided joins those before it; period, place and team are then as proposed."""
    change, number = facts.read.change, facts.registers["numbers"]["letter"]
    today, back = facts.today.isoformat(), situation.standing(facts)
    past = [row.model_dump(by_alias=True) for row in facts.read.changes.rows]
    row = {
        "kind": change.kind, "reason_code": change.reason_code, "reason": change.reason, "on": today, "number": number,
        "lines": [list(line) for line in difference(facts.form)],
    }  # fmt: skip
    found: dict[str, Any] = {"changes": {"rows": [*past, row]}, **dropped_change(facts)}
    if facts.read.change_consultation.reply:
        found["consultation"] = facts.read.change_consultation.model_dump(by_alias=True)
    if facts.read.change_request.waits:
        answer = f"{CHANGES[change.kind]}を決定しました({number})。"
        found["change_request"] = {"answer": answer, "answered_on": today}
    if change.kind == "cancel":
        end = _cancelled_on(facts)
        went = situation.anybody_went(facts, end)
        found["actual"] = {"end": end.isoformat() if went else "", "number": number, "on": today}
        if back == "stopped":
            found["stop"] = {"ratified_on": today, "number": number}
        return found
    after = proposed(facts.form, facts.today)
    if not erased(after.get("request")):
        found["request"] = {key: after["request"][key] for key in ("period", "place")}
    if not erased(after.get("team")):
        found["team"] = {"members": after["team"]["members"]}
    found["decision"] = situation.decided_days(facts.read, read(after))
    if back == "stopped":
        found["stop"] = {"ratified_on": today, "resumed_on": today}
    return found


def given_up(facts: Facts) -> Mapping[str, Any]:
    return dropped_change(facts)


def wished(facts: Facts) -> Mapping[str, Any]:
    return {"change_request": {"on": facts.today.isoformat(), "by": facts.actor, "answer": "", "answered_on": ""}}


def answered(facts: Facts) -> Mapping[str, Any]:
    return {"change_request": {"answered_on": facts.today.isoformat()}}
