"""Templates become pages here: the environment, its filters, and what stands around every page."""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from states import catalogue, dates, text
from states.kernel import Process
from workflow.access import NARROW, OUTSIDE, SCOPE_OF, Actor
from workflow.deadlines import due_day
from workflow.settings import settings

TEMPLATES = Path(__file__).parents[2] / "templates"
STATIC = TEMPLATES / "static"
TOKYO = ZoneInfo("Asia/Tokyo")
# Who looks up what was published: every office and municipality (`workflow.published.may_read`).
LOOKS_UP = frozenset(role for role, scope in SCOPE_OF.items() if scope != "none") - NARROW
MOST_WAITING = 99  # a longer queue is shown as "99+"


@dataclass(frozen=True, slots=True)
class Signed:
    """Who looks at the page: the person with the posts of this moment, the session's form token, the queue, whom to ask."""

    actor: Actor
    csrf: str
    waiting: int = 0
    contact: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """An entry of the main navigation; no roles means everybody."""

    label: str
    href: str
    roles: frozenset[str] = frozenset()


INBOX = Link("受信箱", "/inbox")


def page(request: Request, signed: Signed | None, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """The template as a page, with navigation, office, queue, footer and form token around it."""
    around = {
        "site": _around(request, signed),
        "csrf": signed.csrf if signed else "",
        "signed": signed,
        "request": request,
    }
    return HTMLResponse(environment().get_template(template).render(around | context), status)


@cache
def environment() -> Environment:
    """The one environment: everything is escaped, an unknown name is an error, a template is compiled once."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=settings().env == "demo",
        cache_size=-1,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= _FILTERS
    made.globals["static"] = static
    return made


def clock(at: datetime) -> str:
    """10月13日 16:40, in Tokyo."""
    local = at.astimezone(TOKYO)
    return f"{local.month}月{local.day}日 {local.hour}:{local.minute:02}"


def visible(value: object) -> str:
    """Text for a page with every character that hides or reorders written out; markup passes."""
    return value if isinstance(value, Markup) else text.visible(str(value))


def lines(value: str) -> Markup:
    """Text of several lines, escaped, its line breaks kept."""
    return Markup("<br>").join(escape(visible(line)) for line in value.splitlines())


_PARTS = re.compile(
    r"(.*?)\s*[年./\-／.-]\s*([^年月日./\-／.-]*?)\s*(?:[月./\-／.-]\s*([^年月日./\-／.-]*?)\s*日?)?", re.DOTALL
)


def date_boxes(typed: str) -> tuple[str, str, str]:
    """A date as typed, for the boxes 年, 月 and 日; what does not fall into three stays whole in the first."""
    match = _PARTS.fullmatch(typed)
    return (match[1], match[2], match[3] or "") if match else (typed, "", "")


def date_echo(typed: str) -> str:
    """How a typed date is understood: 令和8年11月9日(月) ・ 2026年; empty where it cannot be read."""
    day = dates.read_date(typed).date
    return f"{date_long(typed)} ・ {day.year}年" if day else ""


def date_long(typed: str) -> str:
    """A typed date as it is read back: 令和8年11月9日(月); empty where it cannot be read."""
    day = dates.read_date(typed).date
    return f"{dates.wareki(day)}({dates.WEEKDAYS[day.weekday()]})" if day else ""


def days_reading(typed: str, within: tuple[date, date] | None) -> dates.DaysReading:
    """Days as they are typed, read as the rules read them; the span gives the year where none is written."""
    return dates.parse_days(typed, within)


def date_short(typed: str) -> str:
    """A typed date in few characters: 11月9日(月); as typed where it cannot be read."""
    reading = dates.read_date(typed)
    return dates.short(reading.date) if reading.date else typed


def static(name: str) -> str:
    """The address of a static file, with a mark of its content so that browsers may keep it for good."""
    return f"/static/{name}?v={mark(name)}"


def mark(name: str) -> str:
    """The first 64 bits of the file's SHA-256."""
    path = STATIC / name
    return _mark(path, path.stat().st_mtime_ns)


@cache
def _mark(path: Path, changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def wareki(day: date) -> str:
    """令和8年11月9日, of a day or of a moment in Tokyo."""
    return dates.wareki(_local(day))


def shortdate(day: date) -> str:
    """11月9日(月), of a day or of a moment in Tokyo."""
    return dates.short(_local(day))


def days_text(days: Iterable[date], halves: Mapping[date, tuple[int, ...]] | None = None) -> str:
    """Days as one writes them: 10/24-25、11/14-15、11/20午前."""
    return dates.days_text(days, halves)


def anchor(name: str) -> str:
    """The name of a field as the id of its control: request.period.to → request-period-to."""
    return re.sub(r"[^\w-]+", "-", name)


_FILTERS: dict[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        wareki,
        due_day,
        shortdate,
        clock,
        visible,
        lines,
        date_boxes,
        date_echo,
        date_long,
        date_short,
        days_text,
        days_reading,
        anchor,
    )
}


def _local(day: date) -> date:
    return day.astimezone(TOKYO).date() if isinstance(day, datetime) else day


@cache
def navigation(mails_are_read_here: bool) -> tuple[Link, ...]:
    """The main navigation. Where no mail server is named, mails are read on a page."""
    opening = [roles for process in catalogue.newest().values() for roles in process.opens.values()]
    links = (
        INBOX,
        Link("案件", "/cases"),
        Link("案件を起こす", "/cases/new", frozenset().union(*opening)),
        Link(
            "市町村カルテ",
            "/municipalities",
            frozenset({"bureau", "director", "headquarters", "municipality", "municipality_head"}),
        ),
        *(Link(p.published.label, "/published", LOOKS_UP) for p in _publishing()[:1] if p.published),
        Link("予定", "/calendar"),
        Link("報告", "/reports", frozenset({"bureau", "director", "headquarters"})),
        Link("派遣ボード", "/board", frozenset({"bureau", "director"})),
        Link("不在", "/absences", frozenset(SCOPE_OF) - OUTSIDE),
        Link("手番の日数", "/turns", frozenset({"bureau", "director", "headquarters"})),
        Link("行き先のかたより", "/balance", frozenset({"headquarters"})),
        Link("認めた団体", "/recognitions", frozenset({"bureau", "director"})),
        Link("職", "/posts", frozenset({"administrator"})),
        Link("発令", "/appointments", frozenset({"administrator"})),
        Link("暦と期限", "/calendar/days", frozenset({"administrator"})),
        Link("要対応", "/attention", frozenset({"administrator"})),
        Link("督促の日", "/rungs", frozenset({"administrator"})),
        Link("専決の表", "/decisions", frozenset({"administrator"})),
        Link("庁内決裁の設定", "/arrangements", frozenset({"municipality_head", "administrator"})),
        Link("記録", "/audit", frozenset({"auditor", "records", "administrator"})),
        Link("保存と廃棄", "/retention", frozenset({"auditor", "records"})),
    )
    return (*links, Link("届いたメール", "/mailbox")) if mails_are_read_here else links


def _publishing() -> list[Process]:
    return [process for process in catalogue.newest().values() if process.published]


def _around(request: Request, signed: Signed | None) -> Mapping[str, Any]:
    home = signed.actor.home if signed else None
    entries = navigation(not settings().smtp_url)
    shown = [link for link in entries if signed and home and (not link.roles or link.roles & signed.actor.roles)]
    path = request.url.path
    here = max((x.href for x in shown if path == x.href or path.startswith(x.href + "/")), key=len, default="")
    return {
        "office": home.org_name if home else "",
        "post": " ".join(filter(None, (home.section, home.title))) if home else "",
        "name": signed.actor.name if signed else "",
        "others": max(len(signed.actor.posts) - 1, 0) if signed else 0,
        "contact": signed.contact if signed else "",
        "demonstration": settings().env == "demo",
        "navigation": [(x.label, x.href, x.href == here, _queue(signed) if x is INBOX else "") for x in shown],
    }


def _queue(signed: Signed | None) -> str:
    if signed is None or not signed.waiting:
        return ""
    return f"{MOST_WAITING}+" if signed.waiting > MOST_WAITING else str(signed.waiting)
