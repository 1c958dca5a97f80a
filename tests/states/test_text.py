"""Characters: refused, shown, compared. Rules I-01, I-02."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from states.text import narrow, problems, search_key, search_place, visible


@pytest.mark.parametrize(
    "character",
    [
        "\x00",
        "\x07",
        "\x08",
        "\x0b",
        "\x0c",
        "\x1b",
        "\x1f",
        "\x7f",
        "\x80",
        "\x85",
        "\x9f",
        "\ud800",
        "\ufffe",
    ],
)
def test_controls_surrogates_and_noncharacters_are_refused_with_their_place(character):
    [found] = problems(f"海の{character}学び")
    assert found.startswith("3文字目に")
    assert f"U+{ord(character):04X}" in found


@pytest.mark.parametrize(
    "text",
    [
        "一行目\r\n二行目\n三行目\rタブ\t",
        "段落\u2028段落",
        "葛\U000e0104(くず)",
        "👨‍👩‍👧‍👦👩🏽‍🌾🇯🇵1️⃣♿①㈱㍻",
        "髙橋 山﨑 𠮷田 𣘺本 渡邉",
        "方向\u202etxt ゼロ幅\u200b BOM\ufeff",
    ],
)
def test_legitimate_and_merely_unseen_characters_are_taken_in(text):
    assert problems(text) == ()


def test_each_kind_of_character_is_named_once():
    assert problems("a\x00b\x00c\x1b") == ("2文字目にNUL(U+0000)", "6文字目にエスケープ(U+001B)")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("書字方向\u202etxt.exe", "書字方向⟦U+202E⟧txt.exe"),
        ("海\u200b霧", "海⟦U+200B⟧霧"),
        ("\ufeff件名", "⟦U+FEFF⟧件名"),
        ("海\u200d霧", "海⟦U+200D⟧霧"),
        ("\u3164", "⟦U+3164⟧"),
        ("NUL\x00 \ud800", "NUL⟦U+0000⟧ ⟦U+D800⟧"),
        ("👨‍👩‍👧‍👦と👩🏽‍🌾", "👨‍👩‍👧‍👦と👩🏽‍🌾"),
        ("🏴\U000e0067\U000e0062\U000e007f", "🏴\U000e0067\U000e0062\U000e007f"),
        ("改行\r\nタブ\t", "改行\r\nタブ\t"),
        ("葛\U000e0104", "葛\U000e0104"),
    ],
)
def test_what_hides_is_made_visible_and_emoji_stay_whole(text, shown):
    assert visible(text) == shown


@given(st.text(st.characters(codec=None, categories=None, exclude_categories=())))
def test_visible_text_can_always_be_encoded_and_printed(text):
    shown = visible(text)
    shown.encode()
    assert problems(shown) == ()


def test_every_format_character_is_made_visible():
    for code in range(0x110000):
        if unicodedata.category(chr(code)) == "Cf":
            assert visible(f"あ{chr(code)}") == f"あ⟦U+{code:04X}⟧"


@given(st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Cn", "Lo"])))
def test_visible_leaves_ordinary_text_alone(text):
    assert visible(text).replace("⟦U+2800⟧", "\u2800") == text


@pytest.mark.parametrize(
    ("written", "sought"),
    [
        ("髙橋主査", "高橋"),
        ("山﨑主任", "山崎"),
        ("𠮷田主任", "吉田"),
        ("𣘺本主事", "橋本"),
        ("渡邉係長", "渡辺"),
        ("ﾆｾｺ町", "ニセコ町"),
        ("ｶﾞｲﾄﾞﾏｯﾌﾟ", "ガイドマップ"),
        ("コンピューター", "こんぴゅーた"),
        ("Ｗｏｒｋ Ｓｈｏｐ", "workshop"),
        ("葛\U000e0104の会", "葛の会"),
        ("\uf9b6文町", "礼文町"),
        ("海\u200b霧", "海霧"),
        ("鰺ヶ沢", "鰺ケ沢"),
        ("山田　太郎", "山田太郎"),
    ],
)
def test_a_search_finds_every_way_of_writing(written, sought):
    assert search_key(sought) in search_key(written)


def test_names_of_different_origin_stay_apart_in_a_search():
    assert search_key("齋藤") == search_key("斎藤")
    assert search_key("齊藤") == search_key("斉藤")
    assert search_key("斎藤") != search_key("斉藤")
    assert search_key("士別") != search_key("標津")


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_a_search_key_is_its_own_key(text):
    assert search_key(search_key(text)) == search_key(text)


def test_numbers_and_codes_are_narrowed():
    assert narrow("０１４３８９") == "014389"
    assert narrow("　００００－００ー００００ ") == "0000-00-0000"


@pytest.mark.parametrize(
    ("written", "sought", "shown"),
    [
        ("渡邉係長の空き家", "辺", "邉"),
        ("コンピューターの活用", "ピュータ", "ピュータ"),
        ("ｶﾞｲﾄﾞﾏｯﾌﾟの作成", "ガイド", "ｶﾞｲﾄﾞ"),
        ("山田 太郎さん", "田太", "田 太"),
        ("海" * 5000 + "髙　橋" + "霧" * 300, "高橋", "髙　橋"),
        ("㈱北の会", "(株)北", "㈱北"),
        ("葛\U000e0104の会", "葛の", "葛\U000e0104の"),
        ("海霧", "霧海", None),
        ("", "海", None),
        ("海霧", "", None),
    ],
)
def test_the_place_of_what_was_found_is_shown_as_it_was_written(written, sought, shown):
    place = search_place(written, search_key(sought))
    assert (place and written[slice(*place)]) == shown


@given(st.text(max_size=400), st.data())
def test_what_a_key_holds_has_a_place(text, data):
    key = search_key(text)
    start = data.draw(st.integers(0, len(key)))
    sought = key[start : start + data.draw(st.integers(0, 5))]
    place = search_place(text, sought)
    assert (place is None) == (not sought)
    if place:
        assert 0 <= place[0] < place[1] <= len(text)
