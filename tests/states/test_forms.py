"""A form that is declared once is read, checked, filled from a page and told in words by its declaration alone."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from states import coordination
from states.calendar import Calendar
from states.forms import KINDS, Field, Filled, Form, Group, Table, pattern
from states.kernel import Refused
from states.places import Directory
from states.terms import Action, Facts, Input, offered

SKY = (("sun", "晴れ"), ("rain", "雨"))
FORM = Form((
    Group("walk", "まち歩き", (
        Field("title", "題", need=True), Field("on", "日", "date"), Field("free", "だれでも", "tick"), Field("sky", "空", "choice", options=SKY),
        Field("kinds", "持ち物", "several", options=(("hat", "帽子"), ("map", "地図"))), Field("led", "案内する人", "person"), Field("by", "書いた人", "mark"),
        Table("stops", "立ち寄る所", (Field("place", "場所"), Field("long", "長く", "tick")), need=True),
    )),
    Group("word", "一言", (Field("text", "一言"),), many=True),
    Group("closing", "締め", (Field("text", "文"),), typed=False),
))  # fmt: skip


def facts(form, **registers):
    return Facts(
        "open", form, FORM.read(form), date(2026, 10, 5), Directory.from_csv(), Calendar(), registers=registers
    )


def sentences(guard, form, **registers):
    return [v.sentence for v in guard.verdicts(facts(form, **registers))]


def test_what_is_stored_is_read_as_it_was_typed():
    read = FORM.read(
        {
            "walk": {"title": " 川 ", "on": "R8.11.9", "free": True, "kinds": "hat map", "stops": [{"place": "駅"}]},
            "word:a": {"text": "はい"},
        }
    )
    walk = read.part("walk")
    assert (walk.text("title"), walk.day("on"), walk.ticked("free"), walk.several("kinds")) == (
        "川",
        date(2026, 11, 9),
        True,
        ("hat", "map"),
    )
    assert [row.text("place") for row in walk.rows("stops")] == ["駅"]
    assert read.each("word")["a"].text("text") == "はい"
    assert (walk.text("nothing"), walk.day("sky"), walk.rows("sky"), Filled().number("x")) == ("", None, (), None)


@pytest.mark.parametrize(
    "form",
    [
        {"run": {"title": "x"}}, {"walk": {"colour": "x"}}, {"walk": {"free": "on"}}, {"walk": {"title": True}}, {"walk": {"title": ["x"]}},
        {"walk": {"led": "7"}}, {"walk": {"stops": [{"place": "x", "colour": "y"}]}}, {"walk": {"stops": {"place": "x"}}}, {"walk": "x"},
    ],
)  # fmt: skip
def test_a_form_of_another_shape_is_refused(form):
    with pytest.raises((ValueError, TypeError)):
        FORM.read(form)


def test_a_page_is_laid_over_what_is_kept_and_a_table_replaces_the_one_before():
    stored = {
        "walk": {"title": "川", "by": "7", "stops": [{"place": "駅", "long": True}, {"place": "店", "long": False}]}
    }
    posted = {
        "walk.free": ["", "on"],
        "walk.stops.2.place": ["橋"],
        "walk.stops.2.long": [""],
        "walk.stops.10.place": ["丘"],
        "walk.stops.3.place": [" "],
    }
    walk = FORM.fields(posted, stored)["walk"]
    assert walk["title"] == "川"
    assert walk["by"] == "7"
    assert walk["free"] is True
    assert [row["place"] for row in walk["stops"]] == ["橋", "丘"]
    FORM.read({"walk": walk})


@pytest.mark.parametrize(
    ("path", "value"),
    [("walk.sky", "snow"), ("walk.kinds", "cup"), ("walk.by", "8"), ("closing.text", "x"), ("walk.led", "x"), ("walk.colour", "x")],
)  # fmt: skip
def test_a_page_cannot_bring_what_no_field_takes(path, value):
    with pytest.raises(Refused) as refused:
        FORM.fields({path: [value]}, {})
    assert [v.field for v in refused.value.verdicts] == [path]


def test_an_erased_group_begins_anew_and_a_group_that_is_no_field_of_the_form_is_no_matter():
    assert FORM.fields({"walk.title": ["山"], "saves": ["3"], "input.reason": ["x"]}, {"walk": {"erased": True}}) == {
        "walk": {"title": "山"}
    }


@given(
    st.dictionaries(
        st.sampled_from(["walk.title", "walk.on", "walk.stops.0.place", "word:hk.text"]), st.text(), min_size=1
    )
)
def test_whatever_a_page_brings_can_be_read_again(typed):
    FORM.read(FORM.fields({path: [value] for path, value in typed.items()}, {}))


def test_words_are_said_by_labels():
    assert FORM.told("walk.sky", "rain") == ("空", "雨")
    assert FORM.told("walk.kinds", "map hat") == (
        "持ち物",
        "地図、帽子",
    )
    assert FORM.told("walk.free", True) == ("だれでも", "はい")
    assert FORM.told("word:hk.text", "x") == ("一言", "x")
    assert FORM.told("walk.stops", [{"place": "駅", "long": True}]) == ("立ち寄る所", "場所: 駅、長く: はい")
    assert FORM.told("walk.stops.1", {"place": "店"}) == ("立ち寄る所 2行目", "場所: 店")


def test_the_search_knows_labels_and_choices_and_leaves_out_marks():
    assert FORM.wording.labels["walk.stops.#.place"] == "場所"
    assert FORM.wording.labels["word:#.text"] == "一言"
    assert FORM.wording.choices["walk.sky"] == dict(SKY)
    assert "by" in FORM.wording.marks
    assert "walk.by" not in FORM.wording.labels


def test_what_is_needed_is_asked_for_and_an_empty_row_is_not_enough():
    lacking = FORM.lacking("walk")
    assert sentences(lacking, {}) == ["「題」を書いてください。", "「立ち寄る所」を書いてください。"]
    assert sentences(lacking, {"walk": {"title": "川", "stops": [{"place": "駅"}]}}) == []


def test_a_date_that_is_none_and_a_character_that_cannot_stay_are_said_with_their_field():
    assert any("「日」" in s for s in sentences(FORM.letters, {"walk": {"on": "2月30日"}}))
    assert any("「題」" in s for s in sentences(FORM.letters, {"walk": {"title": "川\x07"}}))
    assert sentences(FORM.letters, {"walk": {"on": "R8.11.9", "title": "川"}}) == []


@pytest.mark.parametrize(
    ("path", "kind"), [("reply:hk-zaisei.text", "reply:#.text"), ("a.rows.0.x", "a.rows.#.x"), ("a.b", "a.b")]
)
def test_a_pattern_stands_for_rows_and_for_whose_a_group_is(path, kind):
    assert pattern(path) == kind


def test_an_unknown_kind_of_field_is_refused_where_it_is_declared():
    assert {"long", "post", "department", "municipality", "mark"} <= KINDS
    with pytest.raises(ValueError):
        Field("x", "x", "colour")


def test_what_is_picked_must_be_in_the_list_that_the_facts_bring():
    asks = Action("give", ("open",), "open", "渡す", frozenset({"bureau"}), asks=(Input("to", "担当", "post"),))
    here = facts({}, offered={"post": {"7": "主査"}})
    assert [v.field for v in asks.missing(replace(here, inputs={"to": "8"}))] == ["to"]
    assert not list(asks.missing(replace(here, inputs={"to": "7"})))
    assert offered(facts({}), "post", "8")
    assert offered(here, "text", "8")
    assert not offered(here, "department", "8")


def test_a_row_in_which_a_department_was_picked_says_something():
    posted = {f"distribution.items.{n}.{key}": [text] for n, code in enumerate(("hk-somu", "")) for key, text in (("department", code), ("question", ""))}  # fmt: skip
    assert coordination.FORM.fields(posted)["distribution"]["items"] == [{"department": "hk-somu", "question": ""}]
