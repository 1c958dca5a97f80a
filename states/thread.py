"""The thread (経緯): how cases belong to one another, and the reserved field group by which a draft knows where it came from.

A tie is read from the case that it stands on: `origin` says that this one came of the other. Where the case came from is no
part of what is asked for, so no process reads the group.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

GROUP = "thread"
ORIGIN, DERIVED, SUCCESSOR, MERGED, DUPLICATE, QUOTED, TAKEN_UP = (
    "origin", "derived", "successor", "merged", "duplicate", "quoted", "taken_up",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tie:
    """A kind of tie: what the other case is to this one, what this one is to the other, and which of them came first.

    `way` is "up" where the other case came first, "down" where it came of this one, "beside" where neither did.
    """

    kind: str
    label: str
    back: str
    way: str
    by_hand: bool = False  # whether a person may tie cases so, or only an act of a process


TIES: Mapping[str, Tie] = {
    tie.kind: tie
    for tie in (
        Tie(ORIGIN, "もとになった案件", "ここから起こした案件", "up", by_hand=True),
        Tie(DERIVED, "ここから起こした案件", "もとになった案件", "down", by_hand=True),
        Tie(SUCCESSOR, "続きのもとの案件", "続きの案件", "up", by_hand=True),
        Tie(QUOTED, "引き合いに出した案件", "引き合いに出された案件", "beside", by_hand=True),
        Tie(TAKEN_UP, "取り上げた会議", "ここで取り上げた案件", "down"),
        Tie(MERGED, "まとめた先の案件", "ここにまとめた案件", "beside"),
        Tie(DUPLICATE, "同じ内容で先に届いた案件", "同じ内容で重ねて届いた案件", "beside"),
    )
}
BY_HAND = tuple((tie.kind, tie.label) for tie in TIES.values() if tie.by_hand)


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where a case came from: the id of the other case, the kind of tie, and why."""

    case: int
    kind: str
    why: str


def begun(case: int, why: str, kind: str = ORIGIN) -> dict[str, Any]:
    """The field group of a draft that came of that case."""
    return {"from": case, "kind": kind, "why": why}


def of(form: Mapping[str, Any]) -> Beginning | None:
    """Where the case came from; None where it began by itself, or where that was erased."""
    told = form.get(GROUP)
    if not isinstance(told, Mapping) or not isinstance(told.get("from"), int):
        return None
    return Beginning(told["from"], str(told.get("kind") or ORIGIN), str(told.get("why") or ""))
