"""Who takes part: the municipality's own approval, joint requests, forwarding, helping offices, one request that came twice."""

from typing import Any

import pytest

from states.kernel import Refused
from tests.states.dispatch.acting import (
    DRAFTER,
    HALFWAY,
    MAYOR,
    NEIGHBOUR,
    PROCESS,
    TEAM,
    WRITER,
    Story,
    own,
    request,
)

KAMIFURANO, ASAHIKAWA = "014605", "012041"


# ── the municipality's own approval ─────────────────────────────────────────────────────────────────────────────────


def with_own_approval() -> Story:
    story = Story(request())
    story.own_approval = True
    return story


def test_a_municipality_that_approves_itself_first_cannot_submit_past_its_decider():
    story = with_own_approval()
    with pytest.raises(Refused, match="庁内の決裁が先です"):
        story.run("submit")
    story.run("ask_own")
    assert story.state == "own_approval"
    assert PROCESS.state("own_approval").private
    assert [(a.holder, a.label) for a in story.asks()] == [("municipality_head", "庁内で決裁する")]
    story.run("approve_own")
    assert story.state == "municipal_request"
    assert ("lead", "hk-kamikawa") in story.parties
    assert story.form["own_decision"] == {"number": "美企第5号", "by": MAYOR, "on": "2026-10-05"}
    story.run("receive", "propose", "put", "approve")


def test_where_nobody_asks_for_it_there_is_no_own_approval():
    assert "ask_own_approval" not in Story(request()).offers(WRITER)
    story = Story(own(), team=TEAM)
    story.own_approval = True
    assert "ask_own_approval" not in story.offers(WRITER)


def test_who_asked_inside_does_not_decide_inside():
    story = with_own_approval().run("ask_own")
    story.form["own_approval"]["asked_by"] = MAYOR
    with pytest.raises(Refused, match="伺いを立てた人は"):
        story.run("approve_own")


def test_what_was_sent_back_inside_is_mended_before_it_is_decided():
    story = with_own_approval().run("ask_own").act(MAYOR, "return_own", note="町長の考えと違う。")
    assert [a.holder for a in story.asks()] == ["municipality"]
    with pytest.raises(Refused, match="もう一度伺ってから"):
        story.run("approve_own")
    story.act(WRITER, "revise_own", {"request": request(title="直した件名")}).run("approve_own")
    assert story.form["request"]["title"] == "直した件名"


def test_what_cannot_stand_is_stopped_before_the_decider_and_by_him():
    story = with_own_approval()
    story.form["request"]["title"] = " "
    with pytest.raises(Refused, match="件名"):
        story.run("ask_own")
    story = with_own_approval().run("ask_own")
    with pytest.raises(Refused, match="件名"):
        story.act(WRITER, "revise_own", {"request": request(title="")})


def test_what_is_given_up_inside_never_comes_out():
    story = with_own_approval().run("ask_own", "withdraw")
    assert story.state == "not_submitted"
    assert PROCESS.state("not_submitted").private
    assert story.parties == set()
    assert story.tells == frozenset()
    for role in ("bureau", "director", "headquarters", "partner", "staff"):
        assert not PROCESS.reads("form:own_approval", frozenset({role}), "municipal_request"), role
    for role in ("municipality", "municipality_head", "auditor"):
        assert PROCESS.reads("form:own_approval", frozenset({role}), "municipal_request"), role


# ── joint requests ──────────────────────────────────────────────────────────────────────────────────────────────────


def joint(*partners: dict[str, str]) -> dict[str, Any]:
    named = partners or ({"municipality_code": KAMIFURANO, "municipality_name": "上富良野町"},)
    return request(partners=list(named))


def test_a_joint_request_goes_to_the_director_when_every_municipality_agrees():
    story = Story(joint()).run("submit")
    assert ("partner", KAMIFURANO) in story.parties
    assert ("partner", KAMIFURANO) in {(a.holder, a.org) for a in story.asks()}
    story.run("receive", "propose")
    with pytest.raises(Refused, match="上富良野町の同意を待っています"):
        story.run("put")
    story.act(NEIGHBOUR, "partner_agree", note="町長も了解。")
    assert story.form[f"consent:{KAMIFURANO}"]["answer"] == "agree"
    assert story.form[f"consent_note:{KAMIFURANO}"] == {"note": "町長も了解。"}
    assert [a.holder for a in story.asks()] == ["bureau"]
    story.run("put", "approve")


def test_who_refuses_stops_it_until_the_request_is_another_one():
    story = Story(joint()).run("submit", "receive", "propose")
    with pytest.raises(Refused, match="「理由"):
        story.act(NEIGHBOUR, "partner_refuse")
    story.act(NEIGHBOUR, "partner_refuse", note="うちの町は別に頼む。")
    with pytest.raises(Refused, match="上富良野町が同意していません"):
        story.run("put")
    story.run("ask_correction").act(WRITER, "resubmit", {"request": request()})
    assert ("partner", KAMIFURANO) not in story.parties
    story.run("put", "approve")


def test_an_answer_counts_for_the_wording_it_was_given_to():
    story = Story(joint()).run("submit", "receive", "propose").act(NEIGHBOUR, "partner_agree")
    story.run("ask_correction").act(WRITER, "resubmit", {"request": joint() | {"title": "別の業務"}})
    assert "partner" in {a.holder for a in story.asks()}
    with pytest.raises(Refused, match="同意を待っています"):
        story.run("put")
    story.act(NEIGHBOUR, "partner_agree").run("put")


def test_only_who_asks_along_answers():
    story = Story(joint({"municipality_code": ASAHIKAWA, "municipality_name": "旭川市"})).run("submit")
    with pytest.raises(Refused, match="共同で出している市町村ではなくなっています"):
        story.act(NEIGHBOUR, "partner_agree")


def test_the_bureau_enters_a_consent_that_came_on_paper():
    story = Story(joint()).act(DRAFTER, "submit_proxy", {"receipt": {"arrived_on": "2026-10-01", "channel": "paper"}})
    assert {("requester", "014591"), ("partner", KAMIFURANO)} <= story.parties
    assert story.form["receipt"]["entered_by"] == DRAFTER
    story.run("receive", "propose")
    with pytest.raises(Refused, match="市町村の中から選んで"):
        story.act(DRAFTER, "record_partner_consent", partner=ASAHIKAWA, answer="agree", note="文書")
    story.act(DRAFTER, "record_partner_consent", partner=KAMIFURANO, answer="agree", note="10月2日付け文書")
    assert story.form[f"consent:{KAMIFURANO}"]["paper"] is True
    story.run("put")
    assert "record_partner_consent" not in Story(request()).run("submit").offers(DRAFTER)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"municipality_code": "014591", "municipality_name": "美瑛町"}, "要請した市町村か、ほかの行と同じ"),
        ({"municipality_code": "014606", "municipality_name": ""}, "検査数字"),
        ({"municipality_code": "", "municipality_name": "どこにもない町"}, "台帳にありません"),
    ],
)
def test_who_asks_along_is_a_municipality_that_exists_and_another_one(row, told):
    with pytest.raises(Refused, match=told) as refusal:
        Story(joint(row)).run("submit")
    assert refusal.value.verdicts[0].field.startswith("request.partners.0.")


def test_who_asks_along_may_lie_in_another_bureaus_area_and_be_written_by_name():
    story = Story(joint({"municipality_code": "", "municipality_name": "稚内市"})).run("submit")
    assert ("partner", "012149") in story.parties


def test_partners_read_the_request_and_nobodys_note():
    partner, lead = frozenset({"partner"}), frozenset({"municipality"})
    for kind in ("form:request", f"form:consent:{KAMIFURANO}", "form:decision", "form:changes", "form:stop"):
        assert PROCESS.reads(kind, partner, "dispatched"), kind
    for kind in (
        "form:consultation",
        "form:drafting",
        "internal:reason",
        f"form:consent_note:{KAMIFURANO}",
        "form:report:51",
    ):
        assert not PROCESS.reads(kind, partner, "dispatched"), kind
    assert PROCESS.reads(f"form:consent_note:{KAMIFURANO}", lead, "municipal_request")
    assert not PROCESS.reads("form:team", partner, "director_judgement")


# ── the right office ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_request_at_the_wrong_bureau_is_passed_on_with_its_number_and_frees_the_people_planned():
    story = Story(request()).run("submit", "receive", "propose")
    number = story.number
    story.act(DRAFTER, "forward", office="hk-soya", reason="稚内の事業です。")
    assert (story.state, story.lead, story.number) == ("municipal_request", "hk-soya", number)
    assert ("lead", "hk-soya") in story.parties
    assert ("lead", "hk-kamikawa") not in story.parties
    assert story.form["request"]["office_code"] == "hk-soya"
    assert story.form["forwarding"]["rows"][0]["from"] == "hk-kamikawa"
    assert story.ledger() == []
    assert "municipality" in story.tells


@pytest.mark.parametrize(
    ("office", "told"),
    [("hk-kamikawa", "いまの担当です"), ("nowhere", "分かりません"), ("yg-mogami", "ほかの道県")],
)
def test_a_request_goes_only_to_another_bureau_of_the_prefecture(office, told):
    with pytest.raises(Refused, match=told):
        Story(request()).run("submit").act(DRAFTER, "forward", office=office, reason="宛先違い。")


def test_what_was_put_to_the_director_is_not_passed_on():
    assert "forward" not in Story(request()).run(*HALFWAY).offers(DRAFTER)


def test_an_office_that_helps_joins_once_and_reads_as_the_office_does():
    story = Story(request()).run("submit").act(DRAFTER, "add_co_office", office="hk-soya")
    assert ("co_office", "hk-soya") in story.parties
    assert story.form["co_offices"]["codes"] == ["hk-soya"]
    with pytest.raises(Refused, match="もう加わっています"):
        story.act(DRAFTER, "add_co_office", office="hk-soya")
    with pytest.raises(Refused, match="いまの担当です"):
        story.act(DRAFTER, "add_co_office", office="hk-kamikawa")
    assert PROCESS.reads("form:drafting", frozenset({"co_office"}), "municipal_request")


# ── one request that came twice ─────────────────────────────────────────────────────────────────────────────────────


def test_a_repetition_is_closed_before_receipt_and_tied_to_the_first():
    story = Story(request()).run("submit")
    with pytest.raises(Refused, match="見つかりません"):
        story.act(DRAFTER, "mark_duplicate", same_as="上川-R8-999")
    story.named = {"上川-R8-007": {"id": 7}}
    story.act(DRAFTER, "mark_duplicate", same_as=" 上川-R8-007 ")
    assert (story.state, story.links) == ("not_accepted", [("duplicate", "上川-R8-007")])
    assert "mark_duplicate" not in Story(request()).run("submit", "receive").offers(DRAFTER)


def test_not_accepting_a_repetition_names_it_and_a_wrong_address_does_not():
    story = Story(request()).run("submit", "receive")
    with pytest.raises(Refused, match="同じ要請の案件番号を書いて"):
        story.act(DRAFTER, "not_accept", ground="duplicate", reason="重なっている。")
    with pytest.raises(Refused, match="この案件自身の番号"):
        story.act(DRAFTER, "not_accept", ground="duplicate", same_as=story.number, reason="重なっている。")
    story.named = {"上川-R8-007": {"id": 7}}
    story.act(DRAFTER, "not_accept", ground="duplicate", same_as="上川-R8-007", reason="重なっている。")
    assert story.links == [("duplicate", "上川-R8-007")]
    assert Story(request()).run("submit", "not_accept").links == []
