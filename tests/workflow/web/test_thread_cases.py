"""DR-009 reached from RT-003 and DR-011 from CC-004 through the pages: a voice becomes a dispatch that knows where it came from.

The records' work, people and lengths are kept; their days lie years later, when people hold their posts.
"""

import json
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests import factory
from tests.workflow.web.test_thread import Browser
from workflow import cases
from workflow.db import database
from workflow.loading import load

RECORDS = {
    record["id"]: record["input"]
    for record in json.loads((Path(__file__).parents[2] / "data" / "dispatch_requests.json").read_text())["cases"]
}
VOICE = "島のガイドの担い手が足りない"


@pytest.fixture
def conn(web):
    with database().connection() as connection:
        yield connection


@pytest.fixture
def who(at, conn):
    at(date(2026, 8, 3))
    return factory.cast(conn, "hk-rumoi", "014842")


def act(conn: Any, person: int, case: int, action: str, form: Any = None, **inputs: Any) -> Any:
    version = load(conn, case, person).row.version
    return cases.act(conn, person, case, action, version=version, key=uuid4(), inputs=inputs, form=form or {})


@pytest.fixture
def opinion(conn, who):
    """The table of Haboro, held and reported, with the voice about the guides."""
    side = {"items": [{"role": "局長", "rank": "director"}]}
    region = {"items": [{"role": "島の事業者", "kind": "key_person"}]}
    plan = {
        "plan": {
            "name": "天売・焼尻ラウンドテーブルミーティング", "municipalities": who.place, "theme": "島の受入環境", "form": "table",
            "held_on": cases.today(conn).isoformat(), "place": "羽幌町内の公共施設", "place_kind": "public_facility", "election": "none",
        },
        "office_side": side, "region_side": region,
    }  # fmt: skip
    table = cases.open_case(conn, who.bureau, "round_table", "office", plan)
    act(conn, who.bureau, table, "plan")
    act(conn, who.bureau, table, "ask_decision")
    act(conn, who.director, table, "approve")
    act(conn, who.bureau, table, "invite")
    there = {
        name: {"items": [row | {"attended": True} for row in group["items"]]}
        for name, group in (("office_side", side), ("region_side", region))
    }
    notes = {"items": [{"kind": "issue", "summary": VOICE, "speaker_class": "観光の事業者"}]}
    act(conn, who.bureau, table, "hold", there | {"notes": notes})
    act(conn, who.bureau, table, "ask_report", {"report": {"summary": "担い手の話が出た。", "masked": True}})
    act(conn, who.director, table, "confirm_report")
    (found,) = conn.execute("SELECT id FROM cases WHERE parent_id = %s AND process = 'opinion'", (table,)).fetchone()
    handling = {"way": "dispatch", "due": "2026-08-20"}
    act(conn, who.bureau, found, "handle", {"handling": handling})
    return found


def written(conn: Any, who: factory.Cast, draft: int) -> None:
    """What people write into the draft: the work, days and team of DR-009."""
    told = RECORDS["DR-009"]
    view = cases.look(conn, who.bureau, draft)
    tasks = [{"text": text, "role": role} for text, role in zip(told["tasks"], told["task_roles"], strict=True)]
    request = view.form["request"] | {
        "title": told["title"], "purpose": told["purpose"], "tasks": tasks, "period": {"from": "2026-08-24", "to": "2026-09-04"},
        "own_affairs": "no", "concurrent_appointment": "not_needed", "instruction": {"given_on": "2026-08-03", "text": "島で調べること。"},
    }  # fmt: skip
    days = ("2026-08-24〜2026-08-30", "2026-08-26〜2026-08-28")
    members = [
        {"person": person, "name": "派遣（仮名）", "role": one["role"], "section": one["section"], "leader": number == 0,
         "headcount": 1, "days": days[number], "consent": "課長 了承"}
        for number, (person, one) in enumerate(zip((who.staff, who.staff_colleague), told["staff"], strict=True))
    ]  # fmt: skip
    cases.save(conn, who.bureau, draft, {"request": request, "team": {"members": members}}, view.saves)


def test_a_dispatch_is_reached_from_a_round_table_and_its_end_is_heard_there(conn, who, opinion, web):
    bureau = Browser(web, conn, who.bureau)
    assert "飛び出し隊を編成する" in bureau.get(f"/cases/{opinion}")
    there = bureau.send(f"/cases/{opinion}/derive/team", {"why-team": "島に渡らないと分からないため。"}).headers[
        "location"
    ]
    page = bureau.get(there)
    assert "から起こした下書きです" in page
    assert VOICE in page
    draft = int(there.split("/")[2])
    written(conn, who, draft)
    sent = {"version": "0", "key": str(uuid4()), "input.note": "離島の調査である。"}
    bureau.send(f"/cases/{draft}/actions/put_to_director", sent)
    dispatch = cases.look(conn, who.director, draft)
    assert (dispatch.state.name, dispatch.read.request.ground) == ("director_judgement", "director.round_table")
    number = load(conn, opinion, who.bureau).row.number
    assert number in dispatch.read.request.source
    assert not [v for offer in dispatch.offers for v in offer.verdicts if v.level == "warn" and v.rule == "D-08"]
    director = Browser(web, conn, who.director)
    for case in (opinion, draft):
        page = director.get(f"/cases/{case}/thread")
        for said in (
            "天売・焼尻ラウンドテーブルミーティング",
            VOICE,
            RECORDS["DR-009"]["title"],
            "島に渡らないと分からないため。",
        ):
            assert said in page, said
    # The town was told of neither yet.
    town = Browser(web, conn, who.municipality)
    for case in (opinion, draft):
        town.get(f"/cases/{case}/thread", 404)
    assert VOICE not in town.get(f"/municipalities/{who.place}")
    karte = director.get(f"/municipalities/{who.place}")
    assert VOICE in karte
    assert "飛び出し隊 派遣" in karte
    # It ends, and the opinion hears how.
    version = load(conn, opinion, who.bureau).row.version
    declined = {"reason": "町が自ら行うこととなった。", "internal_reason": "町の体制ができた。"}
    act(conn, who.director, draft, "decline", **declined)
    assert load(conn, opinion, who.bureau).row.version == version + 1
    assert "飛び出し隊 派遣が「派遣しなかった」で終わりました" in bureau.get(f"/cases/{opinion}")


def test_a_dispatch_is_reached_from_a_consultation(at, conn, web):
    """DR-011 from CC-004: the town's question about settling, led to the director's own dispatch."""
    at(date(2026, 4, 20))
    who = factory.cast(conn, "hk-hiyama", "013633")
    told = RECORDS["DR-011"]
    body = "相談を受ける流れと空き家の情報を整えたい。"
    form = {"matter": {"subject": "移住の相談を受ける体制", "body": body, "municipality_name": "厚沢部町"}}
    made = cases.open_case(conn, who.bureau, "consultation", "desk", form)
    act(conn, who.bureau, made, "receive")
    act(conn, who.bureau, made, "take")
    act(conn, who.bureau, made, "dispose", kind="dispatch_candidate", reason="職員が行って助言する。")
    bureau = Browser(web, conn, who.bureau)
    assert "この相談から派遣を編成する" in bureau.get(f"/cases/{made}")
    there = bureau.send(f"/cases/{made}/derive/dispatch", {"why-dispatch": "町に体制がないため。"}).headers["location"]
    draft = int(there.split("/")[2])
    assert "移住の相談を受ける体制" in bureau.get(there)
    view = cases.look(conn, who.bureau, draft)
    assert view.read.request.destination.municipality_code == told["destination"]["municipality_code"]
    assert (view.read.request.ground, view.origin) == ("director.consultation", "director")
    tasks = [{"text": text, "role": role} for text, role in zip(told["tasks"], told["task_roles"], strict=True)]
    request = view.form["request"] | {
        "title": told["title"], "purpose": told["purpose"], "tasks": tasks, "period": {"from": "2026-05-07", "to": "2026-06-05"},
        "own_affairs": "no", "concurrent_appointment": "not_needed", "instruction": {"given_on": "2026-04-20", "text": "町で助言すること。"},
    }  # fmt: skip
    member = {"person": who.staff, "name": "派遣（仮名）", "role": "主任A", "section": "地域政策課", "leader": True, "headcount": 1,
              "days": "2026-05-07〜2026-05-08、2026-06-04〜2026-06-05", "consent": "課長 了承"}  # fmt: skip
    cases.save(conn, who.bureau, draft, {"request": request, "team": {"members": [member]}}, view.saves)
    bureau.send(
        f"/cases/{draft}/actions/put_to_director", {"version": "0", "key": str(uuid4()), "input.note": "助言である。"}
    )
    page = Browser(web, conn, who.director).get(f"/cases/{draft}")
    for said in ("経緯", "移住の相談を受ける体制", "町に体制がないため。", told["title"]):
        assert said in page, said
    assert [one["id"] for one in load(conn, made, who.bureau).facts.registers["derived"]] == [draft]
