"""People with posts, a request that nothing is wrong with, and a case driven along by real acts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg

from workflow import cases
from workflow.access import SCOPE_OF, Actor, actor
from workflow.db import type_connection
from workflow.deadlines import calendar

OFFICE = "hk-kamikawa"
MUNICIPALITY = "014591"  # 美瑛町
HEADQUARTERS = "hk-headquarters"
PERSONNEL = "hk-jinji"
LONG_AGO = date(2020, 4, 1)

TITLES = {
    "municipality": "係長",
    "municipality_head": "副町長",
    "bureau": "主査",
    "director": "局長",
    "headquarters": "主幹",
    "department": "連絡員",
    "personnel": "主査",
    "body": "事務局長",
    "staff": "主任",
    "auditor": "監査担当主査",
    "records": "文書主任",
    "administrator": "主任",
}


@dataclass(frozen=True)
class Cast:
    """One person a role, and a colleague or two where a story needs them; person ids."""

    municipality: int
    municipality_colleague: int
    bureau: int
    bureau_colleague: int
    director: int
    headquarters: int
    staff: int
    staff_colleague: int
    auditor: int
    records: int
    office: str
    place: str


def cast(conn: type_connection, office: str = OFFICE, place: str = MUNICIPALITY) -> Cast:
    """Everybody that the road needs at one office, one municipality and headquarters."""
    where = {"municipality": place, "headquarters": HEADQUARTERS, "auditor": HEADQUARTERS}
    roles = [
        "municipality", "municipality_colleague", "bureau", "bureau_colleague", "director", "headquarters", "staff",
        "staff_colleague", "auditor", "records",
    ]  # fmt: skip
    people = {name: person(conn, (role := name.removesuffix("_colleague")), where.get(role, office)) for name in roles}
    return Cast(**people, office=office, place=place)


def person(
    conn: type_connection, role: str, org: str, *, title: str = "", section: str = "", mail: str | None = None, name: str = "",
    since: date = LONG_AGO, until: date | None = None,
) -> int:  # fmt: skip
    """A person with one post; the mail address names role and number unless given ("" for none)."""
    number = _value(conn, "SELECT count(*) + 1 FROM person")
    address = f"{role}.{number}@example.lg.jp" if mail is None else mail
    made: int = _value(
        conn, "INSERT INTO person (staff_no, name, kana, mail) VALUES (%s, %s, '', %s) RETURNING id",
        f"F{number:05d}", name or f"氏名{number}（仮名）", address,
    )  # fmt: skip
    post(conn, made, role, org, title=title, section=section, since=since, until=until)
    return made


def post(
    conn: type_connection, person_id: int, role: str, org: str, *, title: str = "", section: str = "", since: date = LONG_AGO,
    until: date | None = None,
) -> int:  # fmt: skip
    """Another post for a person, held from one day to another; returns the post's id."""
    made: int = _value(
        conn,
        "INSERT INTO post (org_code, section, title, role, scope, valid_from) VALUES (%s, %s, %s, %s, %s, %s) RETURNING id",
        org, section, title or TITLES[role], role, SCOPE_OF[role], LONG_AGO,
    )  # fmt: skip
    conn.execute(
        "INSERT INTO tenure (person_id, post_id, valid_from, valid_to) VALUES (%s, %s, %s, %s)",
        (person_id, made, since, until),
    )
    return made


def set_clock(owner_url: str, when: datetime | None) -> None:
    """Shift the clock of a database without history to a moment (for good a demonstration), or back to the present."""
    with psycopg.connect(owner_url.replace("+psycopg", ""), autocommit=True) as owner:
        shift = "'0'::interval" if when is None else "%(when)s::timestamptz - clock_timestamp()"
        owner.execute(
            "UPDATE installation SET demonstration = true WHERE NOT demonstration",
        )
        owner.execute(f"UPDATE installation SET clock_offset = {shift}", {"when": when})


def first_day(conn: type_connection, office: str = OFFICE, after: int = 15) -> date:
    """A business day, some business days from the database's today."""
    return calendar(conn, office).add_business_days(cases.today(conn), after)


def request_form(
    conn: type_connection, who: Cast, *, first: date | None = None, days: int = 3, **request: Any
) -> dict[str, Any]:
    """The form of a municipality's request against which no rule has anything to say; `request` replaces single fields."""
    start = first or first_day(conn, who.office)
    told = {
        "origin": "municipality_request", "office_code": who.office, "title": "空き家を生かす移住計画づくりの助言",
        "purpose": "空き家の調べ方と計画の組み立てについて、助言がほしい。", "ground": "request.plan",
        "tasks": [{"text": "計画の骨子への助言", "role": "advice"}, {"text": "聞き取りの進め方の検討", "role": "planning"}],
        "period": {"from": start.isoformat(), "to": (start + timedelta(days=days - 1)).isoformat()},
        "destination": {"type": "municipality", "municipality_code": who.place, "municipality_name": _name(conn, who.place)},
        "own_affairs": "no", "concurrent_appointment": "not_needed",
    }  # fmt: skip
    contact = {
        "municipality_code": who.place, "municipality_name": _name(conn, who.place), "department": "企画課",
        "name": "担当（仮名）", "tel": "0000-00-0000",
    }  # fmt: skip
    return {"request": told | request, "contact": contact}


def team(
    conn: type_connection, who: Cast, case_id: int, *, people: tuple[int | None, ...] | None = None
) -> dict[str, Any]:
    """A proposed team on every day of the request: by default the two members of staff, or new ones where these are taken."""
    form = _value(conn, "SELECT form FROM cases WHERE id = %s", case_id)
    period = form["request"]["period"]
    taken = _value(
        conn, "SELECT count(*) FROM assignment WHERE case_id <> %s AND person_id = ANY (%s) AND day BETWEEN %s AND %s",
        case_id, [who.staff, who.staff_colleague], period["from"], period["to"],
    )  # fmt: skip
    if people is None and taken:
        people = tuple(person(conn, "staff", who.office) for _ in range(2))
    members = [
        {"person": person_id, "name": "派遣（仮名）" if person_id else "", "role": f"主任{number}", "section": "地域政策課",
         "leader": number == 1, "headcount": 1, "days": f"{period['from']}〜{period['to']}", "consent": "課長 了承"}
        for number, person_id in enumerate(people or (who.staff, who.staff_colleague), start=1)
    ]  # fmt: skip
    return {"team": {"members": members}}


def opened(conn: type_connection, who: Cast, *, first: date | None = None, days: int = 3, **request: Any) -> int:
    """A new case of the municipality, not put in yet; its id."""
    form = request_form(conn, who, first=first, days=days, **request)
    return cases.open_case(conn, who.municipality, "dispatch", "municipality_request", form)


# Who does an action when nobody is named, and what is typed with it.
DOES = {
    "submit": "municipality", "resubmit": "municipality", "approve": "director", "decline": "director", "send_back": "director",
    "hold": "director", "agree": "headquarters", "trip_suffices": "headquarters", "disagree": "headquarters",
    "file_trip_report": "staff", "ask_own_approval": "municipality", "revise_own": "municipality", "ask_change": "municipality",
    "evaluate": "municipality", "agree_with_conditions": "headquarters", "cancel": "director", "approve_change": "director",
    "decline_change": "director", "ratify": "director", "resume": "director",
}  # fmt: skip
TYPED: Mapping[str, Mapping[str, str]] = {
    "put_to_director": {"note": "助言の要請であり、職員2名で対応できる。"},
    "ask_correction": {"reason": "日程をもう少し詳しく書いてください。"},
    "consult": {"question": "併任を要するかどうか。"},
    "trip_suffices": {"reason": "助言にとどまるため。"},
    "disagree": {"reason": "市町村の事務そのものであるため。"},
    "send_back": {"reason": "隊の案を見直すこと。"},
    "decline": {"reason": "時期が重なるため。", "internal_reason": "人員が足りない。"},
    "withdraw": {"reason": "町の予定が変わったため。"},
    "cancel": {"reason": "荒天のため。"},
    "stop": {"reason_code": "weather", "text": "暴風雪のため。"},
    "ask_change": {"text": "一日短くしたい。"},
    "answer_change_request": {"answer": "検討します。"},
    "return_orders": {"reason": "辞令の日付を確かめてください。"},
    "countersign_on_paper": {"note": "人事課の担当に電話で確かめた。"},
    "decline_change": {"reason": "決めたとおり行う。", "internal_reason": "変えるほどではない。"},
    "approve_own": {"own_number": "企第1号"},
    "return_own": {"note": "副町長の考えを入れること。"},
    "partner_agree": {"note": ""},
    "partner_refuse": {"note": "別に要請する。"},
    "forward": {"office": "hk-soya", "reason": "所管が違うため。"},
    "add_co_office": {"office": "hk-soya"},
}


def drive(conn: type_connection, who: Cast, case_id: int, *actions: str | tuple[str, Mapping[str, Any]]) -> cases.Done:
    """Do the actions one after the other, each by its usual person with what it needs; returns the last answer.

    An action may come as (name, {"by": person id, "inputs": {…}, "form": {…}}) to replace some of that. The clock's own
    moves are made by `cases.act_by_clock`.
    """
    done: cases.Done | None = None
    for entry in actions:
        name, told = (entry, {}) if isinstance(entry, str) else entry
        by = told.get("by", getattr(who, DOES.get(name, "bureau")))
        done = cases.act(
            conn, by, case_id, name, version=told.get("version", version(conn, case_id)), key=told.get("key") or uuid4(),
            inputs=told["inputs"] if "inputs" in told else _typed(conn, name),
            form=told["form"] if "form" in told else _written(conn, who, case_id, name, by),
        )  # fmt: skip
    assert done is not None
    return done


def reader(conn: type_connection, person_id: int) -> Actor:
    """The person with the posts of today."""
    found = actor(conn, person_id)
    assert found is not None
    return found


def version(conn: type_connection, case_id: int) -> int:
    """The case's version as it stands."""
    return int(_value(conn, "SELECT version FROM cases WHERE id = %s", case_id))


def _typed(conn: type_connection, action: str) -> dict[str, Any]:
    today = cases.today(conn)
    if action == "receive":
        return {"arrived_on": today.isoformat()}
    if action == "hold":
        review = calendar(conn, OFFICE).add_business_days(today, 5)
        return {"internal_reason": "ほかの要請と比べる。", "review_on": review.isoformat()}
    if action in ("cancel", "stop"):
        return {**TYPED[action], "last_day": today.isoformat()}
    return dict(TYPED.get(action, {}))


def _written(conn: type_connection, who: Cast, case_id: int, action: str, by: int) -> dict[str, Any]:
    if action == "propose_team":
        return team(conn, who, case_id)
    if action in ("record_consent", "record_orders"):
        form = _value(conn, "SELECT form FROM cases WHERE id = %s", case_id)
        return {"team": form["team"]} if action == "record_consent" else _orders(form)
    if action == "agree_with_conditions":
        due = calendar(conn, OFFICE).add_business_days(cases.today(conn), 10)
        item = {"text": "協定書の写しを出すこと。", "owner": "municipality", "due": due.isoformat(), "stops": "begin"}
        return {"conditions": {"items": [item]}}
    if action == "propose_change":
        return {
            "change": {
                "kind": "place",
                "reason_code": "municipality",
                "reason": "会場が変わった。",
                "place": "町民会館",
            }
        }
    if action == "evaluate":
        return {"evaluation": {"grade": "5", "text": "骨子ができて助かった。"}}
    if action == "file_trip_report":
        return {f"report:{by}": {"actual_days": "", "findings": "空き家の所有者に会うには、集落の方の紹介が要る。"}}
    if action == "file_result":
        return {"result": {"results": "計画の骨子ができた。"}}
    return {}


def _orders(form: Mapping[str, Any]) -> dict[str, Any]:
    """Both orders of everybody, dated on the first day, for the whole period."""
    period = form["request"]["period"]
    orders = [
        {"person": member["person"], "kind": "appoint", "issuer": issuer, "from": period["from"], "to": period["to"], "dated_on": period["from"],
         "number": ""}
        for member in form["team"]["members"] for issuer in ("municipality", "prefecture")
    ]  # fmt: skip
    return {"appointment": {"orders": orders, "cards": []}}


def _name(conn: type_connection, code: str) -> str:
    return str(_value(conn, "SELECT name FROM organisation WHERE code = %s AND valid_to IS NULL", code))


def _value(conn: type_connection, text: str, *values: Any) -> Any:
    row = conn.execute(text, values).fetchone()
    assert row is not None
    return row[0]
