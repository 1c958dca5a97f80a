"""Orders, consents and cards: what the first day and the result wait for."""

from typing import Any

import pytest

from states.kernel import Refused
from states.terms import CLOCK
from tests.states.dispatch.acting import DRAFTER, FIRST, ONE, TWO, Story, request

FULL = ("2026-11-02", "2026-11-05")


def order(person: str, issuer: str, kind: str = "appoint", **more: Any) -> dict[str, Any]:
    told = {
        "person": int(person),
        "kind": kind,
        "issuer": issuer,
        "from": FULL[0],
        "to": FULL[1],
        "dated_on": "2026-10-28",
    }
    return told | more


def orders(*rows: dict[str, Any], cards: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {"appointment": {"orders": list(rows), "cards": list(cards)}}


BOTH = [order(person, issuer) for person in (ONE, TWO) for issuer in ("municipality", "prefecture")]


def appointed() -> Story:
    """Decided with a concurrent appointment that headquarters agreed to; no order yet."""
    asked = request(own_affairs="yes", concurrent_appointment="needed")
    story = Story(asked).run("submit", "receive", "consult", "agree", "propose", "put", "approve")
    return story.on(FIRST)


def test_nobody_begins_without_the_orders_of_both_sides():
    story = appointed()
    assert [a.label for a in story.asks()] == ["承諾と発令をそろえる"]
    with pytest.raises(Refused) as refusal:
        story.act(CLOCK, "begin")
    told = [v.sentence for v in refusal.value.verdicts]
    assert told == [
        "甲(仮名)の市町村長の併任の辞令がありません。", "甲(仮名)の道(県)の併任の辞令がありません。",
        "乙(仮名)の市町村長の併任の辞令がありません。", "乙(仮名)の道(県)の併任の辞令がありません。",
    ]  # fmt: skip
    story.act(DRAFTER, "record_orders", orders(*BOTH))
    with pytest.raises(Refused, match="甲\\(仮名\\)、乙\\(仮名\\)の併任の発令を、人事担当がまだ確かめていません"):
        story.act(CLOCK, "begin")
    story.run("countersign").act(CLOCK, "begin")
    assert story.state == "dispatched"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"dated_on": "2026-11-03"}, "の日付が、派遣の初めの日\\(11月2日\\)まで"),
        ({"to": "2026-11-03"}, "11月2日から11月4日までを覆っていません"),
        ({"from": "2026-11-03"}, "11月2日から11月4日までを覆っていません"),
        ({"kind": "release"}, "がありません"),
    ],
)
def test_an_order_is_dated_in_time_and_covers_every_day_of_its_person(wrong, told):
    story = appointed()
    story.act(DRAFTER, "record_orders", orders(BOTH[0] | wrong, *BOTH[1:]))
    with pytest.raises(Refused, match=told):
        story.act(CLOCK, "begin")


def test_an_order_covers_its_persons_own_days_only():
    """The second goes on 4 and 5 November: an order of 4 November is in time."""
    late = [
        row | {"from": "2026-11-04", "dated_on": "2026-11-04"} if row["person"] == int(TWO) else row for row in BOTH
    ]
    story = appointed().act(DRAFTER, "record_orders", orders(*late)).run("countersign").act(CLOCK, "begin")
    assert story.state == "dispatched"


def test_an_ordinary_trip_needs_no_orders():
    story = Story(request()).run("submit", "receive", "propose", "put", "approve")
    assert story.asks() == []
    story.run("begin")


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"person": None}, "orders.0.person"),
        ({"kind": ""}, "orders.0.kind"),
        ({"issuer": ""}, "orders.0.issuer"),
        ({"dated_on": "きのう"}, "orders.0.dated_on"),
        ({"from": ""}, "orders.0.from"),
        ({"to": "2026-11-01"}, "orders.0.to"),
    ],
)
def test_what_is_entered_of_an_order_can_be_read(row, field):
    with pytest.raises(Refused) as refusal:
        appointed().act(DRAFTER, "record_orders", orders(BOTH[0] | row))
    assert [v.field for v in refusal.value.verdicts] == [f"appointment.{field}"]


def test_an_early_end_needs_a_release_of_each_side_and_the_cards_come_back():
    story = appointed()
    card = {"person": int(ONE), "issued_on": "2026-11-02", "returned_on": ""}
    story.act(DRAFTER, "record_orders", orders(*BOTH, cards=(card,))).run("countersign").act(CLOCK, "begin").run(
        "cut", "report_one"
    )
    with pytest.raises(Refused) as refusal:
        story.run("result")
    told = "".join(v.sentence for v in refusal.value.verdicts)
    assert "甲(仮名)は実際の派遣は11月3日までなのに、市町村長の併任が11月5日まで続いています" in told
    assert "乙(仮名)は派遣された日がないのに" in told
    assert "甲(仮名)の身分証が返っていません" in told
    releases = [row | {"kind": "release", "from": "", "to": ""} for row in BOTH]
    story.act(DRAFTER, "record_orders", orders(*BOTH, *releases, cards=(card,)))
    with pytest.raises(Refused, match="身分証が返っていません"):
        story.run("result")
    story.act(DRAFTER, "record_orders", orders(*BOTH, *releases, cards=(card | {"returned_on": "2026-11-04"},))).run(
        "result"
    )
    assert story.state == "reported"


@pytest.mark.parametrize("value", ["きょう", ""])
def test_a_card_names_its_person_and_days_that_exist(value):
    card = {"person": int(ONE) if value else None, "issued_on": value or "2026-11-02", "returned_on": ""}
    with pytest.raises(Refused) as refusal:
        appointed().act(DRAFTER, "record_orders", orders(cards=(card,)))
    assert refusal.value.verdicts[0].field == f"appointment.cards.0.{'issued_on' if value else 'person'}"


def test_an_order_that_ends_by_itself_needs_no_release():
    """The first goes until 4 November as decided; his order runs until the 5th."""
    story = (
        appointed()
        .act(DRAFTER, "record_orders", orders(*BOTH))
        .run("countersign")
        .act(CLOCK, "begin")
        .run("end", "report_one", "report_two", "result")
    )
    assert story.state == "reported"
