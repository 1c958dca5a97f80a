"""The rules of the 実施要領 that a dispatch is held against (D-01 … D-10), and the figures its decision is shown with.

Each guard says what is wrong and how or until when it would be fine. A guard that yields nothing was not asked: it does
not concern the case. What every entry owes, whatever it asks for (I-01 … I-07), stands in `entries.py`.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from states.calendar import CalendarEnds
from states.dates import fiscal_year_label, fiscal_years, month_day, one_month_last_day, wareki
from states.dispatch import entries, situation
from states.dispatch.change import as_proposed
from states.dispatch.form import Form, read
from states.dispatch.labels import GROUNDS, ORIGINS
from states.dispatch.parts import Member
from states.terms import Facts, Remedy, Verdict, block, guard, ok, procedure, warn
from states.text import search_key, visible

ABOUT_ONE_WEEK = 7  # days of one person in one case, calendar days, scattered ones added up


@guard("D-01")
def has_an_occasion(facts: Facts) -> Iterator[Verdict]:
    """A dispatch starts from a municipality's request or from the director's own judgement (要領1)."""
    form: Form = facts.read
    if form.request.on_request:
        if not f"{form.contact.municipality_code}{form.contact.municipality_name}".strip():
            yield block(
                "どの市町村からの要請かが書かれていません。市町村のコードか名称を書いてください。",
                "contact.municipality_code",
            )
        else:
            yield ok("市町村の要請による派遣です。", "request.origin")
    elif not form.request.instruction.given_on.strip():
        yield block(
            "振興局長が指示した日が書かれていません。指示の日を書いてください。", "request.instruction.given_on"
        )
    else:
        yield ok("振興局長の判断による派遣です。", "request.origin")


@guard("D-02")
def goes_as_a_trip(facts: Facts) -> Iterator[Verdict]:
    """The staff go as on an ordinary trip; a concurrent appointment is arranged apart (要領2(1))."""
    if facts.read.request.concurrent_appointment == "needed":
        yield ok(
            "併任発令が要るかどうかは、本庁との協議で決まります。要らないときは通常の出張です。",
            "request.concurrent_appointment",
        )
    else:
        yield ok("通常の出張によります。", "request.concurrent_appointment")


@guard("D-03")
def headquarters_agrees(facts: Facts) -> Iterator[Verdict]:
    """A municipality's own affairs need an individual consultation with headquarters first; silence is never yes (要領2(1) ※)."""
    form: Form = facts.read
    if not form.request.touches_own_affairs:
        return
    consultation, path = form.consultation, "request.own_affairs"
    needed = form.request.concurrent_appointment == "needed"
    if consultation.reply == "no_objection" and (beyond := _beyond(form)):
        yield procedure(f"本庁の回答は得ていますが、{beyond}もう一度協議して、回答を得てください。", path)
    elif consultation.reply == "no_objection":
        conditions = f"条件: {visible(consultation.conditions.strip())}" if consultation.conditions.strip() else ""
        if form.conditions.items:
            conditions = f"条件が{len(form.conditions.items)}件あります。"
        yield ok(f"本庁は異議なしと回答しました。{conditions}", path)
    elif consultation.reply == "trip_suffices" and not needed:
        yield ok("本庁は、通常の出張で足りると回答しました。", path)
    elif consultation.reply == "trip_suffices":
        yield block(
            "本庁は、通常の出張で足りると回答しました。併任発令を「要しない」に直せば進められます。",
            "request.concurrent_appointment",
        )
    elif consultation.reply == "not_agreed":
        yield block("本庁が同意していません。市町村だけの事務と併任を外して出し直せば進められます。", path)
    elif consultation.asked_from:
        yield procedure("市町村だけの事務について、本庁の回答を待っています。回答があるまで決定できません。", path)
    else:
        yield procedure("市町村だけの事務か併任を含みます。本庁と協議し、回答を得てから決定します。", path)


def _beyond(form: Form) -> str:
    """What headquarters has not been asked about: days outside the period that it answered for, persons not named then."""
    covers, span = form.consultation.covers, form.request.period.span
    if covers.span and span and not covers.span[0] <= span[0] <= span[1] <= covers.span[1]:
        return (
            f"期間が、協議した{month_day(covers.span[0])}から{month_day(covers.span[1])}までの外に出ています"
            f"({month_day(span[0])}から{month_day(span[1])}まで)。"
        )
    new = [m.called for m in form.team.members if m.person and m.person not in covers.people]
    if covers.people and new:
        return f"協議のときにいなかった職員({visible('、'.join(new))})が加わっています。"
    return ""


@guard("D-04")
def goes_where_it_may(facts: Facts) -> Iterator[Verdict]:
    """A dispatch goes to a municipality, or to a body that the director has recognised by then (要領2(2))."""
    destination = facts.read.request.destination
    path = "request.destination.organization_name"
    if destination.type == "municipality":
        yield ok("派遣先は市町村です。", "request.destination.type")
        return
    name = visible(destination.organization_name.strip())
    if not name:
        yield block("派遣先の団体名が書かれていません。団体名を書いてください。", path)
        return
    reason = _not_recognised(facts, name)
    if reason:
        yield block(f"{reason}振興局長が認めてから進めてください。", path, Remedy.RECOGNISE)
    else:
        yield ok(f"「{name}」は振興局長が認めた団体です。", path)


def _not_recognised(facts: Facts, name: str) -> str:
    """Why the body is not a destination yet; the register decides where there is one, else what the entry says."""
    destination, first = facts.read.request.destination, facts.read.request.period.first
    if "recognitions" not in facts.registers:
        if not destination.recognition.approved:
            return f"「{name}」は、まだ振興局長の認めた団体ではありません。"
        return (
            "" if destination.recognition.approved_on.strip() else f"「{name}」を振興局長が認めた日が書かれていません。"
        )
    on = first or facts.today
    key = search_key(destination.organization_name)
    found = [entry for entry in facts.registers["recognitions"] if entry["name_key"] == key]
    if any(e["decided_on"] <= on and (e["valid_to"] is None or on <= e["valid_to"]) for e in found):
        return ""
    later = min((e["decided_on"] for e in found if e["decided_on"] > on), default=None)
    if later:
        return f"「{name}」の認定は{wareki(later)}からで、派遣の初めの日には間に合いません。"
    if found:
        return f"「{name}」の認定は{wareki(max(e['valid_to'] for e in found))}で終わっています。"
    return f"「{name}」は、振興局長が認めた団体の台帳にありません。"


@guard("D-05")
def has_a_ground(facts: Facts) -> Iterator[Verdict]:
    """The work falls under one of the grounds that its origin allows (要領2(3))."""
    request = facts.read.request
    ground, path = request.ground, "request.ground"
    allowed = GROUNDS[request.origin]
    if ground in allowed:
        yield ok(f"対象業務は「{allowed[ground]}」です。", path)
    elif any(ground in grounds for grounds in GROUNDS.values()):
        yield block(f"この区分は、{ORIGINS[request.origin]}による派遣では選べません。区分を選び直してください。", path)
    elif ground:
        yield block(f"「{visible(ground)}」という対象業務の区分はありません。区分を選び直してください。", path)


@guard("D-06")
def is_more_than_labour(facts: Facts) -> Iterator[Verdict]:
    """Mere labour is no ground; judged from the ticked role of each task, never from words (要領2(3) 括弧書き)."""
    request = facts.read.request
    labour = [number for number, task in enumerate(request.tasks) if task.role == "labour"]
    if not labour:
        if request.ground == "request.event":
            yield ok("企画、準備、実施のいずれかで、単なる労務の提供ではありません。", "request.tasks")
    elif len(labour) == len(request.written_tasks):
        yield block(
            "業務がすべて単純労務です。人手を補うだけの派遣はできません。企画や準備から加わる要請なら受けられます。",
            f"request.tasks.{labour[0]}.role",
            Remedy.NONE,
        )
    else:
        rows = "、".join(f"{number + 1}行目" for number in labour)
        yield block(
            f"業務の{rows}が単純労務です。その業務を除いて出し直せば受けられます。", f"request.tasks.{labour[0]}.role"
        )


@guard("D-07")
def ends_within_one_month(facts: Facts) -> Iterator[Verdict]:
    """One task lasts at most one calendar month, first and last day counted; the same work continued is added up (要領2(4))."""
    request = facts.read.request
    if request.period.span is None:
        return
    first, last = request.period.span
    limit = one_month_last_day(first)
    if last > limit:
        yield block(
            f"期間が{request.period.length}日で、1か月を超えます。{month_day(limit)}までなら受けられます。",
            "request.period.to",
        )
        return
    yield _continued(facts, first, last) or ok(
        f"期間は{request.period.length}日で、1か月以内です({month_day(limit)}まで)。", "request.period.to"
    )


def _continued(facts: Facts, first: date, last: date) -> Verdict | None:
    """A warning where this case and the earlier ones it continues make more than a month together."""
    number = visible(facts.read.request.previous.strip())
    earlier: Mapping[str, Any] | None = facts.registers.get("predecessor")
    if number and earlier is None:
        return warn(
            f"前の案件「{number}」が見つかりません。通算して1か月を超えないか確かめてください。", "request.previous"
        )
    start = first
    while earlier is not None:
        before = read(earlier["form"]).request.period.span
        if before is None:
            return warn(
                f"前の案件「{number}」の期間が読めません。通算して1か月を超えないか確かめてください。",
                "request.previous",
            )
        if earlier.get("state") not in situation.NEVER_WENT | {"draft"}:
            start, last = min(start, before[0]), max(last, before[1])
        earlier = earlier.get("predecessor")
    if last <= one_month_last_day(start):
        return None
    return warn(
        f"前の案件「{number}」と通算すると{wareki(start)}から{month_day(last)}までになり、1業務1か月を超えます。"
        "別の業務と言える理由があれば、振興局長が認めることがあります。",
        "request.previous",
    )


@guard("D-08")
def lasts_about_a_week_each(facts: Facts) -> Iterator[Verdict]:
    """One person goes for about one week in all; more needs a reason, it is never refused (要領2(4))."""
    form: Form = facts.read
    long = [
        (called, days, path) for called, days, path in [*_people(form), *_wishes(form)] if len(days) > ABOUT_ONE_WEEK
    ]
    for called, days, path in long:
        yield warn(
            f"{visible(called)}が{len(days)}日になり、1人1週間以内程度を超えます。"
            f"{ABOUT_ONE_WEEK}日までにするか、理由を書いて振興局長の判断を求めてください。",
            path,
        )
    if not long and (form.team.members or form.request.wishes):
        yield ok("1人当たりの日数は、1週間以内です。", "team.members")


def _people(form: Form) -> Iterator[tuple[str, set[date], str]]:
    """Each person once, with the days of every row that stands for the same person."""
    rows: dict[Any, tuple[str, set[date], str]] = {}
    for number, member in enumerate(form.team.members):
        key = _identity(member) or number
        rows.setdefault(key, (member.called, set(), f"team.members.{number}.days"))[1].update(member.dates)
    yield from rows.values()


def _identity(member: Member) -> Any:
    if member.person is not None:
        return ("person", member.person)
    told = (member.name.strip(), member.role.strip(), member.section.strip())
    return told if member.headcount == 1 and (told[0] or told[1]) else None


def _wishes(form: Form) -> Iterator[tuple[str, set[date], str]]:
    """The wished days, as long as there is no team yet."""
    for number, wish in enumerate(form.request.wishes if not form.team.members else ()):
        yield f"「{wish.skill.strip() or '職員'}」の方", set(wish.reading.days), f"request.wishes.{number}.days"


@guard("D-09")
def stays_in_one_fiscal_year(facts: Facts) -> Iterator[Verdict]:
    """The year-end report is made by fiscal year; a dispatch that crosses 31 March stands in both (要領3)."""
    span = facts.read.request.period.span
    if span is None:
        return
    years = [fiscal_year_label(year) for year in fiscal_years(*span)]
    if len(years) > 1:
        yield warn(
            f"年度をまたぎます({'・'.join(years)})。年度末の報告は両方の年度に日数を分けて載ります。旅費の年度も分けてください。",
            "request.period.to",
        )
    else:
        yield ok(f"{years[0]}の年度末の報告に載ります。", "request.period.to")


@guard("D-10")
def is_the_directors_to_decide(facts: Facts) -> Iterator[Verdict]:
    """Rules only clear the way; whether to dispatch is the director's judgement (要領1)."""
    yield ok("派遣するかどうかは、振興局長が判断します。")


GUARDS = {
    found.rule: found
    for found in (
        has_an_occasion, goes_as_a_trip, headquarters_agrees, goes_where_it_may, has_a_ground, is_more_than_labour,
        ends_within_one_month, lasts_about_a_week_each, stays_in_one_fiscal_year, is_the_directors_to_decide, *entries.ALL,
    )
    if found.rule
}  # fmt: skip


def computed(facts: Facts) -> dict[str, Any] | None:
    """The figures a decision is shown with (days in ISO form), or None while the dates cannot be read or counted."""
    form: Form = as_proposed(facts).read if facts.state in situation.CHANGING else facts.read
    span = form.request.period.span
    if span is None or any(member.reading.problems for member in form.team.members):
        return None
    first, last = span
    limit, years = one_month_last_day(first), fiscal_years(first, last)
    try:
        return {
            "total_days": form.request.period.length,
            "business_days": facts.calendar.business_days_in(first, last),
            "one_month_last_day": limit.isoformat(),
            "within_one_month": last <= limit,
            "holidays_in_period": [day.isoformat() for day in facts.calendar.holidays_in(first, last)],
            "fiscal_years": list(years),
            "crosses_fiscal_year": len(years) > 1,
            "staff": [_figures(facts, member, first, last) for member in form.team.members],
        }
    except CalendarEnds:
        return None


def _figures(facts: Facts, member: Member, first: date, last: date) -> dict[str, Any]:
    days = member.dates
    return {
        "role": member.role,
        "calendar_days": len(days),
        "business_days": sum(facts.calendar.is_business_day(day) for day in days),
        "over_one_week": len(days) > ABOUT_ONE_WEEK,
        "outside_period": any(not first <= day <= last for day in days),
    }
