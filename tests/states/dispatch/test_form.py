"""The form: every field has a name, posted fields become the stored form, nothing typed is lost."""

from datetime import date
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError

from states.dispatch.fields import TYPED, read_fields, show_fields
from states.dispatch.form import MANY, Form, read
from states.dispatch.labels import CHOICES, LABELS, ROLES, label, pattern
from states.dispatch.parts import Task
from states.kernel import Refused

STORED: dict[str, Any] = {
    "request": {
        "origin": "director",
        "office_code": "hk-soya",
        "title": "前の件名",
        "purpose": "目的",
        "tasks": [{"text": "古い業務", "role": "advice"}, {"text": "二つ目", "role": "survey"}],
        "period": {"from": "R8.11.9", "to": "R8.12.8"},
        "own_affairs": "no",
    },
    "team": {"members": [{"person": 7, "role": "主査", "days": "11/9-11、12/3", "leader": True}]},
    "report:7": {"findings": "分かったこと", "filed_on": "2026-12-09", "actual_days": "11/9"},
}
# Written by acts, shown elsewhere.
BY_ACTS = (
    "drafting.", "decision.", "hold.", "actual.", "receipt.", "consultation.", "change_consultation.", "report:#.filed", "result.filed",
    "own_approval.", "own_decision.", "forwarding.", "co_offices.", "consent:#.", "consent_note:#.", "change.back", "change.by", "change.on",
    "change_request.", "changes.", "stop.", "countersign.", "evaluation.on", "evaluation.by",
)  # fmt: skip


def leaves(model: type[BaseModel], way: str = "") -> list[str]:
    found = []
    for name, info in model.model_fields.items():
        path = f"{way}.{info.alias or name}" if way else info.alias or name
        inner = info.annotation
        parts = [part for part in get_args(inner) if isinstance(part, type) and issubclass(part, BaseModel)]
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            found += leaves(inner, path)
        elif parts:
            found += leaves(parts[0], next((f"{kind}:#" for kind, where in MANY.items() if where == path), f"{path}.#"))
        else:
            found.append(path)
    return found


def test_every_field_has_a_japanese_name_and_every_name_a_field():
    fields = set(leaves(Form))
    assert set(LABELS) <= fields
    assert all(path.startswith(BY_ACTS) for path in fields - set(LABELS))
    assert set(CHOICES) <= fields


def test_roles_of_tasks_have_names():
    assert set(ROLES) == set(get_args(Task.model_fields["role"].annotation)) - {""}


def test_names_of_fields():
    assert label("request.tasks.1.text") == "「業務内容」2行目"
    assert label("report:12.issues") == "「課題」"
    assert pattern("report:12.issues") == "report:#.issues"


def test_the_stored_form_is_read():
    form = read(STORED)
    assert form.request.period.span == (date(2026, 11, 9), date(2026, 12, 8))
    assert form.request.period.length == 30
    assert form.team.members[0].dates == (date(2026, 11, 9), date(2026, 11, 10), date(2026, 11, 11), date(2026, 12, 3))
    assert form.reports["7"].reading.days == (date(2026, 11, 9),)
    assert form.actual_end is None
    assert read({**STORED, "actual": {"end": "2026-11-10"}}).actual_end == date(2026, 11, 10)


@pytest.mark.parametrize(
    "form",
    [
        {"request": {"titel": ""}},
        {"secret": {}},
        {"team": {"members": [{"headcount": True}]}},
        {"team": {"members": [{"headcount": "1"}]}},
        {"request": {"own_affairs": "perhaps"}},
        {"request": None},
    ],
)
def test_what_is_no_such_form_is_refused(form):
    with pytest.raises(ValidationError):
        read(form)


def test_an_empty_form_is_a_form():
    assert read({}) == Form()


def test_an_erased_group_reads_as_empty():
    assert read({"request": {"erased": 4}, "report:7": {"erased": 5}}) == Form()
    assert read_fields({"request.title": ["件名"]}, {"request": {"erased": 4}})["request"]["title"] == "件名"


def test_posted_fields_are_laid_over_what_is_stored():
    groups = read_fields({"request.title": ["新しい件名"], "version": ["3"], "csrf": ["x"]}, STORED)
    assert list(groups) == ["request"]
    assert groups["request"]["title"] == "新しい件名"
    assert groups["request"]["purpose"] == "目的"
    assert groups["request"]["origin"] == "director"
    assert groups["request"]["tasks"] == STORED["request"]["tasks"]
    assert STORED["request"]["title"] == "前の件名"


def test_a_posted_table_replaces_the_stored_one_without_blank_rows():
    groups = read_fields(
        {
            "request.tasks.10.text": ["十一行目"], "request.tasks.10.role": ["survey"], "request.tasks.2.text": ["三行目"],
            "request.tasks.2.role": ["planning"], "request.tasks.3.text": [" "], "request.tasks.3.role": [""],
        },
        STORED,
    )  # fmt: skip
    assert groups["request"]["tasks"] == [
        {"text": "三行目", "role": "planning"},
        {"text": "十一行目", "role": "survey"},
    ]


def test_a_table_can_be_emptied():
    assert read_fields({"request.tasks.0.text": [""]}, STORED)["request"]["tasks"] == []


def test_ticks_and_counts():
    groups = read_fields(
        {
            "team.members.0.person": ["１２"], "team.members.0.leader": ["", "on"], "team.members.0.headcount": ["1"],
            "team.members.1.person": [""], "team.members.1.role": ["主事"], "team.members.1.leader": [""],
            "request.destination.recognition.approved": [""],
        }
    )  # fmt: skip
    first, second = groups["team"]["members"]
    assert (first["person"], first["leader"], first["headcount"]) == (12, True, 1)
    assert (second["person"], second["leader"], second["headcount"]) == (None, False, 1)
    assert groups["request"]["destination"]["recognition"]["approved"] is False


@pytest.mark.parametrize(
    "field",
    [
        "request.origin",
        "request.office_code",
        "request.secret",
        "request.tasks.0.text.more",
        "consultation.reply",
        "request",
    ],
)
def test_a_page_cannot_set_what_is_not_typed(field):
    if field.startswith("consultation"):
        assert read_fields({field: ["no_objection"]}) == {}
    else:
        with pytest.raises(Refused) as caught:
            read_fields({field: ["director"]})
        assert caught.value.verdicts[0].field == field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("request.ground", "request.secret"),
        ("request.tasks.0.role", "boss"),
        ("request.own_affairs", "perhaps"),
        ("team.members.0.headcount", "二人"),
        ("team.members.0.headcount", "0"),
        ("team.members.0.person", "-1"),
    ],
)
def test_a_value_that_a_field_cannot_take_is_refused_with_its_field(field, value):
    with pytest.raises(Refused) as caught:
        read_fields({field: [value]})
    assert caught.value.kind == "guard"
    assert caught.value.verdicts[0].field == field
    assert caught.value.sentence.endswith("。")


def test_what_is_shown_is_read_back_unchanged():
    shown = {path: [value] for path, value in show_fields(STORED).items() if pattern(path) in TYPED}
    groups = read_fields(shown, STORED)
    assert read({**STORED, **groups}) == read(STORED)


def test_line_breaks_of_a_page_become_one_kind():
    assert read_fields({"request.purpose": ["一\r\n二"]})["request"]["purpose"] == "一\n二"
