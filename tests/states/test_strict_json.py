"""JSON to the letter, with lines."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from states.strict_json import NotJsonError, parse

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda value: st.lists(value, max_size=4) | st.dictionaries(st.text(), value, max_size=4),
    max_leaves=20,
)


@given(VALUES, st.sampled_from([None, 1]), st.booleans())
def test_what_json_writes_is_read_back(value, indent, plain):
    assert parse(json.dumps(value, indent=indent, ensure_ascii=plain)).value == value


def test_lines_are_found():
    document = parse('{\n "a": [\n  1,\n  {"b": 2}\n ]\n}')
    assert [document.line(path) for path in ((), ("a",), ("a", 0), ("a", 1, "b"), ("a", 1, "gone"), ("x",))] == [
        1,
        2,
        3,
        4,
        4,
        1,
    ]


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ('{"a": 1,\n "a": 2}', 2),
        ("[1,\n\n NaN]", 3),
        ('{"a"\n 1}', 2),
        ("{a: 1}", 1),
        ("[01]", 1),
        ("[+1]", 1),
        ("[.5]", 1),
        ('["\\x"]', 1),
        ('["\t"]', 1),
        ("[1 2]", 1),
        ("truefalse", 1),
        ("9" * 400, 1),
        (b"[\n\xff]", 2),
        ("", 1),
    ],
)
def test_what_is_not_json_is_refused_with_its_line(source, line):
    with pytest.raises(NotJsonError) as caught:
        parse(source)
    assert caught.value.line == line
    assert caught.value.reason.endswith("。")


@given(st.text(alphabet='{}[]",:0123456789.eE+-truefalsn \n\\u', max_size=30))
def test_it_takes_what_the_library_takes_and_nothing_more(source):
    try:
        expected = json.loads(source)
    except (ValueError, RecursionError):
        with pytest.raises(NotJsonError):
            parse(source)
    else:
        try:
            assert parse(source).value == expected
        except NotJsonError as refused:
            assert "2回" in refused.reason or "大きすぎます" in refused.reason  # noqa: PT017
