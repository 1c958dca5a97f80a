"""A condition of headquarters (条件): a case under the one it was set for, which waits until it is met or waived.

Its origin is who has to meet it. Everybody who waits for it reads it; what it stops is asked by the process of its parent.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from states.dates import read_date
from states.kernel import Process
from states.terms import CLOCK, CONFIRM, Action, Ask, Brief, Deadline, Facts, Input, Promise, State

OWNERS = ("municipality", "bureau", "headquarters")
MUNICIPALITY, BUREAU, HEADQUARTERS = (frozenset({role}) for role in OWNERS)
TITLE = 40  # characters


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Condition(_Part):
    """What is asked for, of whom, by which day (ISO), and which step of the parent waits for it."""

    text: str = ""
    owner: str = ""
    due: str = ""
    stops: str = ""


class Evidence(_Part):
    """What its owner shows for it; papers stand beside it as files."""

    text: str = ""
    on: str = ""
    by: str = ""


class Waiver(_Part):
    """Why headquarters does without it."""

    reason: str = ""
    on: str = ""
    by: str = ""


class Form(_Part):
    """The whole form."""

    condition: Condition = Field(default_factory=Condition)
    evidence: Evidence = Field(default_factory=Evidence)
    waiver: Waiver = Field(default_factory=Waiver)


def read(form: Mapping[str, Any]) -> Form:
    """The stored groups as an object, an erased one as if it were empty; raises pydantic's ValidationError."""
    return Form.model_validate({group: part for group, part in form.items() if set(part) != {"erased"}})


def title(form: Mapping[str, Any]) -> str:
    text = " ".join(str((form.get("condition") or {}).get("text") or "").split())
    return f"条件: {text if len(text) <= TITLE else text[:TITLE] + '…'}" if text else "(条件)"


def _owner(facts: Facts) -> str:
    """Who has to meet it; the case knows it even when its text was erased."""
    return str(facts.registers.get("origin") or facts.read.condition.owner or "headquarters")


def owned_by(owner: str) -> Any:
    return lambda facts: _owner(facts) == owner


def _due(owner: str) -> Any:
    def due(facts: Facts) -> date | None:
        written = facts.read.condition.due
        return read_date(written).date if written and _owner(facts) == owner else None

    return due


def _signed(group: str) -> Any:
    return lambda facts: {group: {"on": facts.today.isoformat(), "by": facts.actor}}


STATES = (
    State("condition_new", "条件の設定", "受付・検討", "headquarters"),
    State("condition_open", "条件の対応待ち", "受付・検討", "municipality", "条件を満たしたことを示す"),
    State("condition_shown", "条件の確認待ち", "受付・検討", "headquarters", "条件が満たされたか確認する"),
    State("condition_met", "条件を満たした", "受付・検討", final=True, outcome="満たした"),
    State("condition_waived", "条件を免除", "受付・検討", final=True, outcome="免除した"),
    State("condition_lapsed", "条件の失効", "受付・検討", final=True, outcome="もとの案件とともに終わった"),
)

ACTIONS = (
    Action(
        "set", ("condition_new",), "condition_open", "条件をつける", HEADQUARTERS, "担当に伝わり、期限が動きます",
        tells=MUNICIPALITY | BUREAU,
    ),
    # A municipality may answer on paper or by telephone: the bureau enters it.
    *(
        Action(
            "show_evidence", ("condition_open",), "condition_shown", "満たしたことを示す", by, "本庁が確認します", when=owned_by(owner),
            asks=(Input("evidence", "何によって満たしたか", hint="書類は添付ファイルに入れます", into="evidence.text"),),
            record=_signed("evidence"), tells=HEADQUARTERS, main=True,
        )
        for owner, by in (("municipality", MUNICIPALITY | BUREAU), ("bureau", BUREAU), ("headquarters", HEADQUARTERS))
    ),
    Action(
        "confirm", ("condition_shown",), "condition_met", "満たされたと確認する", HEADQUARTERS, "この条件で止めていた段階に進めるようになります",
        tells=MUNICIPALITY | BUREAU, main=True, bulk=True,
    ),
    Action(
        "return_evidence", ("condition_shown",), "condition_open", "まだ満たされていないと返す", HEADQUARTERS, "担当に戻ります",
        asks=(Input("reason", "足りないこと"),), tells=MUNICIPALITY | BUREAU,
    ),
    Action(
        "waive", ("condition_open", "condition_shown"), "condition_waived", "条件を免除する", HEADQUARTERS, "この条件がなくても進めるようになります",
        asks=(Input("reason", "免除する理由", into="waiver.reason"),), record=_signed("waiver"), tells=MUNICIPALITY | BUREAU, stops=True,
    ),
    Action(
        "lapse", ("condition_open", "condition_shown"), "condition_lapsed", "条件を失効させる", frozenset({CLOCK}),
        "もとの案件が終わったので、条件も終わります",
    ),
)  # fmt: skip

DEADLINES = (
    *(Deadline(f"due_{owner}", "条件の期限", owner, frozenset({"condition_open"}), at=_due(owner)) for owner in OWNERS),
    Deadline("confirm", "確認の期限", "headquarters", frozenset({"condition_shown"}), 5),
)


def asks(facts: Facts) -> Sequence[Ask] | None:
    """Its owner's turn while it is open; headquarters confirms what was shown."""
    if facts.state == "condition_shown":
        return [Ask("headquarters", "条件が満たされたか確認する", "confirm", kind=CONFIRM)]
    if facts.state != "condition_open":
        return None
    owner = _owner(facts)
    return [Ask(owner, "条件を満たしたことを示す", f"due_{owner}")]


def _promised(read: Form, state: str) -> Sequence[Promise]:
    """What its owner has to do by its day."""
    told, ended = read.condition, state in ("condition_waived", "condition_lapsed")
    day = read_date(told.due).date if told.due else None
    return [Promise(told.text, told.owner, day, kept=state == "condition_met", dropped=ended)] if told.text else ()


PROCESS = Process(
    key="condition",
    version=1,
    label="本庁の条件",
    states=STATES,
    table=ACTIONS,
    read=read,
    title=title,
    deadlines=DEADLINES,
    asks=asks,
    needs=frozenset({"parent"}),
    holders={(owner, "condition_open"): owner for owner in OWNERS},
    lapses="lapse",
    brief=Brief(promises=_promised),
)
