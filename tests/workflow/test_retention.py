"""Kept for its period, held back while somebody needs it, disposed of by two persons, and the chain whole behind it."""

import json
from datetime import date, datetime
from typing import Any

import pytest

from states.kernel import Refused
from tests import factory
from tests.papers import attach, remark
from workflow import cases, erase, history, outbox, retention, search, story
from workflow.cases import Conflict
from workflow.deadlines import TOKYO
from workflow.loading import NotFound
from workflow.retention import Kept, confirm, decline, extend, hold, kept, last_day, propose, release
from workflow.verify import verify

NOW = datetime(2026, 10, 14, 9, tzinfo=TOKYO)
GROUND = "保存期間の満了。歴史資料には当たらない。"


@pytest.fixture(autouse=True)
def clock(fresh_database):
    """It is that moment; called with another one, it is that."""

    def at(day: str) -> None:
        factory.set_clock(fresh_database.owner_url, datetime.fromisoformat(f"{day}T09:00:00").replace(tzinfo=TOKYO))

    at("2026-10-14")
    return at


@pytest.fixture
def ended(conn, who):
    """A case that was withdrawn in October 2026 (令和8年度), with a file and remarks."""
    made = factory.opened(conn, who)
    factory.drive(conn, who, made, "submit", "receive", "propose_team", ("withdraw", {"by": who.municipality}))
    return made


def rows(conn: Any, text: str, *values: Any) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = conn.execute(text, values).fetchall()
    return found


def seen(conn: Any, case: int) -> list[tuple[int, int]]:
    """The case as a page shows it now: id and version."""
    return [(case, factory.version(conn, case))]


def of(conn: Any, person: int, case: int) -> Kept:
    (found,) = kept(conn, person, case_id=case)
    return found


# ── the period ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("ended_on", "years", "last"),
    [
        (date(2026, 10, 14), 5, date(2032, 3, 31)), (date(2027, 3, 31), 5, date(2032, 3, 31)), (date(2027, 4, 1), 5, date(2033, 3, 31)),
        (date(2026, 4, 1), 1, date(2028, 3, 31)), (date(2024, 2, 29), 30, date(2054, 3, 31)),
    ],
)  # fmt: skip
def test_a_period_counts_from_the_fiscal_year_after_the_end(ended_on, years, last):
    assert last_day(ended_on, years) == last


def test_only_what_has_ended_is_kept_for_a_period(conn, who, ended, clock):
    running = factory.opened(conn, who)
    factory.drive(conn, who, running, "submit", "receive")
    (found,) = kept(conn, who.records)
    assert (found.id, found.ended_on, found.until, found.over, found.year) == (
        ended, date(2026, 10, 14), date(2032, 3, 31), False, 2031,
    )  # fmt: skip
    assert (found.held, found.proposed, found.outcome, found.children) == (None, None, "取り下げた", 0)
    clock("2032-03-31")
    assert not of(conn, who.records, ended).over
    clock("2032-04-01")
    assert of(conn, who.records, ended).over


def test_what_happens_after_the_end_does_not_begin_the_period_anew(db, conn, who, ended, clock):
    clock("2030-05-01")
    gone = rows(conn, "SELECT seq, ord FROM content WHERE case_id = %s AND kind = 'form:contact'", ended)
    erase.erase(db, who.records, ended, gone, ground="誤り")
    assert of(conn, who.records, ended).until == date(2032, 3, 31)


def test_everybody_sees_their_own_office_alone(db, conn, who, ended, clock):
    clock("2032-04-01")
    other = factory.person(conn, "records", "hk-soya")
    assert kept(conn, other) == []
    for person in (other, factory.person(conn, "director", "hk-soya")):
        with pytest.raises(NotFound):
            propose(db, person, seen(conn, ended), GROUND)
    for person in (who.bureau, who.director, who.headquarters, who.auditor, who.municipality):
        with pytest.raises(Refused) as refusal:
            propose(db, person, seen(conn, ended), GROUND)
        assert refusal.value.kind == "role"


# ── two persons ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_proposes_another_confirms(db, conn, who, ended, clock):
    clock("2032-04-01")
    propose(db, who.records, seen(conn, ended), GROUND)
    found = of(conn, who.records, ended)
    assert found.proposed is not None
    assert (found.proposed["person"], found.proposed["reason"]) == (str(who.records), GROUND)
    # The director is asked, by the inbox.
    asked = rows(conn, "SELECT org_code, role, ask FROM step WHERE case_id = %s AND closed_at IS NULL", ended)
    assert asked == [(who.office, "director", "廃棄を確かめる")]
    with pytest.raises(Refused) as refusal:
        confirm(db, who.records, seen(conn, ended))
    assert "あなたが起案しました" in refusal.value.sentence
    for person in (who.bureau, who.headquarters, who.auditor):
        with pytest.raises(Refused):
            confirm(db, person, seen(conn, ended))
    assert confirm(db, who.director, seen(conn, ended)) == [6]
    assert kept(conn, who.records) == []
    assert verify(db).whole


def test_a_second_records_officer_may_confirm_but_nobody_twice(db, conn, who, ended, clock):
    """The natural person counts: a second post makes no second person."""
    clock("2032-04-01")
    factory.post(conn, who.records, "director", who.office)
    propose(db, who.records, seen(conn, ended), GROUND)
    with pytest.raises(Refused):
        confirm(db, who.records, seen(conn, ended))
    assert confirm(db, factory.person(conn, "records", who.office), seen(conn, ended)) == [6]


def test_whatever_happens_in_between_makes_a_proposal_void(db, conn, who, ended, clock):
    clock("2032-04-01")
    before = seen(conn, ended)
    propose(db, who.records, before, GROUND)
    with pytest.raises(Conflict):
        confirm(db, who.director, before)  # the page of before the proposal
    attach(db, who.bureau, ended)
    with pytest.raises(Refused) as refusal:
        confirm(db, who.director, seen(conn, ended))
    assert "起案の後に案件が動きました" in refusal.value.sentence
    assert of(conn, who.records, ended).proposed is None
    assert factory.version(conn, ended) == 6


def test_a_proposal_is_declined_with_a_reason(db, conn, who, ended, clock):
    clock("2032-04-01")
    propose(db, who.records, seen(conn, ended), GROUND)
    with pytest.raises(Refused):
        decline(db, who.director, seen(conn, ended), " ")
    decline(db, who.director, seen(conn, ended), "町の史料になる。")
    assert rows(conn, "SELECT 1 FROM step WHERE case_id = %s AND closed_at IS NULL", ended) == []
    with pytest.raises(Refused):
        confirm(db, who.director, seen(conn, ended))
    view = cases.look(conn, who.records, ended)
    told = [(line["action_label"], [part["text"] for part in line["shown"]]) for line in story.timeline(conn, view)[:2]]
    assert told == [("廃棄を取りやめる", ["町の史料になる。"]), ("廃棄を起案する", [GROUND])]
    # Nobody outside the offices reads why.
    outside = cases.look(conn, who.municipality, ended)
    assert [part for line in story.timeline(conn, outside)[:2] for part in line["shown"]] == []


@pytest.mark.parametrize("reason", ["", " ", "理由\x00", "長" * 501])
def test_every_step_has_a_reason_that_can_be_kept(db, conn, who, ended, clock, reason):
    clock("2032-04-01")
    for step in (
        lambda: propose(db, who.records, seen(conn, ended), reason), lambda: extend(db, who.records, seen(conn, ended), 5, reason),
        lambda: hold(db, who.records, of(conn, who.records, ended).number or "", reason), lambda: release(db, who.records, ended, reason),
        lambda: decline(db, who.records, seen(conn, ended), reason),
    ):  # fmt: skip
        with pytest.raises(Refused):
            step()
    assert factory.version(conn, ended) == 4


def test_nothing_is_proposed_before_its_time_or_twice_or_while_it_is_held(db, conn, who, ended, clock):
    with pytest.raises(Refused) as refusal:
        propose(db, who.records, seen(conn, ended), GROUND)
    assert "令和14年3月31日まで" in refusal.value.sentence
    with pytest.raises(Refused):
        propose(db, who.records, [], GROUND)
    clock("2032-04-01")
    number = of(conn, who.records, ended).number or ""
    hold(db, who.records, number, "住民監査請求のため。")
    with pytest.raises(Refused) as refusal:
        propose(db, who.records, seen(conn, ended), GROUND)
    assert "止められています" in refusal.value.sentence
    with pytest.raises(Refused):
        hold(db, who.records, number, "もう一度")
    release(db, who.records, ended, "監査が終わった。")
    propose(db, who.records, seen(conn, ended), GROUND)
    with pytest.raises(Refused):
        propose(db, who.records, seen(conn, ended), GROUND)
    # Held after it was proposed: nothing is confirmed any more.
    hold(db, who.records, number, "訴訟のため。")
    with pytest.raises(Refused):
        confirm(db, who.director, seen(conn, ended))
    assert rows(conn, "SELECT count(*) FROM retention_hold WHERE ended_at IS NULL") == [(1,)]


def test_a_case_in_progress_may_be_held_too(db, conn, who):
    running = factory.opened(conn, who)
    factory.drive(conn, who, running, "submit", "receive")
    (number,) = rows(conn, "SELECT number FROM cases WHERE id = %s", running)[0]
    assert hold(db, who.records, number, "情報公開の請求。") == running
    (told,) = retention.held(conn, who.records)
    assert (told["number"], told["reason"]) == (number, "情報公開の請求。")
    for wrong in ("", "ない", "上川-R8-999"):
        with pytest.raises(Refused):
            hold(db, who.records, wrong, "理由")
    with pytest.raises(Refused):
        hold(db, who.bureau, number, "理由")
    # Its state and its holders are untouched, and the act that waits goes on.
    factory.drive(conn, who, running, "propose_team")
    assert verify(db).whole


def test_an_extension_counts_from_the_end_of_the_period(db, conn, who, ended, clock):
    clock("2032-04-01")
    propose(db, who.records, seen(conn, ended), GROUND)
    extend(db, who.records, seen(conn, ended), 3, "係争中の件と同じ町のため。")
    found = of(conn, who.records, ended)
    assert (found.until, found.extended, found.over, found.proposed) == (date(2035, 3, 31), True, False, None)
    extend(db, who.records, seen(conn, ended), 1, "もう一年。")
    assert of(conn, who.records, ended).until == date(2036, 3, 31)
    for years in (0, 31, -1):
        with pytest.raises(Refused):
            extend(db, who.records, seen(conn, ended), years, "理由")


# ── what is left ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_all_of_it_goes_and_the_chain_stays(db, conn, who, superuser, clock):
    made = factory.opened(conn, who, title="消えるはずの件名", purpose="消えるはずの困りごと", own_affairs="yes")
    attach(db, who.municipality, made, "消えるはずの地図".encode(), name="消えるはず.txt", label="消えるはず")
    factory.drive(conn, who, made, "submit", "receive", "propose_team", "consult")
    condition = {"text": "消えるはずの条件", "owner": "municipality", "due": "2026-10-30", "stops": "begin"}
    factory.drive(conn, who, made, ("agree_with_conditions", {"form": {"conditions": {"items": [condition]}}}))
    ((child,),) = rows(conn, "SELECT id FROM cases WHERE parent_id = %s", made)
    attach(db, who.bureau, child, "消えるはずの協定".encode(), name="消えるはず.txt")
    remark(db, who.bureau, made, "消えるはずのやりとり")
    remark(db, who.bureau, made, "消えるはずの内輪", scope="internal")
    # Once blacked out, with a ground of its own that goes, too.
    gone = rows(conn, "SELECT seq, ord FROM content WHERE case_id = %s AND kind = 'form:contact'", made)
    erase.erase(db, who.records, made, gone, ground="消えるはずの理由", words=["担当"])
    factory.drive(conn, who, made, "put_to_director", "approve")
    outbox.deliver(db)
    factory.drive(conn, who, made, ("withdraw", {"by": who.municipality, "inputs": {"reason": "消えるはずの取下げ"}}))
    outbox.deliver(db)
    (number, head) = rows(conn, "SELECT number, head FROM cases WHERE id = %s", made)[0]
    before = rows(conn, "SELECT case_id, seq, hash FROM event ORDER BY 1, 2")
    clock("2032-04-01")
    propose(db, who.records, seen(conn, made), GROUND)
    assert of(conn, who.records, made).children == 1
    (seq,) = confirm(db, who.director, seen(conn, made))
    # What stays: every event with its digest, number, dates, who acted (as ids), and what the register needs.
    assert set(before) <= set(rows(conn, "SELECT case_id, seq, hash FROM event"))
    assert rows(conn, "SELECT title, number, state FROM cases WHERE id = %s", made) == [
        (f"廃棄(記録{seq}号)", number, "withdrawn")
    ]
    assert head in [event[2] for event in before]
    kinds = {
        kind
        for (kind,) in rows(
            conn, "SELECT DISTINCT kind FROM content WHERE data IS NOT NULL AND case_id IN (%s, %s)", made, child
        )
    }
    assert kinds == {"parties", "opened", "names", "erasure"}
    named = rows(
        conn,
        "SELECT case_id, seq FROM content WHERE kind = 'names' AND data IS NOT NULL AND case_id IN (%s, %s)",
        made,
        child,
    )
    assert sorted(named) == sorted([(made, seq), (child, factory.version(conn, child))])
    tables = superuser.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    for (table,) in tables:
        for row in superuser.execute(f'SELECT * FROM "{table}"').fetchall():
            said = " ".join(
                bytes(v).decode("utf8", "replace") if isinstance(v, bytes | memoryview) else str(v) for v in row
            )
            assert "消えるはず" not in said, (table, said)
    for table in ("message", "step", "attention", "working", "attachment_part", "assignment"):
        assert rows(conn, f"SELECT count(*) FROM {table}") == [(0,)], table
    outcome = verify(db)
    assert outcome.whole, outcome.breaks
    assert {by for case, *_, by in outcome.erased if case == made} == {seq}
    # The register.
    (line,) = retention.disposed(conn, who.records)
    assert (line.number, line.seq, line.told["until"], line.told["extended"]) == (number, seq, "2032-03-31", False)
    assert "文書主任" in line.told["proposed_by"]
    assert "局長" in line.confirmed_by
    # Search finds the number, nothing else; nobody can do anything with it any more.
    search.refresh(conn, made, child)
    for person in (who.municipality, who.bureau, who.director, who.headquarters, who.records, who.auditor):
        view = cases.look(conn, person, made)
        assert view.title == f"廃棄(記録{seq}号)"
        assert [offer for offer in view.offers if offer.allowed] == []
    assert outbox.deliver(db).given_up == 0


def test_a_disposed_case_takes_nothing_in_any_more(db, conn, who, ended, clock):
    clock("2032-04-01")
    propose(db, who.records, seen(conn, ended), GROUND)
    (seq,) = confirm(db, who.director, seen(conn, ended))
    assert history.disposed(cases.look(conn, who.records, ended).facts.form, f"廃棄(記録{seq}号)") == seq
    for do in (lambda: attach(db, who.bureau, ended), lambda: remark(db, who.bureau, ended, "あとから")):
        with pytest.raises((Refused, NotFound)):
            do()
    with pytest.raises(Refused):
        erase.erase(db, who.records, ended, [(seq, 0)], ground="もう一度")
    with pytest.raises((Refused, NotFound)):
        propose(db, who.records, seen(conn, ended), GROUND)
    assert factory.version(conn, ended) == seq


def test_a_title_that_only_looks_disposed_is_nothing_special(db, conn, who, clock):
    made = factory.opened(conn, who, title="廃棄(記録5号)")
    factory.drive(conn, who, made, "submit", "receive", "propose_team", ("withdraw", {"by": who.municipality}))
    assert cases.look(conn, who.bureau, made).roles == {"bureau"}
    assert retention.disposed(conn, who.records) == []


def test_of_two_who_confirm_one_is_told_to_look_again(db, conn, who, ended, clock):
    clock("2032-04-01")
    propose(db, who.records, seen(conn, ended), GROUND)
    page = seen(conn, ended)
    assert confirm(db, who.director, page)
    with pytest.raises((Conflict, Refused, NotFound)):
        confirm(db, factory.person(conn, "records", who.office), page)
    assert rows(conn, "SELECT count(*) FROM event WHERE case_id = %s AND action = 'erase'", ended) == [(1,)]


def test_all_or_none_of_what_was_ticked_goes(db, conn, who, ended, clock):
    other = factory.opened(conn, who)
    factory.drive(conn, who, other, "submit", "receive", "propose_team", ("withdraw", {"by": who.municipality}))
    clock("2032-04-01")
    propose(db, who.records, seen(conn, ended), GROUND)
    with pytest.raises(Refused):
        confirm(db, who.director, seen(conn, ended) + seen(conn, other))
    assert rows(conn, "SELECT count(*) FROM event WHERE action = 'erase'") == [(0,)]
    propose(db, who.records, seen(conn, other), GROUND)
    assert len(confirm(db, who.director, seen(conn, ended) + seen(conn, other))) == 2
    assert json.loads(rows(conn, "SELECT body FROM event WHERE case_id = %s ORDER BY seq DESC", ended)[0][0])[
        "actor"
    ] == str(who.director)
