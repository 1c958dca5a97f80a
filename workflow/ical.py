"""iCalendar text (RFC 5545): whole-day events, escaped, folded by octets. A writer of forty lines needs no dependency."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

FOLD = 75  # octets of a line, its end aside
_HIDDEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\u0085\u2028\u2029]")
_ESCAPED = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})


@dataclass(frozen=True, slots=True)
class Event:
    """A whole day: `uid` stays the same as long as it is the same matter, `stamp` is when it was last said."""

    uid: str
    day: date
    stamp: datetime
    summary: str
    description: str
    url: str
    category: str


def text(name: str, events: Iterable[Event]) -> bytes:
    """The calendar as it is sent."""
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Tobidashi//Calendar feed//JA", "CALSCALE:GREGORIAN", "METHOD:PUBLISH",
        f"X-WR-CALNAME:{escaped(name)}", "REFRESH-INTERVAL;VALUE=DURATION:PT1H", "X-PUBLISHED-TTL:PT1H",
    ]  # fmt: skip
    for event in events:
        lines += _event(event)
    return b"".join(folded(line) for line in [*lines, "END:VCALENDAR"])


def _event(event: Event) -> Sequence[str]:
    return (
        "BEGIN:VEVENT", f"UID:{escaped(event.uid)}", f"DTSTAMP:{event.stamp.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        f"DTSTART;VALUE=DATE:{event.day:%Y%m%d}", f"DTEND;VALUE=DATE:{event.day + timedelta(days=1):%Y%m%d}",
        f"SUMMARY:{escaped(event.summary)}", f"DESCRIPTION:{escaped(event.description)}", f"URL:{event.url}",
        f"CATEGORIES:{escaped(event.category)}", "TRANSP:TRANSPARENT", "END:VEVENT",
    )  # fmt: skip


def escaped(value: str) -> str:
    """Text as a value: what separates is escaped, a line break is \\n, other control characters are dropped."""
    plain = value.replace("\r\n", "\n").replace("\r", "\n")
    return _HIDDEN.sub("", plain).translate(_ESCAPED)


def folded(line: str) -> bytes:
    """The line with its end, cut where more than `FOLD` octets would stand on one, never within a character."""
    rest, pieces, room = line.encode(), [], FOLD
    while len(rest) > room:
        cut = room
        while rest[cut] & 0xC0 == 0x80:  # within a character of several octets
            cut -= 1
        pieces.append(rest[:cut])
        rest, room = rest[cut:], FOLD - 1  # the blank before what follows counts
    return b"\r\n ".join([*pieces, rest]) + b"\r\n"
