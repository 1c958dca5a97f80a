"""An office's archive of any size, written by plain SQL: what stands in the tables is shaped as acts leave it, no act made it.

Ten thousand cases a fiscal year, the newest year being the present one: 10,000 cases are one year, 1,000,000 are a hundred.
A year is always the same: one case in five is led by the office that asks, the others are spread over the other offices;
two of the thirty staff of that office go for a day each, and every ten years thirty others hold the posts. So the ledger of
any day, and of any year, is as full in both archives.

Where life differs: a hundred years at one pace; one case in ten is open, however old, though asked for within the last
weeks; history is one event a case, with the content that the inbox reads; there are no drafts, remarks, files, deadlines
or messages. A search entry holds what `workflow.search` puts into one – text by `search_key`, characters and pairs, every
tag – but less of it: title, number, names of the places, one purpose, and inside the offices one note, about half as many
lexemes as a case of the tests has. Topics are drawn with a falling chance, so pairs of characters are frequent, middling
and rare. `SAME` are words that stand in as many cases of any archive, `MORE` stand in more cases of a longer one.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

import psycopg

from benchmarks.world import World, analyse
from states.dates import fiscal_year
from states.places import Directory
from states.text import search_key
from workflow import cases, numbers, search
from workflow.db import type_connection

YEARLY, STAFF, GENERATION = 10_000, 30, 10  # cases a year, staff of an office, years until they are others

TOPICS = (
    "空き家の活用", "移住者の受け入れ", "農産物の販路づくり", "観光の周遊ルート", "地域交通の見直し", "関係人口の拡大", "商店街のにぎわい",
    "道の駅の改修", "森林資源の利用", "高校の魅力づくり", "子育て世代の住まい", "冬の滞在プログラム", "広域の防災訓練", "漁港の体験施設",
    "空き店舗の貸し出し", "ふるさと納税の返礼品", "医療従事者の確保", "外国人材の暮らし", "若者の起業", "文化財の公開", "温泉街の景観",
    "酪農の担い手", "統計の読み方", "公共施設の再編", "合宿の誘致", "自転車の道", "星空の案内", "木質バイオマス", "買い物の足",
    "ジオパークの解説", "スマート農業", "山岳遭難の備え", "ワインの産地", "鉄道跡の遊歩道", "除雪の共助", "獣害の対策",
)  # fmt: skip
# What a title ends with; most of them ask for advice.
ENDS = (
    "計画づくりへの助言", "聞き取りの進め方への助言", "勉強会での助言", "調査票への助言", "住民会議の進行", "現地調査の実施", "事業の組み立てへの助言",
    "先進地の紹介と助言", "効果の測り方への助言", "研修会の講師",
)  # fmt: skip
PURPOSES = (
    "進め方から一緒に考えてほしい。", "予算に間に合うよう骨子をまとめたい。", "住民の声をどう集めるか知りたい。", "近隣の町村と足並みをそろえたい。",
    "交付金の申請に耐える資料がほしい。", "担当が替わり、基礎から学びたい。", "試行の結果を読み解きたい。", "関係団体との話し合いに外の目がほしい。",
    "データの集め方を改めたい。", "議会へ説明する材料を用意したい。", "維持費を下げて使い道を広げたい。", "季節による差を小さくしたい。",
)  # fmt: skip
NOTES = (
    "職員2名で対応できる。地域政策課", "日程は差し支えない。商工労働観光課", "経過を知る者を出す。農務課", "本庁の意見は要しない。地域政策課",
    "短い期間で足りる。林務課", "要請が重なるため隊を分ける。建設指導課",
)  # fmt: skip
NEW, NEW_EVERY = "脱炭素の先行地域", 30  # a topic of the present year alone, one case in so many
NAMES, NAMED = "蔦屋敷", 5  # a name that stands in so many cases, all of the present year

# How a word is called and what is typed. Of words whose hits are as many in any archive, or more than are counted:
SAME = (
    ("a word of most titles", "助言"),
    ("a word of this year", "脱炭素"),
    ("a name of five cases", "蔦屋敷"),
    ("no such word", "潜水艇"),
    ("its pairs, never the word", "観光交通"),
)  # fmt: skip
# Of words that a longer archive has more often, until they are a thousand: they are held against the word of most titles.
MORE = (("two words", "移住者 助言"), ("a word of few titles", "鉄道跡"))

STATES = ("reported", "director_judgement")  # of a case that ended, and of one that waits


def fill(place: World, number: int) -> None:
    """Write so many cases, the newest last, and everything that lists, search and ledger read of them."""
    # Values are written into the statements by the client, so that a number is an integer wherever it stands.
    url = place.owner_url.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True, cursor_factory=psycopg.ClientCursor) as conn:
        for setting in (
            "synchronous_commit = off",
            "maintenance_work_mem = '1GB'",
            "work_mem = '256MB'",
            "enable_nestloop = off",
        ):
            conn.execute(f"SET {setting}")
        remade = _bare(conn)
        today = cases.today(conn)
        _pieces(conn, place, fiscal_year(today), number)
        conn.execute("ANALYZE piece")
        told = {
            "number": number, "yearly": YEARLY, "staff": STAFF, "generation": GENERATION, "offices": len(_offices(place)),
            "topics": len(TOPICS), "ends": len(ENDS), "purposes": len(PURPOSES), "notes": len(NOTES), "new_every": NEW_EVERY,
            "named": NAMED, "year": fiscal_year(today), "by": place.who.bureau,
            "edition": search.edition(), "ended": STATES[0], "waits": STATES[1],
        }  # fmt: skip
        for statement in FILL:
            conn.execute(statement, told)
        for statement in remade:
            conn.execute(statement)
    analyse(place.owner_url)


# ── keys and indexes ────────────────────────────────────────────────────────────────────────────────────────────────

# Each row would be looked up in every index and by every foreign key: these are made anew from their own words afterwards.
FILLED = ("cases", "party", "step", "event", "content", "assignment", "search_entry")
KEYS = """SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = ANY (%s::regclass[]) AND contype IN ('f', 'u') AND conname NOT LIKE 'uq_event%%' ORDER BY contype DESC"""
INDEXES = """SELECT x.indexrelid::regclass::text, pg_get_indexdef(x.indexrelid) FROM pg_index x
WHERE x.indrelid = ANY (%s::regclass[]) AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = x.indexrelid)"""


def _bare(conn: type_connection) -> list[str]:
    """Take the foreign and unique keys and the plain indexes away; returns the statements that make them anew."""
    keys, indexes = (conn.execute(text, (list(FILLED),)).fetchall() for text in (KEYS, INDEXES))
    for table, name, _ in reversed(keys):
        conn.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for name, _ in indexes:
        conn.execute(f"DROP INDEX {name}")
    return [made for _, made in indexes] + [
        f"ALTER TABLE {table} ADD CONSTRAINT {name} {made}" for table, name, made in keys
    ]


# ── pieces of entries ───────────────────────────────────────────────────────────────────────────────────────────────

Piece = tuple[str, int, str, Sequence[str], Sequence[str]]  # kind, number of its kind, as written, words, tags

PIECES = "CREATE TEMP TABLE piece (kind text, key int, told text, text text, grams tsvector, PRIMARY KEY (kind, key))"
KEEP = "INSERT INTO piece SELECT %s, %s, %s, %s, array_to_tsvector(%s::text[])"


def _pieces(conn: type_connection, place: World, year: int, number: int) -> None:
    """What entries are put together from, each as written, as search key and as lexemes."""
    conn.execute(PIECES)
    with conn.cursor() as cursor:
        cursor.executemany(KEEP, list(_rows(_all_pieces(place, year, number))))


def _rows(pieces: Iterable[Piece]) -> Iterator[tuple[str, int, str, str, list[str]]]:
    for kind, key, told, words, tags in pieces:
        keys = [search_key(word) for word in words]
        grams = set[str]().union(*map(search.grams, keys)) | set(tags)
        yield kind, key, told, "\n".join(keys), sorted(grams)


def _all_pieces(place: World, year: int, number: int) -> Iterator[Piece]:
    directory, offices = Directory.from_csv(), _offices(place)
    topics = [*TOPICS, NEW, NAMES]
    for t, topic in enumerate(topics):
        for e, end in enumerate(ENDS):
            title = f"{topic}:{end}"
            yield "title", t * len(ENDS) + e, title, [title, title], []  # as the case's and as the form's
    for n, purpose in enumerate(PURPOSES):
        yield "purpose", n, purpose, [purpose], []
    for n, note in enumerate(NOTES):
        yield "note", n, note, [note], []
    for o, code in enumerate(offices):
        towns = directory.of_office(code, date(year, 4, 1))
        for n in range(100):  # one town in turn for each hundredth of an office's cases
            town = towns[n % len(towns)]
            tags = [
                search.tag("org", town.code),
                search.tag("org", code),
                search.tag("office", code),
                search.tag("place", town.code),
            ]
            yield "town", o * 100 + n, town.code, [*search.called(town.code)[:2], search.called(code)[0]], tags
        yield "office", o, code, [], []
        short = numbers.short_name(directory.office(code).name)  # type: ignore[union-attr]
        for back in range(-(-number // YEARLY)):
            told = f"{short}-{numbers.era(year - back)}"
            yield "year", back * len(offices) + o, told, [told], [search.tag("year", year - back)]
    for n in range(YEARLY):
        told = f"-{n + 2:03d}"  # the first number of the year is that of the case that acts made
        yield "number", n, told, [told], []
    kinds = ("process", "dispatch"), ("origin", "municipality_request"), ("kind", "request.plan")
    for n, state in enumerate(STATES):
        yield "state", n, state, [], [search.tag("state", state), *(search.tag(name, value) for name, value in kinds)]
    for n, inside in enumerate((False, True)):
        yield "inside", n, str(inside), [], [search.tag("inside", inside)]


def _offices(place: World) -> list[str]:
    """The bureaus of the prefecture, the one that asks first."""
    own = place.who.office
    return [own, *(o.code for o in Directory.from_csv().offices if o.code.startswith(own[:3]) and o.code != own)]


# ── the tables ──────────────────────────────────────────────────────────────────────────────────────────────────────

PEOPLE = """
WITH made AS (
  INSERT INTO person (id, staff_no, name, kana, mail) SELECT 1000 + n, 'S' || n, '職員' || n || '（仮名）', '', ''
  FROM generate_series(0, %(offices)s * %(staff)s * ((%(number)s - 1) / %(yearly)s / %(generation)s + 1) - 1) n),
posts AS (
  INSERT INTO post (id, org_code, section, title, role, scope, valid_from)
  SELECT 1000 + n, o.told, '第' || n %% 5 + 1 || '課', '主任', 'staff', 'own', '1900-04-01'
  FROM generate_series(0, %(offices)s * %(staff)s - 1) n JOIN piece o ON o.kind = 'office' AND o.key = n / %(staff)s)
INSERT INTO tenure (person_id, post_id, valid_from, valid_to)
SELECT 1000 + n, 1000 + n %% (%(offices)s * %(staff)s),
  make_date(%(year)s - (n / (%(offices)s * %(staff)s) + 1) * %(generation)s + 1, 4, 1),
  CASE WHEN n >= %(offices)s * %(staff)s THEN make_date(%(year)s - n / (%(offices)s * %(staff)s) * %(generation)s + 1, 3, 31) END
FROM generate_series(0, %(offices)s * %(staff)s * ((%(number)s - 1) / %(yearly)s / %(generation)s + 1) - 1) n"""

# What is drawn for each case; ids go up with time and `back` says how many years ago it was.
DRAWN = """
CREATE TEMP TABLE drawn AS
SELECT d.*, row_number() OVER (PARTITION BY d.back, d.office ORDER BY d.id) - 1 AS nth, count(*) OVER (PARTITION BY d.back, d.office) AS many
FROM (
  SELECT n + 1000 AS id, (%(number)s - n) / %(yearly)s AS back, (hashint8extended(n, 6) %% 10 = 0)::int AS open,
    CASE WHEN n %% 5 = 0 THEN 0 ELSE 1 + n %% (%(offices)s - 1) END AS office, abs(hashint8(n) %% 100) AS town,
    CASE WHEN n > %(number)s - %(yearly)s AND n %% (%(yearly)s / %(named)s) = 5 THEN %(topics)s + 1
      WHEN n > %(number)s - %(yearly)s AND abs(hashint8extended(n, 1) %% %(new_every)s) = 0 THEN %(topics)s
      ELSE floor(%(topics)s * power(abs(hashint8extended(n, 2) %% 10000) / 10000.0, 2))::int END AS topic,
    abs(hashint8extended(n, 3) %% %(ends)s) AS ending, abs(hashint8extended(n, 4) %% %(purposes)s) AS purpose,
    abs(hashint8extended(n, 5) %% %(notes)s) AS note,
    (make_date(%(year)s - (%(number)s - n) / %(yearly)s, 4, 1) + (n - 1) %% %(yearly)s * interval '52 minutes') AT TIME ZONE 'Asia/Tokyo' AS at
  FROM generate_series(1, %(number)s) n) d"""

CASES = """
INSERT INTO cases (id, process, process_version, origin, lead, place, opened_by, opened_at, open, title, number, state, version, saves, head,
  acted_by, acted_at, form)
SELECT d.id, 'dispatch', 1, 'municipality_request', o.told, w.told, %(by)s, d.at, true, t.told, y.told || n.told,
  s.told, 1, 0, sha256(convert_to(d.id::text, 'UTF8')), %(by)s::text, d.at,
  jsonb_build_object(
    'request', jsonb_build_object('title', t.told, 'purpose', p.told, 'ground', 'request.plan', 'origin', 'municipality_request',
      'office_code', o.told, 'destination', jsonb_build_object('type', 'municipality', 'municipality_code', w.told)),
    'contact', jsonb_build_object('municipality_code', w.told, 'department', '企画課'),
    'drafting', jsonb_build_object('by', %(by)s::text, 'note', i.told))
FROM drawn d
  JOIN piece o ON o.kind = 'office' AND o.key = d.office JOIN piece w ON w.kind = 'town' AND w.key = d.office * 100 + d.town
  JOIN piece t ON t.kind = 'title' AND t.key = d.topic * %(ends)s + d.ending JOIN piece p ON p.kind = 'purpose' AND p.key = d.purpose
  JOIN piece i ON i.kind = 'note' AND i.key = d.note JOIN piece y ON y.kind = 'year' AND y.key = d.back * %(offices)s + d.office
  JOIN piece n ON n.kind = 'number' AND n.key = d.nth JOIN piece s ON s.kind = 'state' AND s.key = d.open
ORDER BY d.id"""

PARTIES = """
INSERT INTO party (case_id, org_code, part, valid_from)
SELECT c.id, x.org, x.part, c.opened_at::date FROM cases c CROSS JOIN LATERAL (VALUES (c.place, 'requester'), (c.lead, 'lead')) x (org, part)
WHERE c.id > 1000 ORDER BY c.id"""

STEPS = """
INSERT INTO step (case_id, org_code, role, ask, due_at, opened_at, closed_at)
SELECT id, lead, 'director', '派遣を判断する', now() + (id %% 30) * interval '1 day',
  CASE WHEN state = %(ended)s THEN opened_at ELSE now() - (id %% 20) * interval '1 day' END, CASE WHEN state = %(ended)s THEN opened_at END
FROM cases WHERE id > 1000 ORDER BY id"""

EVENTS = """
INSERT INTO event (case_id, seq, at, action, actor, post, office, hash, body)
SELECT id, 1, at, action, actor, post, office, sha256(convert_to(body, 'UTF8')), body
FROM (SELECT *, json_build_object('case', id, 'seq', 1, 'at', (extract(epoch FROM at) * 1000000)::bigint, 'action', action, 'actor', actor,
    'post', post, 'office', office, 'from', 'preparing', 'to', state, 'content', '[]'::json)::text AS body
  FROM (SELECT id, opened_at AS at, CASE WHEN state = %(ended)s THEN 'begin' ELSE 'put_to_director' END AS action, acted_by AS actor,
      '1' AS post, lead AS office, state FROM cases WHERE id > 1000) c ORDER BY id) e"""

# What the inbox reads of the verdicts that were shown; a case at rest has none.
SHOWN = """
INSERT INTO content (case_id, seq, ord, kind, digest, salt, data)
SELECT id, 1, 1, 'shown', sha256(salt || convert_to('shown', 'UTF8') || data), salt, data
FROM (SELECT id, sha256(convert_to(id::text, 'UTF8')) AS salt,
    convert_to(json_build_object('verdicts', (SELECT json_agg(json_build_array('pass', 'D-' || n, 'request.title', 'さしつかえありません。'))
      FROM generate_series(1, 18) n))::text, 'UTF8') AS data FROM cases WHERE id > 1000 AND state = %(waits)s) c"""

# The places of an office's year are its staff side by side, day after day, as far apart as its cases fill the year.
PERSON = "(1000 + (d.back / %(generation)s * %(offices)s + d.office) * %(staff)s + (2 * d.nth + {}) %% %(staff)s)"
ASSIGNED = f"""
INSERT INTO assignment (case_id, person_id, day, half)
SELECT d.id, {PERSON.format("k")},
  make_date(%(year)s - d.back::int, 4, 1) + ((2 * d.nth + k) / %(staff)s * (364 / (2 * d.many / %(staff)s + 1)))::int, h
FROM drawn d CROSS JOIN generate_series(0, 1) k CROSS JOIN generate_series(0, 1) h ORDER BY d.id"""

BLOCKS = ", ".join(f"'b{size}=' || (d.id >> {size})" for size in search.BLOCKS)
# Both entries of a case from what they have in common; small vectors are joined before large ones.
ENTRIES = f"""
INSERT INTO search_entry (case_id, inside, mark, text, grams)
SELECT e.id, x.key = 1, '{"0" * 9}1{"0" * 10}:0.0.0:0.0.0:{search.EDITION}.' || %(edition)s,
  e.text || CASE WHEN x.key = 1 THEN E'\\n' || e.note ELSE '' END || E'\\f',
  x.grams || CASE WHEN x.key = 1 THEN e.grams || e.note_grams ELSE e.grams END
FROM (
  SELECT d.id, i.text AS note, i.grams AS note_grams, t.text || E'\\n' || y.text || n.text || E'\\n' || w.text || E'\\n' || p.text AS text,
    (y.grams || n.grams || s.grams || array_to_tsvector(ARRAY[{BLOCKS}, 'person=' || {PERSON.format(0)}, 'person=' || {PERSON.format(1)}]))
      || t.grams || p.grams || w.grams AS grams
  FROM drawn d
    JOIN piece w ON w.kind = 'town' AND w.key = d.office * 100 + d.town JOIN piece i ON i.kind = 'note' AND i.key = d.note
    JOIN piece t ON t.kind = 'title' AND t.key = d.topic * %(ends)s + d.ending JOIN piece p ON p.kind = 'purpose' AND p.key = d.purpose
    JOIN piece y ON y.kind = 'year' AND y.key = d.back * %(offices)s + d.office
    JOIN piece n ON n.kind = 'number' AND n.key = d.nth JOIN piece s ON s.kind = 'state' AND s.key = d.open
  ORDER BY d.id OFFSET 0) e CROSS JOIN (SELECT * FROM piece WHERE kind = 'inside') x"""

COUNTED = """
SELECT setval(pg_get_serial_sequence(name, 'id'), 1000 + %(number)s + 100000) FROM unnest(ARRAY['cases', 'person', 'post']) name"""

FILL = (
    PEOPLE,
    DRAWN,
    "ANALYZE drawn",
    CASES,
    "ANALYZE cases",
    PARTIES,
    STEPS,
    EVENTS,
    SHOWN,
    ASSIGNED,
    ENTRIES,
    COUNTED,
)
