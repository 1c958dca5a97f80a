"""A list of appointment orders: rows that cannot be read, the report of every open case, taking in, taking back."""

import io
from datetime import date

import pytest
from openpyxl import Workbook

from tests import factory, offices
from workflow import appointments, cases, following, posts, queries, verify
from workflow.colleagues import NotTaken
from workflow.loading import NotFound
from workflow.touched import DEPUTIES, MOVES, ORPHANED, OWN

DAY = date(2026, 12, 1)
HEADS = "職員番号,氏名,異動後の組織,係・課,職名,発令の種類,発令番号"
OFFICE = "上川総合振興局"


@pytest.fixture
def office(clock, conn, who):
    made = offices.line(conn, who)
    offices.rule(conn, made)
    return made


@pytest.fixture
def keeper(conn, office):
    return factory.reader(conn, office.administrators[0])


def order(conn, person, section="", title="", kind="本務", where=OFFICE, number="人発第1号"):
    staff_no, name = conn.execute("SELECT staff_no, name FROM person WHERE id = %s", (person,)).fetchone()
    return f"{staff_no},{name},{where if title else ''},{section},{title},{kind},{number}"


def as_csv(*lines, code="utf-8-sig"):
    return "\r\n".join((HEADS, *lines)).encode(code)


def held(conn, post, day):
    rows = conn.execute(
        "SELECT person_id, kind FROM tenure WHERE post_id = %s AND valid_from <= %s AND (valid_to IS NULL OR valid_to >= %s) ORDER BY id",
        (post, day, day),
    ).fetchall()
    return [tuple(row) for row in rows]


def counted(report):
    return [(case.kind, case.notes[0][1]) for case in report.cases]


def up_to_decision(conn, office, case):
    for key, verb in (
        ("chief", "approve_step"),
        ("head", "approve_step"),
        ("general", "agree_step"),
        ("health", "agree_step"),
    ):
        offices.act(conn, office.people[key], case, verb)


@pytest.mark.parametrize("form", ["utf-8-sig", "utf-8", "cp932", "xlsx"])
def test_a_list_comes_as_csv_in_either_code_or_as_a_workbook(conn, office, keeper, form):
    line = order(conn, office.general, "地域政策課", "係長", "兼務")
    # The chief's post is held: the row goes back with its sentence, from every form alike.
    if form == "xlsx":
        book = Workbook()
        for row in (HEADS.split(","), line.split(",")):
            book.worksheets[0].append(row)
        written = io.BytesIO()
        book.save(written)
        data = written.getvalue()
    else:
        data = as_csv(line, code=form)
    (problem,) = appointments.trial(conn, keeper, DAY, data).problems
    assert (problem.line, problem.column) == (2, "職名")
    assert "先に、その任期の終わりを入れてください" in problem.sentence


def test_rows_that_cannot_be_read_are_told_by_row_and_column_and_the_good_ones_may_go_in(conn, office, keeper):
    lines = [
        order(conn, office.department, kind="退職・離任"),
        order(conn, office.general, "地域政策課", "係長", "昇任"),
        "X1,だれか,上川総合振興局,,局長,本務,",
        order(conn, office.head, "宇宙課", "課長"),
        order(conn, office.head, "地域政策課", "課長", where="宇宙局"),
        order(conn, office.head, "地域政策課", "課長").replace("氏名", "別名"),
        order(conn, keeper.person_id, "", "副局長"),
    ]
    report = appointments.trial(conn, keeper, DAY, as_csv(*lines))
    assert [(p.line, p.column) for p in report.problems] == [
        (3, "発令の種類"), (4, "職員番号"), (5, "職名"), (6, "異動後の組織"), (7, "氏名"), (8, "職員番号"),
    ]  # fmt: skip
    assert [row.name for row in report.rows] == [
        conn.execute("SELECT name FROM person WHERE id = %s", (office.department,)).fetchone()[0]
    ]
    with pytest.raises(NotTaken):
        appointments.take(conn, keeper, DAY, as_csv(*lines), "一覧.csv", good_ones=False)
    assert held(conn, office.posts["department"], DAY) == [(office.department, "main")]
    appointments.take(conn, keeper, DAY, as_csv(*lines), "一覧.csv", good_ones=True)
    assert held(conn, office.posts["department"], DAY) == []


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "足りない見出し: 職員番号、氏名、発令の種類"),
        (b"\x81\x20", "文字コードが"),
        ("職員番号\n1".encode(), "足りない見出し: 氏名、発令の種類"),
        (HEADS.encode(), "発令の行がありません"),
        (b'"', "引用符が閉じていない"),
        ((HEADS + "\0").encode(), "NUL"),
        (b"PK\x03\x04", "表計算のファイル(.xlsx)ではありません"),
    ],
)
def test_what_is_no_list_is_told(conn, office, keeper, data, said):
    with pytest.raises(NotTaken) as refusal:
        appointments.trial(conn, keeper, DAY, data)
    assert said in refusal.value.fields["file"]


def test_the_report_tells_of_every_open_case_and_nothing_of_it_stays(conn, office, keeper):
    waits, decides = (offices.put_up(conn, office, first=factory.first_day(conn, after=15 + 6 * n)) for n in range(2))
    up_to_decision(conn, office, decides)
    cases.open_case(conn, office.officer, "dispatch", "director", {})
    before = conn.execute("SELECT md5(string_agg(t::text, '' ORDER BY id)) FROM tenure t").fetchone()
    lines = [
        order(conn, office.general, "地域政策課", "係長"), order(conn, office.chief, kind="退職・離任"),
        order(conn, office.vice, kind="退職"), order(conn, office.officer, "", "局長"), order(conn, office.director, kind="離任"),
    ]  # fmt: skip
    report = appointments.trial(conn, keeper, DAY, as_csv(*lines))
    assert not report.problems
    kinds = [{kind for kind, _ in case.notes} for case in report.cases]
    assert kinds == [{OWN, ORPHANED, MOVES}, {OWN}]
    told = "".join(said for case in report.cases for _, said in case.notes)
    assert "局長は起案者なので、上位の職に回します" in told
    assert "「総務課 課長」が空席になります" in told
    assert {case.kind for case in report.cases} == {OWN}
    assert len(report.cases) == 2
    numbers = {
        row[0] for row in conn.execute("SELECT number FROM cases WHERE id = ANY (%s)", ([waits, decides],)).fetchall()
    }
    assert {case.number for case in report.cases} == numbers
    title = conn.execute("SELECT title FROM cases WHERE id = %s", (waits,)).fetchone()[0]
    assert title not in repr(report)
    assert conn.execute("SELECT md5(string_agg(t::text, '' ORDER BY id)) FROM tenure t").fetchone() == before


def test_a_case_goes_to_the_successor_another_loses_a_deputy_a_third_keeps(conn, office, keeper):
    decides, _ = (offices.put_up(conn, office, first=factory.first_day(conn, after=15 + 6 * n)) for n in range(2))
    up_to_decision(conn, office, decides)
    new = factory.person(conn, "bureau", "hk-sorachi")
    report = appointments.trial(
        conn, keeper, DAY, as_csv(order(conn, new, "地域政策課", "係長"), order(conn, office.chief, kind="離任"))
    )
    assert [case.kind for case in report.cases] == [MOVES]
    assert "氏名" in report.cases[0].notes[0][1]
    assert report.keeps == 1
    report = appointments.trial(conn, keeper, DAY, as_csv(order(conn, office.vice, kind="離任")))
    assert {case.kind for case in report.cases} == {DEPUTIES}
    assert len(report.cases) == 2
    report = appointments.trial(conn, keeper, DAY, as_csv(order(conn, office.chief, kind="離任")))
    assert counted(report) == [
        (ORPHANED, "「地域政策課 係長」が空席になります。職務代理か事務取扱が要ります(代決はできません)。")
    ]


def test_the_drafts_of_who_leaves_go_to_the_successor_of_the_post(conn, office, keeper):
    cases.open_case(conn, office.officer, "dispatch", "director", {})
    new = factory.person(conn, "bureau", "hk-sorachi", name="後任（仮名）")
    leaving = order(conn, office.officer, kind="離任")
    (case,) = appointments.trial(conn, keeper, DAY, as_csv(leaving)).cases
    assert (case.kind, case.number) == (ORPHANED, "番号なし(下書き)")
    (case,) = appointments.trial(conn, keeper, DAY, as_csv(order(conn, new, "地域政策課", "主査"), leaving)).cases
    assert case.kind == MOVES
    assert "→ 後任（仮名）" in case.notes[0][1]


def test_taken_in_ahead_nothing_runs_at_midnight_and_the_queue_follows_on_the_day(db, conn, office, keeper, clock):
    case = offices.put_up(conn, office)
    data = as_csv(
        order(conn, office.department, "地域政策課", "係長"), order(conn, office.chief, "", "部長", number="人発第2号")
    )
    made = appointments.take(conn, keeper, DAY, data, "十二月.csv", good_ones=False)
    assert [row["case_id"] for row in queries.inbox(conn, office.chief).rows] == [case]
    assert queries.waiting(conn, office.department) == 0
    (row,) = appointments.listed(conn, keeper)
    assert (row["id"], row["open"], row["rows"]) == (made, True, 2)
    clock.at(DAY, hour=0)
    assert queries.waiting(conn, office.chief) == 0
    assert [row["case_id"] for row in queries.inbox(conn, office.department).rows] == [case]
    assert held(conn, office.posts["chief"], date(2026, 11, 30)) == [(office.chief, "main")]
    assert held(conn, office.posts["chief"], DAY) == [(office.department, "main")]
    following.follow(db)
    offices.act(conn, office.department, case, "approve_step")
    said = [record["said"] for record in posts.records(conn, keeper)]
    assert len(said) == 2
    assert not verify.run(db).breaks
    with pytest.raises(NotTaken) as refusal:
        appointments.take_back(conn, keeper, made)
    assert "発令日" in refusal.value.fields[f"undo-{made}"]


def test_a_list_is_taken_back_until_its_day_and_the_same_list_changes_nothing_twice(conn, office, keeper):
    conn.execute("UPDATE tenure SET valid_to = '2027-03-31' WHERE post_id = %s", (office.posts["chief"],))
    data = as_csv(order(conn, office.department, "地域政策課", "係長"), order(conn, office.chief, "", "部長"))
    made = appointments.take(conn, keeper, DAY, data, "十二月.csv", good_ones=False)
    with pytest.raises(NotTaken) as refusal:
        appointments.take(conn, keeper, DAY, data, "十二月.csv", good_ones=False)
    assert "もうそのとおり" in refusal.value.fields["file"]
    appointments.take_back(conn, keeper, made)
    assert held(conn, office.posts["chief"], DAY) == [(office.chief, "main")]
    assert held(conn, office.posts["chief"], date(2027, 4, 1)) == [], "it ends when it ended before"
    assert held(conn, office.posts["department"], DAY) == [(office.department, "main")]
    with pytest.raises(NotFound):
        appointments.take_back(conn, keeper, made)
    assert appointments.take(conn, keeper, DAY, data, "もう一度.csv", good_ones=False)


def test_a_stand_in_leaves_when_the_post_is_filled_and_a_post_beside_goes_on(conn, office, keeper):
    conn.execute("UPDATE tenure SET valid_to = '2026-10-31' WHERE post_id = %s", (office.posts["chief"],))
    conn.execute(
        "INSERT INTO tenure (person_id, post_id, valid_from, kind) VALUES (%s, %s, '2026-11-01', 'acting'), (%s, %s, '2026-11-01', 'concurrent')",
        (office.head, office.posts["chief"], office.department, office.posts["health"]),
    )
    conn.execute("UPDATE tenure SET valid_to = '2026-10-31' WHERE person_id = %s", (office.health,))
    data = as_csv(order(conn, office.department, "地域政策課", "係長"))
    (row,) = appointments.trial(conn, keeper, DAY, data).rows
    assert len(row.ended) == 2
    assert row.goes_on == ["「保健行政室 室長」(兼務)"]
    appointments.take(conn, keeper, DAY, data, "一覧", good_ones=False)
    assert held(conn, office.posts["chief"], DAY) == [(office.department, "main")]
    assert held(conn, office.posts["health"], DAY) == [(office.department, "concurrent")]


def test_posts_alike_with_other_powers_are_not_guessed(conn, office, keeper):
    factory.post(conn, office.health, "records", office.who.office, section="地域政策課", title="係長")
    (problem,) = appointments.trial(
        conn, keeper, DAY, as_csv(order(conn, office.general, "地域政策課", "係長"))
    ).problems
    assert "役割の違う職" in problem.sentence


@pytest.mark.parametrize("typed", ["", "2026-13-01", "2020-04-01"])
def test_the_day_is_read_or_told(conn, office, typed):
    with pytest.raises(NotTaken) as refusal:
        appointments.effective_day(conn, typed)
    assert "effective" in refusal.value.fields


def test_nobody_else_brings_a_list(conn, office):
    director = factory.reader(conn, office.director)
    for attempt in (
        lambda: appointments.trial(conn, director, DAY, as_csv()), lambda: appointments.take_back(conn, director, 1),
        lambda: appointments.take(conn, director, DAY, as_csv(), "", good_ones=True), lambda: appointments.listed(conn, director),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            attempt()
