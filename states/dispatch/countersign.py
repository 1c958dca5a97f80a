"""Personnel (人事担当) confirms every appointment order as it stands: what is entered anew or changed is confirmed anew.

Nothing starts by an order that nobody confirmed. What personnel said on paper the bureau enters, with what it stands on.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from states.dispatch import situation
from states.dispatch.form import Form
from states.terms import Facts, Verdict, block, guard, ok
from states.text import visible

PART = "personnel"  # of the unit of headquarters that confirms


def needed(facts: Facts) -> bool:
    """Whether the municipality appoints somebody as well."""
    return bool(facts.read.request.concurrent_appointment == "needed")


def joins(facts: Facts) -> Sequence[tuple[str, str]]:
    """Personnel takes part in a case with a concurrent appointment, where the installation has such a unit."""
    unit = str(facts.registers.get("personnel") or "")
    return [(PART, unit)] if unit and needed(facts) else []


def waits(facts: Facts) -> bool:
    """Whether personnel is asked: about orders that it has neither confirmed nor sent back."""
    return needed(facts) and bool(facts.read.unconfirmed) and not facts.read.countersign.returned_on


def to_mend(facts: Facts) -> bool:
    """Whether personnel sent the orders back, and nobody has entered them since."""
    return needed(facts) and bool(facts.read.countersign.returned_on)


# ── guards ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@guard(None)
def orders_confirmed(facts: Facts) -> Iterator[Verdict]:
    """Nothing starts by an order that nobody confirmed; which orders there must be, others ask."""
    form: Form = facts.read
    if not needed(facts) or not form.appointment.orders:
        return
    waiting = [order for order in form.unconfirmed if order.kind != "release"]
    if not waiting:
        yield ok("併任の発令は、人事担当が確かめています。", "appointment.orders")
        return
    people = dict.fromkeys(visible(situation.called(form, o.person)) for o in waiting if o.person is not None)
    yield block(
        f"{'、'.join(people)}の併任の発令を、人事担当がまだ確かめていません。確かめるまで、派遣は始まりません。",
        "countersign",
    )


@guard(None)
def something_to_confirm(facts: Facts) -> Iterator[Verdict]:
    if not facts.read.unconfirmed:
        yield block("新しく確かめる発令はありません。発令が入ると、確かめられます。", "appointment.orders")


# ── what the acts write ─────────────────────────────────────────────────────────────────────────────────────────────


def confirmed(*, paper: bool) -> Any:
    """The orders that stand now, as confirmed by personnel itself or, on paper, as the bureau enters it."""

    def record(facts: Facts) -> Mapping[str, Any]:
        marks = [order.mark for order in facts.read.appointment.orders]
        told = {"marks": marks, "on": facts.today.isoformat(), "by": facts.actor, "paper": paper}
        return {"countersign": told | {"returned_on": "", "reason": ""} | ({} if paper else {"note": ""})}

    return record


def sent_back(facts: Facts) -> Mapping[str, Any]:
    return {"countersign": {"returned_on": facts.today.isoformat(), "by": facts.actor}}


def entered(facts: Facts) -> Mapping[str, Any]:
    """Orders that were sent back are asked of personnel again, once somebody has entered them."""
    return {"countersign": {"returned_on": "", "reason": ""}} if facts.read.countersign.returned_on else {}
