"""ラウンドテーブルミーティング: a director sits down with key persons of a small area, and the region hears what became of it.

What was said becomes cases of its own under it (`opinion`); what departments of headquarters have to answer, too (`coordination`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from states.dates import read_date
from states.documents import Documents
from states.kernel import Process
from states.round_table import table
from states.round_table.form import FORM, WAYS
from states.round_table.letters import LETTERS
from states.round_table.masking import accepts
from states.round_table.matters import MATTERS
from states.round_table.papers import RECORDS
from states.terms import Board, Brief, Plan, Promise


def title(form: Mapping[str, Any]) -> str:
    return str((form.get("plan") or {}).get("name") or "").strip() or "(名前のないラウンドテーブル)"


def place(form: Mapping[str, Any]) -> str:
    """The first municipality of the plan."""
    return next(iter(str((form.get("plan") or {}).get("municipalities") or "").split()), "")


def _promised(read: Any, state: str) -> Sequence[Promise]:
    """What was said to be done after the meeting; it is done when the region has been told of it."""
    told = state in ("table_told", "table_closed")
    return [
        Promise(
            row.text("action"),
            row.text("owner"),
            read_date(row.text("due")).date if row.text("due") else None,
            kept=told,
        )
        for row in read.part("follow").rows("items")
    ]


PROCESS = Process(
    key="round_table",
    version=1,
    order=20,
    label="ラウンドテーブルミーティング",
    states=table.STATES,
    table=table.ACTIONS,
    form=FORM,
    read=FORM.read,
    fields=FORM.fields,
    told=FORM.told,
    wording=FORM.wording,
    title=title,
    place=place,
    deadlines=table.DEADLINES,
    matters=MATTERS,
    asks=table.asks,
    reads=table.reads,
    documents=Documents(letters=LETTERS, records=RECORDS),
    accepts=accepts,
    places=lambda form: tuple(str((form.get("plan") or {}).get("municipalities") or "").split()),
    opens={"office": table.BUREAU},
    needs=frozenset({"children"}),
    mark="円卓",
    board=Board("opinion", "意見の一覧", "handling.way", WAYS, "まだ決めていない", ("handling.due", "answer.text")),
    plan=Plan("ラウンドテーブルの年間計画", "plan.held_on", "office", ("plan.form", "plan.place")),
    words={
        "begins": {"office": "ラウンドテーブルミーティングを計画する"},
        "heading": {"office": "ラウンドテーブルミーティングを計画する"},
        "lead": {"office": "地域に出向いて、気さくに意見を交わす会を計画します。"},
        "origins": {"office": "振興局"},
        "clauses": {
            "R-01": "参集範囲(道)",
            "R-02": "参集範囲(地域)",
            "R-03": "実施形態",
            "R-04": "実施場所",
            "R-05": "実施単位",
            "R-06": "名称",
            "R-07": "実施後の対応",
            "R-08": "本庁の調整",
            "I-02": "文字",
            "I-05": "日付",
            "I-06": "市町村",
            "I-07": "時刻",
        },
    },
    brief=Brief(promises=_promised, heard=lambda read: read.text("feedback.text")),
)
