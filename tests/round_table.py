"""A round table led along by real acts: what tests of several kinds need of it."""

from typing import Any
from uuid import uuid4

from tests import factory
from workflow import cases
from workflow.loading import load

PLAN: dict[str, Any] = {
    "plan": {
        "name": "びえいラウンドテーブルミーティング", "municipalities": factory.MUNICIPALITY, "theme": "農道と観光", "form": "table",
        "held_on": "", "place": "美瑛町内の公共施設", "place_kind": "public_facility", "election": "none",
    },
    "office_side": {"items": [{"role": "局長", "rank": "director"}]},
    "region_side": {"items": [{"role": "農業者A", "kind": "key_person"}]},
    "people": {"items": [{"role": "農業者A", "name": "丘上太郎（仮名）", "affiliation": "丘の会"}]},
}  # fmt: skip
NOTES = [
    {
        "kind": "issue",
        "summary": "農道に車が停まる",
        "speaker": "丘上太郎（仮名）",
        "speaker_class": "農業者",
        "verbatim": "いやあ困る",
    },
    {"kind": "chance", "summary": "案内をしたい", "speaker": "丘上太郎（仮名）", "answer": "講習の日程をお伝えした"},
    {"kind": "request", "summary": "補助の要件を緩めてほしい", "speaker_class": "農業者"},
]


def act(conn: Any, person: int, case: int, action: str, form: Any = None, **inputs: Any) -> Any:
    version = load(conn, case, person).row.version
    return cases.act(conn, person, case, action, version=version, key=uuid4(), inputs=inputs, form=form or {})


def planned(conn: Any, who: Any, plan: dict[str, Any] = PLAN) -> int:
    """Planned for today."""
    told = plan | {"plan": plan["plan"] | {"held_on": cases.today(conn).isoformat()}}
    case: int = cases.open_case(conn, who.bureau, "round_table", "office", told)
    act(conn, who.bureau, case, "plan")
    return case


def invited(conn: Any, who: Any, plan: dict[str, Any] = PLAN) -> int:
    """Decided, and everybody is invited."""
    case = planned(conn, who, plan)
    act(conn, who.bureau, case, "ask_decision")
    act(conn, who.director, case, "approve")
    act(conn, who.bureau, case, "invite")
    return case


def hold(conn: Any, who: Any, case: int, notes: list[dict[str, Any]]) -> None:
    """Everybody came, and these opinions were said."""
    form = load(conn, case, who.bureau).row.form
    there = {
        side: {"items": [row | {"attended": True} for row in form[side]["items"]]}
        for side in ("office_side", "region_side")
    }
    act(conn, who.bureau, case, "hold", there | {"notes": {"items": notes}})


def report(conn: Any, who: Any, case: int, **more: Any) -> None:
    """Reported and confirmed: every opinion is open, and one follow-up went to headquarters."""
    follow = {"items": [{"action": "国の制度を確かめる", "owner": "本庁", "headquarters": True}]}
    told = {"report": {"summary": "農道と観光について意見があった。", "masked": True}, "follow": follow}
    act(conn, who.bureau, case, "ask_report", told | more)
    act(conn, who.director, case, "confirm_report")


def reported(conn: Any, who: Any) -> int:
    """A meeting whose report stands."""
    case = invited(conn, who)
    hold(conn, who, case, NOTES)
    report(conn, who, case)
    return case
