"""Consultations and published answers, led along by real acts: what tests of several kinds need of the desk."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from workflow import cases
from workflow.loading import load


def act(conn: Any, person: int, case: int, action: str, form: Any = None, **inputs: Any) -> Any:
    version = load(conn, case, person).row.version
    return cases.act(conn, person, case, action, version=version, key=uuid4(), inputs=inputs, form=form or {})


def received(conn: Any, who: Any, subject: str = "空き家の活用", **receipt: Any) -> int:
    form = {
        "matter": {"subject": subject, "body": "相談したい。", "municipality_name": "美瑛町"},
        "receipt": {"channel": "phone", "asker": "municipality", **receipt},
        "asker": {"name": "丘野（仮名）"},
    }
    case: int = cases.open_case(conn, who.bureau, "consultation", "desk", form)
    act(conn, who.bureau, case, "receive")
    return case


def answered(conn: Any, who: Any, case: int, kind: str = "answer", text: str = "お答えします。") -> None:
    """Taken by the desk, disposed of and answered."""
    act(conn, who.bureau, case, "take")
    act(conn, who.bureau, case, "dispose", kind=kind, reason="相談員の判断")
    act(conn, who.bureau, case, "answer", {"answer": {"text": text}})


def candidate(conn: Any, who: Any, question: str, text: str, **receipt: Any) -> int:
    """A question that was answered and may be made one for all."""
    case = received(conn, who, question, **receipt)
    answered(conn, who, case, text=text)
    act(conn, who.bureau, case, "make_answer")
    (made,) = conn.execute("SELECT id FROM cases WHERE parent_id = %s ORDER BY id DESC", (case,)).fetchone()
    return int(made)


def published(conn: Any, who: Any, question: str, text: str, days: int = 200, **receipt: Any) -> int:
    """The same, published until so many days from now."""
    made, today = candidate(conn, who, question, text, **receipt), cases.today(conn)
    form = load(conn, made, who.bureau).row.form["answer"]
    told = form | {"valid_until": (today + timedelta(days=days)).isoformat(), "anonymous": True}
    act(conn, who.bureau, made, "consent", {"answer": told}, how="電話で", on=today.isoformat())
    act(conn, who.director, made, "publish_answer")
    return made


def opinion(conn: Any, who: Any, way: str, summary: str, answer: str = "", speaker: str = "丘上太郎（仮名）") -> int:
    """An opinion that was heard at a round table and is handled that way."""
    today = cases.today(conn)
    plan = {
        "name": "びえいラウンドテーブルミーティング", "municipalities": who.place, "theme": "農道と観光", "form": "table", "held_on": today.isoformat(),
        "place": "美瑛町内の公共施設", "place_kind": "public_facility", "election": "none",
    }  # fmt: skip
    sides = {
        "office_side": {"items": [{"role": "局長", "rank": "director"}]},
        "region_side": {"items": [{"role": "農業者A", "kind": "key_person"}]},
    }
    table = cases.open_case(conn, who.bureau, "round_table", "office", {"plan": plan, **sides})
    for person, action in (
        (who.bureau, "plan"),
        (who.bureau, "ask_decision"),
        (who.director, "approve"),
        (who.bureau, "invite"),
    ):
        act(conn, person, table, action)
    there = {name: {"items": [row | {"attended": True} for row in side["items"]]} for name, side in sides.items()}
    note = {
        "kind": "issue",
        "summary": summary,
        "speaker": speaker,
        "speaker_class": "農業者",
        "answer": answer,
        "field": "tourism",
    }
    act(conn, who.bureau, table, "hold", there | {"notes": {"items": [note]}})
    act(conn, who.bureau, table, "ask_report", {"report": {"summary": "意見が出た。", "masked": True}})
    act(conn, who.director, table, "confirm_report")
    (made,) = conn.execute("SELECT id FROM cases WHERE parent_id = %s AND process = 'opinion'", (table,)).fetchone()
    voice = load(conn, made, who.bureau).row.form["voice"] | {"municipality": who.place}
    due = (today + timedelta(days=20)).isoformat()
    act(conn, who.bureau, made, "handle", {"voice": voice, "handling": {"way": way, "due": due}})
    return int(made)
