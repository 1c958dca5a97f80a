"""The year-end report of dispatches (別記様式第2号): its columns for people and for machines.

Columns follow the prescribed form; how 件数, 実人数 and 延べ人日 are counted stands here in words and is printed with them.
"""

from states.dates import wareki
from states.dispatch.labels import CHANGE_REASONS, CHANGES, GROUNDS, ORIGINS
from states.dispatch.telling import body_of, choice_of, place_called, spans, tasks_of
from states.documents import Attendance, Column, Grouping, Line, Report, Row, amount, erased, rows

# ── reading a case ──────────────────────────────────────────────────────────────────────────────────────────────────


def _destination(line: Line) -> tuple[str, str]:
    return place_called(line.form, line.directory, line.decided_on or line.whole[0], "request.destination")


def _where(line: Line) -> str:
    _, municipality = _destination(line)
    return "\n".join(
        filter(None, (body_of(line), f"({municipality})" if body_of(line) and municipality else municipality))
    )


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
    if line.crosses:
        remarks.append(f"年度をまたぐ(全体 {wareki(line.whole[0])}〜{wareki(line.whole[-1])})")
    if _concurrent(line) == "有":
        remarks.append("併任あり")
    if not line.expected and filed < owed:
        remarks.append(f"復命 {filed}/{owed}人")
    if not line.expected and not _result_filed(line):
        remarks.append("結果報告 未提出")
    remarks += filter(None, (_course(line), f"市町村の評価 {_grade(line)}" if _grade(line) else ""))
    return "\n".join(remarks)


def _course(line: Line) -> str:
    """What became of the plan: a stop in an emergency, an end before its time, every change that was decided."""
    stopped = f"緊急停止({choice_of(line, 'stop.reason_code')})" if line.text("stop.on") else ""
    ended = "途中で終了" if line.text("actual.end") else ""
    changed = [
        f"{CHANGES.get(str(row.get('kind')), '変更')}({CHANGE_REASONS.get(str(row.get('reason_code')), 'その他')})"
        for row in rows(line.form, "changes.rows")
    ]
    return "、".join(filter(None, (stopped, ended, *changed)))


def _grade(line: Line) -> str:
    """The grade of the municipality that asked, in words; one that gives none is told as such, one not asked yet is blank."""
    return choice_of(line, "evaluation.grade") if line.text("evaluation.on") else ""


def _graded(line: Line) -> int | None:
    grade = line.text("evaluation.grade")
    return int(grade) if line.text("evaluation.on") and grade.isdecimal() else None


# ── columns for people ──────────────────────────────────────────────────────────────────────────────────────────────


def _when(line: Line) -> str:
    first, last = line.days[0], line.days[-1]
    period = wareki(first) if first == last else f"{wareki(first)}から\n{wareki(last)}まで"
    return f"{period}\n({len(line.days)}日)"


def _people(line: Line) -> str:
    told = []
    for person in line.people:
        section, role, name = _member(line, person)
        halves = f"({spans(tuple(person.halves), person.halves)})" if person.halves else ""
        told.append(" ".join(filter(None, (section, role, name, f"{amount(len(person.half_days))}日{halves}"))))
    return "\n".join(told)


def _ground(line: Line) -> str:
    return f"{choice_of(line, 'request.origin')}({'新規' if line.new else '継続'})\n{choice_of(line, 'request.ground')}"


def _work(line: Line) -> str:
    return "\n".join(filter(None, (line.text("request.title"), tasks_of(line))))


def _outcome(line: Line) -> str:
    parts = (("成果", "result.results"), ("課題", "result.issues"), ("今後", "result.follow_up"))
    if gone := erased(line.form.get("result")):
        return gone
    return "\n".join(f"【{word}】{text}" for word, path in parts if (text := line.text(path).strip()))


# Reports are not due yet.
UNDER_WAY = frozenset({"dispatched", "stopped", "change_judgement", "change_consultation"})

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
    return "" if row.line.state in UNDER_WAY else "未"


DATA = (
    Column("年度", lambda row: row.line.year, 6, "number", "4月1日から翌年3月31日まで。始まる年の西暦"),
    Column("番号", lambda row: row.line.number, 14, note="案件番号。同じ番号の行は同じ案件"),
    Column("振興局コード", lambda row: row.line.lead, 14),
    Column("振興局名", lambda row: row.line.lead_name, 16),
    Column("派遣先市町村コード", lambda row: _destination(row.line)[0], 12, note="全国地方公共団体コード(検査数字を含む6けた)"),
    Column("派遣先市町村名", lambda row: _destination(row.line)[1], 12, note="決定した日の名称"),
    Column("派遣先団体名", lambda row: body_of(row.line), 20, note="振興局長が認める団体に派遣したときだけ"),
    Column("区分", lambda row: choice_of(row.line, "request.origin"), 14, note="市町村の要請か、振興局長の判断か"),
    Column("新規・継続", lambda row: "新規" if row.line.new else "継続", 9),
    Column("対象業務区分コード", "request.ground", 18),
    Column("対象業務区分名", lambda row: choice_of(row.line, "request.ground"), 30),
    Column("業務名", "request.title", 30),
    Column("業務概要", lambda row: tasks_of(row.line), 40),
    Column("派遣決定日", lambda row: row.line.decided_on, 12, "date"),
    Column("派遣期間(自)", lambda row: row.line.days[0], 12, "date", "案件の、この年度の最初の派遣日"),
    Column("派遣期間(至)", lambda row: row.line.days[-1], 12, "date", "案件の、この年度の最後の派遣日"),
    Column("全期間(自)", lambda row: row.line.whole[0], 12, "date", "案件の、年度をまたぐ前を含む最初の派遣日"),
    Column("全期間(至)", lambda row: row.line.whole[-1], 12, "date", "案件の、年度をまたいだ後を含む最後の派遣日"),
    Column("件数[件]", lambda row: int(row.counts_case and row.line.new), 8, "number", "新規の案件の初めの行だけ1。合計が様式の件数"),
    Column("継続[件]", lambda row: int(row.counts_case and not row.line.new), 8, "number", "継続の案件の初めの行だけ1。合計が様式の継続"),
    Column("実人数[人]", lambda row: int(row.counts_person), 8, "number", "職員の初めの行だけ1。合計が様式の実人数"),
    Column("派遣職員番号", lambda row: row.person.staff_no, 12),
    Column("派遣職員所属", lambda row: _member(row.line, row.person)[0], 16),
    Column("派遣職員職", lambda row: _member(row.line, row.person)[1], 12),
    Column("派遣職員氏名", lambda row: _member(row.line, row.person)[2], 16),
    Column("派遣日数[日]", lambda row: len(row.line.days), 8, "number", "案件の派遣日の数。同じ案件の行に同じ数が入るので合計しない"),
    Column("派遣職員数[人]", lambda row: len(row.line.people), 8, "number", "案件の実人数。同じ案件の行に同じ数が入るので合計しない"),
    Column("延べ人日[人日]", lambda row: amount(len(row.person.half_days)), 8, "number", "この職員がこの案件で行く日の数。半日は0.5。合計が様式の延べ人日"),
    Column("うち見込み[人日]", lambda row: amount(row.person.after(row.line.today)), 8, "number", "作成日の翌日からの日"),
    Column("連携した市町村職員・地域振興派遣職員(課)", "contact.department", 20),
    Column("連携した市町村職員・地域振興派遣職員(氏名)", "contact.name", 16),
    Column("きっかけ", "request.source", 20),
    Column("併任の有無", lambda row: _concurrent(row.line), 8, note="有・無。書かれていないときは空白"),
    Column("成果", "result.results", 40),
    Column("課題", "result.issues", 40),
    Column("今後の対応", "result.follow_up", 40),
    Column("変更・停止", lambda row: _course(row.line), 20, note="決まった変更、緊急の停止、途中の終了"),
    Column("市町村の評価[段階]", lambda row: _graded(row.line), 10, "number", "5がとても役に立った、1が役に立たなかった。評価のないときは空白"),
    Column("市町村の評価(記述)", "evaluation.text", 40),
    Column("備考", lambda row: _remarks(row.line).replace("\n", "。"), 30),
    Column("状態", lambda row: row.line.state_label, 10),
    Column("復命の提出", _own_report, 10, note="済・未。派遣の終わる前は空白"),
    Column("結果報告の提出", _result_state, 10, note="済・未。派遣の終わる前は空白"),
)  # fmt: skip


DEFINITIONS = (
    ("件数", "派遣した(見込みを含む)案件の数です。1つの案件は1つの年度だけで数えます。取下げ・不受理・派遣しない・中止と、行った日のない案件は数えません。"),
    ("継続", "年度をまたぐ案件は両方の年度の表に載せ、派遣を決定した年度の件数とし、ほかの年度では継続とします。決定した年度に派遣日がない案件は、最初の派遣日の年度の件数とします。"),
    ("実人数", "この表の案件に派遣した職員の数です。同じ職員は何件、何回でも1人と数えます。"),
    ("延べ人日", "職員1人が1つの案件に1日行くと1人日、半日は0.5人日です。復命のあった職員は実際に行った日、まだの職員は決定した日で数えます。年度をまたぐ案件は、3月31日までと4月1日からに日を分けます。"),
    ("見込み", "作成日の翌日から年度末までの派遣日です。件数・実人数・延べ人日に含めています。"),
)  # fmt: skip

YEAR_END = Report(
    key="year-end",
    label="年度末報告",
    form="別記様式第2号",
    title="地域にどんどん飛び出し隊 派遣実績報告書",
    template="dispatch/year_end.xlsx",
    by=frozenset({"bureau", "director", "headquarters"}),
    begins=frozenset({"begin"}),
    uncounted={"withdrawn": "取下げ", "not_accepted": "不受理", "declined": "派遣しない", "cancelled": "中止"},
    nobody="行った日なし",
    waiting={"preparing": "派遣準備中", "change_judgement": "変更の判断中", "change_consultation": "変更の協議中"},
    decided="decision.on",
    groupings=(
        Grouping("origins", "契機", tuple(ORIGINS.items()), lambda line: line.text("request.origin")),
        Grouping(
            "kinds",
            "対象業務の区分",
            tuple(
                (code, f"{ORIGINS[origin]} ・ {label}")
                for origin, codes in GROUNDS.items()
                for code, label in codes.items()
            ),
            lambda line: line.text("request.ground"),
            {code: label for codes in GROUNDS.values() for code, label in codes.items()},
            {code: origin for origin, codes in GROUNDS.items() for code in codes},
        ),
    ),
    sheet=SHEET,
    data=DATA,
    definitions=DEFINITIONS,
    codes=tuple(("対象業務区分コード", code, label) for grounds in GROUNDS.values() for code, label in grounds.items()),
)
