"""Danger or weather stops a dispatch at once; the director's decision follows within three business days (事後決裁)."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from states.dates import read_date
from states.dispatch import situation
from states.dispatch.change import BLANK, standing_members
from states.dispatch.course import Consultation
from states.dispatch.form import read
from states.terms import Facts, Verdict, block, guard, ok

BLANK_CONSULTATION = Consultation().model_dump(by_alias=True)


@guard(None)
def last_day_worked(facts: Facts) -> Iterator[Verdict]:
    """The last day really worked; one before the first day says that nobody went."""
    typed = facts.inputs.get("last_day")
    if typed:
        reading = read_date(str(typed))
        if reading.date is None:
            yield block(reading.problem, "last_day")
        elif reading.date > facts.today:
            yield block(
                "実際に行った最後の日は、今日までの日にしてください。だれも行かなかったときは、初めの日の前の日を書きます。",
                "last_day",
            )


@guard(None)
def cut_short(facts: Facts) -> Iterator[Verdict]:
    typed = facts.inputs.get("last_day")
    if typed:
        reading, first = read_date(str(typed)), situation.first_day(facts)
        if reading.date is None:
            yield block(reading.problem, "last_day")
        elif reading.date > facts.today or (first and reading.date < first):
            yield block("実際に終わった日は、派遣の初めの日から今日までの日にしてください。", "last_day")


@guard(None)
def days_remain(facts: Facts) -> Iterator[Verdict]:
    """What is taken up again has days left."""
    if not any(day >= facts.today for day in situation.days_of(facts)):
        yield block("これから行く日が残っていません。停止を追認して、報告に進んでください。", "team.members")
    else:
        yield ok("これから行く日が残っています。", "team.members")


@guard(None)
def not_ones_own(facts: Facts) -> Iterator[Verdict]:
    """Nobody decides about his own dispatch."""
    if facts.actor.isdigit() and int(facts.actor) in facts.registers.get("assigned", ()):
        yield block("派遣される人は、自分の派遣を判断できません。上位の職に判断を求めてください。")


def anybody_went(facts: Facts) -> bool:
    """Whether somebody has a day up to the last one really worked."""
    return situation.anybody_went(facts, facts.today)


def nobody_went(facts: Facts) -> bool:
    return not anybody_went(facts)


def stopped(facts: Facts) -> Mapping[str, Any]:
    """The stop; a change that was being judged ends with it, since the days it spoke of are others now."""
    stop = {
        "on": facts.today.isoformat(), "by": facts.actor, "last_day": _typed_day(facts), "ratified_on": "", "resumed_on": "",
        "number": "",
    }  # fmt: skip
    return {"stop": stop, **dropped_change(facts)}


def ratified(facts: Facts) -> Mapping[str, Any]:
    number = facts.registers["numbers"]["letter"]
    end = facts.read.stop.last_day
    return {
        "stop": {"ratified_on": facts.today.isoformat(), "number": number},
        **_ended(facts, end if anybody_went(facts) else ""),
    }


def resumed(facts: Facts) -> Mapping[str, Any]:
    """The days that were lost leave the team for good, so that a second stop does not bring them back."""
    today = facts.today.isoformat()
    found: dict[str, Any] = {"stop": {"resumed_on": today, "ratified_on": today}}
    members = standing_members(facts.read, facts.today)
    if members != [m.model_dump(by_alias=True) for m in facts.read.team.members]:
        found["team"] = {"members": members}
        found["decision"] = situation.decided_days(facts.read, read({**facts.form, "team": {"members": members}}))
    return found


def cancelled(facts: Facts) -> Mapping[str, Any]:
    return _ended(facts, "")


def cut(facts: Facts) -> Mapping[str, Any]:
    return _ended(facts, _typed_day(facts))


def _ended(facts: Facts, end: str) -> Mapping[str, Any]:
    """How far it went in the end, and the number of the notice that says so."""
    return {
        "actual": {"end": end, "number": facts.registers["numbers"].get("letter", ""), "on": facts.today.isoformat()}
    }


def dropped_change(facts: Facts) -> Mapping[str, Any]:
    """No change is proposed any more, and headquarters is not asked about one."""
    found: dict[str, Any] = {"change": BLANK} if facts.read.change.kind else {}
    if facts.read.change_consultation.asked_from:
        found["change_consultation"] = BLANK_CONSULTATION
    return found


def _typed_day(facts: Facts) -> str:
    day: date | None = read_date(str(facts.inputs["last_day"])).date
    return day.isoformat() if day else ""
