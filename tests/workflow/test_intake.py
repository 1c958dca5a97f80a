"""Records of a file become cases: answered as `check` answers, all or the good ones, each once whatever happens on the way."""

import io
import json
import multiprocessing
import os
import signal
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from typer.testing import CliRunner

from states import catalogue
from states.calendar import Calendar
from states.dispatch.intake import DECISIONS, check, read_records
from states.kernel import Refused
from states.places import Directory
from states.terms import Level
from states.text import search_key
from tests import factory
from workflow import __main__ as command
from workflow import case_sql, cases, duplicates, intake, verify
from workflow.db import Database
from workflow.deadlines import TOKYO, due_day
from workflow.documents import rows
from workflow.loading import load
from workflow.settings import settings

RECORDS = Path(__file__).parents[1] / "data" / "dispatch_requests.json"
DAY = datetime(2025, 7, 1, 9, tzinfo=TOKYO)  # the last record came on the day before
PROCESS = catalogue.process("dispatch")


@pytest.fixture
def clerk(conn, fresh_database):
    """Somebody who enters for every bureau."""
    factory.set_clock(fresh_database.owner_url, DAY)
    offices = [o.code for o in Directory.from_csv().offices if o.prefecture_code == "01"]
    made = factory.person(conn, "bureau", offices[0], since=date(2016, 4, 1))
    for office in offices[1:]:
        factory.post(conn, made, "bureau", office, since=date(2016, 4, 1))
    conn.execute(
        "INSERT INTO account (person_id, login, password_hash, failures, disabled) VALUES (%s, 'uketsuke', '', 0, false)",
        (made,),
    )
    return made


def record(**changes: Any) -> dict[str, Any]:
    """A request against which no rule has anything to say; it came on the day before."""
    return {
        "office_code": factory.OFFICE, "initiative": "municipality_request", "received_on": "2025-06-30",
        "requester": {"municipality_code": "014591", "municipality_name": "美瑛町"},
        "destination": {"type": "municipality", "municipality_code": "014591", "municipality_name": "美瑛町"},
        "title": "丘の道しるべの計画づくり", "work_category": "request.plan", "purpose": "道しるべを付け替える順を決めたい。",
        "tasks": ["素案への助言"], "task_roles": ["advice"], "period": {"from": "2025-08-04", "to": "2025-08-08"},
        "staff": [{"role": "主査", "assignments": [{"from": "2025-08-04", "to": "2025-08-06"}]}],
        "concurrent_appointment": {"needed": False, "municipal_own_affairs": False}, "links": {},
    } | changes  # fmt: skip


def read(conn, clerk, *given: dict[str, Any], ids: tuple[str, ...] = ()):
    told = [{"id": key, "input": one} for key, one in zip(ids, given, strict=True)] if ids else list(given)
    return intake.read(conn, [clerk], "dispatch", json.dumps(told).encode())


def stored(conn):
    return conn.execute("SELECT count(*) FROM cases").fetchone()[0]


# ── the thirty records ──────────────────────────────────────────────────────────────────────────────────────────────


def recognised_as_the_records_say(conn, clerk):
    """The register of each bureau, as if it had been kept from the beginning."""
    for one in read_records(RECORDS.read_bytes()).values():
        approval = one.destination.director_approval
        if approval and approval.approved:
            name = one.destination.organization_name
            conn.execute(
                "INSERT INTO recognition (office, name, name_key, decided_on, reference, scope, recorded_by, recorded_at)"
                " VALUES (%s, %s, %s, %s, '', '', %s, now())",
                (one.office_code, name, search_key(name), approval.approved_on, clerk),
            )


def judged_by_the_engine(conn, person, case_id):
    """What the deciding action says of the case as it is stored; that persons are to be named is asked of cases alone."""
    case = load(conn, case_id, person)
    facts = replace(
        case.facts, state="director_judgement", roles=frozenset({"director"}), actor="0", inputs={}, memo={}
    )
    row = PROCESS.row("approve", facts)
    assert row is not None
    asked = tuple(guard for guard in row.guards if guard.name != "named")
    verdicts = replace(row, guards=asked).verdicts(facts)
    calls = [v.remedy.value for v in verdicts if v.refuses]
    calls = calls or (["eligible_with_warning"] if any(v.level is Level.WARN for v in verdicts) else ["eligible"])
    return max(calls, key=DECISIONS.index)


def test_the_thirty_records_are_answered_as_check_answers_and_judged_so_as_cases(conn, db, clerk):
    recognised_as_the_records_say(conn, clerk)
    source = RECORDS.read_bytes()
    expected = check(read_records(source), Directory.from_csv(), Calendar())
    told = {case["id"]: case["expected"]["decision"] for case in json.loads(source)["cases"]}
    answers = {
        a.record: a
        for a in intake.take_in(
            conn, [clerk], "dispatch", intake.read(conn, [clerk], "dispatch", source), good_ones=True
        )
    }
    assert set(answers) == set(expected) == set(told)
    for record_id, answer in answers.items():
        assert answer.told == expected[record_id]
        assert answer.told["decision"] == told[record_id]
        goes_back = told[record_id] == "return_for_correction"
        assert answer.outcome == (intake.RETURNED if goes_back else intake.ACCEPTED), record_id
        if goes_back:
            assert answer.case is None
            wrong = {(r.rule, r.field, r.sentence) for r in answer.reasons}
            assert wrong == {(v["rule"], v["field"], v["sentence"]) for v in expected[record_id]["blocking"]}
        else:
            assert answer.case is not None
            assert judged_by_the_engine(conn, clerk, answer.case) == told[record_id], record_id
    assert verify.verify(db).whole


def test_what_came_is_kept_with_its_true_day_and_its_deadline_runs_from_there(conn, clerk):
    source = RECORDS.read_bytes()
    answers = intake.take_in(conn, [clerk], "dispatch", intake.read(conn, [clerk], "dispatch", source), good_ones=True)
    records = read_records(source)
    received = 0
    for answer in answers:
        if answer.case is None:
            continue
        view, given = cases.look(conn, clerk, answer.case or 0), records[answer.record]
        assert view.lead == given.office_code
        assert view.title == given.title
        if given.initiative == "director":
            assert (view.state.name, view.version, view.number) == ("draft", 0, None)
            continue
        receipt = view.read.receipt
        assert (receipt.channel, receipt.entered_by) == ("paper", str(clerk))
        came = PROCESS.arrival(view.form)
        assert came is not None
        assert came.day == receipt.on.date
        assert view.state.name == "municipal_request"
        if view.number:
            received += 1
            reply = next(d["due_at"] for d in view.deadlines if d["kind"] == "reply")
            assert due_day(reply) == view.facts.calendar.add_business_days(receipt.on.date, 10)
    assert received >= 15


# ── all or the good ones ────────────────────────────────────────────────────────────────────────────────────────────

BAD = (
    (record(period={"from": "2025-08-04", "to": "2025-09-10"}), "D-07", "period.to"),
    (record(period={"from": "2025-08-04", "to": "2025-02-30"}), "I-05", "period.to"),
    (record(title="件\x00名"), "I-02", "title"),
    (record(received_on=""), None, "received_on"),
    (record(received_on="2025-07-02"), None, "received_on"),
    (record(tasks=["搬入", "司会"], task_roles=["labour", "operation"]), "D-06", "task_roles.0"),
)  # fmt: skip


@pytest.mark.parametrize(("bad", "rule", "field"), BAD)
def test_one_bad_record_keeps_all_of_them_out_unless_the_good_ones_are_asked_for(conn, clerk, bad, rule, field):
    reading = read(conn, clerk, record(), bad, ids=("よい", "悪い"))
    good, wrong = intake.take_in(conn, [clerk], "dispatch", reading)
    assert (good.outcome, wrong.outcome, stored(conn)) == (intake.LEFT, intake.RETURNED, 0)
    assert (rule, field) in {(r.rule, r.field) for r in wrong.reasons}
    assert all(r.line > 0 and r.sentence.endswith("。") for r in wrong.reasons)
    good, wrong = intake.take_in(conn, [clerk], "dispatch", reading, good_ones=True)
    assert (good.outcome, wrong.outcome, stored(conn)) == (intake.ACCEPTED, intake.RETURNED, 1)
    assert good.number == "上川-R7-001"


def test_a_record_of_the_wrong_shape_stays_out_alone(conn, clerk):
    reading = read(conn, clerk, record(), record(tasks="助言"), record() | {"urgent": True})
    answers = intake.take_in(conn, [clerk], "dispatch", reading, good_ones=True)
    assert [a.outcome for a in answers] == [intake.ACCEPTED, intake.RETURNED, intake.RETURNED]
    assert [r.field for a in answers for r in a.reasons] == ["tasks", "urgent"]


def test_judging_stores_nothing(conn, clerk):
    before = [conn.execute(f"SELECT count(*) FROM {table}").fetchone() for table in ("cases", "idempotency", "event")]
    answers = intake.judge(conn, [clerk], "dispatch", read(conn, clerk, record()))
    assert [a.outcome for a in answers] == [intake.LEFT]
    assert [
        conn.execute(f"SELECT count(*) FROM {table}").fetchone() for table in ("cases", "idempotency", "event")
    ] == before


def test_what_is_addressed_to_another_bureau_goes_back_to_it(conn, clerk, who):
    reading = read(
        conn,
        clerk,
        record(),
        record(
            office_code="hk-sorachi",
            requester=None,
            destination={"type": "municipality", "municipality_code": "012181"},
        ),
    )
    own, other = intake.take_in(conn, [who.bureau], "dispatch", reading, good_ones=True)
    assert own.outcome == intake.ACCEPTED
    assert "office_code" in {r.field for r in other.reasons}
    assert any("空知総合振興局あての記録です" in r.sentence for r in other.reasons)


@pytest.mark.parametrize("role", ["municipality", "director", "headquarters", "staff", "auditor"])
def test_only_who_enters_for_others_may_take_in(conn, who, clerk, role):
    person = getattr(who, role)
    reading = read(conn, clerk, record())
    with pytest.raises(Refused):
        intake.take_in(conn, [person], "dispatch", reading)
    assert stored(conn) == 0


# ── once ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_file_again_finds_its_cases(conn, clerk):
    reading = read(
        conn,
        clerk,
        record(),
        record(
            title="川の道しるべ",
            period={"from": "2025-09-01", "to": "2025-09-03"},
            staff=[{"role": "主査", "days": "9/1-3"}],
        ),
    )
    first = intake.take_in(conn, [clerk], "dispatch", reading)
    again = intake.take_in(conn, [clerk], "dispatch", reading)
    assert [(a.case, a.number, a.outcome) for a in first] == [(a.case, a.number, a.outcome) for a in again]
    assert [a.again for a in first + again] == [False, False, True, True]
    assert stored(conn) == 2


def test_a_colleague_brings_the_same_file(conn, clerk, who):
    reading = read(conn, clerk, record(), ids=("A-1",))
    [first] = intake.take_in(conn, [who.bureau], "dispatch", reading)
    [again] = intake.take_in(conn, [who.bureau_colleague], "dispatch", reading)
    assert (first.case, again.again, stored(conn)) == (again.case, True, 1)


def test_a_known_id_with_other_content_goes_back(conn, clerk):
    [first] = intake.take_in(conn, [clerk], "dispatch", read(conn, clerk, record(), ids=("A-1",)))
    [other] = intake.take_in(conn, [clerk], "dispatch", read(conn, clerk, record(title="別の件"), ids=("A-1",)))
    assert (other.outcome, other.case) == (intake.RETURNED, first.case)
    assert "内容が違います" in other.reasons[0].sentence


def test_a_draft_that_was_thrown_away_may_come_again(conn, clerk):
    own = record(initiative="director", requester=None, work_category="director.other")
    reading = read(conn, clerk, own, ids=("A-1",))
    [first] = intake.take_in(conn, [clerk], "dispatch", reading)
    cases.delete_draft(conn, clerk, first.case or 0)
    [second] = intake.take_in(conn, [clerk], "dispatch", reading)
    assert (second.outcome, second.again) == (intake.ACCEPTED, False)
    assert second.case != first.case


def _taken_in_until_killed(url: str, clerk: int, source: bytes, after: int) -> None:
    """Take the file in, and die without a word before the given statement."""
    db = Database(url, pool_size=1)
    with db.connection() as conn:
        reading = intake.read(conn, [clerk], "dispatch", source)
        count = 0
        inner = case_sql.carry_out

        def counted(*args: Any, **rest: Any) -> bool:
            nonlocal count
            count += 1
            if count > after:
                os.kill(os.getpid(), signal.SIGKILL)
            return bool(inner(*args, **rest))

        case_sql.carry_out = counted
        intake.take_in(conn, [clerk], "dispatch", reading)
    os._exit(0)


def test_killed_at_any_place_the_next_run_goes_on(conn, clerk, fresh_database, db):
    months = [date(2025, 9, 1) + timedelta(days=14 * n) for n in range(3)]
    source = json.dumps(
        [
            {"id": f"A-{n}", "input": record(title=f"{'甲乙丙'[n]}の件", period={"from": day.isoformat(), "to": day.isoformat()},
                                             staff=[{"role": "主査", "days": day.isoformat()}])}
            for n, day in enumerate(months)
        ]
    ).encode()  # fmt: skip
    context = multiprocessing.get_context("fork")
    for after in (0, 1, 2, 1):
        child = context.Process(target=_taken_in_until_killed, args=(fresh_database.app_url, clerk, source, after))
        child.start()
        child.join(60)
        assert child.exitcode == -signal.SIGKILL
    answers = intake.take_in(conn, [clerk], "dispatch", intake.read(conn, [clerk], "dispatch", source))
    assert [a.outcome for a in answers] == [intake.ACCEPTED] * 3
    assert stored(conn) == 3
    assert sorted(str(a.number) for a in answers) == ["上川-R7-001", "上川-R7-002", "上川-R7-003"]
    assert verify.verify(db).whole


# ── the same matter ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_may_have_come_before_is_entered_but_waits_for_a_person(conn, clerk, who):
    case = factory.opened(conn, who, first=date(2025, 8, 4), days=5, title="丘の道しるべの計画づくり")
    factory.drive(conn, who, case, "submit", "receive")
    reading = read(conn, clerk, record())
    [seen] = intake.judge(conn, [who.bureau], "dispatch", reading)
    assert [t.case_id for t in seen.twins] == [case]
    [answer] = intake.take_in(conn, [who.bureau], "dispatch", reading)
    assert (answer.outcome, answer.number) == (intake.ACCEPTED, None)
    assert answer.twins[0].reasons == ("件名が同じです。", "期間が同じです(8月4日〜8月8日)。")


def test_the_second_of_two_alike_in_one_file_waits(conn, clerk):
    answers = intake.take_in(conn, [clerk], "dispatch", read(conn, clerk, record(), record(), ids=("紙", "メール")))
    assert [bool(a.number) for a in answers] == [True, False]


def test_a_continued_record_names_the_case_of_the_earlier_one_and_is_no_twin(conn, clerk):
    later = record(
        period={"from": "2025-08-09", "to": "2025-08-12"},
        staff=[{"role": "主査", "days": "8/12"}],
        links={"previous_request_id": "前"},
    )
    second, first = intake.take_in(conn, [clerk], "dispatch", read(conn, clerk, later, record(), ids=("後", "前")))
    assert first.number == "上川-R7-001"
    assert second.number == "上川-R7-002"
    assert cases.look(conn, clerk, second.case or 0).read.request.previous == first.number
    assert duplicates.of_case(conn, clerk, cases.look(conn, clerk, first.case or 0)) == []


# ── workbooks ───────────────────────────────────────────────────────────────────────────────────────────────────────

ROW = {
    "届いた日": "令和7年6月30日", "届いた方法": "メール", "要請した市町村名": "美瑛町", "派遣先の市町村コード": "014591", "件名": "丘の道しるべ",
    "対象業務の区分": "市町村の要請: 各種計画等の策定への参画、助言", "困っていること": "道しるべを付け替える順を決めたい。", "業務1": "素案への助言",
    "業務1の役割": "助言", "派遣の初めの日": "2025/8/4", "派遣の終わりの日": "R7.8.8", "職員1の職": "主査", "職員1の日": "8/4-6",
    "市町村だけの事務": "含まない",
}  # fmt: skip


def workbook(*lines: dict[str, Any], change: Callable[[Any], None] | None = None) -> bytes:
    """The blank form with these rows written into it."""
    book = openpyxl.load_workbook(io.BytesIO(intake.blank_form("dispatch")))
    sheet = book[rows.SHEET]
    places: dict[Any, int] = {cell.value: cell.column or 0 for cell in sheet[1]}
    for number, line in enumerate(lines, start=2):
        for heading, value in line.items():
            sheet.cell(number, places[heading]).value = value
    if change:
        change(book)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def test_the_blank_form_is_the_same_every_time_and_says_how_it_is_filled_in():
    made = intake.blank_form("dispatch")
    assert made == intake.blank_form("dispatch")
    book = openpyxl.load_workbook(io.BytesIO(made))
    heads = [cell.value for cell in book[rows.SHEET][1]]
    assert len(heads) == len(set(heads))
    assert [row[0] for row in book[rows.HOW].iter_rows(min_row=2, values_only=True)] == heads
    assert set(ROW) <= set(heads)


def test_a_row_becomes_the_record_that_its_cells_say(conn, who, clerk):
    reading = intake.read(
        conn,
        [who.bureau],
        "dispatch",
        workbook(ROW, ROW | {"職員1の日": date(2025, 8, 4), "業務2": "聞き取り", "業務2の役割": "survey"}),
    )
    assert reading.problems == ()
    first, second = reading.records.values()
    assert (first.office_code, first.channel, first.period.to) == (factory.OFFICE, "mail", "R7.8.8")
    assert first.staff[0].days == "8/4-6"
    assert second.task_roles == ["advice", "survey"]
    [answer, twin] = intake.take_in(conn, [who.bureau], "dispatch", reading)
    assert (answer.outcome, answer.number) == (intake.ACCEPTED, "上川-R7-001")
    assert twin.twins
    view = cases.look(conn, who.bureau, answer.case or 0)
    assert [day.isoformat() for day in view.read.team.members[0].dates] == ["2025-08-04", "2025-08-05", "2025-08-06"]


def test_five_hundred_rows_with_three_bad_ones(conn, who, clerk):
    """T16: none or the good ones; each bad cell is named by row and column in Japanese."""
    first = date(2025, 8, 1)
    lines = []
    for n in range(500):
        day = (first + timedelta(days=n % 180)).isoformat()
        lines.append(ROW | {"件名": f"第{n}の件", "派遣の初めの日": day, "派遣の終わりの日": day, "職員1の日": day})
    lines[99] |= {"職員1の人数": "二人"}
    lines[250] |= {"派遣の終わりの日": "2025-02-30"}
    lines[498] |= {"業務1の役割": "ボランティア"}
    reading = intake.read(conn, [who.bureau], "dispatch", workbook(*lines))
    answers = intake.judge(conn, [who.bureau], "dispatch", reading)
    told = [(r.line, r.named, r.sentence) for a in answers for r in a.reasons]
    assert [(line, named) for line, named, _ in told] == [
        (101, "AJ列「職員1の人数」"), (252, "AG列「派遣の終わりの日」"), (500, "W列「業務1の役割」"),
    ]  # fmt: skip
    assert "企画、準備、実施" in told[2][2]
    assert intake.take_in(conn, [who.bureau], "dispatch", reading)[0].outcome == intake.LEFT
    assert stored(conn) == 0
    taken = intake.take_in(conn, [who.bureau], "dispatch", reading, good_ones=True)
    assert [a.outcome for a in taken].count(intake.ACCEPTED) == stored(conn) == 497


def _heading(name: str) -> Any:
    def change(book: Any) -> None:
        book[rows.SHEET].cell(1, 1).value = name

    return change


def _formula(book: Any) -> None:
    sheet = book[rows.SHEET]
    column = next(cell.column for cell in sheet[1] if cell.value == "件名")
    sheet.cell(2, column).value = "=1+1"


def test_a_formula_is_not_computed_and_named_by_its_cell(conn, clerk):
    reading = intake.read(conn, [clerk], "dispatch", workbook(ROW, change=_formula))
    assert [(p.line, reading.named(p.field)) for p in reading.problems] == [(2, "S列「件名」")]


def test_a_code_that_lost_its_zero_is_known_and_text_that_looks_like_a_formula_stays(conn, clerk):
    line = ROW | {"派遣先の市町村コード": 14591, "宛先の振興局": "上川総合振興局"}
    [found] = intake.read(conn, [clerk], "dispatch", workbook(line)).records.values()
    assert found.destination.municipality_code == "014591"
    assert found.office_code == factory.OFFICE


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (b"PK\x03\x04nothing", "ではありません"),
        (b"\xd0\xcf\x11\xe0" + b"\x00" * 600, "パスワード"),
        (workbook(ROW, change=_heading("謎の列")), "知らない見出し: 謎の列"),
        (workbook(ROW, change=_heading("件名")), "2回ある見出し: 件名"),
        (b"[", "途中で終わっています"),
        (b"\xff\xfe", "UTF-8"),
    ],
)
def test_what_is_no_file_of_records_is_refused_whole(conn, clerk, source, said):
    with pytest.raises(intake.Unreadable) as refusal:
        intake.read(conn, [clerk], "dispatch", source)
    assert said in str(refusal.value)


def test_a_workbook_that_unpacks_to_too_much_is_not_opened(conn, clerk):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as folder:
        folder.writestr("xl/worksheets/sheet1.xml", b"0" * (rows.MOST_BYTES + 1))
    with pytest.raises(intake.Unreadable, match="大きすぎる"):
        intake.read(conn, [clerk], "dispatch", packed.getvalue())


# ── the command ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def run(fresh_database, monkeypatch, clerk):
    monkeypatch.setenv("DATABASE_URL", fresh_database.app_url)
    settings.cache_clear()
    runner = CliRunner()
    yield lambda *arguments: runner.invoke(command.app, ["import", "dispatch", *map(str, arguments)])
    monkeypatch.undo()
    settings.cache_clear()


def test_the_command_answers_every_record(run, conn, tmp_path):
    path = tmp_path / "records.json"
    path.write_text(
        json.dumps([{"id": "よい", "input": record()}, {"id": "悪い", "input": BAD[0][0]}]), encoding="utf-8"
    )
    all_or_none = run(path, "--as", "uketsuke", "--json")
    assert all_or_none.exit_code == 1
    told = json.loads(all_or_none.stdout)
    assert {key: value["outcome"] for key, value in told.items()} == {"よい": "left", "悪い": "returned"}
    assert told["悪い"]["decision"] == "return_for_correction"
    assert stored(conn) == 0
    good = run(path, "--as", "UKETSUKE", "--good-ones")
    assert "よい: 取り込みました 上川-R7-001 eligible" in good.stdout
    assert "D-07 期間が38日で、1か月を超えます" in good.stdout
    again = json.loads(run(path, "--as", "uketsuke", "--good-ones", "--json").stdout)
    assert (again["よい"]["number"], again["よい"]["again"]) == ("上川-R7-001", True)


def test_the_command_gives_the_blank_form_and_takes_it_back(run, tmp_path):
    assert run("--template", tmp_path / "form.xlsx").exit_code == 0
    assert (tmp_path / "form.xlsx").read_bytes() == intake.blank_form("dispatch")
    (tmp_path / "filled.xlsx").write_bytes(workbook(ROW | {"宛先の振興局": "上川総合振興局"}))
    assert run(tmp_path / "filled.xlsx", "--as", "uketsuke").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere.json", "--as", "uketsuke"), "nowhere.json"),
        (("nowhere.json",), "--as"),
        (("bad.json", "--as", "uketsuke"), "受け付けられません"),
        (("empty.json", "--as", "nobody"), "nobody"),
    ],
)  # fmt: skip
def test_the_command_says_what_it_lacks(run, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    Path("bad.json").write_text("[", encoding="utf-8")
    Path("empty.json").write_text("[]", encoding="utf-8")
    answer = run(*arguments)
    assert answer.exit_code == 2
    assert said in answer.output
