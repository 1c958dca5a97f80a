"""What a file claims to be is what it is; what could do harm is refused with the way out. Nothing is ever opened."""

import io
import struct
import zipfile

import pytest

from states.kernel import Refused
from tests.papers import PDF, PNG, office, open_document, packed
from workflow import archives
from workflow.file_types import BY_EXTENSION, Inspection, name_of, type_of

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
TIFF = b"II*\0" + bytes(20)
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
EXE = b"MZ\x90\0" + bytes(600)


def inspect(name, data, step=0):
    """Look at the bytes as a file of that name, in pieces of `step` bytes."""
    inspection = Inspection(type_of(name_of(name)))
    for start in range(0, len(data), step or max(1, len(data))):
        inspection.add(data[start : start + (step or len(data))])
    inspection.end()


def why(name, data=b""):
    """The sentence of the refusal."""
    with pytest.raises(Refused) as refusal:
        inspect(name, data)
    (verdict,) = refusal.value.verdicts
    assert verdict.field == "file"
    assert verdict.sentence == refusal.value.sentence
    return refusal.value.sentence


GOOD = [
    ("要領.pdf", PDF), ("大文字.PDF", PDF), ("a.docx", office("word")), ("b.xlsx", office("xl")), ("c.pptx", office("ppt")),
    ("d.odt", open_document("text")), ("e.ods", open_document("spreadsheet")), ("f.txt", "日程の案\r\n".encode()),
    ("sjis.txt", "日程の案、表".encode("cp932")), ("jis.txt", "日程".encode("iso2022_jp")), ("bom.csv", "\ufeff名前,日".encode()),
    ("one.csv", b"1"), ("g.png", PNG), ("h.jpg", b"\xff\xd8\xff\xe0" + bytes(9)), ("i.jpeg", b"\xff\xd8\xff\xe1" + bytes(9)),
    ("j.heic", HEIC), ("k.tif", TIFF), ("l.tiff", b"MM\0*" + bytes(9)), ("m.gif", b"GIF89a" + bytes(9)),
    ("n.zip", packed(("地図.pdf", PDF), ("下/日程.xlsx", office("xl")), ("古い.doc", OLE))),
    ("長い注釈.zip", packed(("a.txt", b"x"))[:-2] + struct.pack("<H", 60000) + b"c" * 60000),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data"), GOOD, ids=[name for name, _ in GOOD])
@pytest.mark.parametrize("step", [0, 1000, 7])
def test_what_is_what_it_says_is_taken(name, data, step):
    inspect(name, data, step if len(data) < 5000 or step != 7 else 1000)


def test_every_type_is_tried():
    assert {archives.extension_of(name) for name, _ in GOOD} == set(BY_EXTENSION)


BAD = [
    ("a.pdf", EXE, "中身はPDFではありません"), ("a.pdf", b"<html>%PDF-", "中身はPDFではありません"), ("a.png", b"GIF89a", "PNG"),
    ("a.jpg", PDF, "JPEG"), ("a.heic", b"\0\0\0\x18ftypisom", "HEIC"), ("a.gif", b"<svg/>", "GIF"), ("a.pdf", b"", "空です"), ("a.txt", b"", "空です"),
    ("a.docx", office("xl"), "中身はWordではありません"), ("a.docx", packed(("word/x", b"")), "中身はWordではありません"),
    ("a.odt", open_document("spreadsheet"), "ODF"), ("a.odt", office("word"), "ODF"), ("a.xlsx", PDF, "Excel"),
    ("a.docx", office("word", ("word/vbaProject.bin", b"x")), "マクロ"), ("a.xlsx", office("xl", ("xl/VBAPROJECT.BIN", b"x")), "マクロ"),
    ("a.ods", open_document("spreadsheet", ("Basic/Standard/Module1.xml", b"x")), "マクロ"), ("a.docm", b"", "マクロ"), ("a.XLSM", b"", "マクロ"),
    ("a.docx", OLE, "パスワード"), ("a.xlsx", OLE, "パスワード"), ("a.doc", OLE, "古い形式"), ("a.xls", OLE, "古い形式"),
    ("a.exe", EXE, "動くおそれ"), ("a.html", b"<p>", "動くおそれ"), ("a.svg", b"<svg/>", "動くおそれ"), ("a.js", b"1", "動くおそれ"),
    ("a.lnk", b"L", "動くおそれ"), ("要綱.pdf.exe", PDF, "動くおそれ"), ("a.pdf.", PDF, "読み取れません"), ("a.exe ", EXE, "動くおそれ"),
    ("x.pdf:y.exe", PDF, "動くおそれ"), ("a.mp4", b"x", "(.mp4)"), ("なし", PDF, "拡張子なし"), ("a.ｐｄｆ", PDF, "受け取れるのは pdf"),
    ("a.txt", b"ab\0cd", "UTF-8 か Shift_JIS"), ("a.txt", "要綱".encode("utf-16"), "UTF-8 か Shift_JIS"), ("a.csv", EXE, "CSV"), ("a.txt", b"  <HTML><script>", "テキスト"),
    ("a.txt", b"\xef\xbb\xbf<svg onload=x>", "テキスト"), ("a.txt", b"%PDF-1.4 pure text", "テキスト"), ("a.csv", b"<?xml version='1.0'?>", "CSV"),
    ("a.zip", packed(("入れ子.zip", b"x")), "受け取れない種類"), ("a.zip", packed(("in/setup.EXE", b"x")), "受け取れない種類"),
    ("a.zip", packed(("見積.pdf.js", b"x")), "受け取れない種類"), ("a.zip", packed(("a.exe. ", b"x")), "受け取れない種類"),
    ("a.zip", packed(("../../etc/x.txt", b"x")), "展開先"), ("a.zip", packed(("C:\\x.txt", b"x")), "展開先"), ("a.zip", packed(("/x.txt", b"x")), "展開先"),
    ("a.zip", packed(("a\\..\\b.txt", b"x")), "展開先"), ("a.zip", packed(), "中身はzipではありません"), ("a.zip", PDF, "zip"),
    ("a.docx", office("word")[:-30], "壊れているか"), ("a.zip", b"PK\x03\x04" + bytes(2000), "壊れているか"), ("a.zip", b"PK\x03\x04", "壊れているか"),
    ("a.zip", packed(("0.txt", bytes(120_000_000))), "けた違い"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data", "said"), BAD, ids=[f"{n}-{said}-{i}" for i, (n, _, said) in enumerate(BAD)])
def test_what_is_not_or_could_do_harm_is_refused_with_the_way_out(name, data, said):
    sentence = why(name, data)
    assert said in sentence
    assert sentence.endswith(("ください。", "です。"))


def encrypted(data):
    """The same archive with the mark of a password on its first entry."""
    place = data.index(b"PK\x01\x02")
    return data[: place + 8] + bytes([data[place + 8] | 1]) + data[place + 9 :]


def test_an_archive_with_a_password_is_refused():
    assert "パスワード" in why("a.zip", encrypted(packed(("a.txt", b"x"))))
    assert "パスワード" in why("a.docx", encrypted(office("word")))


def test_a_name_written_by_an_old_windows_is_read():
    made = packed(("12.exe", b"x")).replace(b"12.exe", "表".encode("cp932") + b".exe")
    assert "表.exe" in why("a.zip", made)


def end_of(data, **changed):
    """The archive with changed fields of its end record."""
    place = data.rindex(b"PK\x05\x06")
    fields = dict(zip(("sig", "disk", "cd_disk", "here", "entries", "length", "offset", "comment"), struct.unpack("<4s4H2LH", data[place : place + 22]), strict=True))  # fmt: skip
    return data[:place] + struct.pack("<4s4H2LH", *(fields | changed).values())


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"here": 9, "entries": 9}, "壊れているか"), ({"entries": 60000}, "多すぎます"), ({"entries": 65535, "here": 65535}, "多すぎます"),
        ({"length": 2**31}, "多すぎます"), ({"length": 5}, "壊れているか"),
    ],
)  # fmt: skip
def test_an_archive_that_lies_about_its_directory_is_refused(changed, said):
    assert said in why("a.zip", end_of(packed(("a.txt", b"x"), ("b.txt", b"y")), **changed))


def test_a_directory_in_the_large_form_is_refused_unread():
    data = packed(("a.txt", b"x"))
    place = data.rindex(b"PK\x05\x06")
    assert "多すぎます" in why("a.zip", data[:place] + struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1) + data[place:])


def test_many_entries_are_refused():
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for number in range(archives.MOST_ENTRIES + 1):
            archive.writestr(f"{number}.txt", b"")
    assert "多すぎます" in why("a.zip", made.getvalue())


def test_a_large_archive_is_known_by_its_end():
    data = packed(("a.bin", bytes(range(256)) * 12_000), ("b.pdf", PDF), stored=["a.bin"])
    assert len(data) > 2 * archives.TAIL
    inspect("a.zip", data, 65536)


# ── names ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("要綱.pdf", "要綱.pdf"), ("../../etc/passwd.txt", "passwd.txt"), ("C:\\Users\\町\\要綱.pdf", "要綱.pdf"), ("/a/b.txt", "b.txt"),
        ("..\\..\\x.pdf", "x.pdf"), (" 空白 .pdf ", "空白 .pdf"), ("がぎ.pdf", "がぎ.pdf"), ("髙﨑𠮷.pdf", "髙﨑𠮷.pdf"), ("👨‍👩‍👧.png", "👨‍👩‍👧.png"),
        ('a"b\'c<d>&=1.pdf', 'a"b\'c<d>&=1.pdf'), ("=HYPERLINK(1).csv", "=HYPERLINK(1).csv"), (".htaccess.txt", ".htaccess.txt"), ("あ" * 196 + ".pdf", "あ" * 196 + ".pdf"),
    ],
)  # fmt: skip
def test_a_name_is_kept_as_it_is_without_its_path(sent, name):
    assert name_of(sent) == name


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ("", "選ばれていません"), ("/", "読み取れません"), ("a/..", "読み取れません"), (".", "読み取れません"), ("a.pdf. .", "読み取れません"),
        ("a\0.pdf", "NUL"), ("a\x1b.pdf", "エスケープ"), ("a\x85.pdf", "NEL"), ("a\ud800.pdf", "サロゲート"), ("a\n.pdf", "U+000A"), ("a\tb.pdf", "U+0009"),
        ("\u202efdp.txt", "U+202E"), ("a\u200b.pdf", "U+200B"), ("a\u2066b.pdf", "U+2066"), ("a\ufeff.pdf", "U+FEFF"), ("あ" * 197 + ".pdf", "201文字"),
    ],
)  # fmt: skip
def test_a_name_that_hides_something_is_refused_and_shown(sent, said):
    with pytest.raises(Refused) as refusal:
        name_of(sent)
    assert said in refusal.value.sentence
    assert not set("\0\x1b\x85\n\t\u202e\u200b\u2066\ufeff\ud800") & set(refusal.value.sentence)
