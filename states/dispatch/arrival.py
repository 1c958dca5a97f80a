"""How a request came in – by which way, on which day, entered by whom – and when two of them may be one and the same."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from difflib import SequenceMatcher
from typing import Any

from states.calendar import FIRST_YEAR
from states.dates import month_day, read_date
from states.dispatch.form import Form
from states.dispatch.labels import CHANNELS
from states.dispatch.situation import OWN_INITIATIVE, request_of
from states.terms import Arrival, Facts, Verdict, block, guard
from states.text import search_key

SIMILAR = 0.8  # of two titles, as `SequenceMatcher` counts; the same words in a polite frame come to more
YEAR = timedelta(days=365)


def arrival(form: Mapping[str, Any]) -> Arrival | None:
    """The way in which a request came; nothing for what the director begins himself."""
    if request_of(form).get("origin") == OWN_INITIATIVE:
        return None
    receipt: Mapping[str, Any] = form.get("receipt") or {}
    by = receipt.get("entered_by") or ""
    channel = receipt.get("channel") or ("paper" if by else "screen")
    return Arrival(CHANNELS.get(channel, channel), read_date(receipt.get("arrived_on") or "").date, by)


@guard(None)
def true_day(facts: Facts) -> Iterator[Verdict]:
    """What is entered for a municipality says when it really arrived: its deadline is counted from that day."""
    receipt, path = facts.read.receipt, "receipt.arrived_on"
    if not receipt.arrived_on.strip():
        yield block("実際に届いた日を書いてください。回答の期限は、その日から数えます。", path)
    elif receipt.on.date is None:
        yield block(receipt.on.problem, path)
    elif receipt.on.date > facts.today:
        yield block("届いた日が今日より後になっています。実際に届いた日を書いてください。", path)


def counted_from(facts: Facts) -> date | None:
    """The day from which the reply is counted: that of arrival for what came outside the screen, however late it was entered."""
    receipt = facts.read.receipt
    day: date | None = receipt.on.date
    outside = receipt.entered_by or receipt.channel not in ("", "screen")
    return day if outside and day and day.year >= FIRST_YEAR else None


def alike(one: Form, other: Form) -> tuple[Sequence[str], bool]:
    """Why two requests of one municipality may be the same, and whether that is plain enough to look before going on.

    What lies more than a year apart is next year's request, whatever it is called.
    """
    here, there = one.request.period.span, other.request.period.span
    if here and there and abs(here[0] - there[0]) > YEAR:
        return (), False
    told: list[str] = []
    plain = False
    names = search_key(one.request.title), search_key(other.request.title)
    if names[0] and names[0] == names[1]:
        told.append("件名が同じです。")
        plain = True
    elif (
        _counted(names[0]) == _counted(names[1])
        and SequenceMatcher(None, min(names), max(names), autojunk=False).ratio() >= SIMILAR
    ):
        told.append("件名がよく似ています。")
        plain = True
    if here and there and here == there:
        told.append(f"期間が同じです({_span(here)})。")
        plain = True
    elif here and there and max(here[0], there[0]) <= min(here[1], there[1]):
        told.append(f"期間が重なります({_span((max(here[0], there[0]), min(here[1], there[1])))})。")
    return told, plain


def _counted(name: str) -> list[str]:
    """The figures in a title: the second meeting is not the first one."""
    return re.findall(r"[0-9]+", name)


def _span(days: tuple[date, date]) -> str:
    return month_day(days[0]) if days[0] == days[1] else f"{month_day(days[0])}〜{month_day(days[1])}"
