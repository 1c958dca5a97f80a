"""What the lists have in common: filters in the address, the place to go on from, dates and numbers in words."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from states.dates import WEEKDAYS, short, wareki
from workflow.access import OUTSIDE, TODAY, Actor
from workflow.deadlines import TOKYO, local_day
from workflow.queries import CAP, BadCursor, Connection, _dicts
from workflow.web.errors import HOME, NOTHING_LOST, Trouble, Way

LONGEST = 100  # characters of a filter that are looked for


def inside(actor: Actor) -> bool:
    """Whether some post of this person belongs to the offices that run the process."""
    return bool(actor.roles - OUTSIDE)


def words(text: str) -> str:
    """A filter as it is looked for."""
    return text.strip()[:LONGEST]


def address(path: str, filters: Mapping[str, Any], **more: Any) -> str:
    """The address of a list with its filters; empty ones are left out."""
    told = {name: value for name, value in (dict(filters) | more).items() if value}
    return f"{path}?{urlencode(told)}" if told else path


@contextmanager
def place_in(path: str) -> Iterator[None]:
    """Turns a place that this list did not give out into a page that leads back to its beginning."""
    try:
        yield
    except BadCursor:
        raise Trouble(
            400,
            "一覧の続きを開けませんでした",
            "アドレスの「続きの位置」が読み取れません。途中で切れたか、書き換わったようです。",
            NOTHING_LOST,
            (Way(path, "初めから見る", "この一覧を初めから開く"), HOME),
        ) from None


def moment(at: datetime) -> str:
    """令和8年10月14日(水) 9:05, in Tokyo."""
    local = at.astimezone(TOKYO)
    return f"{wareki(local.date())}({WEEKDAYS[local.weekday()]}) {local.hour}:{local.minute:02}"


def dated(at: datetime, today: date) -> str:
    """11月9日(月), with the era's year where it is not this year's."""
    day = local_day(at)
    return short(day) if day.year == today.year else wareki(day)


def counted(number: int) -> str:
    """A count as shown: it stops at the cap."""
    return f"{CAP}+" if number >= CAP else str(number)


def urgency(row: Mapping[str, Any], today: date) -> dict[str, str]:
    """How urgent an item is, as mark, words and date."""
    if not row["dated"]:
        return {"kind": "none", "shape": "info", "text": "期限なし", "small": ""}
    kind, shape = {"over": ("stop", "stop"), "today": ("warn", "warn"), "soon": ("now", "soon")}.get(
        row["due_kind"], ("none", "later")
    )
    day, left = row["due_day"], row["business_days_left"]
    if row["due_kind"] == "over":
        text = f"{-left}営業日過ぎた" if left < 0 else "期限を過ぎた"
    elif row["due_kind"] == "today":
        text = "今日まで"
    else:
        text = f"あと{left}営業日" if left > 0 else f"あと{(day - today).days}日"
    return {
        "kind": kind,
        "shape": shape,
        "text": text,
        "small": short(day) + ("まで" if row["due_kind"] == "over" else ""),
    }


ORGANISATIONS = f"""SELECT code, kind, name, short, office FROM organisation
WHERE (valid_from IS NULL OR valid_from <= {TODAY}) AND (valid_to IS NULL OR valid_to >= {TODAY}) ORDER BY sort, code"""


def organisations(conn: Connection) -> list[dict[str, Any]]:
    """Every organisation of today: headquarters, bureaus, municipalities."""
    return _dicts(conn, ORGANISATIONS, {})
