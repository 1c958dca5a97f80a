"""The comparison field by field: whoever alone changed a field keeps it, and what both changed is never decided by a machine."""

import copy
import string
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from workflow import merging
from workflow.merging import Side

OPENED: dict[str, Any] = {
    "request": {
        "title": "空き家の件", "purpose": "調べ方が分からない。", "period": {"from": "2026-11-09", "to": ""}, "flag": False,
        "tasks": [{"text": "骨子", "role": "advice"}, {"text": "聞き取り", "role": "survey"}],
    },
    "contact": {"name": ""},
}  # fmt: skip


def changed(**fields: Any) -> dict[str, Any]:
    made = copy.deepcopy(OPENED)
    for path, value in fields.items():
        *way, last = path.split("__")
        place: Any = made
        for step in way:
            place = place[int(step)] if isinstance(place, list) else place[step]
        place[int(last) if isinstance(place, list) else last] = value
    return made


def sides(mine: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Side]:
    """What differs, by the marks as a page carries them."""
    opened = merging.read(merging.written(merging.marks(OPENED)))
    return {p: side for p, side in merging.compared(mine, theirs, opened).items() if side is not Side.NOBODY}


def test_each_field_belongs_to_whoever_alone_changed_it() -> None:
    mine, theirs = changed(request__title="私の件名", contact__name="私"), changed(request__purpose="相手の文")
    assert sides(mine, theirs) == {
        "request.title": Side.MINE, "contact.name": Side.MINE, "request.purpose": Side.THEIRS,
    }  # fmt: skip
    assert merging.merged(mine, theirs, ["request.purpose"]) == changed(
        request__title="私の件名", contact__name="私", request__purpose="相手の文"
    )


def test_what_both_changed_is_both_sides_unless_they_wrote_the_same() -> None:
    assert sides(changed(request__title="私"), changed(request__title="相手")) == {"request.title": Side.BOTH}
    assert sides(changed(request__title="同じ"), changed(request__title="同じ")) == {}
    assert sides(changed(request__title=""), changed(request__title="相手")) == {"request.title": Side.BOTH}


def test_rows_are_compared_one_by_one_while_nobody_added_or_took_any() -> None:
    mine, theirs = changed(request__tasks__0__text="私の骨子"), changed(request__tasks__1__role="planning")
    assert sides(mine, theirs) == {"request.tasks.0": Side.MINE, "request.tasks.1": Side.THEIRS}
    merged = merging.merged(mine, theirs, ["request.tasks.1"])
    assert merged["request"]["tasks"] == [
        {"text": "私の骨子", "role": "advice"},
        {"text": "聞き取り", "role": "planning"},
    ]
    longer = changed(request__tasks=[*OPENED["request"]["tasks"], {"text": "三つ目", "role": ""}])
    assert sides(longer, changed()) == {"request.tasks": Side.MINE}
    assert sides(longer, theirs) == {"request.tasks": Side.BOTH}
    assert sides(changed(), changed(request__tasks=[])) == {"request.tasks": Side.THEIRS}


def test_a_date_in_other_boxes_is_no_change() -> None:
    assert sides(changed(request__period__from="2026.11.09"), changed(request__period__from="2026-11-10")) == {
        "request.period.from": Side.THEIRS
    }
    assert sides(changed(request__period__from="R8.11.9"), changed()) == {"request.period.from": Side.MINE}


def test_without_readable_marks_whatever_differs_is_shown() -> None:
    for text in ("", "[]", "{", '{"request.title": 1}', "[" * 100_000, '{"a":"' + "x" * merging.LONGEST + '"}'):
        assert merging.read(text) is None
    assert merging.compared(changed(request__title="私"), changed(), None)["request.title"] is Side.BOTH


def test_marks_that_somebody_made_up_choose_nothing_wrong() -> None:
    opened = {"request.tasks": ["x"], "request.title": ["y"], "request": "z"}
    found = merging.compared(changed(request__title="私"), changed(request__tasks=[]), opened)
    assert found["request.title"] is Side.BOTH
    assert found["request.tasks"] is Side.BOTH


TEXTS = st.text(string.ascii_letters + "日本語 \n", max_size=4)
ROWS = st.lists(st.fixed_dictionaries({"text": TEXTS}), max_size=3)
FORMS = st.fixed_dictionaries({"a": st.fixed_dictionaries({"x": TEXTS, "y": TEXTS, "rows": ROWS}), "b": st.fixed_dictionaries({"z": TEXTS})})  # fmt: skip


@given(opened=FORMS, mine=FORMS, theirs=FORMS)
def test_nobodys_words_are_lost(opened: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any]) -> None:
    """After merging, every field holds what its only changer wrote; what both changed is named."""
    found = merging.compared(mine, theirs, merging.marks(opened))
    take = [path for path, side in found.items() if side is Side.THEIRS]
    merged = merging.merged(mine, theirs, take)
    for path, side in found.items():
        value = merging.value_at(merged, path)
        if side in (Side.MINE, Side.BOTH):
            assert value == merging.value_at(mine, path)
        else:
            assert value == merging.value_at(theirs, path)
    again = merging.compared(merged, theirs, merging.marks(theirs))
    assert Side.THEIRS not in again.values()
