"""What a dispatch puts on paper: the year-end report (別記様式第2号), the notice of decision and that of declining.

Columns follow the prescribed form; how 件数, 実人数 and 延べ人日 are counted stands here in words and is printed with them.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import groupby

from states.dates import WEEKDAYS, month_day, parse_days, read_date, wareki
from states.dispatch.labels import CHOICES, GROUNDS, ORIGINS
from states.documents import (
    Attendance,
    Column,
    Documents,
    Letter,
    Line,
    Matter,
    Paper,
    Report,
    Row,
    erased,
    rows,
    written,
)
from states.places import Directory

# ── reading a case ──────────────────────────────────────────────────────────────────────────────────────────────────


def _choice(line: Line | Matter, path: str) -> str:
    """The label of a chosen code; what is no code of ours stays as it stands."""
    code = line.text(path)
    return CHOICES[path].get(code, code)


def _place(form: Mapping[str, object], directory: Directory, on: date, group: str) -> tuple[str, str]:
    """Code and name of a municipality as it was called on that day, else as it was written."""
    code, name = written(form, f"{group}.municipality_code"), written(form, f"{group}.municipality_name")
    known = directory.municipality(code, on)
    if known is None and not code.strip() and name.strip():
        called = directory.by_name(name, on)
        known = called[0] if len(called) == 1 else None
    return (known.code, known.name) if known else (code, name)


def _destination(line: Line) -> tuple[str, str]:
    return _place(line.form, line.directory, line.decided_on or line.whole[0], "request.destination")


def _body(line: Line | Matter) -> str:
    return (
        line.text("request.destination.organization_name")
        if line.text("request.destination.type") == "organization"
        else ""
    )


def _where(line: Line) -> str:
    _, municipality = _destination(line)
    return "\n".join(filter(None, (_body(line), f"({municipality})" if _body(line) and municipality else municipality)))


def _tasks(line: Line | Matter) -> str:
    """The pieces of work, one a line; where there are several they are numbered."""
    texts = [text for task in rows(line.form, "request.tasks") if (text := str(task.get("text") or "").strip())]
    if gone := erased(line.form.get("request")):
        return gone
    return texts[0] if len(texts) == 1 else "\n".join(f"({number}) {text}" for number, text in enumerate(texts, 1))


def _member(line: Line, person: Attendance) -> tuple[str, str, str]:
    """Section, title and name of the day; the register's name where the team does not say."""
    if gone := erased(line.form.get("team")):
        return "", "", gone
    row = next((m for m in rows(line.form, "team.members") if m.get("person") == person.person_id), {})
    return str(row.get("section") or ""), str(row.get("role") or ""), str(row.get("name") or "") or person.name


def _reports(line: Line) -> tuple[int, int]:
    """How many 復命 are in, of how many that the people of this line owe."""
    groups = [line.form.get(f"report:{person.person_id}") or {} for person in line.people]
    return sum(bool(group.get("filed_on") or erased(group)) for group in groups), len(groups)


def _result_filed(line: Line) -> bool:
    return bool(line.text("result.filed_on"))


def _concurrent(line: Line) -> str:
    return {"needed": "有", "not_needed": "無"}.get(line.text("request.concurrent_appointment"), "")


def _remarks(line: Line) -> str:
    """What the reader of the prescribed form has to know besides the columns."""
    filed, owed = _reports(line)
    remarks = []
    if line.expected:
        remarks.append(f"見込み {line.expected}人日を含む")
    if line.whole[0] < line.days[0] or line.whole[-1] > line.days[-1]:
        remarks.append(f"年度をまたぐ(全体 {wareki(line.whole[0])}〜{wareki(line.whole[-1])})")
    if _concurrent(line) == "有":
        remarks.append("併任あり")
    if not line.expected and filed < owed:
        remarks.append(f"復命 {filed}/{owed}人")
    if not line.expected and not _result_filed(line):
        remarks.append("結果報告 未提出")
    if line.text("actual.end"):
        remarks.append("途中で終了")
    return "\n".join(remarks)


# ── columns for people ──────────────────────────────────────────────────────────────────────────────────────────────


def spans(days: Sequence[date]) -> str:
    """11月9日〜11日、12月3日: days in a row are joined."""
    runs = [
        [day for _, day in run] for _, run in groupby(enumerate(days), key=lambda pair: pair[1].toordinal() - pair[0])
    ]
    told = []
    for run in runs:
        first, last = run[0], run[-1]
        end = "" if first == last else f"〜{last.day}日" if first.month == last.month else f"〜{month_day(last)}"
        told.append(month_day(first) + end)
    return "、".join(told)


def _when(line: Line) -> str:
    first, last = line.days[0], line.days[-1]
    period = wareki(first) if first == last else f"{wareki(first)}から\n{wareki(last)}まで"
    return f"{period}\n({len(line.days)}日)"


def _people(line: Line) -> str:
    told = []
    for person in line.people:
        section, role, name = _member(line, person)
        told.append(" ".join(filter(None, (section, role, name, f"{len(person.days)}日"))))
    return "\n".join(told)


def _ground(line: Line) -> str:
    return f"{_choice(line, 'request.origin')}({'新規' if line.new else '継続'})\n{_choice(line, 'request.ground')}"


def _work(line: Line) -> str:
    return "\n".join(filter(None, (line.text("request.title"), _tasks(line))))


def _outcome(line: Line) -> str:
    parts = (("成果", "result.results"), ("課題", "result.issues"), ("今後", "result.follow_up"))
    if gone := erased(line.form.get("result")):
        return gone
    return "\n".join(f"【{word}】{text}" for word, path in parts if (text := line.text(path).strip()))


SHEET = (
    Column("番号", lambda line: line.number, 11),
    Column("派遣先", _where, 11),
    Column("区分・対象業務", _ground, 15),
    Column("業務名・業務概要", _work, 22),
    Column("派遣期間", _when, 15),
    Column("派遣職員(所属・職・氏名)", _people, 18),
    Column("実人数[人]", lambda line: len(line.people), 6, "number"),
    Column("延べ人日[人日]", lambda line: line.person_days, 6, "number"),
    Column("成果・課題・今後の対応", _outcome, 32),
    Column("備考", _remarks, 13),
)

# ── columns for machines: one row a person and case, one datum a cell ───────────────────────────────────────────────


def _own_report(row: Row) -> str:
    group = row.line.form.get(f"report:{row.person.person_id}") or {}
    return "済" if group.get("filed_on") or erased(group) else _still_out(row)


def _result_state(row: Row) -> str:
    return "済" if _result_filed(row.line) else _still_out(row)


def _still_out(row: Row) -> str:
    return "" if row.line.state == "dispatched" else "未"


DATA = (
    Column("年度", lambda row: row.line.year, 6, "number", "4月1日から翌年3月31日まで。始まる年の西暦"),
    Column("番号", lambda row: row.line.number, 14, note="案件番号。同じ番号の行は同じ案件"),
    Column("振興局コード", lambda row: row.line.lead, 14),
    Column("振興局名", lambda row: row.line.lead_name, 16),
    Column("派遣先市町村コード", lambda row: _destination(row.line)[0], 12, note="全国地方公共団体コード(検査数字を含む6けた)"),
    Column("派遣先市町村名", lambda row: _destination(row.line)[1], 12, note="決定した日の名称"),
    Column("派遣先団体名", lambda row: _body(row.line), 20, note="振興局長が認める団体に派遣したときだけ"),
    Column("区分", lambda row: _choice(row.line, "request.origin"), 14, note="市町村の要請か、振興局長の判断か"),
    Column("新規・継続", lambda row: "新規" if row.line.new else "継続", 9),
    Column("対象業務区分コード", "request.ground", 18),
    Column("対象業務区分名", lambda row: _choice(row.line, "request.ground"), 30),
    Column("業務名", "request.title", 30),
    Column("業務概要", lambda row: _tasks(row.line), 40),
    Column("派遣決定日", lambda row: row.line.decided_on, 12, "date"),
    Column("派遣期間(自)", lambda row: row.line.days[0], 12, "date", "案件の、この年度の最初の派遣日"),
    Column("派遣期間(至)", lambda row: row.line.days[-1], 12, "date", "案件の、この年度の最後の派遣日"),
    Column("全期間(自)", lambda row: row.line.whole[0], 12, "date", "案件の、年度をまたぐ前を含む最初の派遣日"),
    Column("全期間(至)", lambda row: row.line.whole[-1], 12, "date", "案件の、年度をまたいだ後を含む最後の派遣日"),
    Column("件数[件]", lambda row: int(row.counts_case), 8, "number", "案件の初めの行だけ1。合計が様式の件数"),
    Column("実人数[人]", lambda row: int(row.counts_person), 8, "number", "職員の初めの行だけ1。合計が様式の実人数"),
    Column("派遣職員番号", lambda row: row.person.staff_no, 12),
    Column("派遣職員所属", lambda row: _member(row.line, row.person)[0], 16),
    Column("派遣職員職", lambda row: _member(row.line, row.person)[1], 12),
    Column("派遣職員氏名", lambda row: _member(row.line, row.person)[2], 16),
    Column("派遣日数[日]", lambda row: len(row.line.days), 8, "number", "案件の派遣日の数。同じ案件の行に同じ数が入るので合計しない"),
    Column("派遣職員数[人]", lambda row: len(row.line.people), 8, "number", "案件の実人数。同じ案件の行に同じ数が入るので合計しない"),
    Column("延べ人日[人日]", lambda row: len(row.person.days), 8, "number", "この職員がこの案件で行く日の数。合計が様式の延べ人日"),
    Column("うち見込み[人日]", lambda row: sum(day > row.line.today for day in row.person.days), 8, "number", "作成日の翌日からの日"),
    Column("連携した市町村職員・地域振興派遣職員(課)", "contact.department", 20),
    Column("連携した市町村職員・地域振興派遣職員(氏名)", "contact.name", 16),
    Column("きっかけ", "request.source", 20),
    Column("併任の有無", lambda row: _concurrent(row.line), 8, note="有・無。書かれていないときは空白"),
    Column("成果", "result.results", 40),
    Column("課題", "result.issues", 40),
    Column("今後の対応", "result.follow_up", 40),
    Column("備考", lambda row: _remarks(row.line).replace("\n", "。"), 30),
    Column("状態", lambda row: row.line.state_label, 10),
    Column("復命の提出", _own_report, 10, note="済・未。派遣の終わる前は空白"),
    Column("結果報告の提出", _result_state, 10, note="済・未。派遣の終わる前は空白"),
)  # fmt: skip


DEFINITIONS = (
    ("件数", "この年度に派遣日(見込みを含む)が1日でもある案件の数です。取下げ・不受理・派遣しない・中止は数えません。"),
    ("新規・継続", "派遣を決定した年度に新規、ほかの年度に継続として数えます。決定した年度に派遣日がない案件は、最初の派遣日の年度に新規とします。"),
    ("実人数", "この表の案件に派遣した職員の数です。同じ職員は何件、何回でも1人と数えます。"),
    ("延べ人日", "職員1人が1つの案件に1日派遣されると1人日です。年度をまたぐ案件は、3月31日までと4月1日からに日を分けます。"),
    ("見込み", "作成日の翌日から年度末までの派遣日です。件数・実人数・延べ人日に含めています。"),
)  # fmt: skip

YEAR_END = Report(
    key="year-end",
    label="年度末報告",
    form="別記様式第2号",
    title="地域にどんどん飛び出し隊 派遣実績報告書",
    template="dispatch/year_end.xlsx",
    by=frozenset({"bureau", "director", "headquarters"}),
    counted=frozenset({"dispatched", "awaiting_report", "reported"}),
    uncounted={"withdrawn": "取下げ", "not_accepted": "不受理", "declined": "派遣しない", "cancelled": "中止"},
    waiting={"preparing": "派遣準備中"},
    decided="decision.on",
    kinds=tuple(
        (code, f"{ORIGINS[origin]} ・ {label}")
        for origin, grounds in GROUNDS.items()
        for code, label in grounds.items()
    ),
    kind=lambda line: line.text("request.ground"),
    sheet=SHEET,
    data=DATA,
    definitions=DEFINITIONS,
    codes=tuple(("対象業務区分コード", code, label) for grounds in GROUNDS.values() for code, label in grounds.items()),
)

# ── letters ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _addressee(matter: Matter) -> str:
    """The head of the municipality that asked, or of the one (or the body) that receives."""
    if (body := _body(matter)) and matter.text("request.origin") == "director":
        return f"{body} 代表者 様"
    group = (
        "contact"
        if matter.text("contact.municipality_code") or matter.text("contact.municipality_name")
        else "request.destination"
    )
    _, name = _place(matter.form, matter.directory, matter.on, group)
    return f"{name}長 様"


def _asked(matter: Matter) -> str:
    """「令和8年10月1日付けで要請のあった」; how the matter came about, for the first sentence."""
    if matter.text("request.origin") == "director":
        return "地域づくりを連携して進めるため、次の業務について、"
    arrived = read_date(matter.text("receipt.arrived_on")).date
    return f"{wareki(arrived)}に受け付けた要請について、" if arrived else "要請のあった業務について、"


def _paper(matter: Matter, subject: str, body: str, items: Sequence[tuple[str, str]]) -> Paper:
    return Paper(
        number=matter.text("decision.number"),
        on=matter.on,
        to=_addressee(matter),
        sender=f"{matter.prefecture}{matter.office_name}長",
        subject=subject,
        body=f"{_asked(matter)}{body}",
        items=tuple((label, text) for label, text in items if text.strip()),
        contact=tuple(filter(None, (f"案件番号 {matter.number}", matter.office_contact))),
    )


def _staff(matter: Matter) -> str:
    """Who comes on which days; a place without a name is named by its post."""
    if gone := erased(matter.form.get("team")):
        return gone
    first, last = _ends(matter)
    told = []
    for member in rows(matter.form, "team.members"):
        who = " ".join(str(member.get(key) or "") for key in ("section", "role", "name") if member.get(key))
        count = member.get("headcount") or 1
        typed = str(member.get("days") or "").strip()
        days = spans(parse_days(typed, (first, last) if first and last else None).days) or typed
        told.append(f"{who or '職員'}{f' {count}人' if count != 1 else ''}({days})")
    return "\n".join(told)


def _ends(matter: Matter) -> tuple[date | None, date | None]:
    first, last = (read_date(matter.text(f"request.period.{end}")).date for end in ("from", "to"))
    return (first, last) if first and last and first <= last else (None, None)


def _period(matter: Matter) -> str:
    first, last = _ends(matter)
    return f"{_dated(first)}から{_dated(last)}まで" if first and last else ""


def _dated(day: date) -> str:
    return f"{wareki(day)}({WEEKDAYS[day.weekday()]})"


def _decision_notice(matter: Matter) -> Paper:
    destination = matter.text("request.destination.organization_name") if _body(matter) else ""
    _, municipality = _place(matter.form, matter.directory, matter.on, "request.destination")
    return _paper(
        matter,
        "職員の派遣について(通知)",
        "下記のとおり職員を派遣することに決定しましたので、通知します。",
        (
            ("業務名", matter.text("request.title")),
            ("業務内容", _tasks(matter)),
            ("派遣先", " ".join(filter(None, (municipality, destination)))),
            ("派遣場所", matter.text("request.place")),
            ("派遣期間", _period(matter)),
            ("派遣する職員", _staff(matter)),
            ("経費の負担", matter.text("request.cost")),
        ),
    )


def _decline_notice(matter: Matter) -> Paper:
    return _paper(
        matter,
        "職員の派遣について(通知)",
        "検討の結果、下記の理由により派遣しないことに決定しましたので、通知します。",
        (
            ("業務名", matter.text("request.title")),
            ("派遣しない理由", matter.inputs.get("reason", "")),
        ),
    )


DOCUMENTS = Documents(
    reports=(YEAR_END,),
    letters=(
        Letter("decision_notice", "派遣決定通知", "letters/letter.html", _decision_notice),
        Letter("decline_notice", "不派遣通知", "letters/letter.html", _decline_notice),
    ),
)
