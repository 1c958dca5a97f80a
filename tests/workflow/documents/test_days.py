"""What is counted: half-days, the days really worked, both persons of a swap, what a stop left, nobody at all."""

import io
from typing import Any

import openpyxl
import pytest

from tests.factory import drive, person
from tests.workflow.documents.year import Bureau
from workflow import reports
from workflow.documents.declared import report
from workflow.documents.lines import Gathered, gather

KEYS = ("dispatch", "year-end")
MONDAY, TUESDAY, WEDNESDAY = "2025-06-02", "2025-06-03", "2025-06-04"
PERIOD = (MONDAY, "2025-06-06")


def told(bureau: Bureau, year: int = 2025) -> Gathered:
    return gather(bureau.conn, *report(*KEYS), bureau.who.office, year, None)


def days(bureau: Bureau) -> dict[int, float]:
    """Person → person-days, of the only line there is."""
    (line,) = told(bureau).lines
    return {attendance.person_id: len(attendance.half_days) / 2 for attendance in line.people}


def sheets(bureau: Bureau) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The only line of the prescribed form, and the rows of the sheet for machines."""
    book = openpyxl.load_workbook(io.BytesIO(reports.year_end(bureau.conn, *KEYS, bureau.who.office, 2025)[0]))
    form, data = book["様式第2号"], book["データ"]
    heads = [str(cell.value) for cell in form[9]]
    line = dict(zip(heads, (cell.value for cell in form[10]), strict=True))
    first, *rows = data.iter_rows(values_only=True)
    return line, [dict(zip(map(str, first), row, strict=True)) for row in rows]


def under_way(bureau: Bureau, *told_days: str, day: str = MONDAY) -> int:
    case = bureau.decided("2025-05-07", told_days or (f"{MONDAY}〜{WEDNESDAY}", MONDAY), period=PERIOD)
    return bureau.begun(case, day)


def report_of(bureau: Bureau, case: int, of: int, by: int | None = None, **fields: str) -> None:
    group = {f"report:{of}": {"findings": "現地で確かめた。"} | fields}
    drive(bureau.conn, bureau.who, case, ("file_trip_report", {"by": by or of, "form": group}))


def test_a_half_day_is_half_a_person_day_and_shown_as_such(bureau: Bureau) -> None:
    under_way(bureau, f"{MONDAY}午前、{TUESDAY}", MONDAY)
    assert days(bureau) == {bureau.who.staff: 1.5, bureau.who.staff_colleague: 1}
    line, rows = sheets(bureau)
    assert line["延べ人日[人日]"] == 2.5
    assert "1.5日(6月2日午前)" in line["派遣職員(所属・職・氏名)"]
    assert [row["延べ人日[人日]"] for row in rows] == [1.5, 1]
    assert told(bureau).figures.expected == 1  # Tuesday is still to come


def test_the_days_of_a_filed_report_take_the_place_of_the_planned_ones(bureau: Bureau) -> None:
    case = bureau.ended(under_way(bureau), "2025-06-05")
    who = bureau.who
    report_of(bureau, case, who.staff, went="other", actual_days="6/2、6/4午後")
    assert days(bureau) == {who.staff: 1.5, who.staff_colleague: 1}
    report_of(bureau, case, who.staff_colleague, went="planned")
    assert days(bureau) == {who.staff: 1.5, who.staff_colleague: 1}
    line, _ = sheets(bureau)
    assert (line["延べ人日[人日]"], line["実人数[人]"]) == (2.5, 2)
    assert "6月4日午後" in line["派遣職員(所属・職・氏名)"]


def test_who_did_not_go_is_counted_nowhere(bureau: Bureau) -> None:
    case = bureau.ended(under_way(bureau), "2025-06-05")
    who = bureau.who
    report_of(bureau, case, who.staff_colleague, by=who.bureau, went="none")
    assert days(bureau) == {who.staff: 3}
    assert sheets(bureau)[0]["実人数[人]"] == 1


def test_a_dispatch_on_which_nobody_went_is_listed_apart(bureau: Bureau) -> None:
    case = bureau.ended(under_way(bureau), "2025-06-05")
    for of in (bureau.who.staff, bureau.who.staff_colleague):
        report_of(bureau, case, of, by=bureau.who.bureau, went="none")
    drive(bureau.conn, bureau.who, case, "file_result")
    found = told(bureau)
    assert found.lines == ()
    assert [(apart.case_id, apart.why) for apart in found.apart] == [(case, "行った日なし")]
    assert dict(found.by_reason)["行った日なし"] == 1
    assert found.figures.count == found.figures.persons == found.figures.person_days == 0


def test_a_stop_counts_up_to_the_last_day_worked_also_before_it_is_ratified(bureau: Bureau) -> None:
    case = under_way(bureau)
    bureau.on(TUESDAY, 6)
    stopped = {"reason_code": "weather", "text": "暴風雪のため。", "last_day": MONDAY}
    drive(bureau.conn, bureau.who, case, ("stop", {"inputs": stopped}))
    bureau.on("2025-06-10")
    for action in (None, "ratify"):
        if action:
            drive(bureau.conn, bureau.who, case, action)
        assert days(bureau) == {bureau.who.staff: 1, bureau.who.staff_colleague: 1}, action
    line, rows = sheets(bureau)
    assert "緊急停止(天候・災害)" in line["備考"]
    assert rows[0]["派遣期間(至)"] == MONDAY


def test_a_change_that_is_judged_leaves_the_case_in_its_line(bureau: Bureau) -> None:
    case = under_way(bureau)
    assert told(bureau).figures.person_days == 4
    bureau.on(TUESDAY)
    members = bureau.team([f"{MONDAY}〜{TUESDAY}", MONDAY])["team"]["members"]
    change = {"kind": "shorten", "reason_code": "municipality", "reason": "町の都合。", "period": {"from": MONDAY, "to": TUESDAY},
              "members": members}  # fmt: skip
    drive(bureau.conn, bureau.who, case, ("propose_change", {"form": {"change": change}}))
    assert told(bureau).figures.person_days == 4  # not decided yet
    drive(bureau.conn, bureau.who, case, "approve_change")
    assert days(bureau) == {bureau.who.staff: 2, bureau.who.staff_colleague: 1}
    assert "短縮(市町村の都合)" in sheets(bureau)[0]["備考"]


def test_a_swap_counts_both_for_their_own_days(bureau: Bureau) -> None:
    case = under_way(bureau)
    bureau.on(TUESDAY)
    heir = person(bureau.conn, "staff", bureau.who.office)
    first, second = bureau.team([MONDAY, MONDAY])["team"]["members"]
    third = first | {"person": heir, "name": "代わり（仮名）", "days": f"{TUESDAY}〜{WEDNESDAY}"}
    change = {
        "kind": "swap",
        "reason_code": "illness",
        "reason": "けがのため。",
        "members": [first | {"leader": False}, second, third],
    }
    drive(bureau.conn, bureau.who, case, ("propose_change", {"form": {"change": change}}), "approve_change")
    assert days(bureau) == {bureau.who.staff: 1, bureau.who.staff_colleague: 1, heir: 2}
    line, rows = sheets(bureau)
    assert (line["実人数[人]"], line["延べ人日[人日]"]) == (3, 4)
    assert "代わり（仮名）" in line["派遣職員(所属・職・氏名)"]
    assert sum(row["実人数[人]"] for row in rows) == 3


def test_a_change_before_the_first_day_is_no_line_yet(bureau: Bureau) -> None:
    case = bureau.decided("2025-05-07", (MONDAY, MONDAY), period=PERIOD)
    drive(bureau.conn, bureau.who, case, "propose_change")
    found = told(bureau)
    assert found.lines == ()
    assert [(apart.why, apart.planned) for apart in found.apart] == [("変更の判断中", 2)]


@pytest.mark.parametrize(("grade", "words", "number"), [("5", "5 とても役に立った", 5), ("none", "評価しない", None)])
def test_the_municipalitys_evaluation_stands_in_the_workbook(
    bureau: Bureau, grade: str, words: str, number: int | None
) -> None:
    case = bureau.reported(bureau.ended(under_way(bureau), "2025-06-05"))
    assert "市町村の評価" not in str(sheets(bureau)[0]["備考"])
    drive(
        bureau.conn, bureau.who, case, ("evaluate", {"form": {"evaluation": {"grade": grade, "text": "=ありがとう"}}})
    )
    line, rows = sheets(bureau)
    assert f"市町村の評価 {words}" in line["備考"]
    assert rows[0]["市町村の評価[段階]"] == number
    assert rows[0]["市町村の評価(記述)"] == "=ありがとう"
