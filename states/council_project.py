"""地域重点プロジェクト: what a region means to become, told every year by its owners, evaluated by the bureau, confirmed by the body."""

from collections.abc import Mapping
from typing import Any

from states.dates import fiscal_year
from states.forms import Field, Form, Group, Table
from states.kernel import Process
from states.terms import STAY, Action, Deadline, Facts, Input, State

BUREAU, MEMBER, TOLD = (frozenset({role}) for role in ("bureau", "partner", "municipality"))
STANDING = (("well", "順調"), ("fairly", "概ね順調"), ("behind", "遅れ"), ("done", "完了"), ("revised", "見直し"))
FORM = Form((
    Group("project", "プロジェクト", (
        Field("title", "名前", need=True, most=60), Field("aim", "めざす姿", "long"), Field("from_year", "初めの年度"), Field("to_year", "終わりの年度"), Field("owners", "主体"),
        Table("indicators", "指標", (Field("name", "指標"), Field("unit", "単位"), Field("base", "初めの値"), Field("target", "めざす値")), add="指標を足す"),
    )),
    Group("status", "年ごとの状況", (
        Table("years", "年ごとの状況", (
            Field("year", "年度"), Field("standing", "状況", "choice", options=STANDING), Field("value", "指標の値"), Field("comment", "説明", "long"),
            Field("evaluation", "振興局の評価", "long"), Field("confirmed", "会議の確認"), Field("by", "報告した人", "mark"), Field("on", "報告した日", "mark"),
        )),
    ), typed=False),
), reports=frozenset({"status"}))  # fmt: skip


def _years(facts: Facts) -> list[dict[str, Any]]:
    return [dict(row.stored) for row in facts.read.part("status").rows("years")]


def _told(facts: Facts) -> Mapping[str, Any]:
    """The year's row; told again in the same year it replaces the first telling."""
    year = str(fiscal_year(facts.today))
    row = {"year": year, "by": facts.actor, "on": facts.today.isoformat()} | {
        key: str(facts.inputs.get(key) or "") for key in ("standing", "value", "comment")
    }
    return {"status": {"years": [*(r for r in _years(facts) if r.get("year") != year), row]}}


def _added(key: str) -> Any:
    def record(facts: Facts) -> Mapping[str, Any]:
        years = _years(facts)
        return {"status": {"years": [*years[:-1], {**years[-1], key: str(facts.inputs[key])}]}} if years else {}

    return record


STATES = (
    State("project_new", "準備", "計画", "bureau"),
    State("project_open", "推進中", "推進", "bureau"),
    State("project_reported", "評価待ち", "評価", "bureau", "今年度の状況を評価する"),
    State("project_evaluated", "会議の確認待ち", "評価", "bureau", "会議で確かめた結果を記録する"),
    State("project_done", "完了", "終了", final=True, outcome="完了した"),
    State("project_dropped", "取りやめ", "終了", final=True, outcome="取りやめた"),
)
ACTIONS = (
    Action("start", ("project_new",), "project_open", "推進を始める", BUREAU, "毎年度の状況を報告します", numbers=("branch",), tells=TOLD),
    Action("plan", ("project_open",), STAY, "計画を書く", BUREAU, "書いた内容が残ります", guards=(FORM.letters, FORM.lacking("project")), edits=frozenset({"project"})),
    Action(
        "tell", ("project_open",), "project_reported", "今年度の状況を報告する", BUREAU | MEMBER, "振興局が評価します",
        asks=(Input("standing", "状況", "choice", choices=STANDING), Input("value", "指標の値", required=False), Input("comment", "説明")), record=_told, tells=BUREAU, main=True,
    ),
    Action("evaluate", ("project_reported",), "project_evaluated", "評価する", BUREAU, "会議の確認を待ちます", asks=(Input("evaluation", "評価"),), record=_added("evaluation"), tells=TOLD, main=True),
    Action("confirm_status", ("project_evaluated",), "project_open", "会議の確認を記録する", BUREAU, "次の年度に進みます", asks=(Input("confirmed", "どの会議で、どう確かめたか"),), record=_added("confirmed"), tells=TOLD, main=True),
    Action("complete", ("project_open",), "project_done", "完了とする", BUREAU, "この案件が終わります", asks=(Input("reason", "完了とする理由"),), tells=TOLD),
    Action("give_up", ("project_open",), "project_dropped", "取りやめる", BUREAU, "この案件が終わります", asks=(Input("reason", "取りやめる理由"),), tells=TOLD, stops=True),
)  # fmt: skip
DEADLINES = (
    Deadline("yearly", "年度の状況の締切", "bureau", frozenset({"project_open"}), on=((2, 28),), rolls=True),
    Deadline("evaluate", "評価の期限", "bureau", frozenset({"project_reported"}), 10),
)


def title(form: Mapping[str, Any]) -> str:
    return str((form.get("project") or {}).get("title") or "").strip() or "(名前のないプロジェクト)"


PROCESS = Process(
    key="council_project", version=1, label="地域重点プロジェクト", states=STATES, table=ACTIONS, form=FORM, read=FORM.read, fields=FORM.fields, told=FORM.told,
    wording=FORM.wording, title=title, deadlines=DEADLINES, needs=frozenset({"parent"}),
)  # fmt: skip
