"""A file of records is read strictly or not at all, and what is wrong is named by record, field and line."""

import copy
import json
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from states.calendar import Calendar
from states.dates import wareki
from states.dispatch.form import read
from states.dispatch.intake import NotTakenInError, check, read_records, to_form
from states.places import Directory

RECORD: dict[str, Any] = {
    "office_code": "hk-tokachi",
    "initiative": "municipality_request",
    "received_on": "2026-10-01",
    "requester": {
        "municipality_code": "016420",
        "municipality_name": "広尾町",
        "department": "企画課",
        "contact_role": "企画係長",
    },
    "destination": {"type": "municipality", "municipality_code": "016420", "municipality_name": "広尾町"},
    "title": "港まつりの見直し",
    "work_category": "request.plan",
    "purpose": "まつりの運営計画を見直したい。",
    "tasks": ["運営計画の素案づくり", "聞き取り"],
    "task_roles": ["planning", "survey"],
    "period": {"from": "2026-11-09", "to": "2026-12-08"},
    "staff": [
        {
            "role": "主査A",
            "section": "地域政策課",
            "headcount": 1,
            "assignments": [{"from": "2026-11-09", "to": "2026-11-11"}],
        }
    ],
    "concurrent_appointment": {"needed": False, "municipal_own_affairs": False, "reason": ""},
    "links": {},
}


def changed(*path_and_value):
    """The record with the value at a path replaced; `...` takes it away."""
    *way, last, value = path_and_value
    record = copy.deepcopy(RECORD)
    part: Any = record
    for step in way:
        part = part[step]
    if value is ...:
        del part[last]
    else:
        part[last] = value
    return record


def answer(record, **others):
    file = [{"id": "X-1", "input": record}, *({"id": key, "input": value} for key, value in others.items())]
    return check(read_records(json.dumps(file)), Directory.from_csv(), Calendar())["X-1"]


def refusal(source):
    with pytest.raises(NotTakenInError) as caught:
        read_records(source if isinstance(source, (str, bytes)) else json.dumps(source, indent=1))
    return caught.value.problems


def blocked(answer):
    return [(verdict["rule"], verdict["field"]) for verdict in answer["blocking"]]


def warned(answer):
    return [(verdict["rule"], verdict["field"]) for verdict in answer["warnings"]]


def test_a_sound_record_goes_to_the_director():
    found = answer(RECORD)
    assert found["decision"] == "eligible"
    assert found["warnings"] == found["blocking"] == []
    assert found["computed"]["total_days"] == 30


@pytest.mark.parametrize(
    "file",
    [
        [RECORD],
        {"cases": [RECORD]},
        {"kind": "dispatch_request", "count": 1, "cases": [{"id": "1", "input": RECORD, "tags": []}]},
    ],
)
def test_a_list_or_an_object_with_cases_is_read(file):
    assert list(read_records(json.dumps(file))) == ["1"]


def test_a_byte_order_mark_does_no_harm():
    assert len(read_records(b"\xef\xbb\xbf" + json.dumps([RECORD]).encode())) == 1


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (("staff", 0, "headcount"), True, "staff.0.headcount"),
        (("staff", 0, "headcount"), 1.0, "staff.0.headcount"),
        (("staff", 0, "headcount"), "1", "staff.0.headcount"),
        (("staff", 0, "headcount"), 0, "staff.0.headcount"),
        (("staff", 0, "headcount"), 10**30, "staff.0.headcount"),
        (("destination", "municipality_code"), 16420, "destination.municipality_code"),
        (("concurrent_appointment", "needed"), 0, "concurrent_appointment.needed"),
        (("concurrent_appointment", "municipal_own_affairs"), "maybe", "concurrent_appointment.municipal_own_affairs"),
        (("task_roles",), ["planning"], "task_roles"),
        (("task_roles", 0), "boss", "task_roles.0"),
        (("tasks",), "聞き取り", "tasks"),
        (("period",), ["2026-11-09", "2026-12-08"], "period"),
        (("period", "to"), None, "period.to"),
        (("title",), ..., "title"),
        (("priority",), "高", "priority"),
        (("staff", 0, "pay"), 1, "staff.0.pay"),
    ],
)
def test_a_value_of_the_wrong_kind_stops_the_file(path, value, field):
    [problem] = refusal([RECORD, changed(*path, value)])
    assert problem.record == "2"
    assert problem.field == field
    assert problem.reason.endswith("。")


def test_the_line_of_a_refused_value_is_named():
    source = json.dumps([{"id": "X-1", "input": changed("staff", 0, "headcount", True)}], indent=1)
    [problem] = refusal(source)
    assert '"headcount": true' in source.splitlines()[problem.line - 1]
    assert str(problem.line) in str(NotTakenInError([problem]))


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ('[{"id": "1", "id": "2"}]', "2回書かれています"),
        ('[{"id": NaN}]', "書き始めになりません"),
        ('[{"id": -Infinity}]', "書き始めになりません"),
        ('[{"id": 1e999}]', "大きすぎます"),
        ("[" * 5000, "入れ子"),
        ("[1, 2,]", "書き始めになりません"),
        ("[] []", "余分な文字"),
        ("", "途中で終わっています"),
        ("[", "途中で終わっています"),
        ("['a']", "書き始めになりません"),
        ('["a\nb"]', "文字列"),
        ('"text"', "記録の並び"),
        ("{}", "記録の並び"),
        ('{"cases": 1}', "記録の並び"),
        ('{"cases": [], "count": 3}', "欠けていないか"),
        ('{"cases": [], "kind": "round_table"}', "この業務の記録"),
        ("[1]", "{ }"),
        ("[null]", "{ }"),
        ('[{"id": "", "input": {}}]', "100字までの文字列"),
        (b'["\xff"]', "UTF-8"),
        ("あ", "書き始めになりません"),
    ],
)
def test_what_is_no_file_of_records_is_refused(source, reason):
    assert any(reason in problem.reason for problem in refusal(source))


def test_the_same_id_twice_is_refused():
    [problem] = refusal([{"id": "A", "input": RECORD}, {"id": "A", "input": RECORD}])
    assert problem.record == "A"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda v: st.lists(v) | st.dictionaries(st.text(), v),
        max_leaves=12,
    )
)
def test_any_other_json_is_refused_with_reasons(value):
    if value in ([], {"cases": []}):
        assert read_records(json.dumps(value)) == {}
    else:
        with pytest.raises(NotTakenInError) as caught:
            read_records(json.dumps(value))
        assert caught.value.problems
        str(caught.value).encode()


@given(st.dates(date(2020, 1, 1), date(2060, 1, 1)), st.integers(0, 60), st.booleans())
def test_assignments_mean_exactly_their_days(first, more, in_japanese):
    last = first + timedelta(days=more)
    ends = [wareki(day) if in_japanese else day.isoformat() for day in (first, last)]
    form = read(
        to_form(read_records(json.dumps([changed("staff", 0, "assignments", [{"from": ends[0], "to": ends[1]}])]))["1"])
    )
    days = form.team.members[0].dates
    assert (days[0], days[-1], len(days)) == (first, last, more + 1)


def test_an_end_of_an_assignment_is_one_day():
    found = answer(changed("staff", 0, "assignments", 0, "from", "2026-11-09、2026-11-20"))
    assert ("I-05", "staff.0.assignments") in blocked(found)
    assert found["computed"] is None


# ── a hostile set of our own ────────────────────────────────────────────────────────────────────────────────────────


def test_labour_is_judged_from_roles_only():
    words = changed("purpose", "人員が不足しているので、単なる労務の提供をお願いしたい。駐車場の誘導とごみ回収。")
    assert "D-06" not in answer(words)["rules"]
    every = answer(changed("task_roles", ["labour", "labour"]))
    assert (every["decision"], blocked(every)) == ("refuse", [("D-06", "task_roles.0")])
    some = answer(changed("task_roles", ["planning", "labour"]))
    assert (some["decision"], blocked(some)) == ("return_for_correction", [("D-06", "task_roles.1")])
    event = answer(changed("work_category", "request.event"))
    assert event["decision"] == "eligible"
    assert "D-06" in event["rules"]


def test_own_affairs_go_to_headquarters_first():
    for value in (True, "unknown", None):
        found = answer(changed("concurrent_appointment", "municipal_own_affairs", value))
        assert found["decision"] == "consult_hq"
        assert blocked(found) == [("D-03", "concurrent_appointment.municipal_own_affairs")]
    assert answer(changed("concurrent_appointment", "needed", True))["decision"] == "consult_hq"


@pytest.mark.parametrize(
    ("first", "last", "over"),
    [
        ("2026-11-09", "2026-12-08", False),
        ("2026-11-09", "2026-12-09", True),
        ("2027-01-31", "2027-02-28", False),
        ("2027-01-31", "2027-03-01", True),
        ("2028-01-30", "2028-02-29", False),
        ("2027-02-01", "2027-03-01", True),
        ("R8.11.9", "令和８年１２月９日", True),
    ],
)
def test_one_month_by_the_calendar(first, last, over):
    record = changed("period", {"from": first, "to": last})
    record["staff"] = [{"role": "主査A", "assignments": [{"from": first, "to": first}]}]
    found = answer(record)
    assert ("D-07" in told(found["blocking"])) == over
    assert found["computed"]["within_one_month"] != over


def told(verdicts):
    return {verdict["rule"] for verdict in verdicts}


def test_the_limit_is_named():
    [verdict] = answer(changed("period", "to", "2026-12-10"))["blocking"]
    assert verdict["sentence"] == "期間が32日で、1か月を超えます。12月8日までなら受けられます。"


def test_the_same_work_in_slices_is_added_up():
    november = changed("period", {"from": "2026-11-09", "to": "2026-11-30"})
    december = changed("period", {"from": "2026-12-01", "to": "2026-12-08"})
    december["staff"] = [{"role": "主査A", "assignments": [{"from": "2026-12-01", "to": "2026-12-02"}]}]
    december["links"] = {"previous_request_id": "X-0"}
    assert answer(december, **{"X-0": november})["decision"] == "eligible"
    later = copy.deepcopy(december)
    later["period"]["to"] = "2026-12-09"
    found = answer(later, **{"X-0": november})
    assert (found["decision"], warned(found)) == ("eligible_with_warning", [("D-07", "links.previous_request_id")])


def test_slices_are_followed_through_the_whole_chain():
    def part(first, last, previous):
        record = changed("period", {"from": first, "to": last})
        record["staff"] = []
        return record | {"links": {"previous_request_id": previous}}

    first, second = part("2026-11-01", "2026-11-10", None), part("2026-11-11", "2026-11-20", "X-3")
    third = part("2026-11-21", "2026-12-05", "X-2")
    assert "D-07" in told(answer(third, **{"X-2": second, "X-3": first})["warnings"])


def test_a_circle_of_predecessors_ends():
    record = changed("links", {"previous_request_id": "X-2"})
    found = answer(record, **{"X-2": changed("links", {"previous_request_id": "X-1"})})
    assert found["decision"] == "eligible"
    own = answer(changed("links", {"previous_request_id": "X-1"}))
    assert ("I-07", "links.previous_request_id") in blocked(own)


def test_an_unknown_predecessor_is_a_warning():
    assert warned(answer(changed("links", {"previous_request_id": "?"}))) == [("D-07", "links.previous_request_id")]


def test_a_person_in_two_rows_is_one_person():
    rows = [
        {"role": "主査A", "assignments": [{"from": f"2026-11-{day:02}", "to": f"2026-11-{day + 3:02}"}]}
        for day in (9, 16)
    ]
    found = answer(changed("staff", rows))
    assert warned(found) == [("D-08", "staff.0.assignments")]
    assert [figures["over_one_week"] for figures in found["computed"]["staff"]] == [False, False]


def test_overlapping_assignments_count_a_day_once():
    rows = [
        {
            "role": "主査A",
            "assignments": [{"from": "2026-11-09", "to": "2026-11-15"}, {"from": "2026-11-10", "to": "2026-11-12"}],
        }
    ]
    found = answer(changed("staff", rows))
    assert found["decision"] == "eligible"
    assert found["computed"]["staff"][0]["calendar_days"] == 7


def test_a_dispatch_that_crosses_the_year_stands_in_both():
    record = changed("period", {"from": "2027-03-29", "to": "2027-04-09"})
    record["staff"] = [{"role": "主査A", "assignments": [{"from": "2027-03-31", "to": "2027-04-01"}]}]
    found = answer(record)
    assert warned(found) == [("D-09", "period.to")]
    assert found["computed"]["fiscal_years"] == [2026, 2027]
    assert "令和8年度・令和9年度" in found["warnings"][0]["sentence"]


@pytest.mark.parametrize(
    ("approval", "rule"),
    [
        ({"approved": True, "approved_on": "R8.10.1"}, None),
        ({"approved": False}, "D-04"),
        ({"approved": True}, "D-04"),
        (None, "D-04"),
        ({"approved": True, "approved_on": "2026-11-10"}, "I-07"),
        ({"approved": True, "approved_on": "2026-02-30"}, "I-05"),
    ],
)
def test_a_body_must_be_recognised_by_then(approval, rule):
    body = {
        "type": "organization",
        "organization_name": "港の会",
        "municipality_code": "016420",
        "director_approval": approval,
    }
    found = answer(changed("destination", body))
    assert told(found["blocking"]) == ({rule} if rule else set())
    assert found["decision"] == {"D-04": "director_approval_required", None: "eligible"}.get(
        rule, "return_for_correction"
    )


@pytest.mark.parametrize(
    ("code", "name", "said"),
    [
        ("016421", "広尾町", "検査数字"),
        ("16420", "広尾町", "6けた"),
        ("062014", "", "村山総合支庁"),
        ("131016", "", "台帳にありません"),
        ("016969", "泊村", "統計用"),
        ("014397", "幌加内町", "上川総合振興局"),
        ("016420", "大樹町", "広尾町"),
        ("", "どこか町", "台帳にありません"),
        ("", "忠類村", "幕別町"),
        ("", "", "書かれていません"),
        ("", "泊村", "後志総合振興局"),
        ("", "エサシチョウ", "コードで書いてください"),
    ],
)
def test_a_place_that_does_not_agree_with_the_directory(code, name, said):
    found = answer(
        changed("destination", {"type": "municipality", "municipality_code": code, "municipality_name": name})
    )
    assert told(found["blocking"]) == {"I-06"}
    assert said in found["blocking"][0]["sentence"]


@pytest.mark.parametrize(
    ("code", "name"), [("０１６４２０", ""), ("", "広尾町"), ("", "ひろおちょう"), ("016420", "広尾郡広尾町")]
)
def test_a_place_is_known_by_code_or_name(code, name):
    found = answer(
        changed("destination", {"type": "municipality", "municipality_code": code, "municipality_name": name})
    )
    assert found["decision"] == "eligible"


@pytest.mark.parametrize(
    ("path", "value", "blocks"),
    [
        (("period", "to"), "2026-11-08", ("I-07", "period.to")),
        (("period", "to"), "2026年11月31日", ("I-05", "period.to")),
        (("period", "from"), "", (None, "period.from")),
        (("period", "from"), "2150-01-01", ("I-05", "period.from")),
        (("received_on",), "来年", ("I-05", "received_on")),
        (("received_on",), "2026-11-10", ("I-07", "received_on")),
        (("staff", 0, "assignments", 0, "to"), "2026-12-09", ("I-07", "staff.0.assignments")),
        (("title",), "件名\x00", ("I-02", "title")),
        (("title",), "\ud83d", ("I-02", "title")),
        (("tasks", 1), "聞き取り\x85", ("I-02", "tasks.1")),
        (("staff", 0, "section"), "課\x1b[31m", ("I-02", "staff.0.section")),
        (("requester", "contact_role"), "係長\x7f", ("I-02", "requester.contact_role")),
        (("work_category",), "director.other", ("D-05", "work_category")),
        (("work_category",), "request.secret", ("D-05", "work_category")),
        (("requester",), None, ("D-01", "requester.municipality_code")),
        (("office_code",), "hk-nowhere", ("I-06", "office_code")),
        (("title",), "  ", (None, "title")),
        (("task_roles",), ["planning", ""], (None, "task_roles.1")),
    ],
)
def test_what_must_go_back_names_rule_and_field(path, value, blocks):
    found = answer(changed(*path, value))
    assert blocks in blocked(found)
    assert found["decision"] == "return_for_correction"
    json.dumps(found, ensure_ascii=False).encode()


def test_an_ended_era_is_read_on_with_a_warning():
    found = answer(changed("period", {"from": "平成38年11月9日", "to": "平成38年12月8日"}))
    assert warned(found) == [("I-05", "period.from"), ("I-05", "period.to")]
    assert found["computed"]["one_month_last_day"] == "2026-12-08"


def test_what_hides_is_taken_in_and_shown():
    found = answer(changed("title", "港\u202eまつり\u200b"))
    assert found["decision"] == "eligible"
    assert "I-01" in found["rules"]


def test_a_director_needs_no_requester_but_a_day_of_instruction():
    own = changed("initiative", "director") | {"requester": None, "work_category": "director.other"}
    assert answer(own)["decision"] == "eligible"
    assert blocked(answer(own | {"received_on": ""})) == [("D-01", "received_on")]
