"""A change of a dispatch that was decided: what it would be, how that differs, and a table filled from a few quick fields.

All of this is pure over the stored form: pages, letters, mails and the guards of `changing` read the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from states.dates import WHOLE, days_between, days_text, month_day, read_date
from states.dispatch.course import Change
from states.dispatch.form import Form, erased, read
from states.dispatch.parts import Member
from states.terms import Facts

BLANK = Change().model_dump(by_alias=True)
SATURDAY = 5
HalfDay = tuple[date, int]


def written(form: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The change that is proposed or being written, if there is one."""
    change: Mapping[str, Any] = form.get("change") or {}
    return None if erased(change) or not change.get("kind") else change


def proposed(form: Mapping[str, Any], today: date | None = None) -> dict[str, Any]:
    """The form as the change would make it: what was left blank stays, a stopped dispatch loses the days it stood still."""
    change = written(form)
    after = dict(form)
    if change is None or change["kind"] == "cancel":
        return after
    request, team = form.get("request") or {}, form.get("team") or {}
    if not erased(request):
        period, was = change.get("period") or {}, request.get("period") or {}
        ends = {end: str(period.get(end) or "").strip() or was.get(end, "") for end in ("from", "to")}
        after["request"] = {
            **request,
            "period": ends,
            "place": str(change.get("place") or "") or request.get("place", ""),
        }
    if not erased(team):
        after["team"] = {**team, "members": change.get("members") or standing_members(read(form), today)}
    stop = form.get("stop") or {}
    if not erased(stop) and stop.get("last_day") and not stop.get("resumed_on"):
        after["stop"] = {**stop, "resumed_on": today.isoformat() if today else stop.get("on", "")}
    return after


def as_proposed(facts: Facts) -> Facts:
    """The same facts, held against the form that is proposed; made once, so that its texts are walked once."""
    found: Facts | None = facts.memo.get("as proposed")
    if found is None:
        form = proposed(facts.form, facts.today)
        reading: Form = read(form)
        if reading.change_consultation.asked_from:
            reading = reading.model_copy(update={"consultation": reading.change_consultation})
        found = facts.memo["as proposed"] = replace(facts, form=form, read=reading, memo={})
    return found


def standing_members(form: Form, today: date | None = None) -> list[dict[str, Any]]:
    """The rows of the team without the days on which a stopped dispatch stood still up to yesterday; empty rows go."""
    rows = []
    for member in form.team.members:
        kept = [(day, half) for day, half in member.half_days if not _lost(form, day, today)]
        row = member.model_dump(by_alias=True)
        if len(kept) < len(member.half_days):
            row["days"] = text_of(kept)
        if kept or not member.half_days:
            rows.append(row)
    return rows


def _lost(form: Form, day: date, today: date | None) -> bool:
    end = form.stop.end
    stopped = read_date(form.stop.on).date or end
    until = today - timedelta(days=1) if today else stopped
    return end is not None and until is not None and end < day <= until


def text_of(half_days: Sequence[HalfDay]) -> str:
    """Half-days as one writes them: 11/2-3、11/4午前."""
    days = sorted({day for day, _ in half_days})
    halves = {day: tuple(sorted(half for other, half in half_days if other == day)) for day in days}
    return days_text(days, {day: found for day, found in halves.items() if found != WHOLE})


# ── the difference ──────────────────────────────────────────────────────────────────────────────────────────────────


def difference(form: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What the change that stands in the form would alter: label, before, after; nothing where there is none."""
    change = written(form)
    if change is None:
        return []
    before = read(form)
    if change["kind"] == "cancel":
        typed = str((change.get("period") or {}).get("to") or "").strip()
        end = read_date(typed).date if typed else None
        return [("派遣", "行う", f"中止する({month_day(end)}まで)" if end else "中止する")]
    after = read(proposed(form))
    found = []
    if _period(before) != _period(after):
        found.append(("派遣期間", _period(before), _period(after)))
    if before.request.place.strip() != after.request.place.strip():
        found.append(("派遣場所", before.request.place.strip() or "—", after.request.place.strip() or "—"))
    return found + _people(before, after)


def _period(form: Form) -> str:
    span = form.request.period.span
    if span is None:
        return f"{form.request.period.from_}〜{form.request.period.to}"
    return month_day(span[0]) if span[0] == span[1] else f"{month_day(span[0])}〜{month_day(span[1])}"


def _people(before: Form, after: Form) -> list[tuple[str, str, str]]:
    """Each person whose days change, and who joins or leaves; who led before and who leads then."""
    was, then = _by_person(before.team.members), _by_person(after.team.members)
    found = []
    for key in dict.fromkeys((*was, *then)):
        old, new = was.get(key), then.get(key)
        label = f"{(old or new or ('職員', []))[0]}の派遣日"
        if old is None and new is not None:
            found.append((label, "—", f"{text_of(new[1])}(加わる)"))
        elif old is not None and new is None:
            found.append((label, text_of(old[1]), "—(外れる)"))
        elif old is not None and new is not None and set(old[1]) != set(new[1]):
            more, less = sorted(set(new[1]) - set(old[1])), sorted(set(old[1]) - set(new[1]))
            said = "、".join(filter(None, (_said("増える日", more), _said("やめる日", less))))
            found.append((label, text_of(old[1]), f"{text_of(new[1]) or '—'}({said})"))
    leads = [next((m.called for m in form.team.members if m.leader), "—") for form in (before, after)]
    return found + ([("隊長", leads[0], leads[1])] if leads[0] != leads[1] else [])


def _by_person(members: Sequence[Member]) -> dict[Any, tuple[str, list[HalfDay]]]:
    found: dict[Any, tuple[str, list[HalfDay]]] = {}
    for number, member in enumerate(members):
        key = member.person or (member.name, member.role, number)
        found.setdefault(key, (member.called, []))[1].extend(member.half_days)
    return found


def _said(word: str, half_days: Sequence[HalfDay]) -> str:
    return f"{word} {text_of(half_days)}" if half_days else ""


# ── a table filled from a few quick fields ──────────────────────────────────────────────────────────────────────────


def prefill(form: Mapping[str, Any], quick: Mapping[str, str]) -> dict[str, Any]:
    """The group `change` with period and team worked out from what was typed quickly; what cannot be read is left as it is.

    By kind: extend, shorten, cancel take `last_day`; move `first_day`; swap `out`, `in` (ids of persons) and `from`;
    place `place`.
    """
    change = {**BLANK, **(written(form) or {})}
    before = read({group: part for group, part in form.items() if group != "change"})
    members = standing_members(before)
    period = _typed_period(before)
    kind, last, first = change["kind"], _day(quick, "last_day"), _day(quick, "first_day")
    if kind == "cancel":
        return {"change": change | {"period": {"from": "", "to": quick.get("last_day", "")}, "members": []}}
    if kind == "extend" and last:
        members, period = _extended(before, members, last), period | {"to": last.isoformat()}
    elif kind == "shorten" and last:
        members, period = _kept(before, members, lambda day: day <= last), period | {"to": last.isoformat()}
    elif kind == "move" and first and before.request.period.span:
        by = first - before.request.period.span[0]
        members = [
            row | {"days": text_of([(day + by, half) for day, half in _half_days(before, row)])} for row in members
        ]
        period = {end: (day + by).isoformat() for end, day in zip(period, before.request.period.span, strict=True)}
    elif kind == "swap":
        members = _swapped(before, members, quick)
    place = quick.get("place", "") if kind == "place" else change["place"]
    return {"change": change | {"period": period, "place": place, "members": members}}


def _typed_period(form: Form) -> dict[str, str]:
    return {"from": form.request.period.from_, "to": form.request.period.to}


def _day(quick: Mapping[str, str], name: str) -> date | None:
    typed = quick.get(name, "").strip()
    return read_date(typed).date if typed else None


def _half_days(form: Form, row: Mapping[str, Any]) -> Sequence[HalfDay]:
    """The half-days of a row, read within the period as it stands."""
    member = Member.model_validate(dict(row))
    member._within = form.request.period.span
    return member.half_days


def _kept(form: Form, members: Sequence[dict[str, Any]], keep: Any) -> list[dict[str, Any]]:
    rows = [(row, [(day, half) for day, half in _half_days(form, row) if keep(day)]) for row in members]
    return [row | {"days": text_of(kept)} for row, kept in rows if kept]


def _extended(form: Form, members: Sequence[dict[str, Any]], last: date) -> list[dict[str, Any]]:
    """Who is there on the last day stays on; Saturdays and Sundays only for those who already work on one."""
    ends = [day for row in members for day, _ in _half_days(form, row)]
    if not ends or last <= max(ends):
        return list(members)
    rows = []
    for row in members:
        there = list(_half_days(form, row))
        if there and max(there)[0] == max(ends):
            rests = all(day.weekday() < SATURDAY for day, _ in there)
            new = [d for d in days_between(max(ends), last)[1:] if not rests or d.weekday() < SATURDAY]
            rows.append(row | {"days": text_of([*there, *((day, half) for day in new for half in WHOLE)])})
        else:
            rows.append(row)
    return rows


def _swapped(form: Form, members: Sequence[dict[str, Any]], quick: Mapping[str, str]) -> list[dict[str, Any]]:
    """From a day on somebody else goes; who led hands that over too."""
    out, comes, since = quick.get("out", ""), quick.get("in", ""), _day(quick, "from")
    rows: list[dict[str, Any]] = []
    for row in members:
        if not out or str(row.get("person")) != out:
            rows.append(row)
            continue
        there = _half_days(form, row)
        before = [(day, half) for day, half in there if since and day < since]
        after = [(day, half) for day, half in there if not since or day >= since]
        if before:
            rows.append(row | {"days": text_of(before), "leader": bool(row.get("leader")) and not after})
        if after:
            person = int(comes) if comes.isascii() and comes.isdigit() and len(comes) < 10 else None
            blank = Member().model_dump(by_alias=True)
            rows.append(blank | {"person": person, "days": text_of(after), "leader": bool(row.get("leader"))})
    return rows
