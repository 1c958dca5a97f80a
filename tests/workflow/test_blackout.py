"""Words are found however they are spelled, and blacked out without a trace of how long they were."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.blackout import BLACK, Words, filled, plain, read, stand_in


@pytest.mark.parametrize(
    ("word", "text", "left"),
    [
        ("高橋", "髙橋さん、高橋さん。", f"{BLACK}さん、{BLACK}さん。"),
        ("高橋太郎", "高橋 太郎と髙橋　太郎", f"{BLACK}と{BLACK}"),
        ("タカハシ", "ﾀｶﾊｼ様・たかはし様", f"{BLACK}様・{BLACK}様"),
        ("ヤマダ", "ﾔﾏﾀﾞの件", f"{BLACK}の件"),
        ("だるま", "ﾀﾞﾙﾏ", BLACK),
        ("辻", "辻\U000e0100さんと辻さん", f"{BLACK}さんと{BLACK}さん"),
        ("Smith", "Mr. SMITH, ｓｍｉｔｈ", f"Mr. {BLACK}, {BLACK}"),
        ("コンピューター", "コンピュータの先生", f"{BLACK}の先生"),
        ("田中", "山田中学校の田中", f"山{BLACK}学校の{BLACK}"),  # found as written: the reader sees where
        ("佐藤", "鈴木さん", "鈴木さん"),
        ("あ", "あああ", BLACK * 3),
        ("ああ", "あああ", f"{BLACK}あ"),
        ("か\u3099", "がんばる", f"{BLACK}んばる"),
    ],
)
def test_a_word_is_found_in_every_spelling(word, text, left):
    assert Words((word,)).black(text) == left


def test_one_word_inside_another_leaves_nothing_of_it():
    assert read("太郎\n山田太郎\n\n 太郎 ").words == ("山田太郎", "太郎")
    assert read("太郎\n山田太郎").black("山田太郎と太郎") == f"{BLACK}と{BLACK}"


def test_values_keep_their_shape_and_their_codes():
    form = {"origin": "director", "n": 3, "ok": True, "none": None, "rows": [{"name": "director 山田", "days": "11/9"}]}
    assert Words(("director", "山田", "3"), frozenset({"director"})).black(form) == form | {
        "rows": [{"name": f"{BLACK} {BLACK}", "days": "11/9"}]
    }


def test_an_excerpt_shows_where_a_word_stands():
    told = Words(("山田",)).excerpts({"a": "前" * 30 + "山田" + "後" * 30, "b": ["ヤマダ", "山田"]})
    assert told == [("…" + "前" * 24, "山田", "後" * 24 + "…"), ("", "山田", "")]


TYPED = st.characters(exclude_characters="\0■", codec="utf-8")


@given(st.text(TYPED, max_size=60), st.text(TYPED, min_size=1, max_size=6))
def test_what_was_blacked_out_is_found_no_more(text, word):
    words = read(word)
    black = words.black(text)
    for one in words.words:
        assert one not in black.replace(BLACK, "\0")


def test_a_long_text_is_searched_in_no_time():
    begun = time.perf_counter()
    assert not Words(("山田太郎",)).within("山" * 11_000)
    assert Words(("山田太郎",)).within("山" * 11_000 + "山田太郎")
    assert time.perf_counter() - begun < 2


def row(seq: int, order: int, kind: str, value: object) -> dict[str, object]:
    return {"seq": seq, "ord": order, "kind": kind, "data": None if value is None else json.dumps(value).encode()}


def test_the_stand_in_of_a_stand_in_is_read_for_the_first():
    assert stand_in(1, 2, "internal:reason") == "redacted:1.2:internal:reason"
    assert stand_in(4, 3, "redacted:1.2:internal:reason") == "redacted:4.3:internal:reason"
    assert plain("redacted:4.3:internal:reason") == "internal:reason"
    rows = [
        row(1, 0, "form:a", None), row(1, 1, "form:a", None), row(1, 2, "internal:reason", None), row(2, 0, "form:a", None),
        row(3, 0, "form:a", "third"), row(3, 1, "erasure", {"replaced": [[2, 0], [1, 2]]}), row(3, 2, "redacted:1.2:internal:reason", None),
        row(4, 0, "erasure", {"replaced": [[3, 2]]}), row(4, 1, "redacted:3.2:internal:reason", "fourth"),
    ]  # fmt: skip
    found = {(r["seq"], r["ord"]): r["data"] for r in filled(rows)}
    assert found[1, 0] is None  # erased whole
    assert found[1, 2] == found[3, 2] == b'"fourth"'
    assert found[2, 0] == b'"third"'
