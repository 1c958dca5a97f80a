"""Characters: which may not come in, which must be shown because they hide, and how words are compared in a search.

Nothing here changes what a person wrote: the text is kept as it came, and a search key stands beside it.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable
from functools import lru_cache

_NAMES = {
    0x00: "NUL",
    0x07: "ベル",
    0x08: "後退",
    0x0B: "垂直タブ",
    0x0C: "改ページ",
    0x1B: "エスケープ",
    0x7F: "DEL",
    0x85: "NEL",
}
# Noncharacters that XML, and so every Word and Excel file, cannot hold.
_NOT_XML = frozenset("\ufffe\uffff")
_REFUSED = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff"
_FORBIDDEN = re.compile(f"[{_REFUSED}]")
# What takes part in the text without showing: format characters (Cf), and letters without ink.
_FORMAT = (
    "\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f"
)
_HIDING = re.compile(f"[{_REFUSED}{_FORMAT}\u115f\u1160\u2800\u3164\uffa0]")

# Forms of one character that a search treats alike: 康熙字典体 of the 常用漢字表 and 人名用漢字 and the 異体字 that family registers and
# place names keep (戸籍統一文字, 人名用漢字許容字体). Characters of different origin (齋 and 齊) stay apart.
_VARIANT_FORMS = """
髙高 﨑崎 嵜崎 碕崎 𠮷吉 𣘺橋 邉辺 邊辺 齋斎 齊斉 濵浜 濱浜 瀨瀬 瀧滝 澤沢 櫻桜 嶋島 嶌島 德徳 惠恵 眞真 廣広 國国 條条 圓円 榮栄 龍竜 彌弥 顯顕 黑黒 靑青 淸清
增増 豐豊 禮礼 靜静 總総 藏蔵 莊荘 壽寿 與与 假仮 會会 學学 區区 縣県 廳庁 舊旧 鐵鉄 驛駅 關関 萬万 實実 寶宝 應応 當当 傳伝 壹壱 冨富 舘館 峯峰 嶽岳 桒桑 栁柳
壯壮 滿満 萠萌 歲歳 樣様 藝芸 戶戸 內内 步歩 每毎 龜亀 巖巌 鹽塩 嚴厳 單単 團団 圍囲 變変 驒騨 佛仏 來来 兒児 兩両 勞労 參参 發発 稻稲 經経 聲声 舩船 柗松 桺柳 藪薮
鄕郷 鷗鴎 薗園 槇槙 曾曽 遙遥 檜桧 籔薮 蘂蕊 渕淵 渊淵 斈学 亙亘 凉涼 埜野 穗穂 緖緒 綠緑 薰薫 螢蛍 觀観 賴頼 邨村 鄰隣 靈霊 麥麦 黃黄 齡齢 ヶケ ヵカ
"""
_VARIANTS = {pair[0]: pair[1] for pair in _VARIANT_FORMS.split()}
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef]")
_KATAKANA = {chr(code): chr(code + 0x60) for code in range(0x3041, 0x3097)} | {"\u309d": "\u30fd", "\u309e": "\u30fe"}
_SAME = str.maketrans(_VARIANTS | {kana: _VARIANTS.get(other, other) for kana, other in _KATAKANA.items()})
# A long vowel is written in many ways, and often left out: コンピュータ, コンピューター, ｺﾝﾋﾟｭｰﾀｰ.
_LONG_VOWEL = re.compile("(?<=[ァ-ヺ])[ー‐‑‒–—―−-]+")
_WINDOW = 256  # characters of a long text that are looked through at a time


def problems(value: str) -> tuple[str, ...]:
    """What may not be taken in (rule I-02), one Japanese phrase for each kind of character with its first place.

    Refused are NUL, control characters except tab and line breaks, C1 controls, lone surrogates and U+FFFE, U+FFFF.
    Variation selectors, emoji with joiners and characters outside the BMP are legitimate and pass.
    """
    if not _FORBIDDEN.search(value):
        return ()
    first: dict[str, int] = {}
    for place, character in enumerate(value, start=1):
        if _FORBIDDEN.match(character):
            first.setdefault(character, place)
    return tuple(f"{place}文字目に{_name(character)}" for character, place in first.items())


def visible(value: str) -> str:
    """The text with everything that hides or reorders written as ⟦U+202E⟧, safe to put into a sentence or a page.

    Shown are controls, lone surrogates, directional and zero-width characters and blank letters. Joiners and tags
    inside an emoji, tabs and line breaks stay as they are.
    """
    if not _HIDING.search(value):
        return value
    shown: list[str] = []
    emoji = False
    for character in value:
        if _HIDING.match(character) and not (emoji and _belongs_to_emoji(character)):
            shown.append(f"⟦U+{ord(character):04X}⟧")
            emoji = False
            continue
        shown.append(character)
        if not _belongs_to_emoji(character) and not unicodedata.combining(character):
            emoji = unicodedata.category(character) in ("So", "Sk")
    return "".join(shown)


@lru_cache(maxsize=4096)
def search_key(value: str) -> str:
    """The form in which two writings of one name meet: width, kana, variant kanji, case, long vowels, spaces folded."""
    key = value
    for _ in range(3):  # a space that goes, or a mark that comes free, may let two characters join
        key, before = _folded(key), key
        if key == before:
            break
    return key


def search_place(value: str, key: str) -> tuple[int, int] | None:
    """Where in the text a search for this key finds something: first character and the one after the last; None: nowhere."""
    fold = search_key.__wrapped__  # pieces of a text are asked for once
    if not key:
        return None
    reach = 4 * len(key) + _WINDOW  # blanks and marks between the characters take room, too
    starts = (at for at in range(0, len(value), _WINDOW) if key in fold(value[at : at + reach]))
    at = next(starts, None)
    if at is None:
        if key not in fold(value):
            return None
        at, reach = 0, len(value)
    part = value[at : at + reach]
    end = _least(len(part), lambda size: key in fold(part[:size]))
    while end < len(part) and (unicodedata.combining(part[end]) or _UNSEEN.match(part[end])):
        end += 1
    kept = _least(end, lambda size: key in fold(part[end - size : end]))
    return at + end - kept, at + end


def _least(most: int, enough: Callable[[int], bool]) -> int:
    """The least size from 1 to `most` that is enough, where every larger one is, too."""
    return bisect_left(range(1, most), True, key=enough) + 1


def narrow(value: str) -> str:
    """A code, number or telephone number in half width; for digits and codes only, never for names or prose."""
    narrowed = unicodedata.normalize("NFKC", value)
    return re.sub("[‐‑‒–—―−ー]", "-", narrowed).strip()


def _folded(value: str) -> str:
    key = unicodedata.normalize("NFKC", _UNSEEN.sub("", value)).casefold()
    return "".join(_LONG_VOWEL.sub("", key.translate(_SAME)).split())


def _name(character: str) -> str:
    code = ord(character)
    if unicodedata.category(character) == "Cs":
        kind = "対になっていないサロゲート"
    elif character in _NOT_XML:
        kind = "文字でない符号"
    else:
        kind = _NAMES.get(code, "制御文字")
    return f"{kind}(U+{code:04X})"


def _belongs_to_emoji(character: str) -> bool:
    """Joiner, selector, skin tone and tag characters, which continue the emoji before them."""
    code = ord(character)
    return code in (0x200D, 0xFE0F, 0x20E3) or 0x1F3FB <= code <= 0x1F3FF or 0xE0020 <= code <= 0xE007F
