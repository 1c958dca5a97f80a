"""Nothing starts before the sections' heads agree and, for a concurrent appointment, both orders cover every day (要領2(1) ※)."""

from collections.abc import Iterator
from datetime import date

from states.dates import month_day, read_date
from states.dispatch import situation
from states.dispatch.course import Order
from states.dispatch.form import Form
from states.dispatch.labels import ISSUERS
from states.terms import Facts, Verdict, block, guard, ok
from states.text import visible


@guard(None)
def section_heads_agree(facts: Facts) -> Iterator[Verdict]:
    """The head of each one's section has agreed (所属長の承諾)."""
    members = facts.read.team.members
    lacking = [row for row, member in enumerate(members) if not member.consent.strip()]
    for row in lacking:
        name = visible(members[row].called)
        yield block(
            f"{name}の所属長の承諾が残っていません。いつ、だれが承諾したかを入れてください。",
            f"team.members.{row}.consent",
        )
    if members and not lacking:
        yield ok("所属長の承諾は、全員そろっています。", "team.members")


@guard(None)
def orders_cover(facts: Facts) -> Iterator[Verdict]:
    """A concurrent appointment needs an order of both sides, dated in time, for the whole of each one's days."""
    form: Form = facts.read
    if form.request.concurrent_appointment != "needed":
        return
    fine = True
    for person, days in _days(facts).items():
        for issuer, name in ISSUERS.items():
            wrong = _uncovered(form, person, issuer, days[0], days[-1])
            if wrong:
                fine = False
                yield block(
                    f"{visible(situation.called(form, person))}の{name}の併任の辞令{wrong}", "appointment.orders"
                )
    if fine and form.team.members:
        yield ok("併任の辞令は、全員の派遣の日を覆っています。", "appointment.orders")


def _days(facts: Facts) -> dict[int, list[date]]:
    """Person → the days on which he or she is there, in order."""
    found: dict[int, set[date]] = {}
    for person, day, _ in situation.half_days(facts.read):
        found.setdefault(person, set()).add(day)
    return {person: sorted(days) for person, days in found.items()}


def _uncovered(form: Form, person: int, issuer: str, first: date, last: date) -> str:
    """What is wrong with the orders of one side for one person; nothing where one of them serves."""
    orders = _orders(form, person, issuer, "appoint")
    if not orders:
        return "がありません。"
    said = ""
    for order in orders:
        start, end, dated = order.start.date, order.end.date, order.dated.date
        if dated is None or dated > first:
            said = f"の日付が、派遣の初めの日({month_day(first)})までの日になっていません。"
        elif start is None or end is None or start > first or end < last:
            said = f"が、{month_day(first)}から{month_day(last)}までを覆っていません。"
        else:
            return ""
    return said


def _orders(form: Form, person: int, issuer: str, kind: str) -> list[Order]:
    return [o for o in form.appointment.orders if o.person == person and o.issuer == issuer and o.kind == kind]


@guard(None)
def orders_released(facts: Facts) -> Iterator[Verdict]:
    """An order that runs on beyond the days really worked is released by who gave it."""
    form: Form = facts.read
    worked = _days(facts)
    for order in form.appointment.orders:
        end = order.end.date
        if order.kind != "appoint" or order.person is None or end is None:
            continue
        last = worked[order.person][-1] if order.person in worked else None
        planned = form.decision.until.get(str(order.person), "")
        early = last is None or (end > last and last.isoformat() < planned)
        if early and not _orders(form, order.person, order.issuer, "release"):
            when = f"実際の派遣は{month_day(last)}までな" if last else "派遣された日がない"
            name = visible(situation.called(form, order.person))
            yield block(
                f"{name}は{when}のに、{ISSUERS.get(order.issuer, '発令者')}の併任が{month_day(end)}まで続いています。解く辞令を入れてください。",
                "appointment.orders",
            )


@guard(None)
def cards_returned(facts: Facts) -> Iterator[Verdict]:
    """Who carried the municipality's card has given it back."""
    for row, card in enumerate(facts.read.appointment.cards):
        if card.person and card.issued_on.strip() and not card.returned_on.strip():
            name = visible(situation.called(facts.read, card.person))
            yield block(
                f"{name}の身分証が返っていません。返った日を入れてください。", f"appointment.cards.{row}.returned_on"
            )


@guard(None)
def orders_readable(facts: Facts) -> Iterator[Verdict]:
    """What is entered of orders and cards names a person and days that exist."""
    if "appointment" not in facts.registers.get("edited", ()):
        return
    for row, order in enumerate(facts.read.appointment.orders):
        path = f"appointment.orders.{row}"
        for value, label, field in (
            (order.person, "職員", "person"), (order.kind, "種類", "kind"), (order.issuer, "発令する者", "issuer"),
        ):  # fmt: skip
            if not value:
                yield block(f"発令の{row + 1}行目の{label}を選んでください。", f"{path}.{field}")
        for reading, field, needed in (
            (order.dated, "dated_on", True), (order.start, "from", order.kind == "appoint"), (order.end, "to", order.kind == "appoint"),
        ):  # fmt: skip
            written = {"dated_on": order.dated_on, "from": order.from_, "to": order.to}[field]
            if (needed or written.strip()) and reading.date is None:
                yield block(f"発令の{row + 1}行目: {reading.problem}", f"{path}.{field}")
        if order.start.date and order.end.date and order.end.date < order.start.date:
            yield block(f"発令の{row + 1}行目は、終わりの日が初めの日より前です。", f"{path}.to")
    for row, card in enumerate(facts.read.appointment.cards):
        yield from _card_readable(f"appointment.cards.{row}", row, card.person, card.issued_on, card.returned_on)


def _card_readable(path: str, row: int, person: int | None, issued: str, returned: str) -> Iterator[Verdict]:
    if not person:
        yield block(f"身分証の{row + 1}行目の職員を選んでください。", f"{path}.person")
    for field, written in (("issued_on", issued), ("returned_on", returned)):
        if written.strip() and (problem := read_date(written).problem):
            yield block(f"身分証の{row + 1}行目: {problem}", f"{path}.{field}")


def lacking(facts: Facts) -> bool:
    """Whether something is still missing that the first day waits for."""
    asked = (section_heads_agree, orders_cover)
    return any(verdict.refuses for rule in asked for verdict in rule.ask(facts))
