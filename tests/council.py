"""A body with its sessions, led along by real acts: what tests of several kinds need of it."""

from typing import Any
from uuid import uuid4

from tests import factory
from workflow import cases
from workflow.loading import load

OTHER = "014583"  # 東川町
BODY: dict[str, Any] = {
    "body": {"name": "上川地域づくり連携会議", "kind": "region", "municipalities": f"{factory.MUNICIPALITY} {OTHER}", "charter": "設置要綱 令和8年4月1日改正"},
    "members": {"items": [
        {"organisation": "上川総合振興局", "post": "局長", "member": "川上（仮名）", "chair": True},
        {"organisation": "美瑛町", "post": "町長", "member": "丘（仮名）"},
        {"organisation": "前の団体", "post": "代表", "member": "任期切れ（仮名）", "since": "2020-04-01", "until": "2021-03-31"},
    ]},
}  # fmt: skip
AGENDA: dict[str, Any] = {"items": [{"no": "1", "title": "重点プロジェクトの進み具合", "kind": "report", "presenter": "事務局"}, {"no": "2", "title": "人事に関すること", "kind": "discussion", "closed": True}]}  # fmt: skip


def act(conn: Any, person: int, case: int, action: str, form: Any = None, **inputs: Any) -> Any:
    version = load(conn, case, person).row.version
    return cases.act(conn, person, case, action, version=version, key=uuid4(), inputs=inputs, form=form or {})


def children(conn: Any, case: int) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = conn.execute(
        "SELECT id, process FROM cases WHERE parent_id = %s ORDER BY id", (case,)
    ).fetchall()
    return found


def body(conn: Any, who: Any, municipalities: str = "") -> int:
    form = BODY | {"body": BODY["body"] | ({"municipalities": municipalities} if municipalities else {})}
    case: int = cases.open_case(conn, who.bureau, "council_body", "office", form)
    act(conn, who.bureau, case, "found")
    return case


def called(conn: Any, who: Any, body: int, way: str = "face") -> int:
    """A session, just called."""
    act(conn, who.bureau, body, "call_session", format=way)
    return children(conn, body)[-1][0]


def convened(conn: Any, who: Any, session: int, *, days: int = 40, **meeting: str) -> None:
    held_on = factory.first_day(conn, after=days).isoformat()
    form = load(conn, session, who.bureau).row.form
    told = {**form["meeting"], "held_on": held_on, "place": "上川合同庁舎", **meeting}
    materials = {"items": [{"no": "資料1-1", "title": "進み具合", "owner": "事務局", "came": True}]}
    act(conn, who.bureau, session, "arrange", {"meeting": told, "agenda": AGENDA, "materials": materials})
    act(conn, who.bureau, session, "ask_convening")
    act(conn, who.director, session, "convene")


def held(conn: Any, who: Any, session: int, follow: list[dict[str, Any]]) -> None:
    convened(conn, who, session)
    rows = load(conn, session, who.bureau).row.form["attendance"]["items"]
    there = {"items": [{**row, "attended": True, "answer": "attend"} for row in rows]}
    act(conn, who.bureau, session, "hold", {"attendance": there, "follow": {"items": follow}})
