"""What every process of the catalogue must hold, whatever it is about; a new one is tested by being there."""

import json
import os
import pkgutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

import states
from states import catalogue
from states.calendar import Calendar
from states.kernel import DefinitionError, Process
from states.places import Directory
from states.route_actions import WHO
from states.terms import CLOCK, PICKED, STAY, Action, Facts

ROLES = frozenset(
    {
        "municipality", "municipality_head", "partner", "bureau", "director", "headquarters", "department", "staff", "personnel",
        "body",
    }
)  # fmt: skip
ON_A_ROUTE = frozenset(WHO)  # roles that a route gives
READERS = ROLES | {"co_office", "auditor", "records"}
MOST_STEPS = 6
RULES = {rule["id"] for rule in json.loads((Path(__file__).parent.parent / "data" / "rules.json").read_text())["rules"]}

PROCESSES = sorted(catalogue.all_versions().values(), key=lambda p: (p.key, p.version))
every_process = pytest.mark.parametrize("process", PROCESSES, ids=lambda p: f"{p.key}-{p.version}")


def facts(process: Process, state: str, roles: frozenset[str]) -> Facts:
    return Facts(
        state=state, form={}, read=process.reading({}), today=date(2026, 4, 1), directory=Directory.from_csv(),
        calendar=Calendar(), roles=roles, actor="1",
    )  # fmt: skip


def rows(process: Process) -> list[tuple[str, Action]]:
    return [(f"{row.name} from {'/'.join(row.source)}", row) for row in process.table]


def test_the_catalogue_finds_every_process_once():
    assert PROCESSES
    assert set(catalogue.newest()) == {p.key for p in PROCESSES}
    for key, newest in catalogue.newest().items():
        assert newest.version == max(p.version for p in PROCESSES if p.key == key)
        assert catalogue.process(key) is newest
    with pytest.raises(KeyError):
        catalogue.process("nothing of the kind")


def test_two_processes_of_one_name_and_version_are_refused(monkeypatch):
    twice = [*pkgutil.iter_modules(states.__path__)] * 2
    monkeypatch.setattr(pkgutil, "iter_modules", lambda path: twice)
    with pytest.raises(DefinitionError, match="declared twice"):
        catalogue.all_versions.__wrapped__()


@every_process
def test_every_state_is_reached_and_every_state_leads_to_an_end(process):
    ways = {s.name: {r.dest for r in process.table if s.name in r.source and r.dest != STAY} for s in process.states}
    reached, todo = {process.initial.name}, [process.initial.name]
    while todo:
        todo += (new := ways[todo.pop()] - reached)
        reached |= new
    assert reached == {s.name for s in process.states}
    assert any(s.final for s in process.states)
    for state in process.states:
        assert bool(ways[state.name]) != state.final, state.name


@every_process
def test_states_have_labels_holders_and_a_step_that_all_share(process):
    assert len({s.label for s in process.states}) == len(process.states)
    assert len({s.step for s in process.states}) <= MOST_STEPS
    for state in process.states:
        assert state.label
        assert not state.label.isascii()
        assert state.step
        assert not state.step.isascii()
        assert state.final == (not state.holder), state.name
        assert state.final == bool(state.outcome), state.name
        assert state.final or state.holder in ROLES


@every_process
def test_no_state_waits_for_somebody_who_can_do_nothing(process):
    for state in process.states:
        leaving = [row for row in process.table if state.name in row.source]
        if not state.final:
            assert any({state.holder, CLOCK} & row.by for row in leaving), state.name


@every_process
def test_every_action_has_a_role_a_verb_and_says_what_it_does(process):
    for where, row in rows(process):
        assert row.by, where
        assert row.by <= ROLES | ON_A_ROUTE | {CLOCK}, where
        assert row.label, where
        assert not row.label.isascii(), where
        assert row.effect, where
        assert row.tells <= ROLES, where
        assert set(row.numbers) <= {"case", "receipt", "letter", "branch"}, where
        assert CLOCK not in row.by or row.by == {CLOCK}, f"{where}: the clock acts alone"


@every_process
def test_rows_that_share_a_name_and_a_place_are_told_apart(process):
    for _, row in rows(process):
        for source in row.source:
            same = [r for r in process.table if r.name == row.name and source in r.source]
            assert len(same) == 1 or all(r.when for r in same), f"{row.name} from {source}"
            assert len({r.label for r in same}) == 1, f"{row.name} from {source}"


@every_process
def test_what_is_asked_has_a_label_and_a_place(process):
    for where, row in rows(process):
        names = [ask.name for ask in row.asks]
        assert len(set(names)) == len(names), where
        assert not set(names) & {"reasons", "confirm"}, where
        for ask in row.asks:
            assert ask.label, where
            assert ask.kind in {"text", "date", "choice", "office", "partner", "case"} | PICKED, where
            assert (ask.kind == "choice") == bool(ask.choices), where
            assert not ask.into or ask.into.count(".") == 1, where
            assert not (ask.into and ask.internal), f"{where}: what is internal does not go into the form"


@every_process
def test_rules_are_cited_by_the_ids_of_the_rule_book(process):
    for where, row in rows(process):
        for asked in (*row.guards, *row.advises):
            assert asked.rule is None or asked.rule in RULES, where
        assert not {g.name for g in row.guards} & {g.name for g in row.advises}, f"{where}: a rule is asked twice"


@every_process
def test_only_who_weighs_meets_warnings_and_a_letter_is_declared(process):
    letters = {letter.key for letter in process.documents.letters} if process.documents else set()
    for where, row in rows(process):
        assert row.weighs in ("", "drafter", "decider"), where
        if row.weighs == "drafter":
            assert "municipality" not in row.by, f"{where}: the municipality is never the drafter"
        assert set(row.letters) <= letters, where
        assert not row.letters or "letter" in row.numbers, f"{where}: a letter needs a number"


@every_process
def test_deadlines_have_a_holder_and_only_the_clock_makes_their_moves(process):
    assert len({d.kind for d in process.deadlines}) == len(process.deadlines)
    for due in process.deadlines:
        assert due.label
        assert due.holder in ROLES
        assert [bool(due.days), bool(due.at), bool(due.on)].count(True) == 1, due.kind
        assert all(row.by == {CLOCK} for row in process.table if row.name == due.move), due.kind
    moves = {due.move for due in process.deadlines if due.move} | ({process.lapses} - {""})
    assert moves == {row.name for row in process.table if row.by == {CLOCK}}


@every_process
def test_every_origin_can_be_opened_and_put_forward(process):
    # A process of child cases is opened by the acts of its parents, never by hand.
    assert not (process.opens and process.lapses)
    for origin, by in process.opens.items():
        assert by
        assert by <= ROLES, origin
    first = [row for row in process.table if process.initial.name in row.source]
    assert all(row.edits or not process.opens for row in first), "a draft must be writable before it is put forward"


@every_process
def test_an_empty_form_is_read_shown_and_refused_without_trouble(process):
    assert process.title({})
    assert process.place({}) == ""
    for state in process.states:
        for role in (*sorted(READERS), CLOCK):
            asked = facts(process, state.name, frozenset({role}))
            for offer in process.actions(asked):
                assert role in offer.action.by
                assert state.name in offer.action.source
                for verdict in offer.verdicts:
                    assert verdict.sentence.endswith("。"), verdict
            assert all(row.dest == STAY for row in (o.action for o in process.actions(asked))) or not state.final
        assert process.actions(facts(process, state.name, frozenset())) == []
        process.inbox(facts(process, state.name, frozenset()))


@every_process
def test_a_role_that_is_not_in_the_table_is_offered_nothing(process):
    for state in process.states:
        assert process.actions(facts(process, state.name, frozenset({"auditor", "records", "administrator"}))) == []


@every_process
def test_what_is_internal_stays_inside(process):
    for state in process.states:
        for outside in ({"municipality"}, {"staff"}, set()):
            assert not process.reads("internal:reason", frozenset(outside), state.name)
            assert not process.reads("shown", frozenset(outside), state.name)
        assert process.reads("internal:reason", frozenset({"auditor"}), state.name)


@every_process
def test_the_machine_knows_every_state_and_every_verb(process):
    assert set(process.machine.states) == {s.name for s in process.states}
    assert set(process.machine.events) == process.names
    assert process.machine is process.machine


def test_digests_do_not_depend_on_the_run():
    """Sets are sorted before they are hashed: another process with another hash seed says the same."""
    told = {f"{p.key}-{p.version}": p.digest for p in PROCESSES}
    code = (
        "from states import catalogue; import json; "
        "print(json.dumps({f'{p.key}-{p.version}': p.digest for p in catalogue.all_versions().values()}))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env=os.environ | {"PYTHONHASHSEED": "7"}, cwd=Path(catalogue.__file__).parent.parent,
    )  # fmt: skip
    assert json.loads(run.stdout) == told
