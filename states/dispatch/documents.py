"""What a dispatch puts on paper: the year-end report and its letters."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from states.dates import WEEKDAYS, parse_days, read_date, wareki
from states.dispatch.arrival import arrival
from states.dispatch.labels import CHANGE_REASONS, CHANGES, STOP_REASONS
from states.dispatch.telling import body_of, place_called, spans, tasks_of
from states.dispatch.year_end import YEAR_END
from states.documents import Documents, Letter, Matter, Paper, erased, rows

# ── letters ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _addressee(matter: Matter) -> str:
    """The head of the municipality that asked, or of the one (or the body) that receives."""
    if (body := body_of(matter)) and matter.text("request.origin") == "director":
        return f"{body} 代表者 様"
    group = (
        "contact"
        if matter.text("contact.municipality_code") or matter.text("contact.municipality_name")
        else "request.destination"
    )
    code, name = place_called(matter.form, matter.directory, matter.on, group)
    ended = matter.directory.municipality(code, matter.on) is None
    heir = matter.directory.successor(code, matter.on) if ended else None  # a letter goes to who is there on its day
    return f"{heir.name if heir else name}長 様"


def _asked(matter: Matter) -> str:
    """「令和8年10月1日付けで要請のあった」; how the matter came about, for the first sentence."""
    if matter.text("request.origin") == "director":
        return "地域づくりを連携して進めるため、次の業務について、"
    arrived = read_date(matter.text("receipt.arrived_on")).date
    came = arrival(matter.form)
    way = f"{came.way}で" if came and came.entered_by else ""
    return f"{wareki(arrived)}に{way}受け付けた要請について、" if arrived else "要請のあった業務について、"


def _paper(
    matter: Matter, subject: str, body: str, items: Sequence[tuple[str, str]], number: str = "decision.number"
) -> Paper:
    """`number` is the path under which the form keeps the letter's number."""
    return Paper(
        number=matter.text(number),
        on=matter.on,
        to=_addressee(matter),
        sender=f"{matter.prefecture}{matter.office_name}長",
        subject=subject,
        body=f"{_asked(matter)}{body}",
        items=tuple((label, text) for label, text in items if text.strip()),
        contact=tuple(filter(None, (f"案件番号 {matter.number}", matter.office_contact))),
    )


def _staff(matter: Matter) -> str:
    """Who comes on which days; a place without a name is named by its post."""
    if gone := erased(matter.form.get("team")):
        return gone
    first, last = _ends(matter)
    told = []
    for member in rows(matter.form, "team.members"):
        who = " ".join(str(member.get(key) or "") for key in ("section", "role", "name") if member.get(key))
        count = member.get("headcount") or 1
        typed = str(member.get("days") or "").strip()
        reading = parse_days(typed, (first, last) if first and last else None)
        days = spans(reading.days, reading.halves) or typed
        told.append(f"{who or '職員'}{f' {count}人' if count != 1 else ''}({days})")
    return "\n".join(told)


def _ends(matter: Matter) -> tuple[date | None, date | None]:
    first, last = (read_date(matter.text(f"request.period.{end}")).date for end in ("from", "to"))
    return (first, last) if first and last and first <= last else (None, None)


def _period(matter: Matter) -> str:
    first, last = _ends(matter)
    return f"{_dated(first)}から{_dated(last)}まで" if first and last else ""


def _dated(day: date) -> str:
    return f"{wareki(day)}({WEEKDAYS[day.weekday()]})"


def _decision_notice(matter: Matter) -> Paper:
    destination = matter.text("request.destination.organization_name") if body_of(matter) else ""
    _, municipality = place_called(matter.form, matter.directory, matter.on, "request.destination")
    return _paper(
        matter,
        "職員の派遣について(通知)",
        "下記のとおり職員を派遣することに決定しましたので、通知します。",
        (
            ("業務名", matter.text("request.title")),
            ("業務内容", tasks_of(matter)),
            ("派遣先", " ".join(filter(None, (municipality, destination)))),
            ("派遣場所", matter.text("request.place")),
            ("派遣期間", _period(matter)),
            ("派遣する職員", _staff(matter)),
            ("経費の負担", matter.text("request.cost")),
        ),
    )


def _decline_notice(matter: Matter) -> Paper:
    return _paper(
        matter,
        "職員の派遣について(通知)",
        "検討の結果、下記の理由により派遣しないことに決定しましたので、通知します。",
        (
            ("業務名", matter.text("request.title")),
            ("派遣しない理由", matter.inputs.get("reason", "")),
        ),
    )


def _on_the_decision(matter: Matter) -> str:
    """「令和8年11月1日付け上川第12号で通知した職員の派遣について、」; the decision that a later letter takes up."""
    on, number = read_date(matter.text("decision.on")).date, matter.text("decision.number")
    return (
        f"{wareki(on)}付け{number}で通知した職員の派遣について、" if on and number else "通知した職員の派遣について、"
    )


def _later(matter: Matter, body: str, items: Sequence[tuple[str, str]], number: str) -> Paper:
    """A letter that takes up the decision: a change, a cancellation, a stop."""
    paper = _paper(matter, "職員の派遣について(通知)", "", [("業務名", matter.text("request.title")), *items], number)
    return replace(paper, body=f"{_on_the_decision(matter)}{body}")


def _last_change(matter: Matter) -> Mapping[str, Any]:
    """The change that was decided last; nothing where there is none or it was erased."""
    return next(iter(reversed(rows(matter.form, "changes.rows"))), {})


def _cause(codes: Mapping[str, str], code: str, text: str) -> str:
    return "\n".join(filter(None, (codes.get(code, ""), text.strip())))


def _change_notice(matter: Matter) -> Paper:
    change = _last_change(matter)
    lines = [(label, f"変更前 {before}\n変更後 {after}") for label, before, after in change.get("lines", ())]
    gone = erased(matter.form.get("changes"))
    paper = _later(
        matter,
        "下記のとおり変更することに決定しましたので、通知します。記載のない事項に変更はありません。",
        [
            ("変更の種類", gone or CHANGES.get(str(change.get("kind")), "")),
            ("変更の理由", _cause(CHANGE_REASONS, str(change.get("reason_code")), str(change.get("reason") or ""))),
            *lines,
        ],
        "",
    )
    return replace(paper, number=str(change.get("number") or ""))


def _cancel_notice(matter: Matter) -> Paper:
    change = _last_change(matter)
    reason = matter.inputs.get("reason", "")
    if change.get("number") == matter.text("actual.number"):
        reason = _cause(CHANGE_REASONS, str(change.get("reason_code")), str(change.get("reason") or ""))
    return _later(
        matter,
        "下記のとおり中止することに決定しましたので、通知します。",
        [("中止の理由", reason), *_ended(matter)],
        "actual.number",
    )


def _stop_notice(matter: Matter) -> Paper:
    stopped = read_date(matter.text("stop.on")).date
    return _later(
        matter,
        "下記のとおり緊急に停止し、停止した日までで終えることに決定しましたので、通知します。",
        [
            ("停止した日", _dated(stopped) if stopped else ""),
            ("停止の理由", _cause(STOP_REASONS, matter.text("stop.reason_code"), matter.text("stop.text"))),
            *_ended(matter),
            ("申し添えること", matter.inputs.get("note", "")),
        ],
        "stop.number",
    )


def _ended(matter: Matter) -> list[tuple[str, str]]:
    end = read_date(matter.text("actual.end")).date if matter.text("actual.end") else None
    return [("派遣した期間", f"{_dated(end)}まで" if end else "派遣した日はありません")]


DOCUMENTS = Documents(
    reports=(YEAR_END,),
    letters=(
        Letter("decision_notice", "派遣決定通知", "letters/letter.html", _decision_notice),
        Letter("decline_notice", "不派遣通知", "letters/letter.html", _decline_notice),
        Letter("change_notice", "派遣変更通知", "letters/letter.html", _change_notice),
        Letter("cancel_notice", "派遣中止通知", "letters/letter.html", _cancel_notice),
        Letter("stop_notice", "派遣停止通知", "letters/letter.html", _stop_notice),
    ),
)
