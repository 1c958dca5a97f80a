"""Files and remarks through the pages: what comes in, what is refused with which words, what goes out and to whom."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.testclient import TestClient

from tests import factory
from tests.papers import PDF, PNG, attach, office, person, remark, rows
from workflow import accounts, outbox
from workflow.db import Database
from workflow.settings import settings
from workflow.web import files, uploads
from workflow.web.app import create_app

ORIGIN = {"Origin": "http://testserver"}
PATH = re.compile(r"{(\w+)(?::\w+)?}")


class Browser(TestClient):
    """A browser, and the token of its forms."""

    csrf = "x"


@dataclass
class Site:
    """The pages, the database under them, and everybody who signs in."""

    app: FastAPI
    db: Database
    conn: Any
    who: factory.Cast

    def client(self, person_id: int) -> Browser:
        """A browser in which this person is signed in."""
        self.conn.execute(
            """INSERT INTO account (person_id, login, password_hash, failures, disabled) VALUES (%s, %s, '', 0, false)
               ON CONFLICT DO NOTHING""",
            (person_id, f"p{person_id}"),
        )  # fmt: skip
        client = Browser(self.app, headers=ORIGIN, follow_redirects=False)
        opened = accounts.open_session(self.conn, person_id)
        client.cookies.set("tobidashi", opened.token)
        client.csrf = opened.csrf
        return client

    def left(self) -> list[tuple[Any, ...]]:
        return rows(self.conn, "SELECT (SELECT count(*) FROM attachment), (SELECT count(*) FROM attachment_part)")


@pytest.fixture
def site(configured: Any, fresh_database: Any) -> Iterator[Site]:
    db = Database(fresh_database.app_url)
    with db.connection() as conn:
        yield Site(create_app(), db, conn, factory.cast(conn))
    db.close()


@pytest.fixture
def case(site: Site) -> int:
    made = factory.opened(site.conn, site.who)
    factory.drive(site.conn, site.who, made, "submit", "receive")
    return made


def send(client: Any, case: int, data: bytes = PDF, name: str = "要綱.pdf", **fields: str) -> Any:
    """The form of a file, as the page sends it."""
    told = {"csrf": client.csrf, "key": str(uuid4()), "back": "list", "scope": "shared", "label": ""} | fields
    return client.post(f"/cases/{case}/files", data=told, files={"file": (name, data)})


def raw(*parts: tuple[str, bytes], boundary: str = "xyz") -> tuple[bytes, dict[str, str]]:
    """A multipart body of these parts, each a Content-Disposition and its bytes; and its headers."""
    body = b"".join(
        f"--{boundary}\r\nContent-Disposition: form-data; {told}\r\n\r\n".encode("utf-8", "surrogateescape")
        + data
        + b"\r\n"
        for told, data in parts
    )
    return body + f"--{boundary}--\r\n".encode(), {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def marks(client: Any, **more: str) -> list[tuple[str, bytes]]:
    told = {"csrf": client.csrf, "key": str(uuid4()), "scope": "shared"} | more
    return [(f'name="{name}"', value.encode()) for name, value in told.items()]


FILE = ('name="file"; filename="a.pdf"', PDF)

# ── in ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_is_added_shown_and_given_out_as_it_came(site, case):
    client = site.client(site.who.bureau)
    sent = send(client, case, label="併任の回答", back="case")
    assert sent.status_code == 303
    assert sent.headers["location"] == f"/cases/{case}?done=attached#files"
    page = client.get(f"/cases/{case}?done=attached")
    for words in ("要綱.pdf", "併任の回答", "上川総合振興局", "記録3号", "ファイルを添えました。"):
        assert words in page.text
    (href,) = re.findall(rf'href="(/cases/{case}/files/\d+)"', page.text)
    given = client.get(href)
    assert given.content == PDF
    assert given.headers["content-type"] == "application/pdf"
    assert given.headers["content-length"] == str(len(PDF))


def test_a_download_is_no_page(site, case):
    client = site.client(site.who.municipality)
    for name, data, kind in (
        ("a'b\"c;d=é髙.pdf", PDF, "application/pdf"), ("表.csv", b"=1+1", "application/octet-stream"), ("図.png", PNG, "image/png"),
        ("計算.xlsx", office("xl"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ):  # fmt: skip
        assert send(client, case, data, name).status_code == 303
        number = rows(site.conn, "SELECT max(id) FROM attachment")[0][0]
        headers = client.get(f"/cases/{case}/files/{number}").headers
        assert headers["content-type"] == kind
        told = re.fullmatch(
            r"attachment; filename=\"file-\d+\.\w+\"; filename\*=UTF-8''([\w.%~-]+)", headers["content-disposition"]
        )
        assert told
        assert (
            bytes.fromhex(re.sub(r"%([0-9A-F]{2})|(.)", lambda m: m[1] or f"{ord(m[2]):02x}", told[1])).decode() == name
        )
        assert headers["content-security-policy"] == "sandbox; default-src 'none'"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd.txt", "passwd.txt"), ("C:\\Users\\町\\a.txt", "a.txt"), ("..\\..\\a.txt", "a.txt"), ('引用%22符.txt', '引用"符.txt'),
        ("<img src=x onerror=alert(1)>.txt", "<img src=x onerror=alert(1)>.txt"), ("{{7*7}}.txt", "{{7*7}}.txt"),
    ],
)  # fmt: skip
def test_a_hostile_name_is_only_a_name(site, case, sent, kept):
    client = site.client(site.who.municipality)
    body, headers = raw(*marks(client), (f'name="file"; filename="{sent}"', b"text"))
    assert client.post(f"/cases/{case}/files", content=body, headers=headers).status_code == 303
    assert rows(site.conn, "SELECT name FROM attachment") == [(kept,)]
    text = client.get(f"/cases/{case}").text
    assert "<img src=x" not in text
    assert "49.txt" not in text


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.exe", b"MZ", "動くおそれ"), ("a.docm", b"PK", "マクロ"), ("a.pdf", b"MZ", "中身はPDFではありません"), ("a.pdf", b"", "中身が空です"),
        ("\u202efdp.txt", b"x", "U+202E"), ("あ" * 300 + ".pdf", PDF, "304文字"), ("", b"", "選ばれていません"), ("a.docx", office("word", ("word/vbaProject.bin", b"")), "マクロ"),
    ],
)  # fmt: skip
def test_a_refused_file_says_why_and_keeps_what_was_written(site, case, name, data, said):
    client = site.client(site.who.bureau)
    body, headers = raw(*marks(client, scope="internal", label="町の<地図>"), (f'name="file"; filename="{name}"', data))
    refused = client.post(f"/cases/{case}/files", content=body, headers=headers)
    assert refused.status_code == 422
    assert said in refused.text
    assert "まだ添えていません" in refused.text
    assert 'value="町の&lt;地図&gt;"' in refused.text
    assert re.search(r'value="internal" required checked', refused.text)
    assert "\u202e" not in refused.text
    assert site.left() == [(0, 0)]


def test_a_label_has_its_limits(site, case):
    client = site.client(site.who.bureau)
    for label in ("あ" * 61, "a\x07b", "a\u0085b"):
        refused = send(client, case, label=label)
        assert refused.status_code == 422
        assert "何のファイルか" in refused.text
    assert site.left() == [(0, 0)]


def test_the_same_form_twice_is_one_file(site, case):
    client, key = site.client(site.who.bureau), str(uuid4())
    first, again = send(client, case, key=key), send(client, case, key=key)
    assert first.headers["location"] == again.headers["location"]
    assert (first.status_code, again.status_code, site.left()) == (303, 303, [(1, 1)])
    other = send(client, case)
    assert other.status_code == 422
    assert "もう添えてあります" in other.text


def test_a_file_without_a_key_is_not_taken(site, case):
    refused = send(site.client(site.who.bureau), case, key="")
    assert refused.status_code == 400
    assert site.left() == [(0, 0)]


# ── who sends ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def untouched(monkeypatch):
    """Fails when anything of a file is looked at."""

    def looked(*told: Any, **more: Any) -> None:
        raise AssertionError("the file was looked at")

    monkeypatch.setattr(files, "Arriving", looked)


@pytest.mark.parametrize("token", ["", "x", "あ", "foreign"])
def test_the_token_is_asked_for_before_the_file_is_looked_at(site, case, token, untouched):
    client = site.client(site.who.bureau)
    foreign = site.client(site.who.municipality).csrf
    refused = send(client, case, csrf=foreign if token == "foreign" else token)
    assert refused.status_code == 403
    assert site.left() == [(0, 0)]


def test_the_token_comes_first_or_nothing_is_read(site, case, untouched):
    client = site.client(site.who.bureau)
    first, *rest = marks(client)
    for parts in ([FILE, first, *rest], [*rest, first, FILE], [*rest, FILE], [FILE]):
        body, headers = raw(*parts)
        assert client.post(f"/cases/{case}/files", content=body, headers=headers).status_code in (400, 403)
    assert site.left() == [(0, 0)]


def test_nobody_and_other_sites_send_nothing(site, case, untouched):
    nobody = Browser(site.app, headers=ORIGIN, follow_redirects=False)
    refused = send(nobody, case)
    assert refused.status_code == 401
    assert "ログインし直してください" in refused.text
    client = site.client(site.who.bureau)
    client.headers["Origin"] = "http://evil.example"
    assert send(client, case).status_code == 403


def test_a_case_of_others_does_not_exist(site, case):
    client = site.client(factory.person(site.conn, "municipality", "014583"))
    assert send(client, case).status_code == 404
    assert client.get(f"/cases/{case}/files").status_code == 404
    assert client.get(f"/cases/{case}/remarks").status_code == 404


def test_who_only_reads_is_told_so(site, case):
    client = site.client(site.who.auditor)
    assert "ファイルを添える" not in client.get(f"/cases/{case}/files").text
    assert send(client, case).status_code == 403
    posted = {"csrf": client.csrf, "key": str(uuid4()), "scope": "shared", "text": "書けない"}
    assert client.post(f"/cases/{case}/remarks", data=posted).status_code == 403


# ── hostile forms ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_form_that_cannot_be_read_leaves_nothing(site, case):
    client = site.client(site.who.bureau)
    good = [*marks(client), FILE]
    whole, headers = raw(*good)
    bad = [
        (whole[:-30], headers, "最後まで"), (whole[: len(whole) // 2], headers, "最後まで"), (b"", headers, "最後まで"),
        (whole, {"Content-Type": "multipart/form-data"}, "様式"), (whole, {"Content-Type": "multipart/form-data; boundary=" + "y" * 300}, "様式"),
        (whole, {"Content-Type": "multipart/form-data; boundary=other"}, "様式"), (whole, {"Content-Type": "application/octet-stream"}, "様式"),
        (b"csrf=" + client.csrf.encode(), {"Content-Type": "application/x-www-form-urlencoded"}, "様式"),
        (*raw(*good, ('name="file"; filename="b.pdf"', PDF)), "1つ"), (*raw(*good, ('name="more"', b"x")), "1つ"),
        (*raw(*marks(client), *((f'name="f{n}"', b"") for n in range(30)), FILE), "様式"), (*raw(*marks(client, label="x" * 70_000), FILE), "様式"),
        (*raw(*marks(client, label="a\0b"), FILE), "NUL"), (*raw(*marks(client)[:1], ('name="label"', b"\xff\xfe"), FILE), "様式"),
        (*raw(*marks(client), ('name="file"; filename="\udcff.pdf"', PDF)), "UTF-8"), (*raw(*marks(client), ('name="file"; filename="' + "a" * 5000 + '.pdf"', PDF)), "様式"),
        (*raw(*marks(client)), "選ばれていません"),
    ]  # fmt: skip
    for body, told, said in bad:
        refused = client.post(f"/cases/{case}/files", content=body, headers=told)
        assert refused.status_code in (400, 422), (said, refused.status_code)
        assert said in refused.text, said
    assert site.left() == [(0, 0)]


def test_headers_without_end_are_refused(site, case):
    client = site.client(site.who.bureau)
    body = b"--xyz\r\n" + b"X-Header: y\r\n" * 20 + b"\r\n\r\n--xyz--\r\n"
    refused = client.post(
        f"/cases/{case}/files", content=body, headers={"Content-Type": "multipart/form-data; boundary=xyz"}
    )
    assert refused.status_code == 400


@pytest.mark.parametrize("more", [1, 200 * 1024])
@pytest.mark.parametrize("announced", [True, False])
def test_what_is_too_large_is_refused_in_words(site, case, more, announced, monkeypatch):
    monkeypatch.setattr(settings(), "file_limit", 300_000)
    site.app = create_app()
    client = site.client(site.who.bureau)
    body, headers = raw(*marks(client), ('name="file"; filename="a.pdf"', PDF.ljust(300_000 + more, b"\n")))
    content: Any = body if announced else (body[n : n + 65536] for n in range(0, len(body), 65536))
    refused = client.post(f"/cases/{case}/files", content=content, headers=headers)
    assert refused.status_code == 413
    assert "大きすぎます" in refused.text
    # A body that comes in one lump is refused before its form is known.
    assert "1つ293 KBまでです" in refused.text or (more > 1 and not announced)
    assert site.left() == [(0, 0)]
    assert send(client, case).status_code == 303


def test_other_forms_take_no_more_than_before(site, case):
    client = site.client(site.who.bureau)
    big = {"csrf": client.csrf, "key": str(uuid4()), "scope": "shared", "text": "x" * 3_000_000}
    assert client.post(f"/cases/{case}/remarks", data=big).status_code == 413
    assert client.post(f"/cases/{case}/files/1/delete", data=big).status_code == 413


def test_others_wait_for_their_turn_and_are_told(site, case, monkeypatch):
    monkeypatch.setattr(uploads, "PATIENCE", 0.2)
    client = site.client(site.who.bureau)
    monkeypatch.setattr(uploads, "_taken", {site.who.bureau})
    busy = send(client, case)
    assert busy.status_code == 503
    assert "ほかのファイルを受け取っています" in busy.text
    assert busy.headers["retry-after"]
    monkeypatch.setattr(uploads, "_taken", set(range(-9, 0)))
    assert send(client, case).status_code == 503
    monkeypatch.setattr(uploads, "_taken", {site.who.director})
    assert send(client, case).status_code == 303
    assert uploads._taken == {site.who.director}


# ── out ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_damaged_is_not_given_out(site, case):
    number = attach(site.db, site.who.bureau, case)
    site.conn.execute("UPDATE attachment_part SET data = 'x'")
    refused = site.client(site.who.bureau).get(f"/cases/{case}/files/{number}")
    assert refused.status_code == 500
    assert "指紋と合いません" in refused.text
    assert "content-disposition" not in refused.headers


def test_files_of_other_cases_and_erased_ones_are_not_found(site, case):
    number = attach(site.db, site.who.bureau, case)
    other = factory.opened(site.conn, site.who)
    factory.drive(site.conn, site.who, other, "submit")
    client = site.client(site.who.bureau)
    assert client.get(f"/cases/{other}/files/{number}").status_code == 404
    assert client.get(f"/cases/{case}/files/{2**40}").status_code == 404
    assert client.get(f"/cases/{case}/files/{2**70}").status_code == 404
    site.conn.execute("UPDATE attachment SET erased_seq = 4, name = ''")
    assert client.get(f"/cases/{case}/files/{number}").status_code == 404
    assert "消去済み(記録4号)" in client.get(f"/cases/{case}").text


# ── drafts ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_draft_saves_what_was_written_before_it_goes_to_its_files(site):
    client = site.client(site.who.municipality)
    asked = {"csrf": client.csrf, "key": str(uuid4()), "request.title": "書きかけの件名", "do": "files"}
    begun = client.post("/cases/new?process=dispatch&origin=municipality_request", data=asked)
    case = int(re.fullmatch(r"/cases/(\d+)/files", begun.headers["location"])[1])  # type: ignore[index]
    assert send(client, case, PNG, "地図.png").headers["location"] == f"/cases/{case}/files?done=attached"
    page = client.get(f"/cases/{case}/files?done=attached").text
    assert "提出するときに、いっしょに届きます。" in page
    (gone,) = re.findall(r'action="(/cases/\d+/files/\d+/delete)"', page)
    form = client.get(f"/cases/{case}/edit").text
    assert "書きかけの件名" in form
    assert "地図.png" in form
    assert site.client(site.who.bureau).post(gone, data={"csrf": "x"}).status_code == 403
    for _ in range(2):
        assert client.post(gone, data={"csrf": client.csrf}).status_code == 303
    assert site.left() == [(0, 0)]


def test_what_was_told_with_a_return_is_still_told_after_a_file_was_added(site, case):
    told = {"inputs": {"reason": "町長名の要請書を添えてください。"}}
    factory.drive(site.conn, site.who, case, ("ask_correction", told))
    client = site.client(site.who.municipality)
    assert send(client, case).status_code == 303
    assert "町長名の要請書を添えてください。" in client.get(f"/cases/{case}/actions/resubmit").text


# ── remarks ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def say(client: Any, case: int, text: str, scope: str = "shared", **more: str) -> Any:
    told = {"csrf": client.csrf, "key": str(uuid4()), "scope": scope, "text": text, "back": "case"} | more
    return client.post(f"/cases/{case}/remarks", data=told)


def test_the_two_forms_say_who_will_read(site, case):
    inner = site.client(site.who.bureau).get(f"/cases/{case}").text
    for words in (
        "局内だけに書く(市町村には見えません)",
        "局内に書き込む",
        "美瑛町と共有して書く(美瑛町に通知します)",
        "美瑛町と共有して書き込む",
    ):
        assert words in inner
    outer = site.client(site.who.municipality).get(f"/cases/{case}").text
    assert "上川総合振興局と共有して書き込む" in outer
    assert "局内" not in outer
    site.conn.execute(
        "INSERT INTO party (case_id, org_code, part, valid_from) VALUES (%s, '014583', 'partner', '2026-04-01')",
        (case,),
    )
    joint = site.client(site.who.municipality).get(f"/cases/{case}").text
    assert "上川総合振興局、東川町と共有して書き込む" in joint
    reader = site.client(site.who.auditor).get(f"/cases/{case}").text
    assert "書き込む" not in reader


def test_a_remark_is_shown_as_it_was_typed_and_told_once(site, case):
    client, key = site.client(site.who.bureau), str(uuid4())
    text = "  一行目\n<b>太字</b> & {{7*7}} \u202eabc\n\t=1+1"
    for _ in range(2):
        sent = say(client, case, text, key=key)
        assert sent.headers["location"] == f"/cases/{case}?done=shared#remarks"
    page = site.client(site.who.municipality).get(f"/cases/{case}").text
    assert page.count("  一行目\n&lt;b&gt;太字&lt;/b&gt; &amp; {{7*7}} ⟦U+202E⟧abc\n\t=1+1") == 1
    assert "\u202e" not in page


@pytest.mark.parametrize(
    ("text", "said"), [("", "何も書かれていません"), ("あ" * 4001, "4,001文字"), ("a\x07b", "ベル(U+0007)")]
)
def test_a_refused_remark_comes_back_in_its_own_form(site, case, text, said):
    client = site.client(site.who.bureau)
    refused = say(client, case, text, scope="internal")
    assert refused.status_code == 422
    assert said in refused.text
    assert re.search(rf'id="remark-internal"[^>]*aria-invalid="true"[^>]*>\n{text}</textarea>', refused.text)
    assert re.search(r'id="remark-shared" name="text" rows="4">\n</textarea>', refused.text)
    assert rows(site.conn, "SELECT 1 FROM comment") == []


def test_a_draft_has_no_remarks(site):
    draft = factory.opened(site.conn, site.who)
    client = site.client(site.who.municipality)
    assert "やりとり" not in client.get(f"/cases/{draft}").text
    assert client.get(f"/cases/{draft}/remarks").status_code == 404
    assert say(client, draft, "早すぎる").status_code == 403


def test_a_long_conversation_is_folded(site, case):
    for number in range(13):
        remark(site.db, site.who.bureau, case, f"{number}番目")
    page = site.client(site.who.municipality).get(f"/cases/{case}").text
    assert "前の書き込み 3件" in page
    assert page.index("12番目") < page.index("3番目")


# ── what is inside stays inside ─────────────────────────────────────────────────────────────────────────────────────

SECRET = "外に出てはならない庁内の検討"
WORDS, NOWHERE = "庁内の検討", "鯨飲馬食鯨"
LOOKING = f"q={WORDS}&query={WORDS}&text={WORDS}"


def test_nothing_internal_reaches_a_municipality_by_any_way(site, case):
    """Every page and file of the application as the municipality, its decider, a partner and an ended party; and every mail."""
    who, conn = site.who, site.conn
    conn.execute(
        "INSERT INTO party (case_id, org_code, part, valid_from) VALUES (%s, '014583', 'partner', '2026-04-01')",
        (case,),
    )
    conn.execute(
        "INSERT INTO party (case_id, org_code, part, valid_from, valid_to, until_seq) VALUES (%s, '014605', 'requester', '2026-04-01', '2026-04-02', 9)",
        (case,),
    )  # fmt: skip
    data = PDF + SECRET.encode()
    number = attach(site.db, who.bureau, case, data, name=f"{SECRET}.pdf", scope="internal", label=SECRET)
    remark(site.db, who.bureau, case, SECRET, scope="internal")
    remark(site.db, who.headquarters, case, f"{SECRET}について", scope="internal")
    factory.drive(conn, who, case, "propose_team", "put_to_director", "approve")
    outbox.deliver(site.db)
    inside = site.client(who.bureau).get(f"/cases/{case}").text
    assert inside.count(SECRET) >= 4
    readers = {
        "municipality": who.municipality, "head": factory.person(conn, "municipality_head", who.place, title="町長"),
        "partner": factory.person(conn, "municipality", "014583"), "ended": factory.person(conn, "municipality", "014605"),
    }  # fmt: skip
    for name, reader in readers.items():
        client = site.client(reader)
        opened = 0
        for address in addresses(site.app, conn, case, number):
            answer = client.get(address)
            opened += answer.status_code == 200
            assert SECRET.encode() not in answer.content, (name, address)
            assert answer.status_code < 500, (name, address)
        assert opened >= 5, name
        # A search for its words answers to the letter as one for words that stand nowhere.
        for path in ("/cases", "/search"):
            told = {
                words: unquote(client.get(f"{path}?{LOOKING}".replace(WORDS, words)).text) for words in (WORDS, NOWHERE)
            }
            assert told[WORDS].replace(WORDS, NOWHERE) == told[NOWHERE], (name, path)
        assert client.get(f"/cases/{case}/files/{number}").status_code == 404
        for scope in ("internal", "shared"):
            echoed = say(client, case, "", scope=scope)
            assert SECRET not in echoed.text
        assert SECRET not in send(client, case, data, name="同じ.pdf").text
    mails = rows(conn, "SELECT n.id, m.subject || m.body FROM message m JOIN person n ON n.id = m.person_id")
    assert mails
    assert not [1 for _, text in mails if SECRET in text]
    of_remarks = rows(
        conn, "SELECT m.person_id FROM message m JOIN outbox o ON o.id = m.outbox_id WHERE o.kind = 'remark'"
    )
    assert not {p for (p,) in of_remarks} & {*readers.values(), who.municipality_colleague}


def addresses(app: FastAPI, conn: Any, case: int, number: int) -> Iterator[str]:
    """Every address that answers GET, with this case and this file in it, bare and with a query that looks for the secret."""
    letters = [
        kind for (kind,) in rows(conn, "SELECT DISTINCT substr(kind, 8) FROM content WHERE kind LIKE 'letter:%%'")
    ]
    values: dict[str, list[Any]] = {
        "case_id": [case],
        "file_id": [number],
        "action": ["approve", "resubmit"],
        "kind": [*letters, "decision_notice"],
    }
    for route in iter_route_contexts(app.routes):
        if "GET" not in (route.methods or {"GET"}) or "static" in str(route.path):
            continue
        found = [str(route.path)]
        for part in PATH.finditer(str(route.path)):
            found = [
                path.replace(part[0], str(value)) for path in found for value in values.get(part[1], [number, case])
            ]
        for path in found:
            yield path
            yield f"{path}?{LOOKING}&check=1&year=2026"


def test_staff_read_internal_remarks_and_only_the_files_that_the_process_lets_them(site, case):
    factory.drive(site.conn, site.who, case, "propose_team", "put_to_director", "approve")
    number = attach(site.db, site.who.bureau, case, name="人事の案.pdf", scope="internal")
    remark(site.db, site.who.bureau, case, "局内の連絡です", scope="internal")
    client = site.client(site.who.staff)
    page = client.get(f"/cases/{case}").text
    assert "局内の連絡です" in page
    assert "人事の案" not in page
    assert client.get(f"/cases/{case}/files/{number}").status_code == 404
    assert person(site.db, site.who.staff).roles == {"staff"}
