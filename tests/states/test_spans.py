"""Partial dates and open ranges: the first and the last day that are meant, or why not."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from states.spans import read_span


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("R8.4.1", "2026-04-01", "2026-04-01"),
        ("H29.8", "2017-08-01", "2017-08-31"),
        ("平成29年8月", "2017-08-01", "2017-08-31"),
        ("Ｈ２９．２", "2017-02-01", "2017-02-28"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("令和元年", "2019-01-01", "2019-12-31"),
        ("R8", "2026-01-01", "2026-12-31"),
        ("2026", "2026-01-01", "2026-12-31"),
        ("令和8年度", "2026-04-01", "2027-03-31"),
        ("令和8年12月", "2026-12-01", "2026-12-31"),
        ("R8.4〜R8.6", "2026-04-01", "2026-06-30"),
        ("H29.8〜", "2017-08-01", None),
        ("～R8.10", None, "2026-10-31"),
        ("令和8年4月から令和9年3月まで", "2026-04-01", "2027-03-31"),
    ],
)
def test_what_is_meant(text, first, last):
    found = read_span(text)
    assert found.problem == ""
    assert [day and day.isoformat() for day in (found.first, found.last)] == [first, last]


def test_an_era_that_had_ended_is_read_on_with_a_note():
    assert read_span("平成32年度").note
    assert read_span("平成32年度").first == date(2020, 4, 1)
    assert "平成" in read_span("H32.8").note


@pytest.mark.parametrize("text", ["", "〜", "きのう", "H29.13", "R0", "R8.6〜R8.4", "2026-02-30", "長" * 300])
def test_what_cannot_be_read_says_why(text):
    found = read_span(text)
    assert (found.first, found.last) == (None, None)
    assert found.problem.endswith("。")


@settings(deadline=None)
@given(st.text(max_size=30))
def test_nothing_that_is_typed_raises(text):
    found = read_span(text)
    assert bool(found.problem) != bool(found.first or found.last)
