"""Report jobs: asked once, claimed by one worker, taken over when it dies, handed out on record within one's sight."""

import hashlib
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests import factory
from tests.workflow.documents.year import Bureau, a_bureau
from workflow import reports
from workflow.db import Database
from workflow.documents import workbook
from workflow.documents.declared import DocumentProblem
from workflow.loading import NotFound

KEYS = ("dispatch", "year-end")
OFFICE = factory.OFFICE


@pytest.fixture
def bureau(fresh_database: Any) -> Iterator[Bureau]:
    with a_bureau(fresh_database) as found:
        yield found


def ask(bureau: Bureau, person: int | None = None, office: str = OFFICE, year: int = 2024) -> int:
    return reports.ask_report(bureau.conn, person or bureau.who.bureau, *KEYS, office, year)


def job(bureau: Bureau, job_id: int) -> dict[str, Any]:
    return next(row for row in reports.jobs(bureau.conn, bureau.who.headquarters) if row["id"] == job_id)


def expire(bureau: Bureau) -> None:
    bureau.conn.execute("UPDATE report_job SET lease_until = now() - interval '1 second' WHERE finished_at IS NULL")


def test_a_report_is_asked_for_compiled_and_handed_out_on_record(bureau: Bureau) -> None:
    bureau.reported(bureau.crossing())
    job_id = ask(bureau)
    assert ask(bureau) == job_id  # pressed twice
    assert job(bureau, job_id)["word"] == "順番を待っています"
    assert reports.compile_next(bureau.db)
    assert not reports.compile_next(bureau.db)
    made = job(bureau, job_id)
    assert (made["kind"], made["done"], made["total"], made["trouble"]) == ("ok", 1, 1, None)
    assert made["file_name"] == "年度末報告_令和6年度_上川総合振興局.xlsx"
    found = reports.file(bureau.conn, bureau.who.director, job_id)
    assert hashlib.sha256(found.data).hexdigest() == found.sha256 == made["sha256"]
    assert found.data[:2] == b"PK"
    person, what, told, rows = (
        bureau.conn.execute("SELECT person_id, what, filter, rows FROM export_record").fetchone() or ()
    )
    assert (person, what, rows) == (bureau.who.director, "report:year-end", 1)
    assert told["sha256"] == found.sha256
    assert ask(bureau) != job_id  # a finished one is no reason not to make another


def test_only_whose_office_it_is_sees_a_report(bureau: Bureau) -> None:
    bureau.crossing()
    job_id = ask(bureau)
    reports.compile_next(bureau.db)
    neighbour = factory.person(bureau.conn, "bureau", "hk-sorachi")
    who = bureau.who
    for person in (neighbour, who.municipality, who.staff, who.auditor, who.records):
        with pytest.raises(NotFound):
            ask(bureau, person)
        assert reports.jobs(bureau.conn, person) == []
        with pytest.raises(NotFound):
            reports.file(bureau.conn, person, job_id)
    for office in ("all", "hk-sorachi", "hk-nowhere", who.place):
        with pytest.raises(NotFound):
            ask(bureau, office=office)
    with pytest.raises(NotFound):
        ask(bureau, year=99999)
    everything = ask(bureau, who.headquarters, "all")
    reports.compile_next(bureau.db)
    assert job(bureau, everything)["file_name"] == "年度末報告_令和6年度_全局.xlsx"
    assert [row["id"] for row in reports.jobs(bureau.conn, who.bureau)] == [job_id]
    with pytest.raises(NotFound):
        reports.file(bureau.conn, who.bureau, everything)
    assert reports.file(bureau.conn, who.headquarters, job_id).data


def test_who_lost_the_post_meanwhile_gets_no_report(bureau: Bureau) -> None:
    job_id = ask(bureau)
    bureau.conn.execute("UPDATE tenure SET valid_to = '2025-03-02' WHERE person_id = %s", (bureau.who.bureau,))
    assert reports.compile_next(bureau.db)
    found = job(bureau, job_id)
    assert (found["kind"], found["trouble"]) == ("stop", reports.NOT_SEEN)


def test_a_killed_workers_report_is_taken_over(bureau: Bureau) -> None:
    bureau.crossing()
    job_id = ask(bureau)
    assert bureau.conn.execute(reports.CLAIM).fetchone()  # and dies
    assert not reports.compile_next(bureau.db)
    expire(bureau)
    assert reports.compile_next(bureau.db)
    assert job(bureau, job_id)["kind"] == "ok"


def test_a_report_that_kills_every_worker_is_given_up(bureau: Bureau) -> None:
    job_id = ask(bureau)
    for _ in range(reports.TRIES):
        assert bureau.conn.execute(reports.CLAIM).fetchone()
        expire(bureau)
    assert not reports.compile_next(bureau.db)
    found = job(bureau, job_id)
    assert (found["kind"], found["trouble"]) == ("stop", reports.FAILED)


def test_who_lost_the_lease_writes_nothing(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    bureau.crossing()
    job_id = ask(bureau)
    fill = workbook.fill

    def slow(found: Any, progress: Any) -> bytes:
        expire(bureau)
        assert bureau.conn.execute(reports.CLAIM).fetchone()  # somebody else
        return fill(found, progress)

    monkeypatch.setattr(workbook, "fill", slow)
    assert reports.compile_next(bureau.db)
    assert job(bureau, job_id)["sha256"] is None
    monkeypatch.undo()
    expire(bureau)
    assert reports.compile_next(bureau.db)
    assert job(bureau, job_id)["kind"] == "ok"


def test_a_failure_is_tried_three_times_and_then_told(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> bytes:
        raise RuntimeError

    job_id = ask(bureau)
    monkeypatch.setattr(workbook, "fill", broken)
    for tries in range(1, reports.TRIES + 1):
        assert reports.compile_next(bureau.db)
        found = job(bureau, job_id)
        assert found["tries"] == tries
        assert (found["kind"], found["trouble"]) == (
            ("stop", reports.FAILED) if tries == reports.TRIES else ("warn", reports.AGAIN)
        )
        assert not reports.compile_next(bureau.db)  # it pauses first
        expire(bureau)


def test_a_trouble_with_the_template_is_told_at_once(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(*_: Any) -> bytes:
        raise DocumentProblem("様式に「lines」がありません。")

    job_id = ask(bureau)
    monkeypatch.setattr(workbook, "fill", lacking)
    assert reports.compile_next(bureau.db)
    assert job(bureau, job_id)["trouble"] == "様式に「lines」がありません。"


def test_progress_is_told_outside_any_transaction(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    bureau.crossing()
    job_id, seen = ask(bureau), []
    fill = workbook.fill

    def watched(found: Any, progress: Any) -> bytes:
        def tell(done: int) -> None:
            progress(done)
            seen.append(bureau.conn.execute("SELECT done, total FROM report_job WHERE id = %s", (job_id,)).fetchone())

        return fill(found, tell)

    monkeypatch.setattr(workbook, "fill", watched)
    reports.compile_next(bureau.db)
    assert seen == [(1, 1)]


def test_many_workers_make_every_report_once(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [ask(bureau, year=year) for year in range(2016, 2024)]
    made: list[int] = []
    fill = workbook.fill

    def counted(found: Any, progress: Any) -> bytes:
        made.append(found.year)
        return fill(found, progress)

    monkeypatch.setattr(workbook, "fill", counted)
    db = Database(bureau.app_url, pool_size=4)

    def work() -> None:
        while reports.compile_next(db):
            pass

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.close()
    assert sorted(made) == list(range(2016, 2024))
    assert all(job(bureau, job_id)["kind"] == "ok" for job_id in asked)


def test_the_command_line_gets_bytes_and_figures(bureau: Bureau) -> None:
    bureau.reported(bureau.crossing())
    data, summary = reports.year_end(bureau.conn, *KEYS, OFFICE, None)
    assert data[:2] == b"PK"
    assert (summary["fiscal_year"], summary["figures"]["person_days"]) == (2025, 4)
    for keys, office, year, sentence in (
        (("dispatch", "weekly"), OFFICE, 2024, "weekly"),
        (KEYS, "hk-nowhere", 2024, "hk-nowhere"),
        (KEYS, OFFICE, 20240, "20240"),
    ):
        with pytest.raises(ValueError, match=sentence):
            reports.year_end(bureau.conn, *keys, office, year)
