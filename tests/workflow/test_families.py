"""Cases under a case: opened, heard of and ended in one transaction each, whoever is faster and whatever breaks."""

import threading
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from states import catalogue
from states.kernel import Refused
from tests import factory
from workflow import case_sql, cases, queries, story, verify
from workflow.cases import Conflict
from workflow.loading import NotFound

NEEDED: dict[str, Any] = {
    "own_affairs": "yes",
    "concurrent_appointment": "needed",
    "concurrent_reason": "証明書の交付を含むため。",
}


def conditions(conn: Any, *owners: str, stops: str = "begin") -> dict[str, Any]:
    due = (cases.today(conn) + timedelta(days=5)).isoformat()
    items = [{"text": f"{owner}が協定を確かめる", "owner": owner, "due": due, "stops": stops} for owner in owners]
    return {"conditions": {"items": items}}


@pytest.fixture
def consulted(conn, who):
    case: int = factory.opened(conn, who, **NEEDED)
    factory.drive(conn, who, case, "submit", "receive", "propose_team", "consult")
    return case


@pytest.fixture
def agreed(conn, who, consulted):
    form = conditions(conn, "bureau", "municipality")
    factory.drive(conn, who, consulted, ("agree_with_conditions", {"by": who.headquarters, "form": form}))
    return consulted


def children(conn: Any, case: int) -> list[tuple[int, str, int]]:
    rows: list[tuple[int, str, int]] = conn.execute(
        "SELECT id, state, version FROM cases WHERE parent_id = %s ORDER BY id", (case,)
    ).fetchall()
    return rows


def events(conn: Any, case: int) -> list[str]:
    rows = conn.execute("SELECT action FROM event WHERE case_id = %s ORDER BY seq", (case,)).fetchall()
    return [row[0] for row in rows]


def states_of(conn: Any, case: int) -> list[str]:
    return [state for _, state, _ in children(conn, case)]


def test_conditions_are_cases_of_their_own_that_everybody_who_waits_reads(db, conn, who, agreed):
    found = children(conn, agreed)
    assert [version for _, _, version in found] == [1, 1]
    for child, _, _ in found:
        for reader in (who.municipality, who.bureau, who.director, who.headquarters, who.auditor):
            assert cases.look(conn, reader, child).parent_id == agreed
        with pytest.raises(NotFound):
            cases.look(conn, factory.person(conn, "municipality", "014583"), child)
    assert len(cases.look(conn, who.director, agreed).facts.registers["children"]) == 2
    waiting = {row["case_id"] for row in queries.inbox(conn, who.municipality).rows}
    assert found[1][0] in waiting
    assert found[0][0] not in waiting
    assert not verify.run(db).breaks


def test_the_parent_hears_of_every_move_and_gets_one_event_for_it(db, conn, who, agreed):
    (first, _, _), (second, _, _) = children(conn, agreed)
    before = len(events(conn, agreed))
    factory.drive(conn, who, first, ("show_evidence", {"by": who.bureau, "inputs": {"evidence": "協定書を結んだ。"}}))
    factory.drive(conn, who, first, ("confirm", {"by": who.headquarters, "inputs": {}}))
    factory.drive(conn, who, second, ("waive", {"by": who.headquarters, "inputs": {"reason": "今回は要らない。"}}))
    assert events(conn, agreed)[before:] == ["child_moved"] * 3
    view = cases.look(conn, who.municipality, agreed)
    told = [
        part["text"] for line in story.timeline(conn, view) for part in line["shown"] if part["label"] == "下の案件"
    ]
    assert "満たされたと確認する" in told[1]
    assert "条件を免除する" in told[0]
    assert not verify.run(db).breaks


def test_a_case_that_ends_takes_its_open_children_along(db, conn, who, agreed):
    first = children(conn, agreed)[0][0]
    factory.drive(conn, who, first, ("waive", {"by": who.headquarters, "inputs": {"reason": "要らない。"}}))
    factory.drive(conn, who, agreed, ("withdraw", {"by": who.municipality, "inputs": {"reason": "予定が変わった。"}}))
    found = [catalogue.process("condition").state(state) for state in states_of(conn, agreed)]
    assert all(state.final for state in found)
    assert events(conn, children(conn, agreed)[1][0]) == ["set", "lapse"]
    assert events(conn, agreed)[-1] == "withdraw"  # a case that has ended hears no more
    open_steps = conn.execute(
        "SELECT count(*) FROM step s JOIN cases c ON c.id = s.case_id WHERE c.parent_id = %s AND s.closed_at IS NULL",
        (agreed,),
    ).fetchone()
    assert open_steps == (0,)
    assert not verify.run(db).breaks


def test_the_same_answer_sent_twice_opens_the_conditions_once(conn, who, consulted):
    key, form = uuid4(), conditions(conn, "bureau")
    told: dict[str, Any] = {"version": factory.version(conn, consulted), "key": key, "inputs": {}, "form": form}
    first = cases.act(conn, who.headquarters, consulted, "agree_with_conditions", **told)
    again = cases.act(conn, who.headquarters, consulted, "agree_with_conditions", **told)
    assert again.replayed
    assert again.version == first.version
    assert len(children(conn, consulted)) == 1


def test_a_refused_answer_leaves_no_child_behind(conn, who, consulted):
    form = conditions(conn, "bureau")
    form["conditions"]["items"][0]["due"] = "いつか"
    with pytest.raises(Refused):
        factory.drive(conn, who, consulted, ("agree_with_conditions", {"by": who.headquarters, "form": form}))
    assert children(conn, consulted) == []


def test_what_breaks_between_parent_and_child_writes_neither(db, conn, who, consulted, monkeypatch):
    before, real, written = events(conn, consulted), case_sql.carry_out, []

    def breaks(*args: Any, **named: Any) -> bool:
        written.append(args)
        if len(written) > 1:
            raise ConnectionError
        return real(*args, **named)

    monkeypatch.setattr(case_sql, "carry_out", breaks)
    with pytest.raises(ConnectionError):
        factory.drive(
            conn,
            who,
            consulted,
            ("agree_with_conditions", {"by": who.headquarters, "form": conditions(conn, "bureau")}),
        )
    monkeypatch.undo()
    assert events(conn, consulted) == before
    assert children(conn, consulted) == []
    assert not verify.run(db).breaks


def test_children_and_parent_moved_at_once_each_move_once_or_say_who_was_faster(db, conn, who, agreed):
    """Two conditions waived, a third hand withdrawing the case: whatever the order, the chain holds and nothing hangs."""
    found = [child for child, _, _ in children(conn, agreed)]
    jobs = [(who.headquarters, child, "waive", {"reason": "要らない。"}) for child in found for _ in range(3)]
    jobs += [(who.municipality, agreed, "withdraw", {"reason": "予定が変わった。"})] * 2
    versions = {case: factory.version(conn, case) for case in (*found, agreed)}
    start = threading.Barrier(len(jobs))
    answers: list[Any] = []

    def act(person: int, case: int, action: str, inputs: dict[str, str]) -> None:
        start.wait(30)
        with db.connection() as own:
            try:
                answers.append(cases.act(own, person, case, action, version=versions[case], key=uuid4(), inputs=inputs))
            except (Conflict, Refused, NotFound) as refusal:
                answers.append(refusal)

    threads = [threading.Thread(target=act, args=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(answers) == len(jobs)
    assert (
        all(catalogue.process("condition").state(state).final for state in states_of(conn, agreed))
        or not cases.look(conn, who.bureau, agreed).state.final
    )
    for child in found:
        assert len(events(conn, child)) == 2
    assert not verify.run(db).breaks
