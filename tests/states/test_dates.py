"""Dates: read generously, never guessed. Rule I-05 and the counting of D-07."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from states.dates import (
    days_between,
    days_text,
    fiscal_year,
    fiscal_year_label,
    fiscal_years,
    one_month_last_day,
    parse_days,
    read_date,
    read_fiscal_year,
    short,
    wareki,
)

DAYS = st.dates(date(1873, 1, 1), date(2099, 12, 31))
PERIOD = (date(2026, 11, 9), date(2026, 12, 8))


@pytest.mark.parametrize(
    "written",
    [
        "2026-04-01", "2026/4/1", "2026.4.1", "2026年4月1日", "20260401", "R8.4.1", "r8/4/1", "R08-04-01", "R080401", "令8.4.1",
        "令和8年4月1日", "令和 8 年 4 月 1 日", "令和八年四月一日", "二〇二六年四月一日", "㋿8年4月1日", "２０２６／４／１", "Ｒ８．４．１",
        "令和８年４月１日", "2026年4月1日(水)", "２０２６年４月１日（水曜日）", "2026－04－01", "R8・4・1", " 2026-04-01 ",
    ],
)  # fmt: skip
def test_one_day_written_in_many_ways(written):
    assert read_date(written).date == date(2026, 4, 1)
    assert not read_date(written).note
    assert not read_date(written).problem


def test_chinese_numerals_are_read():
    assert read_date("令和八年十二月二十五日").date == date(2026, 12, 25)
    assert read_date("二〇二六年十一月三十日").date == date(2026, 11, 30)


@pytest.mark.parametrize(
    ("written", "day", "said"),
    [
        ("平成38.4.1", date(2026, 4, 1), "令和8年4月1日"),
        ("平成31年5月1日", date(2019, 5, 1), "令和元年5月1日"),
        ("令和元年4月30日", date(2019, 4, 30), "平成31年4月30日"),
        ("昭和64年1月8日", date(1989, 1, 8), "平成元年1月8日"),
        ("昭和101年1月5日", date(2026, 1, 5), "令和8年1月5日"),
        ("８年４月１日", date(2026, 4, 1), "令和8年4月1日"),
    ],
)
def test_another_era_is_read_on_with_a_note(written, day, said):
    reading = read_date(written)
    assert reading.date == day
    assert written in reading.note
    assert said in reading.note


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("平成31年4月30日", date(2019, 4, 30)),
        ("令和元年5月1日", date(2019, 5, 1)),
        ("昭和64年1月7日", date(1989, 1, 7)),
        ("S元.12.25", date(1926, 12, 25)),
        ("大正元年7月30日", date(1912, 7, 30)),
        ("明治6年1月1日", date(1873, 1, 1)),
    ],
)
def test_eras_hold_to_the_day(written, day):
    assert read_date(written) == read_date(day.isoformat())


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("平成29年2月29日", "2017年2月は28日まで"),
        ("2026-11-31", "2026年11月は30日まで"),
        ("2026-00-10", "月は1から12まで"),
        ("2026-13-01", "月は1から12まで"),
        ("2026年4月1日(木)", "水曜日です"),
        ("8.4.1", "年が分かりません"),
        ("31年4月1日", "年が分かりません"),
        ("4/1", "年がありません"),
        ("令和8年4月", "日がありません"),
        ("平成0年1月1日", "0年はありません"),
        ("明治5年12月1日", "暦が違います"),
        ("令和300年1月1日", "西暦2318年"),
        ("2026-11-1 1", "読めません"),
        ("2026-04-01T00:00:00", "読めません"),
        ("٢٠٢٦-٠٤-٠١", "読めません"),
        ("2026\u200b-04-01", "⟦U+200B⟧"),
        ("2026-04-01\x00", "⟦U+0000⟧"),
        ("らいねんの春", "読めません"),
        ("", "書かれていません"),
        ("1" * 5000, "読めません"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_the_reason(written, reason):
    reading = read_date(written)
    assert reading.date is None
    assert reason in reading.problem


@given(DAYS)
def test_every_day_is_read_back_as_offices_print_it(day):
    assert read_date(wareki(day)).date == day
    assert read_date(day.isoformat()).date == day
    assert not read_date(wareki(day)).note


@given(st.text(max_size=30))
def test_no_text_breaks_the_reading(text):
    reading = read_date(text)
    assert (reading.date is None) == bool(reading.problem)
    parse_days(text, PERIOD)
    read_fiscal_year(text)


@pytest.mark.parametrize(
    ("written", "year", "noted"),
    [
        ("令和8年度", 2026, False),
        ("R8", 2026, False),
        ("２０２６年度", 2026, False),
        ("FY2026", 2026, False),
        ("平成31年度", 2019, False),
        ("令和元年度", 2019, False),
        ("平成32年度", 2020, True),
        ("平成34年度", 2022, True),
        ("昭和64年度", 1989, True),
    ],
)
def test_fiscal_years_are_read(written, year, noted):
    reading = read_fiscal_year(written)
    assert reading.year == year
    assert bool(reading.note) == noted


@pytest.mark.parametrize("written", ["", "来年度", "26年度", "令和0年度", "明治3年度"])
def test_other_fiscal_years_are_refused(written):
    assert read_fiscal_year(written).year is None
    assert read_fiscal_year(written).problem


def test_printing():
    assert wareki(date(2026, 4, 1)) == "令和8年4月1日"
    assert wareki(date(2019, 5, 1)) == "令和元年5月1日"
    assert short(date(2026, 10, 16)) == "10月16日(金)"
    assert [fiscal_year_label(y) for y in (2026, 2019, 2018, 1989)] == [
        "令和8年度",
        "令和元年度",
        "平成30年度",
        "平成元年度",
    ]


def test_fiscal_year_begins_in_april():
    assert [fiscal_year(d) for d in (date(2026, 3, 31), date(2026, 4, 1))] == [2025, 2026]
    assert fiscal_years(date(2025, 3, 24), date(2025, 4, 11)) == (2024, 2025)


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2026, 4, 10), date(2026, 5, 9)),
        (date(2018, 2, 1), date(2018, 2, 28)),
        (date(2024, 2, 13), date(2024, 3, 12)),
        (date(2026, 1, 31), date(2026, 2, 28)),
        (date(2024, 1, 31), date(2024, 2, 29)),
        (date(2026, 1, 30), date(2026, 2, 28)),
        (date(2026, 1, 28), date(2026, 2, 27)),
        (date(2018, 12, 3), date(2019, 1, 2)),
        (date(2026, 11, 9), date(2026, 12, 8)),
    ],
)
def test_one_month_is_counted_by_the_calendar(first, last):
    assert one_month_last_day(first) == last


@given(DAYS)
def test_one_month_is_28_to_31_days(first):
    assert 28 <= len(days_between(first, one_month_last_day(first))) <= 31


def day_list(*written):
    return tuple(date.fromisoformat(day) for day in written)


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ("11/9-11、11/24-25、12/3-4", ("2026-11-09", "2026-11-10", "2026-11-11", "2026-11-24", "2026-11-25", "2026-12-03", "2026-12-04")),
        ("2026-11-09〜2026-11-11", ("2026-11-09", "2026-11-10", "2026-11-11")),
        ("2026-11-09-2026-11-10", ("2026-11-09", "2026-11-10")),
        ("令和8年11月9日から11日まで", ("2026-11-09", "2026-11-10", "2026-11-11")),
        ("令和８年１１月９日～令和８年１１月１０日", ("2026-11-09", "2026-11-10")),
        ("R8.11.9・10", ("2026-11-09", "2026-11-10")),
        ("11/9,10, 24-25", ("2026-11-09", "2026-11-10", "2026-11-24", "2026-11-25")),
        ("11/30-12/1", ("2026-11-30", "2026-12-01")),
        ("11/9(月) - 10(火)", ("2026-11-09", "2026-11-10")),
        ("11/9\r\n11/10", ("2026-11-09", "2026-11-10")),
        ("11/10、11/9-10", ("2026-11-09", "2026-11-10")),
        ("1/5", ("2027-01-05",)),
        ("", ()),
    ],
)  # fmt: skip
def test_lists_of_days(written, days):
    reading = parse_days(written, PERIOD)
    assert reading.days == day_list(*days)
    assert reading.problems == ()


def test_days_run_over_the_new_year():
    reading = parse_days("12/30-1/2", (date(2026, 12, 20), date(2027, 1, 19)))
    assert reading.days == day_list("2026-12-30", "2026-12-31", "2027-01-01", "2027-01-02")


@pytest.mark.parametrize(
    ("written", "reason", "read"),
    [
        ("11/10、11/25、11/31", "11月は30日まで", 2),
        ("2/29", "2月は28日まで", 0),
        ("11/11-9", "終わりが始まりより前", 0),
        ("9", "月がありません", 0),
        ("11/9(火)", "月曜日です", 0),
        ("2026-11-09〜2099-01-01", "1年を超えています", 0),
        ("11/9-11、来週", "読めません", 3),
        ("、" * 5000, "長すぎます", 0),
    ],
)
def test_what_is_no_day_is_named_and_the_rest_is_read(written, reason, read):
    reading = parse_days(written, PERIOD)
    assert len(reading.days) == read
    [problem] = reading.problems
    assert reason in problem


def test_without_a_period_the_year_has_to_be_written():
    assert "年がありません" in parse_days("11/9").problems[0]
    assert parse_days("2026/11/9-10").days == day_list("2026-11-09", "2026-11-10")


def test_an_ended_era_is_noted_in_a_list_too():
    reading = parse_days("平成38年11月9日-10日")
    assert reading.days == day_list("2026-11-09", "2026-11-10")
    assert "令和8年11月9日" in reading.notes[0]


@given(st.dates(date(2026, 11, 9), date(2026, 12, 8)), st.integers(0, 10))
def test_any_range_of_the_period_is_read_back(first, more):
    last = first + timedelta(days=more)
    for written in (
        f"{first}〜{last}",
        f"{wareki(first)}〜{wareki(last)}",
        f"{first.month}/{first.day}-{last.month}/{last.day}",
    ):
        assert parse_days(written, PERIOD).days == tuple(days_between(first, last))


@given(st.sets(st.dates(date(2026, 4, 1), date(2027, 3, 31)), max_size=20))
def test_days_as_they_are_written_are_read_back(days: set[date]) -> None:
    reading = parse_days(days_text(days), (date(2026, 4, 1), date(2027, 3, 31)))
    assert set(reading.days) == days
    assert not reading.problems


MORNING, AFTERNOON = (0,), (1,)


@pytest.mark.parametrize(
    ("written", "days", "halves"),
    [
        ("11/9午前、11/10-11、11/12PM", ("2026-11-09", "2026-11-10", "2026-11-11", "2026-11-12"), {"2026-11-09": MORNING, "2026-11-12": AFTERNOON}),
        ("11月9日(月) 午後", ("2026-11-09",), {"2026-11-09": AFTERNOON}),
        ("2026-11-09ＡＭ", ("2026-11-09",), {"2026-11-09": MORNING}),
        ("令和８年１１月９日の午前中", ("2026-11-09",), {"2026-11-09": MORNING}),
        ("11/9午前、10午後", ("2026-11-09", "2026-11-10"), {"2026-11-09": MORNING, "2026-11-10": AFTERNOON}),
        ("11/9午前、11/9午後", ("2026-11-09",), {}),
        ("11/9午前・午後", ("2026-11-09",), {}),
        ("11/9午前、11/9", ("2026-11-09",), {}),
        ("11/9全日、11/10 終日", ("2026-11-09", "2026-11-10"), {}),
        ("11/9-11全日", ("2026-11-09", "2026-11-10", "2026-11-11"), {}),
    ],
)  # fmt: skip
def test_half_days(written, days, halves):
    reading = parse_days(written, PERIOD)
    assert reading.problems == ()
    assert reading.days == day_list(*days)
    assert {day.isoformat(): half for day, half in reading.halves.items()} == halves
    assert len(reading.half_days) == 2 * len(days) - len(halves)


@pytest.mark.parametrize(
    "written",
    ["11/9-11午前", "11/9午後-11/11", "11/9午後から11/11午前まで", "午前11/9", "午後", "11/9、午後", "11/9午前午後"],
)
def test_a_half_that_belongs_to_no_single_day_is_refused_with_how_to_write_it(written):
    reading = parse_days(written, PERIOD)
    assert reading.halves == {}
    [problem] = reading.problems
    assert "午前・午後は、どの日のことか読めません" in problem
    assert "11/9午後、11/10-11、11/12午前" in problem


def test_a_half_of_a_day_that_does_not_exist_is_refused_as_that_day():
    reading = parse_days("11/31午前", PERIOD)
    assert "11月は30日まで" in reading.problems[0]


def test_half_days_stand_alone_when_they_are_written():
    reading = parse_days("11/9-13、11/16午前", PERIOD)
    assert days_text(reading.days, reading.halves) == "11/9-13、11/16午前"
    halves = {date(2026, 11, 10): MORNING, date(2026, 11, 13): AFTERNOON}
    assert days_text(reading.days, halves) == "11/9、11/10午前、11/11-12、11/13午後、11/16"


@given(
    st.dictionaries(st.dates(date(2026, 4, 1), date(2027, 3, 31)), st.sampled_from([(0,), (1,), (0, 1)]), max_size=20)
)
def test_half_days_as_they_are_written_are_read_back(planned: dict[date, tuple[int, ...]]) -> None:
    halves = {day: half for day, half in planned.items() if len(half) == 1}
    written = days_text(planned, halves)
    reading = parse_days(written, (date(2026, 4, 1), date(2027, 3, 31)))
    assert not reading.problems
    assert reading.halves == halves
    assert reading.half_days == tuple((day, half) for day in sorted(planned) for half in planned[day])
    assert days_text(reading.days, reading.halves) == written


@given(st.text(alphabet="0123456789/-〜、 午前後中の全日終日AMPapm月年令和から", max_size=40))
def test_no_writing_of_halves_breaks_the_reading(text):
    reading = parse_days(text, PERIOD)
    assert set(reading.halves) <= set(reading.days)
    assert all(half in (MORNING, AFTERNOON) for half in reading.halves.values())
    again = parse_days(
        days_text(reading.days, reading.halves),
        (min(reading.days, default=PERIOD[0]), max(reading.days, default=PERIOD[1])),
    )
    if len({day.year for day in reading.days}) <= 1:
        assert again.half_days == reading.half_days
