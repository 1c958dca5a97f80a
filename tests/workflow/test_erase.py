"""Erasing: the bytes go, the record of who decided stays, and page, story, export and verifier all name the event."""

import json
import threading
from typing import Any
from uuid import uuid4

import pytest

from states.kernel import Refused
from tests import factory
from workflow import acts, cases, export, story
from workflow.access import actor
from workflow.cases import Conflict
from workflow.erase import erase
from workflow.loading import NotFound
from workflow.verify import verify

SECRET = "担当（仮名）"


@pytest.fixture
def case(conn, who) -> int:
    made = factory.opened(conn, who)
    factory.drive(conn, who, made, "submit", "receive", "propose_team")
    return made


def value(conn, text: str, *values: Any) -> Any:
    row = conn.execute(text, values).fetchone()
    return row[0] if row else None


def place(conn, case: int, kind: str, seq: int = 0) -> tuple[int, int]:
    """Where the newest content of this kind stands (or that of one event)."""
    row = conn.execute(
        "SELECT seq, ord FROM content WHERE case_id = %s AND kind = %s AND (%s::int = 0 OR seq = %s::int) ORDER BY seq DESC",
        (case, kind, seq, seq),
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def test_one_erased_group_is_named_everywhere_and_the_chain_is_whole(db, conn, who, case):
    gone = place(conn, case, "form:contact")
    before = verify(db)
    done = erase(db, who.records, case, [gone], ground="誤って入れた個人の連絡先")
    assert done == 4
    view = cases.look(conn, who.bureau, case)
    assert (view.version, view.state.name) == (4, "municipal_request")
    assert view.erased == {"contact": 4}
    assert view.form["contact"] == {"erased": 4}
    assert view.read.contact.name == ""
    # 「消去済み(記録4号)」 in the story, at the event that had written it and nowhere else.
    lines = {line["seq"]: line["shown"] for line in story.timeline(conn, view)}
    assert [(part["text"], part["erased_by"]) for part in lines[1]] == [(None, 4)]
    assert all(part["erased_by"] is None for seq in (2, 3, 4) for part in lines[seq])
    outcome = verify(db)
    assert outcome.whole
    assert outcome.as_json()["erased"] == [
        {"case": case, "seq": gone[0], "ord": gone[1], "erased_by": 4, "sentence": "消去済み(記録4号)"}
    ]
    assert outcome.events == before.events + 1
    # The export proves the digest without the bytes, and says which event took them.
    reader = actor(conn, who.auditor)
    assert reader is not None
    lines_out = b"".join(export.as_json_lines(db, reader, export.take(conn, who.auditor, "events.jsonl"))).decode()
    parts = [part for text in lines_out.splitlines() for part in json.loads(text).get("content", [])]
    (part,) = [part for part in parts if part["kind"] == "form:contact"]
    assert SECRET not in lines_out
    assert part["digest"]
    assert "4" in str(part)
    assert SECRET not in b"".join(export.as_csv(db, reader, export.take(conn, who.auditor, "events.csv"))).decode(
        "utf-8", "replace"
    )


def test_nothing_of_it_is_left_in_the_database(db, conn, who, superuser):
    form = factory.request_form(conn, who)
    form["contact"]["name"] = "この世に一人だけの名前"
    made = cases.open_case(conn, who.municipality, "dispatch", "municipality_request", form)
    factory.drive(conn, who, made, "submit", "receive")
    erase(db, who.records, made, [place(conn, made, "form:contact")], ground="誤り")
    tables = superuser.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    for (table,) in tables:
        for row in superuser.execute(f'SELECT * FROM "{table}"').fetchall():
            said = " ".join(
                bytes(v).decode("utf8", "replace") if isinstance(v, bytes | memoryview) else str(v) for v in row
            )
            assert "この世に一人だけの名前" not in said, table


def test_the_row_beside_it_is_neither_emptied_nor_called_erased(db, conn, who, case):
    """(1, 0) says nothing about (0, 1), nor about (1, 1)."""
    rows = conn.execute("SELECT seq, ord, kind FROM content WHERE kind LIKE 'form:%%' ORDER BY 1, 2").fetchall()
    gone = next((seq, number) for seq, number, kind in rows if kind == "form:request")
    erase(db, who.records, case, [gone], ground="誤り")
    assert conn.execute("SELECT seq, ord FROM content WHERE salt IS NULL").fetchall() == [gone]
    marked = {
        (row[0], row[1])
        for row in conn.execute(story.WRITTEN, {"case": case, "until": 2**31 - 1}).fetchall()
        if row[5] is not None
    }
    assert marked == {gone}


def test_the_same_row_emptied_by_hand_is_a_break(db, conn, who, case, superuser):
    seq, number = place(conn, case, "form:contact")
    superuser.execute("ALTER TABLE content DISABLE TRIGGER keep_data")
    superuser.execute("UPDATE content SET salt = NULL, data = NULL WHERE (seq, ord) = (%s, %s)", (seq, number))
    outcome = verify(db)
    assert {(b.case, b.seq, b.kind, b.part) for b in outcome.breaks} >= {
        (case, seq, "missing", f"form:contact #{number}")
    }
    assert not outcome.whole


def test_an_erasing_record_that_was_emptied_itself_covers_nothing(db, conn, who, case, superuser):
    gone = place(conn, case, "form:contact")
    erase(db, who.records, case, [gone], ground="誤り")
    superuser.execute("ALTER TABLE content DISABLE TRIGGER keep_data")
    superuser.execute("UPDATE content SET salt = NULL, data = NULL WHERE kind = 'erasure'")
    assert {(b.seq, b.kind) for b in verify(db).breaks} == {(1, "missing"), (4, "missing")}


def test_erasing_again_or_what_is_not_there_is_refused(db, conn, who, case):
    gone = place(conn, case, "form:contact")
    erase(db, who.records, case, [gone], ground="誤り")
    for rows in ([gone], [(1, 99)], [(99, 0)], [], [place(conn, case, "form:request"), gone]):
        with pytest.raises(Refused) as refusal:
            erase(db, who.records, case, rows, ground="もう一度")
        assert "何も消していません" in refusal.value.sentence
    assert factory.version(conn, case) == 4
    assert verify(db).whole


@pytest.mark.parametrize("kind", ["erasure", "parties", "opened"])
def test_what_the_chain_is_checked_by_is_never_erased(db, conn, who, case, kind):
    erase(db, who.records, case, [place(conn, case, "form:contact")], ground="誤り")
    with pytest.raises(Refused):
        erase(db, who.records, case, [place(conn, case, kind)], ground="まとめて消す")
    assert verify(db).whole


@pytest.mark.parametrize("ground", ["", "  ", "理由\x00", "理由\ud800"])
def test_erasing_needs_a_ground_that_can_be_kept(db, conn, who, case, ground):
    with pytest.raises(Refused):
        erase(db, who.records, case, [place(conn, case, "form:contact")], ground=ground)
    assert factory.version(conn, case) == 3


def test_only_the_records_officer_of_the_leading_office_erases(db, conn, who, case):
    gone = [place(conn, case, "form:contact")]
    for other in (who.bureau, who.director, who.headquarters, who.auditor, who.municipality):
        with pytest.raises(Refused) as refusal:
            erase(db, other, case, gone, ground="消したい")
        assert refusal.value.kind == "role"
    with pytest.raises(NotFound):
        erase(db, factory.person(conn, "records", "hk-soya"), case, gone, ground="消したい")
    # A records post elsewhere does not help a person who sees the case by another post.
    factory.post(conn, who.bureau, "records", "hk-soya")
    with pytest.raises(Refused):
        erase(db, who.bureau, case, gone, ground="消したい")
    assert conn.execute("SELECT count(*) FROM content WHERE salt IS NULL").fetchone() == (0,)


def test_a_draft_has_nothing_to_erase(db, conn, who):
    form = factory.request_form(conn, who)
    draft = cases.open_case(conn, who.bureau, "dispatch", "municipality_request", form)
    with pytest.raises(Refused):
        erase(db, who.records, draft, [(1, 0)], ground="誤り")


def test_erasing_is_no_move_and_is_allowed_at_the_end_too(db, conn, who, case):
    factory.drive(conn, who, case, ("withdraw", {"by": who.municipality}))
    before = conn.execute("SELECT state, number, title, place FROM cases").fetchone()
    steps = conn.execute("SELECT id, closed_at FROM step ORDER BY id").fetchall()
    assert erase(db, who.records, case, [place(conn, case, "input:reason")], ground="誤り") == 5
    assert conn.execute("SELECT state, number, title, place FROM cases").fetchone() == before
    assert conn.execute("SELECT id, closed_at FROM step ORDER BY id").fetchall() == steps
    body = json.loads(value(conn, "SELECT body FROM event WHERE seq = 5"))
    assert (body["from"], body["to"], body["action"]) == ("withdrawn", "withdrawn", "erase")
    assert verify(db).whole


def test_an_older_version_of_a_group_goes_without_touching_the_newest(db, conn, who, case):
    factory.drive(conn, who, case, ("propose_team", {"form": factory.team(conn, who, case, people=(who.staff,))}))
    erase(db, who.records, case, [place(conn, case, "form:team", seq=3)], ground="誤り")
    view = cases.look(conn, who.bureau, case)
    assert view.erased == {}
    assert len(view.read.team.members) == 1
    assert verify(db).whole


@pytest.mark.parametrize("group", ["consultation", "drafting", "team", "request", "contact", "receipt", "hold"])
def test_a_case_goes_on_after_any_of_its_groups_was_erased(db, conn, who, group):
    """Whatever an act merges into a group begins anew where the group was erased; nobody is shut out."""
    made = factory.opened(conn, who, own_affairs="yes")
    factory.drive(conn, who, made, "submit", "receive", "propose_team", "put_to_director", "consult")
    erase(db, who.records, made, [place(conn, made, f"form:{group}")], ground="誤り")
    factory.drive(conn, who, made, "agree")
    for person in (who.municipality, who.bureau, who.director, who.headquarters, who.auditor, who.records):
        cases.look(conn, person, made)
    if cases.look(conn, who.bureau, made).state.name == "director_judgement":
        factory.drive(conn, who, made, "hold", "send_back")
    team = {"team": {"members": [{"person": who.staff, "role": "主任", "days": "2026-12-01"}]}}
    factory.drive(conn, who, made, ("propose_team", {"form": team}))
    whole = value(conn, "SELECT form FROM cases")
    assert all(set(part) == {"erased"} or "erased" not in part for part in whole.values()), whole
    outcome = verify(db)
    assert outcome.whole, outcome.breaks
    assert len(outcome.erased) == 1


def test_a_group_written_anew_is_no_longer_erased(db, conn, who, case):
    erase(db, who.records, case, [place(conn, case, "form:team")], ground="誤り")
    assert cases.look(conn, who.bureau, case).erased == {"team": 4}
    factory.drive(conn, who, case, "propose_team")
    assert cases.look(conn, who.bureau, case).erased == {}
    assert verify(db).whole


def test_the_names_of_the_day_may_go_and_the_chain_still_proves_who_acted(db, conn, who, case):
    erase(db, who.records, case, [place(conn, case, "names", seq=2)], ground="誤り")
    lines = {line["seq"]: line for line in story.timeline(conn, cases.look(conn, who.bureau, case))}
    assert lines[2]["actor_name"] == "消去済み"
    assert json.loads(value(conn, "SELECT body FROM event WHERE seq = 2"))["actor"] == str(who.bureau)
    with pytest.raises(Conflict) as told:
        factory.drive(conn, who, case, ("receive", {"version": 3}))
    assert told.value.action_label == "内容を消去する"
    assert verify(db).whole


def test_what_was_being_written_goes_with_it(db, conn, who, case):
    cases.save(conn, who.bureau, case, factory.team(conn, who, case), 0)
    erase(db, who.records, case, [place(conn, case, "form:team")], ground="誤り")
    assert conn.execute("SELECT count(*) FROM working").fetchone() == (0,)


def test_what_was_being_written_elsewhere_stays_and_says_that_it_changed(db, conn, who, case):
    """Nothing typed is lost but what was to go; a window with the old text is told before it writes that text again."""
    written = factory.team(conn, who, case)
    written["team"]["members"][0]["name"] = "山田　太郎と鈴木"
    saves = cases.save(conn, who.bureau, case, written, 0)
    erase(db, who.records, case, [place(conn, case, "form:contact")], ground="誤り", words=["担当"])
    assert value(conn, "SELECT saves FROM working") == saves
    erase(db, who.records, case, [place(conn, case, "form:request")], ground="誤り", words=["移住計画", "山田太郎"])
    left, now = conn.execute("SELECT form, saves FROM working").fetchone()
    assert left["team"]["members"][0]["name"] == "■■■と鈴木"
    assert (left["team"]["members"][1], now) == (written["team"]["members"][1], saves + 1)
    with pytest.raises(cases.SaveClash):
        cases.save(conn, who.bureau, case, written, saves)


def test_of_erasing_and_an_act_one_is_told_to_look_again(db, conn, who):
    """Both read the same version; the write compares it, so neither takes the other's for its own."""
    ends = set()
    for _ in range(6):
        made = factory.opened(conn, who)
        factory.drive(conn, who, made, "submit", "receive")
        gone, barrier = place(conn, made, "form:contact"), threading.Barrier(2)
        found: dict[str, Any] = {}

        def erasing(case: int = made, row: Any = gone, start: Any = barrier, told: Any = found) -> None:
            start.wait(30)
            try:
                told["erase"] = erase(db, who.records, case, [row], ground="誤り")
            except Conflict as late:
                told["erase"] = late

        thread = threading.Thread(target=erasing)
        thread.start()
        barrier.wait(30)
        try:
            found["act"] = cases.act(
                conn, who.bureau, made, "propose_team", version=2, key=uuid4(), form=factory.team(conn, who, made)
            )
        except Conflict as late:
            found["act"] = late
        thread.join(60)
        told = [name for name, answer in found.items() if isinstance(answer, Conflict)]
        assert len(told) < 2, found
        assert factory.version(conn, made) == 2 + (2 - len(told))
        emptied = value(conn, "SELECT count(*) FROM content WHERE case_id = %s AND salt IS NULL", made)
        assert emptied == ("erase" not in told)
        ends.add(tuple(told))
    outcome = verify(db)
    assert outcome.whole, outcome.breaks


def test_erasing_loses_against_an_act_that_came_between(db, conn, who, case, monkeypatch):
    real = acts.concern

    def then_acted(*told: Any, **more: Any) -> Any:
        params = real(*told, **more)
        monkeypatch.undo()
        with db.connection() as other:
            factory.drive(other, who, case, "propose_team")
        return params

    monkeypatch.setattr(acts, "concern", then_acted)
    with pytest.raises(Conflict) as told:
        erase(db, who.records, case, [place(conn, case, "form:contact")], ground="誤り")
    assert (told.value.version, told.value.action_label) == (4, "隊の案をつくる")
    assert conn.execute("SELECT count(*) FROM content WHERE salt IS NULL").fetchone() == (0,)
