"""Versions side by side: a new one never touches running cases, and a dry run says which of them it would fit."""

from dataclasses import replace

import pytest

from states import catalogue
from states.fitting import Fit
from tests import factory, offices
from workflow import cases, masters
from workflow.versions import dry_run

OLD = catalogue.process("dispatch")
LAID_DOWN = "correction"  # a state that the newer version calls otherwise


def unreadable(form):
    raise KeyError("nothing")


def newer(**changes):
    return replace(OLD, version=2, **changes)


@pytest.fixture
def publish(monkeypatch):
    """Adds a version to those that the catalogue knows."""

    def add(process):
        known = {**catalogue.all_versions.__wrapped__(), (process.key, process.version): process}
        monkeypatch.setattr(catalogue, "all_versions", lambda: known)
        monkeypatch.setattr(catalogue, "newest", lambda: {key: p for (key, _), p in sorted(known.items())})

    return add


def renamed(old, new):
    """The process with a state of another name, everywhere."""
    states = tuple(replace(s, name=new) if s.name == old else s for s in OLD.states)
    table = tuple(
        replace(
            row, source=tuple(new if s == old else s for s in row.source), dest=new if row.dest == old else row.dest
        )
        for row in OLD.table
    )
    dues = tuple(
        replace(
            due,
            runs=frozenset(new if s == old else s for s in due.runs),
            pauses=frozenset(new if s == old else s for s in due.pauses),
        )
        for due in OLD.deadlines
    )
    return newer(states=states, table=table, deadlines=dues)


def test_what_runs_stays_under_its_version_and_what_opens_begins_under_the_new_one(conn, who, clock, publish):
    running = factory.opened(conn, who)
    factory.drive(conn, who, running, "submit")
    publish(newer())
    factory.drive(conn, who, running, "receive")
    later = factory.opened(conn, who)
    found = conn.execute("SELECT id, process_version FROM cases ORDER BY id").fetchall()
    assert found == [(running, 1), (later, 2)]
    assert {o.action.name for o in cases.look(conn, who.bureau, running).offers} >= {"propose_team", "consult"}


def test_it_starts_only_if_every_stored_case_has_its_version(conn, who, clock, publish, monkeypatch, fresh_database):
    publish(newer())
    masters.load_masters(fresh_database.owner_url)
    case = factory.opened(conn, who)
    factory.drive(conn, who, case, "submit")
    masters.check_published(conn)
    monkeypatch.undo()
    with pytest.raises(masters.PublishedDiffers, match="dispatch 第2版"):
        masters.check_published(conn)


@pytest.mark.parametrize(
    ("version", "fit", "said"),
    [
        (newer(), Fit.OK, ""),
        (renamed(LAID_DOWN, "mending"), Fit.MAPPING, "候補: 「補正待ち」"),
        (newer(deadlines=tuple(d for d in OLD.deadlines if d.kind != "correction")), Fit.MAPPING, "補正の期限"),
        (newer(opens={}), Fit.BLOCKED, "契機"),
        (newer(read=unreadable), Fit.BLOCKED, "様式"),
    ],
)  # fmt: skip
def test_a_dry_run_says_what_moving_would_need(conn, who, clock, publish, version, fit, said):
    case = factory.opened(conn, who)
    factory.drive(conn, who, case, "submit", "receive", "ask_correction")
    before = conn.execute("SELECT version, head FROM cases").fetchall()
    publish(version)
    (tried,) = dry_run(conn)
    assert (tried.case, tried.fitting.fit) == (case, fit)
    assert said in "".join(tried.fitting.reasons)
    assert conn.execute("SELECT version, head FROM cases").fetchall() == before


def test_a_case_on_its_route_needs_the_matter(conn, who, clock, publish):
    office = offices.line(conn, who)
    offices.rule(conn, office)
    offices.put_up(conn, office)
    publish(newer(matters=()))
    (tried,) = dry_run(conn)
    assert tried.fitting.fit is Fit.MAPPING
    assert "派遣の決定" in tried.fitting.reasons[0]
