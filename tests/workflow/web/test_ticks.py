"""Ticks on a board, a chosen row and a button that writes become ordinary fields; what was typed stays."""

from datetime import date
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from states.dates import days_text, parse_days
from workflow.web.posted import read_fields
from workflow.web.ticks import settled

PERIOD = (date(2026, 11, 9), date(2026, 12, 8))
WITHIN = ("team.members~within", "2026-11-09/2026-12-08")


def rows(*members, was="", on=(), leader=None):
    """What a page posts: rows of person and days, the board as it was shown and as it came back."""
    pairs = [WITHIN, ("team.members~was", was)]
    for number, (person, days) in enumerate(members):
        pairs += [
            (f"team.members.{number}.person", person),
            (f"team.members.{number}.days", days),
            (f"team.members.{number}.leader", ""),
        ]
    pairs += [("team.members~on", tick) for tick in on]
    return pairs + ([("team.members~leader", leader)] if leader is not None else [])


def read(pairs):
    """Of several values the last counts."""
    return dict(settled(pairs))


def test_a_tick_adds_a_day_to_the_typed_ones():
    found = read(
        rows(
            ("7", "11/9-10"),
            was="7:2026-11-09.01 7:2026-11-10.01",
            on=["7:2026-11-09.01", "7:2026-11-10.01", "7:2026-11-12.01"],
        )
    )
    assert found["team.members.0.days"] == "11/9-10、11/12"
    assert not [name for name in found if "~" in name]


def test_a_tick_taken_away_takes_the_day():
    found = read(
        rows(
            ("7", "11/9-11"),
            was="7:2026-11-09.01 7:2026-11-10.01 7:2026-11-11.01",
            on=["7:2026-11-09.01", "7:2026-11-11.01"],
        )
    )
    assert found["team.members.0.days"] == "11/9、11/11"


def test_without_a_difference_the_typed_text_stays_as_it_is():
    typed = "令和8年11月9日から10日まで"
    assert read(rows(("7", typed), was="7:2026-11-09.01", on=["7:2026-11-09.01"]))["team.members.0.days"] == typed
    both = read(rows(("7", "11/9、11/13 "), was="7:2026-11-09.01", on=["7:2026-11-09.01", "7:2026-11-13.01"]))
    assert both["team.members.0.days"] == "11/9、11/13 ", "typed and ticked the same day"


def test_typing_and_ticking_at_once_both_count():
    found = read(rows(("7", "11/9、11/16"), was="7:2026-11-09.01", on=["7:2026-11-12.01"]))
    assert found["team.members.0.days"] == "11/12、11/16"


def test_half_days_are_ticked_and_taken():
    found = read(rows(("7", "11/9午前"), was="7:2026-11-09.0", on=["7:2026-11-09.0", "7:2026-11-10.1"]))
    assert found["team.members.0.days"] == "11/9午前、11/10午後"
    assert read(rows(("7", "11/9"), was="7:2026-11-09.01", on=["7:2026-11-09.0"]))["team.members.0.days"] == "11/9午前"


def test_who_has_no_row_gets_a_blank_one_before_a_new_one():
    found = read(rows(("", ""), ("", "11/9"), on=["12:2026-11-10.01", "15:2026-11-09.0"]))
    assert (found["team.members.0.person"], found["team.members.0.days"]) == ("12", "11/10")
    assert (found["team.members.1.person"], found["team.members.1.days"]) == ("", "11/9")
    assert (found["team.members.2.person"], found["team.members.2.days"]) == ("15", "11/9午前")


def test_a_button_that_writes_a_new_row_writes_over_nothing():
    pick = "set:" + urlencode({"team.members.new.person": 12, "team.members.new.days": "11/10"})
    found = read([*rows(("", "らいげつ"), ("7", "")), ("do", pick)])
    assert (found["team.members.0.days"], found["team.members.1.person"]) == ("らいげつ", "7")
    assert (found["team.members.2.person"], found["team.members.2.days"]) == ("12", "11/10")


def test_who_has_no_row_gets_one():
    found = read(
        rows(
            ("7", "11/9"),
            was="7:2026-11-09.01",
            on=["7:2026-11-09.01", "12:2026-11-10.01", "12:2026-11-11.01", "15:2026-11-09.0"],
        )
    )
    assert (found["team.members.1.person"], found["team.members.1.days"]) == ("12", "11/10-11")
    assert (found["team.members.2.person"], found["team.members.2.days"]) == ("15", "11/9午前")


def test_a_row_given_to_another_person_keeps_its_days():
    found = read(
        rows(("12", "11/9-10"), was="7:2026-11-09.01 7:2026-11-10.01", on=["7:2026-11-09.01", "7:2026-11-10.01"])
    )
    assert found["team.members.0.person"] == "12"
    assert found["team.members.0.days"] == "11/9-10"
    assert "team.members.1.person" not in found


def test_what_cannot_be_read_is_kept_and_a_tick_stands_behind_it():
    found = read(rows(("7", "11/9、来週"), was="7:2026-11-09.01", on=["7:2026-11-12.01"]))
    assert found["team.members.0.days"] == "11/9、来週、11/12"


def test_a_person_in_two_rows_gets_new_days_in_the_first_and_loses_them_in_both():
    found = read(
        rows(
            ("7", "11/9"),
            ("7", "11/10、11/11"),
            was="7:2026-11-09.01 7:2026-11-10.01 7:2026-11-11.01",
            on=["7:2026-11-09.01", "7:2026-11-11.01", "7:2026-11-13.01"],
        )
    )
    assert found["team.members.0.days"] == "11/9、11/13"
    assert found["team.members.1.days"] == "11/11"


def test_one_row_is_the_leader():
    found = read(rows(("7", "11/9"), ("8", "11/9"), leader="1"))
    assert (found["team.members.0.leader"], found["team.members.1.leader"]) == ("", "on")


def test_a_button_writes_and_then_shows_the_page_again():
    pick = "set:" + urlencode({"team.members.1.person": 12, "team.members.1.days": "11/9-10", "do": "confirm"})
    found = read(
        [("team.members.1.person", ""), ("team.members.1.days", "11/9"), ("do", pick), ("request.title", "件名")]
    )
    assert found == {
        "team.members.1.person": "12",
        "team.members.1.days": "11/9-10",
        "do": "look",
        "request.title": "件名",
    }


@pytest.mark.parametrize(
    "pairs",
    [
        [("team.members~on", "7:2026-11-09.01")],
        [("team.members~within", "x/y"), ("team.members~on", "7:2026-11-09.01")],
        [("team.members~within", "2026-01-01/2099-12-31"), ("team.members~on", "7:2026-11-09.01")],
        [WITHIN, ("team.members~on", "7:2026-13-41.01 x 7 :: 9999999999999999999999:2026-11-09.0")],
        [WITHIN, ("team.members~leader", "99999999999999999999")],
        [WITHIN, ("team.members~on", "7:2026-11-09.01"), ("team.members.99999999999.person", "7")],
        [("do", "set:%00=%00&&&==")],
        [("~within", "2026-11-09/2026-11-10"), ("~on", "1:2026-11-09.01")],
    ],
)
def test_nonsense_counts_for_nothing(pairs):
    assert not [pair for pair in settled(pairs) if "~" in pair[0] and pair[0] != "~within" and pair[0] != "~on"]


def test_the_body_of_a_form_comes_settled():
    body = urlencode(
        [WITHIN, ("team.members~was", ""), ("team.members~on", "7:2026-11-09.01"), ("do", "save")]
    ).encode()
    fields = read_fields("application/x-www-form-urlencoded", body)
    assert dict(fields) == {"do": "save", "team.members.0.person": "7", "team.members.0.days": "11/9"}


HALVES = st.sets(st.tuples(st.dates(*PERIOD), st.integers(0, 1)), max_size=12)


@given(HALVES, HALVES)
def test_whatever_was_ticked_the_days_are_those_that_are_ticked_now(before, now):
    def ticks(halves):
        return [f"7:{day}.{half}" for day, half in halves]

    text = written(before)
    found = read(rows(("7", text), was=" ".join(ticks(before)), on=ticks(now)))
    reading = parse_days(found["team.members.0.days"], PERIOD)
    assert set(reading.half_days) == now
    assert before != now or found["team.members.0.days"] == text


def written(halves):
    days = {day: tuple(h for h in (0, 1) if (day, h) in halves) for day, _ in halves}
    return days_text(days, {day: own for day, own in days.items() if len(own) == 1})


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                [
                    "team.members~on",
                    "team.members~was",
                    "team.members~within",
                    "team.members~leader",
                    "team.members.0.days",
                    "do",
                    "x",
                ]
            ),
            st.text(max_size=30),
        ),
        max_size=8,
    )
)
def test_no_field_breaks_it(pairs):
    settled(pairs)
