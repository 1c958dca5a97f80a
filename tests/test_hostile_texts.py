"""What somebody types is shown as typed, wherever it comes out; what cannot be text is refused by field; files and arguments alike."""

import csv
import html
import io
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from openpyxl import load_workbook

from states.text import problems, visible
from tests import factory
from tests.conftest import Database as Urls
from tests.factory import OFFICE
from tests.hostility import HARMLESS, HIDING
from tests.test_permissions import World, world  # noqa: F401 - the same prefecture
from workflow import __main__ as command
from workflow import db, outbox, reports, search, watch
from workflow.deadlines import TOKYO
from workflow.settings import settings
from workflow.verify import verify

TITLE = '=HYPERLINK("x")<script>alert(1)</script>𠮷'
PURPOSE = "\n".join(HARMLESS) + "\n" + "あ" * 11_000


@pytest.fixture
def told(world: World, fresh_database: Urls) -> int:  # noqa: F811
    """A case that went the whole road with these texts in it; its id."""
    conn, who = world.conn, world.who
    request = {
        "title": TITLE,
        "purpose": PURPOSE,
        "place": "+1",
        "expected_result": "@SUM(A1)",
        "tasks": [{"text": text, "role": "advice"} for text in HARMLESS],
    }
    made = factory.opened(conn, who, first=date(2026, 10, 19), days=2, **request)
    factory.drive(conn, who, made, "submit", "receive")
    team = factory.team(conn, who, made)
    for member in team["team"]["members"]:
        member |= {"name": "-1+1", "role": "=1+1", "section": "<b>課</b>"}
    factory.drive(
        conn,
        who,
        made,
        ("propose_team", {"form": team}),
        ("put_to_director", {"inputs": {"note": "\n".join(HARMLESS)}}),
        "approve",
    )
    factory.set_clock(fresh_database.owner_url, datetime(2026, 10, 26, 9, tzinfo=TOKYO))
    for _ in range(3):
        watch.move(db.database())
    for person in (who.staff, who.staff_colleague):
        report = {
            f"report:{person}": {
                "actual_days": "",
                "findings": "\n".join(HARMLESS),
                "issues": "=1+1",
                "next_steps": "<i>次</i>",
            }
        }
        factory.drive(conn, who, made, ("file_trip_report", {"by": person, "form": report}))
    factory.drive(
        conn,
        who,
        made,
        ("file_result", {"form": {"result": {"results": "\n".join(HARMLESS), "issues": "@", "follow_up": "\t=1"}}}),
    )
    outbox.deliver(db.database())
    search.refresh(conn, made)
    return made


def words(page: str) -> str:
    """What a reader reads of a page."""
    return html.unescape(re.sub(r"<[^>]*>", "", re.sub(r"<br/?>", "\n", page)))


def test_every_page_letter_and_mail_shows_it_as_typed(world: World, told: int) -> None:  # noqa: F811
    for column, path, looked_for in (
        ("bureau", f"/cases/{told}", (TITLE, *HARMLESS, "あ" * 11_000, "-1+1", "=1+1", "<b>課</b>", "<i>次</i>")),
        ("municipality", f"/cases/{told}", (TITLE, *HARMLESS, "あ" * 11_000)),
        ("bureau", f"/cases/{told}/print", (TITLE, *HARMLESS)),
        ("municipality", f"/cases/{told}/letters/decision_notice", (TITLE,)),
        ("bureau", "/cases", (TITLE,)), ("bureau", "/cases?q=HYPERLINK", (TITLE,)), ("headquarters", "/cases?q=%3Cscript%3E", (TITLE,)),
        ("auditor", "/audit", (TITLE,)), ("records", f"/cases/{told}/erase?by=rows", (TITLE,)), ("bureau", "/mailbox", ()), ("director", "/inbox", ()),
    ):  # fmt: skip
        answer = world.client(column)[0].get(path, follow_redirects=True)
        assert answer.status_code == 200, path
        assert "<script>alert" not in answer.text, path
        said = words(answer.text)
        for text in looked_for:
            assert visible(text) in said, (path, text[:60])
    for subject, body in world.conn.execute("SELECT subject, body FROM message").fetchall():
        assert "\n" not in subject
        assert not any(text in body for text in HARMLESS if len(text) > 10)  # a mail names nobody and tells no content


def test_the_words_that_were_found_stand_in_a_marked_excerpt(world: World, told: int) -> None:  # noqa: F811
    for wanted in ("onerror", "<script>", "HYPERLINK", "𠮷野家"):
        answer = world.client("bureau")[0].get("/search", params={"q": wanted})
        assert answer.status_code == 200
        assert visible(TITLE) in words(answer.text), wanted
        assert "<img src=x" not in answer.text
        assert "<script>alert" not in answer.text


def test_a_workbook_and_a_csv_hold_text_and_no_formula(world: World, told: int) -> None:  # noqa: F811
    job = reports.ask_report(world.conn, world.who.bureau, "dispatch", "year-end", OFFICE, 2026)
    while reports.compile_next(db.database()):
        pass
    book = load_workbook(io.BytesIO(reports.file(world.conn, world.who.bureau, job).data))
    cells = [cell for sheet in book for line in sheet.iter_rows() for cell in line if isinstance(cell.value, str)]
    assert TITLE in [cell.value for cell in cells]
    typed = (TITLE, "-1+1", "=1+1", "<b>課</b>", *HARMLESS)
    assert {cell.data_type for cell in cells if cell.value in typed} == {"s"}
    client, csrf = world.client("auditor")
    text = client.post("/audit/export", data={"csrf": csrf, "kind": "csv"}).content.decode("utf-8-sig")
    lines = [line for line in csv.DictReader(io.StringIO(text)) if "HYPERLINK" in line["件名"]]
    assert {line["件名"] for line in lines} == {f"'{TITLE}"}
    assert not any(
        value.startswith(("=", "+", "-", "@", "\t")) for line in csv.reader(io.StringIO(text)) for value in line
    )
    exported = client.post("/audit/export", data={"csrf": csrf, "kind": "jsonl"}).text
    forms = [
        json.loads(c["data"])
        for line in exported.splitlines()
        for c in json.loads(line)["content"]
        if c["kind"] == "form:request" and "data" in c
    ]
    assert PURPOSE in [form.get("purpose") for form in forms]
    assert verify(db.database()).whole


def test_what_hides_is_shown_and_what_is_no_text_goes_back_with_its_field(world: World, subtests: Any) -> None:  # noqa: F811
    client, csrf = world.client("municipality")
    for text in HIDING:
        with subtests.test(repr(text)):
            draft = world.draft()
            sent = {"csrf": csrf, "saves": "0", "request.title": f"表{text}題", "request.purpose": f"困り{text}ごと"}
            answer = client.post(f"/cases/{draft}/edit", data=sent, follow_redirects=True)
            kept = answer.status_code == 200
            assert kept or (answer.status_code, "文字" in answer.text) == (422, True)
            if kept:
                assert visible(f"表{text}題") in words(client.get(f"/cases/{draft}").text)
            act = {"csrf": csrf, "version": "0", "key": str(uuid4())}
            handed_in = client.post(f"/cases/{draft}/actions/submit", data=act)
            if kept and problems(text):
                assert handed_in.status_code == 422
                assert re.search(r"件名[^<]*文字目に", handed_in.text)


NAMES = (
    "../../etc/passwd.txt", "..\\..\\boot.txt", "a\r\nSet-Cookie: x=1.txt", "\u202efdp.txt", "長" * 200 + ".txt", "CON.txt", ".txt", "=cmd|x.txt", "<img src=x>.txt",
    'x".txt', "%2e%2e%2f.txt", "a\x00b.txt", "\ud800.txt", "\u3042.TXT", " .txt ", "a" * 60_000 + ".txt",
)  # fmt: skip


def test_a_name_of_a_file_is_a_name_and_nothing_else(world: World, subtests: Any) -> None:  # noqa: F811
    client, csrf = world.client("bureau")
    case = world.things["examined"]
    for name in NAMES:
        with subtests.test(repr(name)[:40]):
            before = world.conn.execute("SELECT count(*) FROM attachment").fetchone()
            answer = client.post(
                f"/cases/{case}/files",
                content=upload(csrf, name),
                headers={"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"},
            )
            assert answer.status_code in (303, 400, 413, 422), answer.text[:500]
            after = world.conn.execute("SELECT count(*) FROM attachment").fetchone()
            assert (after != before) is (answer.status_code == 303)
    for file, kept in world.conn.execute("SELECT id, name FROM attachment WHERE case_id = %s", (case,)).fetchall():
        assert not re.search(r"[/\\\x00-\x1f]", kept)
        given = client.get(f"/cases/{case}/files/{file}")
        assert given.status_code == 200
        assert "sandbox" in given.headers["content-security-policy"]
        assert "set-cookie" not in given.headers
    assert "<img src=x>" not in client.get(f"/cases/{case}/files").text


BOUNDARY = "x" * 20


def upload(csrf: str, name: str) -> bytes:
    """The form of a file as a browser sends it, but for the name."""
    fields = {"csrf": csrf, "key": str(uuid4()), "scope": "internal", "label": "", "back": "list"}
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        for key, value in fields.items()
    ]
    parts.append(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: text/plain\r\n\r\n'
    )
    return "".join([*parts, uuid4().hex, f"\r\n--{BOUNDARY}--\r\n"]).encode("utf-8", "surrogatepass")


# ── files and arguments of the command ──────────────────────────────────────────────────────────────────────────────

BAD_FILES = {
    "NaN": b'[{"a": NaN}]', "Infinity": b'{"cases": [Infinity]}', "a number of 100,000 digits": b"[" + b"9" * 100_000 + b"]", "10^400": b"[1e400]",
    "an exponent beyond all": b"[1e99999999999]", "100,000 deep": b"[" * 100_000, "100,000 deep in objects": b'{"a":' * 100_000,
    "a key twice": b'[{"id": "1", "id": "2"}]', "a lone surrogate": b'[{"id": "\\ud800"}]', "NUL": b'[{"id": "\\u0000"}]', "a naked NUL": b'[{"id": "\0"}]',
    "UTF-16": '[{"id": "あ"}]'.encode("utf-16"), "overlong UTF-8": b'["\xc0\xaf"]', "a surrogate in bytes": b'["\xed\xa0\x80"]', "nothing": b"",
    "more behind the end": b"[] x", "a line break in a text": b'["a\nb"]', "no end": b'["' + b"a" * 2_000_000, "five million blanks": b" " * 5_000_000,
    "an object without cases": b'{"cases": 5}', "a wrong count": b'{"count": 1e30, "cases": []}', "a number": b"5", "null": b"null", "a zip": b"PK\x03\x04" + bytes(100),
    "a page": b"<html>", "an id that is none": b'[{"id": 5}]', "an id without end": b'[{"id": "' + b"x" * 5000 + b'"}]', "not a request": b'[{"id": "1", "input": []}]',
}  # fmt: skip


def answered(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str]:
    """Exit code and everything that the command said, run as `tobidashi` runs it."""
    monkeypatch.setattr(sys, "argv", ["tobidashi", *arguments])
    with pytest.raises(SystemExit) as ended:
        command.main()
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out + said.err


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_file_that_is_none_is_answered_in_words(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (file := tmp_path / "in.json").write_bytes(BAD_FILES[name])
    begun = time.perf_counter()
    code, said = answered(capsys, monkeypatch, "check", "dispatch", str(file))
    assert code == 2, said[:500]
    assert "何も取り込んでいません" in said
    assert re.search(r"\d+行目", said)
    code, said = answered(capsys, monkeypatch, "check", "dispatch", str(file), "--json")
    assert code == 2
    assert all(problem["reason"].endswith("。") and problem["line"] >= 1 for problem in json.loads(said)["problems"])
    assert time.perf_counter() - begun < 20


def test_thousands_of_mistakes_are_told_in_good_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (file := tmp_path / "in.json").write_bytes(b"[\n" + b",\n".join(b"{}" for _ in range(3_000)) + b"]")
    begun = time.perf_counter()
    code, said = answered(capsys, monkeypatch, "check", "dispatch", str(file), "--json")
    assert (code, json.loads(said)["problems"][-1]["line"]) == (2, 3_001)
    assert time.perf_counter() - begun < 20


ARGUMENTS = (
    ("check", "\udcff", "/tmp"), ("check", "dispatch", "/nowhere/\udcff"), ("check", "dispatch", "/"), ("diagram", "x" * 5000), ("diagram", "../../etc"),
    ("report", "year-end", "--office", "x", "--fy", "9" * 5000, "-o", "/nowhere/x"), ("report", "year-end", "--office", "\udcff", "-o", "/nowhere/x"), ("verify",), ("verify", "--nothing"),
    ("serve", "--port", "99999999"), ("serve", "--port", "x"), ("migrate",), ("demo",),
    ("user", "\udcff", "--name", "x", "--login", "x", "--org", "x", "--title", "x", "--role", "bureau"),
    ("user", "1", "--name", "x", "--login", "x", "--org", "x", "--title", "x", "--role", "king"),
    ("import", "dispatch", "/nowhere", "--as", "x"), ("import", "dispatch", "/dev/null", "--as", "\udcff"), ("import", "\udcff", "/dev/null", "--as", "x"),
    ("import", "dispatch", "--template", "/nowhere/x.xlsx"), ("nothing",), (),
)  # fmt: skip


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A database that is not there."""
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/none")
    monkeypatch.delenv("DATABASE_OWNER_URL", raising=False)
    settings.cache_clear()
    kept, db._database = db._database, None
    yield
    db._database = kept
    monkeypatch.undo()
    settings.cache_clear()


@pytest.mark.usefixtures("nowhere")
@pytest.mark.parametrize("arguments", ARGUMENTS)
def test_arguments_that_are_none_are_answered_in_words(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, said = answered(capsys, monkeypatch, *arguments)
    assert code in (1, 2)
    assert "Traceback" not in said
    assert said.strip()


def test_arguments_that_are_no_text_at_all_end_no_process_of_ours_badly(fresh_database: Urls) -> None:
    """The real command, with bytes that no decoder takes."""
    done = subprocess.run(
        [sys.executable, "-m", "workflow", "user", b"\xff\xfe", "--name", b"\xed\xa0\x80", "--login", "x", "--org", "hk-kamikawa", "--title", "x", "--role", "bureau"],
        capture_output=True, env={"PATH": "/usr/bin:/bin", "DATABASE_URL": fresh_database.app_url}, check=False,
    )  # fmt: skip
    assert done.returncode in (1, 2), done.stderr
    assert b"Traceback" not in done.stderr
    assert done.stderr.decode("utf-8", "replace").strip()
