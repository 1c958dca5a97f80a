"""Who acts on a dispatch and who reads what stays inside, and the rules as each of them is asked."""

from collections.abc import Iterable
from dataclasses import replace

from states.dispatch import procedure
from states.dispatch.course import Consultation
from states.dispatch.parts import Team
from states.dispatch.rules import GUARDS
from states.terms import Facts, Guard, Input, Verdict

MUNICIPALITY, HEAD, PARTNER, BUREAU, DIRECTOR, HEADQUARTERS, STAFF, PERSONNEL, BODY = (
    frozenset({role})
    for role in (
        "municipality", "municipality_head", "partner", "bureau", "director", "headquarters", "staff", "personnel", "body",
    )
)  # fmt: skip
OFFICE = frozenset(
    {"bureau", "director", "co_office", "headquarters", "auditor", "records"}
)  # who reads what stays inside


def of_the_request(inner: Guard) -> Guard:
    """The same rule, held against the request alone: what the office proposed or was told is not the municipality's to mend."""

    def ask(facts: Facts) -> Iterable[Verdict]:
        form = {group: part for group, part in facts.form.items() if group in ("request", "contact", "receipt")}
        read = facts.read.model_copy(update={"team": Team(), "consultation": Consultation()})
        return inner.ask(replace(facts, form=form, read=read, memo={}))

    return Guard(inner.rule, inner.name, ask)


INTAKE = tuple(GUARDS[rule] for rule in ("I-01", "I-02", "I-03", "I-04", "I-05", "I-06", "I-07"))
ADVICE = tuple(GUARDS[rule] for rule in ("D-01", "D-02", "D-03", "D-04", "D-05", "D-06", "D-08", "D-09"))
# What stops the municipality's own submission, and what it is told then.
SCREEN = tuple(of_the_request(asked) for asked in (procedure.complete, *INTAKE, GUARDS["D-07"]))
TOLD = tuple(of_the_request(asked) for asked in ADVICE)
DRAFTED = tuple(GUARDS[rule] for rule in ("D-01", "D-02", "D-05", "D-06", "D-08", "D-09"))
DECIDED = tuple(GUARDS[rule] for rule in ("D-03", "D-04", "D-10"))

REASON = Input("reason", "理由(市町村にも見えます)", hint="相手に伝わる言い方で書きます")
INSIDE = Input("internal_reason", "理由(局内だけに残ります)", internal=True, hint="市町村には見えません")
