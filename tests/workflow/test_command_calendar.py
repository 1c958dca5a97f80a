"""`tobidashi calendar`: the N-th business day, by the law without a database and by an office's table with one."""

import json
import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from workflow import __main__ as command
from workflow.settings import settings


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch):
    """The command's exit code, what it printed and what it complained of; no database unless one is given."""

    def carry_out(*words: str, database: str = ""):
        monkeypatch.setenv("DATABASE_URL", database)
        settings.cache_clear()
        answer = CliRunner().invoke(command.app, ["calendar", *words])
        return answer.exit_code, answer.stdout, answer.stderr

    monkeypatch.delenv("DATABASE_OWNER_URL", raising=False)
    yield carry_out
    monkeypatch.undo()
    settings.cache_clear()


@pytest.mark.parametrize("day", ["2026-09-18", "R8.9.18", "令和8年9月18日", "２０２６／９／１８", "8年9月18日"])
def test_a_date_in_any_form_without_a_database(run, day):
    code, told, _ = run(day, "1")
    assert code == 0
    assert "令和8年9月24日(木)" in told
    assert "2026-09-24" in told


def test_before_and_zero_and_as_json(run):
    assert "2026-12-28" in run("2027-01-04", "-1")[1]
    assert "2026-10-13" in run("R8.10.12", "0")[1]
    code, told, _ = run("平成32年5月1日", "3", "--json")
    answer = json.loads(told)
    assert code == 0
    assert {
        "day": "2020-05-11",
        "weekday": "月",
        "wareki": "令和2年5月11日",
        "n": 3,
        "office": None,
    }.items() <= answer.items()
    assert "平成の期間にない日" in answer["note"]


def test_with_an_office_its_table_is_read(run, fresh_database, owner):
    owner.execute("INSERT INTO closure (day, office) VALUES ('2026-09-24', 'hk-kamikawa')")
    owner.execute("INSERT INTO closure (day, kind) VALUES ('2026-09-22', 'working')")
    url = fresh_database.app_url
    assert "2026-09-22" in run("2026-09-18", "1", "--office", "hk-kamikawa", database=url)[1]
    assert "2026-09-25" in run("2026-09-18", "2", "--office", "hk-kamikawa", database=url)[1]
    code, told, wrong = run("2026-09-18", "1", "--office", "hk-nowhere", database=url)
    assert (code, told) == (2, "")
    assert "「hk-nowhere」という局はありません" in wrong


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("きのう", "1"), 2, "日付として読めません"),
        (("2026-02-30", "1"), 2, "28日まで"),
        (("2026-10-05", "三つ"), 2, "営業日の数として読めません"),
        (("2026-10-05", "9" * 4000), 2, "営業日の数として読めません"),
        (("2099-12-28", "1"), 2, "2100年の祝日は分かりません"),
        (("2026-10-05", "-99999"), 2, "年の祝日は分かりません"),
        (("2026-10-05", "1", "--office", "hk-kamikawa"), 1, "DATABASE_URL がありません"),
    ],
)
def test_what_cannot_be_is_said_in_japanese(run, words, code, sentence):
    answer, told, wrong = run(*words)
    assert (answer, told) == (code, "")
    assert sentence in wrong


def test_another_hosts_time_zone_changes_nothing(tmp_path):
    """The installed command, on a host that lives in New York."""
    around = {**os.environ, "TZ": "America/New_York", "DATABASE_URL": ""}
    told = subprocess.run(
        [sys.executable, "-m", "workflow", "calendar", "R8.9.18", "1", "--json"],
        env=around,
        capture_output=True,
        check=True,
    )
    assert json.loads(told.stdout)["day"] == "2026-09-24"
