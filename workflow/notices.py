"""Turns a row of the outbox into messages: who is told, and in which words.

Whoever holds a desk's post on the day the message is made is told, by mail and in no other way than everybody else; the
person who acted is not. A message names the case, its place, what to do and by when – nobody's name, no content.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parseaddr
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from psycopg.rows import namedtuple_row

from states import catalogue, dates, routes
from states.calendar import Calendar
from states.routes import KINDS, Route
from states.text import visible
from workflow.access import TODAY
from workflow.audience import CURRENT, Addressee, Connection, Desk, audience, called, desks_told
from workflow.deadlines import FAR, calendar, due_day, local_day
from workflow.deputies import posts_of
from workflow.history import canonical
from workflow.queries import ENGINE_LABELS
from workflow.seating import around
from workflow.settings import settings

TEMPLATES = Path(__file__).parents[1] / "templates" / "mail"
REMARKED = "remark"  # kind of the row that tells of a remark
DROPPED = "dropped"  # kind of a desk that had answered a draft which ended without its decision
NO_ADDRESS, NO_HOLDER = "no_address", "no_holder"  # kinds of attention


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the outbox that somebody has claimed; `tries` is the claim's number and fences off earlier ones.

    The row of a digest, of many cases, has 0 as `case_id`.
    """

    id: int
    case_id: int
    seq: int
    kind: str
    payload: Mapping[str, Any]
    dedup: str
    tries: int
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One mail to one person, not sent yet; `informs` only, or asks or reminds somebody who is to act."""

    person_id: int
    address: str
    message_id: str
    subject: str
    body: str
    informs: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """What a row comes to: messages, and sentences about those who could not be told, by kind of attention."""

    messages: Sequence[Message] = ()
    lacking: Mapping[str, str] = field(default_factory=dict)


# ── who ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

# What a notice asked for, as far as it is still asked: done work reminds nobody.
ASKED = """SELECT s.org_code, s.role, s.person_id, s.ask, s.due_at, s.kind FROM step s
  JOIN jsonb_array_elements(%(asks)s::jsonb) WITH ORDINALITY AS a (ask, no)
    ON s.org_code = a.ask ->> 0 AND s.role = a.ask ->> 1 AND s.person_id IS NOT DISTINCT FROM (a.ask ->> 2)::bigint AND s.ask = a.ask ->> 3
WHERE s.case_id = %(case)s AND s.closed_at IS NULL ORDER BY a.no"""

WAITING = """SELECT s.org_code, s.role, s.person_id, s.ask, s.due_at, s.kind FROM step s
WHERE s.case_id = %(case)s AND s.closed_at IS NULL AND s.due_at = %(due)s ORDER BY s.id"""

DEADLINE = """SELECT d.kind, d.holder, d.due_at, c.process, c.process_version FROM deadline d JOIN cases c ON c.id = d.case_id
WHERE d.id = %(deadline)s AND d.case_id = %(case)s AND d.closed_at IS NULL"""


# A shared remark is for the desks of the others: the municipalities of the case, the offices. An internal one is for the offices.
REMARK = f"""SELECT v.org_code, 'municipality' FROM comment r JOIN party v ON v.case_id = r.case_id
  WHERE r.id = %(remark)s AND r.scope = 'shared' AND v.part IN ('requester', 'partner', 'destination') AND {CURRENT} AND v.org_code <> r.org_code
UNION SELECT o.code, 'bureau' FROM comment r JOIN cases c ON c.id = r.case_id CROSS JOIN LATERAL (
    SELECT c.lead UNION SELECT v.org_code FROM party v WHERE v.case_id = c.id AND v.part = 'co_office' AND {CURRENT}) AS o (code)
  WHERE r.id = %(remark)s AND (r.scope = 'internal' OR o.code <> r.org_code)"""


# ── in which words ──────────────────────────────────────────────────────────────────────────────────────────────────

ABOUT = f"""SELECT c.id, c.process, c.process_version, c.number, c.lead, c.place, c.state, e.action, e.actor, e.seq, e.hash,
  clock_now() AS now,
  (SELECT jsonb_object_agg(o.code, jsonb_build_array(o.name, o.contact)) FROM organisation o
   WHERE (o.valid_from IS NULL OR o.valid_from <= {TODAY}) AND (o.valid_to IS NULL OR o.valid_to >= {TODAY})
     AND (o.code = ANY (%(orgs)s) OR o.code = c.lead OR o.code = c.place)) AS orgs
FROM cases c JOIN event e ON e.case_id = c.id AND e.seq = %(seq)s WHERE c.id = %(case)s"""


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why a row tells, and whom: the desks, the template of the mail, and of a reminder the deadline's kind and date."""

    desks: Sequence[Desk]
    template: str
    kind: str = ""
    due_at: datetime | None = None


def notice(conn: Connection, row: Row) -> Told:
    """What an act brings to those it asks and those it informs."""
    return _told(conn, row, _of_act(conn, row))


def reminder(conn: Connection, row: Row) -> Told | None:
    """What a deadline's rung brings to those it waits for; None when the work is done and nobody is to be reminded."""
    found = _of_date(conn, row)
    return _told(conn, row, found) if found else None


def remark(conn: Connection, row: Row) -> Told:
    """What a new remark brings to the desks it is for; what it says stays on the page."""
    return _told(conn, row, _of_remark(conn, row))


def _of_act(conn: Connection, row: Row) -> Occasion:
    asks, tells = row.payload.get("asks", []), row.payload.get("tells", [])
    asked = conn.execute(ASKED, {"case": row.case_id, "asks": canonical(asks)}, prepare=True).fetchall()
    posts = [Desk(org, role, kind=DROPPED) for org, role in row.payload.get("posts", [])]
    return Occasion([Desk(*found) for found in asked] + posts + desks_told(conn, row.case_id, tells), "notice.txt")


def _of_date(conn: Connection, row: Row) -> Occasion | None:
    place = {"case": row.case_id, "deadline": row.payload["deadline"]}
    found = conn.execute(DEADLINE, place, prepare=True).fetchone()
    if found is None:
        return None
    kind, holder, due_at, process, version = found
    waiting = conn.execute(WAITING, place | {"due": due_at}, prepare=True).fetchall()
    desks = [Desk(*step) for step in waiting]
    # A date that no item of an inbox carries just now still runs for its own holder.
    own = [] if desks else desks_told(conn, row.case_id, [holder])
    desks += [Desk(d.org, d.role, d.person, due_at=due_at) for d in own]
    told = [role for rung, role in _escalates(process, version, kind) if row.payload["rung"] >= rung]
    above = _above(conn, desks) if told else []
    desks += [Desk(d.org, d.role, due_at=due_at) for d in above or desks_told(conn, row.case_id, told)]
    return Occasion(desks, "reminder.txt", kind, due_at)


def _of_remark(conn: Connection, row: Row) -> Occasion:
    found = conn.execute(REMARK, {"remark": row.payload["remark"]}, prepare=True).fetchall()
    return Occasion([Desk(org, role) for org, role in sorted(found)], "remark.txt")


def _above(conn: Connection, desks: Sequence[Desk]) -> list[Desk]:
    """The posts above those that a route asks, as desks."""
    asked = posts_of([desk.role for desk in desks])
    seats = around(conn, asked).by_post
    superiors = {superior for post in asked if post in seats and (superior := seats[post].superior)}
    return [
        Desk(seat.org, routes.desk(post)) for post, seat in around(conn, superiors).by_post.items() if post in superiors
    ]


ROUTE = "SELECT jsonb_build_object('route', form -> 'route') FROM cases WHERE id = %s AND jsonb_exists(form, 'route')"


def _route(conn: Connection, case_id: int, desks: Sequence[Desk]) -> Route | None:
    """The route of the case, where it asks some of these desks."""
    if not any(desk.ask and desk.role.startswith("#") for desk in desks):
        return None
    found = conn.execute(ROUTE, (case_id,), prepare=True).fetchone()
    return routes.of(found[0]) if found else None


def _escalates(process: str, version: int, kind: str) -> tuple[tuple[int, str], ...]:
    """Who is told of a late date besides those it waits for: (rung, role), as the process declares it."""
    declared = catalogue.process(process, version).deadlines
    return next((deadline.escalates for deadline in declared if deadline.kind == kind), ())


def still_wanted(conn: Connection, row: Row) -> bool:
    """Whether a message made earlier may still go out: a reminder only while its deadline runs."""
    if not row.kind.startswith("reminder:"):
        return True
    place = {"case": row.case_id, "deadline": row.payload["deadline"]}
    return conn.execute(DEADLINE, place, prepare=True).fetchone() is not None


def _told(conn: Connection, row: Row, occasion: Occasion) -> Told:
    desks = occasion.desks
    people, empty = audience(conn, desks, _actor(conn, row), _route(conn, row.case_id, desks))
    about = _about(conn, row, [*(person.org for person in people), *(desk.org for desk in empty)])
    days = calendar(conn, about.lead)
    words = _words(about, days) | {
        "kind": _deadline_label(about, occasion.kind),
        "due": _due(occasion.due_at, about.now, days),
        "waiting": "、".join(dict.fromkeys(desk.ask for desk in desks if desk.ask)),
    }
    titles = called(conn, [at for person in people for desk in person.desks for at in (desk, desk.absent) if at])
    told = [_message(row, about, person, words, days, occasion, titles) for person in people if person.mail.strip()]
    return Told(told, _lacking(about, [p for p in people if not p.mail.strip()], empty))


@dataclass(frozen=True, slots=True)
class Item:
    """What a row still says to one person: a line of a digest. `acts` where somebody has something to do or to see to."""

    case_id: int
    what: str
    acts: bool
    due_at: datetime | None
    due: Mapping[str, Any] | None
    words: Mapping[str, Any]


def still_said(conn: Connection, row: Row, person_id: int) -> list[Item]:
    """What a row that was to be told says to this person by now; nothing where it is done or no longer theirs."""
    if row.kind == REMARKED:
        occasion: Occasion | None = _of_remark(conn, row)
    else:
        occasion = _of_date(conn, row) if row.kind.startswith("reminder:") else _of_act(conn, row)
    people: list[Addressee] = []
    if occasion:
        people, _ = audience(conn, occasion.desks, _actor(conn, row), _route(conn, row.case_id, occasion.desks))
    person = next((one for one in people if one.person_id == person_id), None)
    if person is None or occasion is None:
        return []
    about = _about(conn, row, [])
    days = calendar(conn, about.lead)
    words = _words(about, days)
    told = [(f"{desk.ask}(代決)" if desk.absent else desk.ask, True, desk.due_at) for desk in person.desks if desk.ask]
    if any(desk.kind == DROPPED for desk in person.desks):
        told.append((f"承認・合議した起案が戻りました(「{words['action']}」)", False, None))
    if not told:
        informing: dict[str, list[tuple[str, bool, datetime | None]]] = {
            "reminder.txt": [(_deadline_label(about, occasion.kind), True, occasion.due_at)],
            "notice.txt": [(f"「{words['action']}」が行われました", False, None)],
            "remark.txt": [("「やりとり」に新しい書き込みがあります", False, None)],
        }
        told = informing[occasion.template]
    return [Item(about.id, what, acts, at, _due(at, about.now, days), words) for what, acts, at in told]


def _about(conn: Connection, row: Row, orgs: Sequence[str]) -> Any:
    with conn.cursor(row_factory=namedtuple_row) as cursor:
        found: Any = cursor.execute(
            ABOUT, {"case": row.case_id, "seq": row.seq, "orgs": list(orgs)}, prepare=True
        ).fetchone()
    assert found is not None
    return found


def _actor(conn: Connection, row: Row) -> str:
    """Who acted in the event that the row tells of, or wrote the remark; a reminder is nobody's act."""
    if row.kind.startswith("reminder:"):
        return ""
    text, of = "SELECT actor FROM event WHERE case_id = %s AND seq = %s", (row.case_id, row.seq)
    if row.kind == REMARKED:
        text, of = "SELECT person_id FROM comment WHERE case_id = %s AND id = %s", (row.case_id, row.payload["remark"])
    found = conn.execute(text, of, prepare=True).fetchone()
    return str(found[0]) if found else ""


def _words(about: Any, days: Calendar) -> dict[str, Any]:
    """What every message about the case says in the same words, to whomever it goes."""
    process = catalogue.process(about.process, about.process_version)
    state = process.state(about.state)
    head = bytes(about.hash).hex()[:16]
    lead_name, contact = (about.orgs or {}).get(about.lead, (about.lead, ""))
    return {
        "action": ENGINE_LABELS.get(about.action)
        or next((r.label for r in process.table if r.name == about.action), ""),
        "number": about.number or "",
        "place": (about.orgs or {}).get(about.place, ("", ""))[0],
        "step": state.outcome or state.step,
        "lead": lead_name,
        "contact": contact or lead_name,
        "url": f"{settings().public_url.rstrip('/')}/cases/{about.id}",
        "version": about.seq,
        "receipt": " ".join(head[i : i + 4] for i in range(0, 16, 4)),
    }


def _deadline_label(about: Any, kind: str) -> str:
    process = catalogue.process(about.process, about.process_version)
    return next((d.label for d in process.deadlines if d.kind == kind), "期限")


def _message(
    row: Row, about: Any, person: Addressee, words: Mapping[str, Any], days: Calendar, occasion: Occasion, titles: Mapping[str, str],
) -> Message:  # fmt: skip
    asks = [
        {"label": d.ask, "due": _due(d.due_at, about.now, days), "kind": KINDS.get(d.kind, ""),
         "post": titles.get((d.absent or d).role, ""), "acting": d.absent is not None}
        for d in person.desks if d.ask
    ]  # fmt: skip
    org = (about.orgs or {}).get(person.org, ("", ""))[0]
    post = " ".join(filter(None, (org, person.section, person.title)))
    dropped = any(d.kind == DROPPED for d in person.desks)
    subject, body = written(occasion.template, {**words, "asks": asks, "post": post, "dropped": dropped})
    informs = not asks and occasion.due_at is None
    mail_id = message_id(row, about.hash, person.person_id)
    return Message(person.person_id, person.mail.strip(), mail_id, subject, body, informs)


def written(template: str, words: Mapping[str, Any]) -> tuple[str, str]:
    """Subject and body of a mail: the first line of its template and the rest."""
    subject, _, body = _environment().get_template(template).render(words).partition("\n")
    return subject.strip(), body.lstrip("\n")


def message_id(row: Row, salt: bytes, person_id: int) -> str:
    """The Message-ID of one row's mail to one person: the same however often it is made, in no two installations."""
    told = hashlib.sha256(f"{row.dedup}/{person_id}/".encode() + bytes(salt)).hexdigest()[:32]
    domain = parseaddr(settings().mail_from)[1].rpartition("@")[2]
    return f"<{told}@{domain}>"


def _due(due_at: datetime | None, now: datetime, days: Calendar) -> Mapping[str, Any] | None:
    """A date as a message says it: the day, how far it is in business days, whether it has passed."""
    if due_at is None or due_at >= FAR:
        return None
    today, day = local_day(now), due_day(due_at)
    left = days.business_days_between(today, day)
    if today > day:
        word = f"{-left}営業日過ぎています" if left else "過ぎています"
    elif today == day:
        word = "今日まで"
    else:
        word = f"あと{left}営業日" if left else "期限の前の営業日は今日が最後"
    return {"day": dates.short(day), "left": word, "over": today > day}


def _lacking(about: Any, people: Sequence[Addressee], empty: Sequence[Desk]) -> dict[str, str]:
    """Sentences for those who lead the case, about whom no mail reached."""
    names = about.orgs or {}
    found = {}
    if people:
        posts = "、".join(
            visible(" ".join(filter(None, (names.get(p.org, ("",))[0], p.section, p.title)))) for p in people
        )
        found[NO_ADDRESS] = (
            f"メールアドレスの登録がないため、通知を送れませんでした: {posts}。"
            "受信箱には出ています。必要なら電話で伝え、管理者に登録を頼んでください。"
        )
    if empty:
        asks = "、".join(f"{visible(names.get(d.org, (d.org,))[0])}「{visible(d.ask)}」" for d in empty)
        found[NO_HOLDER] = (
            f"手番の職に、いま就いている方がいません: {asks}。案件はそのままです。電話などで伝えるか、管理者に発令の登録を頼んでください。"
        )
    return found


@cache
def _environment() -> Environment:
    """Templates of plain text: nothing to escape, but what hides or breaks a line is shown or taken as a blank."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - plain text has no markup
        finalize=lambda value: visible(" ".join(value.split())) if isinstance(value, str) else value,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


# ── what could not be told ──────────────────────────────────────────────────────────────────────────────────────────

ATTENTION = """INSERT INTO attention AS a (case_id, kind, sentence, opened_at) VALUES (%s, %s, %s, clock_now())
ON CONFLICT (case_id, kind) WHERE closed_at IS NULL DO UPDATE SET sentence = EXCLUDED.sentence WHERE a.sentence <> EXCLUDED.sentence"""


def call_attention(conn: Connection, case_id: int, kind: str, sentence: str) -> None:
    """Show a sentence under 要対応 until the case's next act, or until it is settled."""
    conn.execute(ATTENTION, (case_id, kind, sentence), prepare=True)


def settle(conn: Connection, case_id: int, kind: str) -> None:
    """Take back a sentence that is no longer so."""
    conn.execute(
        "UPDATE attention SET closed_at = clock_now() WHERE case_id = %s AND kind = %s AND closed_at IS NULL",
        (case_id, kind),
        prepare=True,
    )
