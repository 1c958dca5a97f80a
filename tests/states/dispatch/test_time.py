"""The dates of the year: by when March work is asked for, and by when a dispatch must be reported for the year end."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from states.calendar import Calendar
from states.dispatch import PROCESS
from states.kernel import Process
from states.places import Directory
from states.terms import Facts, Level

DUE = {due.kind: due for due in PROCESS.deadlines}


def facts(today: str, first: str, last: str, state: str = "draft", **groups: Any) -> Facts:
    """A request, or a dispatch of one person, over these days, looked at on that day."""
    request = {"origin": "municipality_request", "period": {"from": first, "to": last}}
    team = {"members": [{"person": 7, "days": f"{first}〜{last}"}]}
    form = {"request": request, "team": team, **groups}
    return Facts(state, form, PROCESS.reading(form), date.fromisoformat(today), Directory.from_csv(), Calendar())


@pytest.mark.parametrize(
    ("first", "last", "today", "due"),
    [
        ("2026-10-13", "2026-10-15", "2026-10-16", "2027-03-10"),
        ("2027-03-01", "2027-03-09", "2027-03-10", "2027-03-10"),
        ("2027-03-01", "2027-03-10", "2027-03-11", "2027-04-12"),  # 10 April is a Saturday
        ("2027-03-15", "2027-03-31", "2027-04-01", "2027-04-12"),
        ("2027-03-29", "2027-04-05", "2027-04-06", "2027-04-12"),  # with days of the old year
        ("2027-04-01", "2027-04-05", "2027-04-06", "2028-03-10"),  # of the new year alone
        ("2027-05-10", "2027-05-12", "2027-05-13", "2028-03-10"),
        ("2027-06-01", "2027-06-03", "2027-06-04", "2028-03-10"),
    ],
)
def test_a_report_is_due_by_the_next_closing_of_the_year_it_belongs_to(first, last, today, due):
    assert DUE["year_end"].counted(facts(today, first, last, "awaiting_report")) == date.fromisoformat(due)


@pytest.mark.parametrize(
    ("first", "last", "today", "due"),
    [
        ("2027-03-01", "2027-03-05", "2026-10-05", "2027-02-01"),  # 31 January is a Sunday
        ("2027-02-22", "2027-03-02", "2026-10-05", "2027-02-01"),
        ("2027-03-30", "2027-04-02", "2027-02-15", "2027-02-01"),
        ("2028-03-06", "2028-03-08", "2027-10-05", "2028-01-31"),
        ("2027-02-22", "2027-02-26", "2026-10-05", None),
        ("2027-04-01", "2027-04-02", "2026-10-05", None),
        ("2027-03-01", "2027-03-05", "2027-03-08", None),  # over
        ("2099-03-01", "2099-03-05", "2026-10-05", None),  # a slip of the pen
    ],
)
def test_march_work_is_asked_for_by_the_end_of_january(first, last, today, due):
    item, told = DUE["march_request"], facts(today, first, last)
    assert item.owed
    assert item.owed(told) is (due is not None)
    if due:
        assert item.counted(told) == date.fromisoformat(due)


def heard(told: Facts, action: str, process: Process = PROCESS) -> list[str]:
    """What the municipality is told at its own act without being stopped by it."""
    row = next(row for row in process.table if row.name == action)
    told.registers = {"deadlines": process.deadlines}
    return [
        v.sentence for v in row.verdicts(told)
        if v.level is Level.WARN and not v.binding and v.sentence.startswith("3月の派遣")
    ]  # fmt: skip


@pytest.mark.parametrize("action", ["submit", "ask_own_approval", "revise_own", "approve_own", "submit_proxy"])
def test_who_asks_later_hears_it_and_is_not_stopped(action):
    late = heard(facts("2027-02-02", "2027-03-01", "2027-03-05"), action)
    assert len(late) == 1
    assert late[0].startswith("3月の派遣は、2月1日(月)までに要請することになっています。")
    assert heard(facts("2027-02-01", "2027-03-01", "2027-03-05"), action) == []
    assert heard(facts("2027-02-02", "2027-02-15", "2027-02-17"), action) == []


def test_who_asks_in_time_sees_by_when_it_had_to_be():
    told = facts("2026-12-07", "2027-03-01", "2027-03-05")
    told.registers = {"deadlines": PROCESS.deadlines}
    row = next(row for row in PROCESS.table if row.name == "submit")
    assert "3月の派遣を要請する締切(2月1日(月))に間に合います。" in [
        v.sentence for v in row.verdicts(told) if v.level is Level.PASS
    ]


def test_what_came_on_paper_in_time_is_in_time_and_an_earlier_day_that_was_set_counts():
    def told() -> Facts:
        arrived = {"arrived_on": "2027-01-29", "channel": "paper"}
        return facts("2027-02-05", "2027-03-01", "2027-03-05", receipt=arrived)

    assert heard(told(), "submit_proxy") == []
    earlier = tuple(replace(due, on=((12, 20),)) if due.kind == "march_request" else due for due in PROCESS.deadlines)
    assert heard(told(), "submit_proxy", replace(PROCESS, deadlines=earlier))[0].startswith(
        "3月の派遣は、12月21日(月)までに"
    )
