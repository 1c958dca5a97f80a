"""The months of the desk in figures: what came, how long an answer took, what was open; told of the history and not of the form."""

import io
from datetime import date, datetime
from typing import Any

import pytest
from openpyxl import load_workbook

from states import catalogue
from tests import desk, factory
from workflow import cases, monthly
from workflow.deadlines import TOKYO
from workflow.documents.monthly import workbook
from workflow.loading import NotFound
from workflow.monthly import Year

PROCESS = catalogue.process("consultation")


@pytest.fixture
def at(fresh_database):
    def shift(day: date) -> None:
        factory.set_clock(fresh_database.owner_url, datetime(day.year, day.month, day.day, 10, tzinfo=TOKYO))

    shift(date(2026, 9, 1))
    return shift


@pytest.fixture
def busy(at, conn, who):
    """September: three came, two were answered (one on the same day, one after the long weekend); one stayed open, was put
    off, and was answered in October; one was withdrawn. In November the first was reopened."""
    found = {"quick": desk.received(conn, who, "空き家の活用", field="region")}
    desk.answered(conn, who, found["quick"])
    at(date(2026, 9, 17))
    found["slow"] = desk.received(conn, who, "道の駅の売り場", on="R8.9.15", channel="visit", field="tourism")
    found["long"] = desk.received(conn, who, "農家の納屋", field="region")
    found["gone"] = desk.received(conn, who, "取り下げる相談", field="region")
    desk.act(conn, who.bureau, found["gone"], "withdraw", reason="解決した。")
    at(date(2026, 9, 24))
    desk.answered(conn, who, found["slow"])
    desk.act(conn, who.bureau, found["long"], "take")
    desk.act(conn, who.bureau, found["long"], "extend", until="R8.10.16", reason="農地の扱いを本庁に確かめている。")
    at(date(2026, 10, 15))
    desk.act(conn, who.bureau, found["long"], "dispose", kind="answer", reason="判断")
    desk.act(conn, who.bureau, found["long"], "answer", {"answer": {"text": "できます。"}})
    at(date(2026, 11, 5))
    desk.act(conn, who.bureau, found["quick"], "reopen", reason="まだ困っている。")
    desk.act(conn, who.bureau, found["quick"], "write_answer", {"answer": {"text": "確かめています。"}})
    at(date(2026, 11, 12))
    return found


def read(conn: Any, person: int, office: str = factory.OFFICE, year: int = 2026) -> Year:
    return monthly.of_year(conn, factory.reader(conn, person), PROCESS, office, year)


def by_month(told: Year) -> dict[int, Any]:
    return {month.first.month: month for month in told.months}


def test_each_month_counts_what_came_what_was_answered_and_what_stayed_open(conn, who, busy):
    told = read(conn, who.bureau)
    months = by_month(told)
    assert list(months) == [4, 5, 6, 7, 8, 9, 10, 11]
    september, october, november = months[9], months[10], months[11]
    assert (september.came, september.answered, september.void, september.open) == (4, 2, 1, 1)
    # 15 September to the 24th: the 21st, 22nd and 23rd are holidays.
    assert (september.took, september.median, september.span) == ((0, 4), 2, (0, 4))
    assert (october.came, october.answered, october.open) == (0, 1, 0)
    assert october.took == (
        16,
    )  # 17 September to 15 October without three holidays of September and the 12th of October
    # Who was answered once is not answered anew, but open again.
    assert (november.answered, november.open, november.median, november.span) == (0, 1, None, None)
    assert (told.total("came"), told.median) == (4, 4)


def test_the_splits_count_by_the_month_in_which_it_came(conn, who, busy):
    told = read(conn, who.bureau)
    channel, _, disposition = told.monthly.splits
    september = by_month(told)[9]
    assert (september.splits["channel"]["phone"], september.splits["channel"]["visit"]) == (3, 1)
    assert {key: count for key, count in september.splits["field"].items() if count} == {"region": 3, "tourism": 1}
    assert told.count(disposition, "answer") == 3
    assert told.count(disposition, "") == 1  # withdrawn before anybody disposed of it
    assert told.choices(disposition)[-1] == ("", "まだ決まっていない")
    assert sum(told.count(channel, key) for key, _ in told.choices(channel)) == told.total("came")


def test_the_list_of_the_open_says_how_long_why_and_until_when(conn, who, busy):
    told = read(conn, who.bureau)
    (held,) = told.open_on(date(2026, 9, 30))
    assert (held.line.id, held.waited, held.state) == (busy["long"], 6, "対応中")
    assert ("延ばした理由", "農地の扱いを本庁に確かめている。") in held.told
    assert told.open_on(date(2026, 9, 16)) == []
    assert {one.line.id for one in told.open_on(date(2026, 9, 17))} == {busy["slow"], busy["long"]}
    (again,) = told.open_on(date(2026, 11, 12))
    assert (again.line.id, again.state) == (busy["quick"], "対応中")
    assert again.line.due is not None


def test_an_owner_is_told_by_the_name_of_the_post(conn, who, at):
    case = desk.received(conn, who)
    owner = factory.person(conn, "bureau", factory.OFFICE, section="農務課", title="係長")
    (post,) = conn.execute("SELECT post_id FROM tenure WHERE person_id = %s", (owner,)).fetchone()
    desk.act(conn, who.bureau, case, "assign", post=str(post))
    (one,) = read(conn, who.bureau).open_on(date(2026, 9, 1))
    assert ("担当の職", "農務課 係長") in one.told


def test_an_office_reads_its_own_headquarters_all_and_a_municipality_none(conn, who, busy):
    other = factory.cast(conn, "hk-soya", "012149")
    form = {
        "matter": {"subject": "宗谷の件", "body": "相談。", "municipality_name": "稚内市"},
        "receipt": {"channel": "phone"},
    }
    elsewhere = cases.open_case(conn, other.bureau, "consultation", "desk", form)
    desk.act(conn, other.bureau, elsewhere, "receive")
    assert read(conn, who.headquarters, monthly.ALL).total("came") == 5
    assert read(conn, who.headquarters, "hk-soya").total("came") == 1
    assert read(conn, other.bureau, "hk-soya").total("came") == 1
    for person, office in ((who.bureau, "hk-soya"), (who.bureau, monthly.ALL), (who.municipality, factory.OFFICE)):
        with pytest.raises(NotFound):
            read(conn, person, office)
    with pytest.raises(NotFound):
        monthly.of_year(conn, factory.reader(conn, who.bureau), catalogue.process("dispatch"), factory.OFFICE, 2026)


def test_the_workbook_reconciles_with_itself_and_keeps_numbers_numbers(conn, who, busy):
    data = workbook(read(conn, who.bureau), "上川総合振興局", "令和8年度", "2026-09-30")
    book = load_workbook(io.BytesIO(data))
    assert book.sheetnames == ["月次", "受けた方法", "分野", "処理の方針", "未処理", "データ", "定義"]
    months = list(book["月次"].iter_rows(min_row=5, values_only=True))
    assert months[5] == ("2026年9月", 4, 2, 1, 2, 0, 4, 1)
    assert months[-1][:4] == ("計", 4, 3, 1)
    rows = list(book["データ"].iter_rows(min_row=5, values_only=True))
    for name in ("受けた方法", "分野", "処理の方針"):
        assert sum(int(str(row[4])) for row in rows if row[2] == name) == 4
    assert sum(int(str(row[4])) for row in rows if row[2] == "受付") == 4
    assert [row[4] for row in rows if row[0] == "2026-08" and row[2] == "処理日数"] == [
        None,
        None,
        None,
    ]  # none is not 0
    (open_one,) = book["未処理"].iter_rows(min_row=5, values_only=True)
    assert open_one[1:5] == ("農家の納屋", "2026-09-17", 6, "対応中")
    assert book["月次"].print_title_rows == "$4:$4"
