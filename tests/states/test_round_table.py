"""A round table, its opinions and headquarters' coordination as tables and rules alone."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from states import catalogue, opinion
from states.calendar import Calendar
from states.kernel import Refused
from states.places import Directory
from states.round_table import masking
from states.round_table.form import FORM as FORM_OF_TABLE
from states.round_table.form import WAYS
from states.terms import Facts, Level

TODAY = date(2026, 10, 5)
TABLE, OPINION, COORDINATION = (catalogue.process(key) for key in ("round_table", "opinion", "coordination"))
PLAN = {"name": "びえいラウンドテーブルミーティング", "municipalities": "014591", "theme": "農道", "form": "table", "held_on": "2026-11-10", "place": "公民館", "place_kind": "public_facility", "election": "none"}  # fmt: skip
FORM: Mapping[str, Any] = {
    "plan": PLAN,
    "office_side": {"items": [{"role": "副局長", "rank": "deputy"}]},
    "region_side": {"items": [{"role": "農業者A", "kind": "key_person"}]},
}


def facts(process: Any, state: str, role: str, form: Mapping[str, Any], inputs: Any = None, **registers: Any) -> Facts:
    return Facts(
        state, form, process.reading(form), TODAY, Directory.from_csv(), Calendar(), frozenset({role}), "7", inputs or {}, registers=registers,
    )  # fmt: skip


def changed(group: str, **values: Any) -> Mapping[str, Any]:
    return {**FORM, group: {**FORM.get(group, {}), **values}}


def test_a_plan_by_the_rules_goes_to_the_director_without_a_word():
    asked = facts(TABLE, "table_planned", "bureau", FORM)
    move = TABLE.decide(asked, "ask_decision")
    assert move.dest == "table_deciding"
    assert {v.level for v in move.verdicts} == {Level.PASS}
    assert {v.rule for v in move.verdicts if v.rule} >= {"R-01", "R-02", "R-03", "R-04", "R-05", "R-06"}


@pytest.mark.parametrize(
    ("form", "rule"),
    [
        (changed("region_side", items=[{"role": "係員", "kind": "staff"}]), "R-02"),
        (changed("plan", form="other"), "R-03"),
        (changed("plan", place_kind="other"), "R-04"),
        (changed("plan", municipalities="014591 012041"), None),
        (changed("plan", municipalities="014591 016365"), "R-05"),
        (changed("plan", name="びえい座談会"), "R-06"),
        (changed("plan", name="ラウンドテーブルミーティング"), "R-06"),
    ],
)
def test_what_differs_from_the_rule_needs_a_reason(form, rule):
    asked = facts(TABLE, "table_planned", "bureau", form)
    if rule is None:
        assert TABLE.decide(asked, "ask_decision").dest == "table_deciding"
        return
    with pytest.raises(Refused, match=rule):
        TABLE.decide(asked, "ask_decision")
    reasoned = facts(TABLE, "table_planned", "bureau", form, {"reasons": {rule: "町の希望による。"}})
    assert TABLE.decide(reasoned, "ask_decision").dest == "table_deciding"


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        (changed("office_side", items=[{"role": "課長", "rank": "manager"}]), "振興局長、副局長"),
        (changed("region_side", items=[]), "地域側"),
        (changed("plan", held_on="2026-02-30"), "2026-02-30"),
        (changed("plan", municipalities="014599"), "検査数字"),
        ({**FORM, "plan": {**PLAN, "from": "15:00", "to": "13:00"}}, "終わりの時刻"),
    ],
)
def test_what_cannot_stand_goes_back(form, sentence):
    with pytest.raises(Refused, match=sentence):
        TABLE.decide(facts(TABLE, "table_planned", "bureau", form), "ask_decision")


@pytest.mark.parametrize(("held_on", "name"), [("2026-11-03", "文化の日"), ("2026-11-08", "閉庁日")])
def test_a_closed_day_is_said_and_stops_nothing(held_on, name):
    move = TABLE.decide(facts(TABLE, "table_planned", "bureau", changed("plan", held_on=held_on)), "ask_decision")
    assert any(name in v.sentence for v in move.verdicts if v.level is Level.WARN)


def test_an_election_is_said():
    move = TABLE.decide(facts(TABLE, "table_planned", "bureau", changed("plan", election="near")), "ask_decision")
    assert any("選挙" in v.sentence for v in move.verdicts if v.level is Level.WARN)


def test_who_was_there_decides_whether_it_was_held():
    there = {**FORM, "plan": {**PLAN, "held_on": "2026-10-05"}}
    with pytest.raises(Refused, match="道側"):
        TABLE.decide(facts(TABLE, "table_invited", "bureau", there), "hold")
    both = {
        side: {"items": [{**row, "attended": True} for row in FORM[side]["items"]]}
        for side in ("office_side", "region_side")
    }
    assert TABLE.decide(facts(TABLE, "table_invited", "bureau", {**there, **both}), "hold").dest == "table_held"


@pytest.mark.parametrize(("by_name", "goes"), [(True, True), (False, False)])
def test_a_name_stands_in_the_report_only_with_consent(by_name, goes):
    form = {
        **FORM, "people": {"items": [{"role": "農業者A", "name": "丘上太郎", "by_name": by_name}]},
        "report": {"summary": "丘上 太郎さんから意見があった。", "masked": True},
    }  # fmt: skip
    asked = facts(TABLE, "table_held", "bureau", form)
    if goes:
        assert TABLE.decide(asked, "ask_report").dest == "table_reporting"
    else:
        with pytest.raises(Refused, match="農業者A"):
            TABLE.decide(asked, "ask_report")


NAMED = {"role": "農業者A", "name": "丘上 太郎（仮名）", "kana": "おかうえ たろう"}
READ_OUTSIDE = [
    path
    for path, known in FORM_OF_TABLE.fields_by_path.items()
    if known.kind in ("text", "long")
    and any(TABLE.reads(f"form:{path.partition('.')[0]}", frozenset({"partner"}), s.name) for s in TABLE.states)
]


def at(path: str, text: str) -> Mapping[str, Any]:
    group, *steps = path.split(".")
    part: Mapping[str, Any] = {steps[0]: [{steps[2]: text}]} if len(steps) > 1 else {steps[0]: text}
    return {**FORM, "people": {"items": [NAMED]}, group: {**FORM.get(group, {}), **part}}


@pytest.mark.parametrize(
    "path", [*READ_OUTSIDE, "notes.items.#.summary", "notes.items.#.speaker_class", "notes.items.#.answer", "follow.items.#.action"]
)  # fmt: skip
def test_nobody_is_named_in_any_text_that_leaves_the_bureau(path):
    for text in ("丘上太郎が話した。", "丘上 太郎（仮名）", "丘上さんの畑", "オカウエタロウ様"):
        found = list(masking.nobody_is_named.ask(facts(TABLE, "table_held", "bureau", at(path, text))))
        assert [v.refuses for v in found] == [True], (path, text)
        assert "農業者A" in found[0].sentence
    clean = facts(TABLE, "table_held", "bureau", at(path, "丘の上で話した。"))
    assert not list(masking.nobody_is_named.ask(clean))


def test_what_the_list_keeps_to_the_bureau_may_name_people():
    form = {**FORM, "people": {"items": [NAMED]}, "notes": {"items": [{"speaker": "丘上太郎", "verbatim": "丘上だ"}]}}
    assert not list(masking.nobody_is_named.ask(facts(TABLE, "table_held", "bureau", form)))
    agreed = {**at("report.summary", "丘上太郎さん"), "people": {"items": [{**NAMED, "by_name": True}]}}
    assert not list(masking.nobody_is_named.ask(facts(TABLE, "table_held", "bureau", agreed)))


@pytest.mark.parametrize("action", ["plan", "arrange", "ask_decision", "invite", "postpone", "cancel_table", "request_help", "hold", "list_photos", "ask_report", "confirm_report", "add_opinion", "tell_region"])  # fmt: skip
def test_every_act_that_lets_words_out_looks_for_names(action):
    rows = [row for row in TABLE.table if row.name == action]
    assert rows
    assert all(masking.nobody_is_named in row.guards for row in rows)


def test_a_reason_that_goes_to_the_guests_names_nobody():
    asked = facts(
        TABLE, "table_approved", "bureau", at("plan.note", ""), {"cause": "guests", "reason": "丘上さんの都合"}
    )
    with pytest.raises(Refused, match="農業者A"):
        TABLE.decide(asked, "postpone")


@pytest.mark.parametrize("group", ["voice.summary", "asking.text", "inside.text"])
def test_an_opinion_names_nobody_of_its_meeting(group):
    name, key = group.split(".")
    form = {"voice": {"summary": "農道"}, "handling": {"way": "bureau", "due": "2026-11-30"}}
    named = {**form, name: {**form.get(name, {}), key: "丘上さんが困っている"}}
    meeting = {"parent": {"form": {"people": {"items": [NAMED]}}}}
    with pytest.raises(Refused, match="農業者A"):
        OPINION.decide(facts(OPINION, "opinion_open", "bureau", named, **meeting), "handle")
    assert OPINION.decide(facts(OPINION, "opinion_open", "bureau", form, **meeting), "handle").dest == "opinion_bureau"
    spoken = {**named, name: {key: "川辺さんが困っている"}, "speaker": {"name": "川辺 花子"}}
    with pytest.raises(Refused, match="発言した人"):
        OPINION.decide(facts(OPINION, "opinion_open", "bureau", spoken), "handle")


@pytest.mark.parametrize(
    ("who", "agreed", "goes"),
    [("なし", False, True), ("副局長", False, True), ("農業者A", True, True), ("農業者A", False, False), ("農業者A、だれか", True, False), ("", True, False)],
)  # fmt: skip
def test_a_photo_goes_out_with_the_consent_of_everybody_on_it(who, agreed, goes):
    photos = [{"file": "丘.jpg", "who": who, "public": True}, {"file": "内輪.jpg", "who": "だれか"}]
    form = {**FORM, "people": {"items": [{**NAMED, "photo": agreed}]}, "photos": {"items": photos}}
    refused = list(masking.photos_have_consent.ask(facts(TABLE, "table_held", "bureau", form)))
    assert (not refused) == goes
    read = TABLE.reading(form)
    assert (not masking.accepts(read, "丘.jpg", "", "image/jpeg")) == goes
    assert masking.accepts(read, "内輪.jpg", "", "image/jpeg")
    assert not masking.accepts(read, "次第.pdf", "", "application/pdf")


def handled(way: str, **more: Any) -> Facts:
    form = {"voice": {"kind": "issue", "summary": "農道に車が停まる", "answer": "伝えた"}, "handling": {"way": way, "due": "2026-11-30", "municipality": "014591", **more}, "asking": {"text": "緩和", "why": "国の制度"}}  # fmt: skip
    return facts(OPINION, "opinion_open", "bureau", form)


@pytest.mark.parametrize("way", [key for key, _ in WAYS])
def test_each_handling_leads_where_it_says(way):
    move = OPINION.decide(handled(way), "handle")
    assert move.dest == opinion.DEST[way]
    opened = move.action.opens(handled(way)) if move.action.opens else []
    assert [child.process for child in opened] == (["coordination"] if way == "headquarters" else [])
    for child in opened:
        assert "speaker" not in child.form


@pytest.mark.parametrize(
    ("way", "more", "sentence"),
    [
        ("", {}, "取扱いを選んで"),
        ("bureau", {"due": ""}, "いつまで"),
        ("bureau", {"due": "2026-10-01"}, "過ぎた日"),
        ("municipality", {"municipality": ""}, "対応する市町村"),
    ],
)
def test_a_handling_needs_its_owner_and_its_day(way, more, sentence):
    with pytest.raises(Refused, match=sentence):
        OPINION.decide(handled(way, **more), "handle")


def test_while_headquarters_coordinates_nobody_else_is_asked_and_nothing_is_answered():
    form = {"handling": {"way": "headquarters", "due": "2026-11-30"}, "answer": {"grade": "C", "text": "難しい"}}
    child = {"process": "coordination", "title": "本庁調整", "final": False, "form": {}}
    waiting = facts(OPINION, "opinion_headquarters", "bureau", form, children=[child])
    assert OPINION.inbox(waiting) == []
    with pytest.raises(Refused, match="本庁の調整"):
        OPINION.decide(waiting, "answer")
    ended = facts(OPINION, "opinion_headquarters", "bureau", form, children=[{**child, "final": True}])
    assert [ask.label for ask in OPINION.inbox(ended)] == ["地域への回答をまとめる"]
    assert OPINION.decide(ended, "answer").dest == "opinion_answered"


SENT: Mapping[str, Any] = {
    "distribution": {"items": [{"department": "hk-somu"}, {"department": "hk-nosei"}], "due": "2026-10-20"}
}


@pytest.mark.parametrize(
    ("replied", "dest"), [({}, "coordination_departments"), ({"reply:hk-somu": {"text": "可"}}, "coordination_replied")]
)
def test_the_last_reply_hands_the_matter_to_headquarters(replied, dest):
    answers = {"answer": "can", "text": "対応する。"}
    asked = facts(
        COORDINATION, "coordination_departments", "department", {**SENT, **replied}, answers, acting_org="hk-nosei"
    )
    assert {ask.org for ask in COORDINATION.inbox(asked)} == {"hk-nosei"} | ({"hk-somu"} if not replied else set())
    assert COORDINATION.decide(asked, "reply").dest == dest


def test_a_department_that_is_not_asked_has_nothing_to_answer():
    answers = {"answer": "can", "text": "対応する。"}
    with pytest.raises(Refused, match="部あてではありません"):
        COORDINATION.decide(
            facts(COORDINATION, "coordination_departments", "department", SENT, answers, acting_org="hk-keizai"),
            "reply",
        )


def test_names_stay_in_the_bureau_and_what_is_inside_stays_inside():
    for group in ("people", "notes"):
        for role in ("headquarters", "auditor", "partner", "department"):
            assert not TABLE.reads(f"form:{group}", frozenset({role}), "table_closed")
        assert TABLE.reads(f"form:{group}", frozenset({"bureau"}), "table_closed")
    for role in ("headquarters", "auditor", "partner"):
        assert not OPINION.reads("form:speaker", frozenset({role}), "opinion_answered")
    for kind in ("form:asking", "form:inside", "child", "internal:reason"):
        assert not OPINION.reads(kind, frozenset({"partner"}), "opinion_answered")
        assert OPINION.reads(kind, frozenset({"headquarters"}), "opinion_answered")
    assert not COORDINATION.reads("form:reply:hk-somu", frozenset({"department"}), "coordination_informed")
    assert not COORDINATION.reads("form:request", frozenset({"partner"}), "coordination_asked")
