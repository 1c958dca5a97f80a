"""The story of one case: its events with what was written, and the letters it brought forth."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from states.dates import short
from states.kernel import Process
from states.route_actions import BY_NAME
from states.routes import to_json
from workflow import history, rounds, thread
from workflow.access import OUTSIDE
from workflow.blackout import filled
from workflow.called import Called
from workflow.cases import View
from workflow.deadlines import TOKYO
from workflow.queries import Connection, _dicts, label_of, named
from workflow.turns import LINE, hand_of

HOLDERS = {
    "municipality": "市町村",
    "municipality_head": "市町村の決裁者",
    "partner": "参加する市町村",
    "bureau": "振興局",
    LINE: "回議・合議の職",
    "director": "局長",
    "headquarters": "本庁",
    "department": "本庁各部",
    "personnel": "人事担当",
    "body": "団体",
    "staff": "派遣職員",
    "records": "文書管理",
    "": "—",
}

STORY = """SELECT e.case_id, e.seq, e.at, e.action, e.actor, e.post, e.office, e.body, e.hash,
  (SELECT p.role FROM post p WHERE p.id::text = e.post) AS role FROM event e
WHERE e.case_id = %(case)s AND e.seq <= %(until)s ORDER BY e.seq"""

WRITTEN = """SELECT x.seq, x.ord, x.kind, x.data, x.digest,
  (SELECT min(b.seq) FROM content b, jsonb_array_elements(convert_from(b.data, 'UTF8')::jsonb -> 'erased') AS place
   WHERE b.case_id = x.case_id AND b.kind = 'erasure' AND place = jsonb_build_array(x.seq, x.ord)) AS erased_by
FROM content x WHERE x.case_id = %(case)s AND x.seq <= %(until)s ORDER BY x.seq, x.ord"""


def timeline(conn: Connection, view: View) -> list[dict[str, Any]]:
    """The case's events, the newest first, each with what this person may read of it; an erased part names its event."""
    process, states = view.process, {s.name: s for s in view.process.states}
    written: dict[int, list[dict[str, Any]]] = {}
    for row in _written(conn, view):
        written.setdefault(row["seq"], []).append(row)
    laid = rounds.written(conn, view) if process.matters and view.roles - OUTSIDE else []
    routed = rounds.words(laid)
    hands = {one.seq: hand_of(None if one.erased_by or one.route is None else to_json(one.route)) for one in laid}
    lines, called = [], Called(conn)
    for row in named(conn, _events(conn, view)):
        body = json.loads(row["body"])
        shown = [
            part_told(process, row["action"], part, called)
            for part in written.get(row["seq"], ())
            if view.may_read(part["kind"])
        ]
        if row["seq"] in routed:
            shown.append({"label": "決裁の順序", "text": routed[row["seq"]], "erased_by": None, "internal": False})
        told = {
                "action_label": label_of(process, row["action"], body["from"]), "from_label": states[body["from"]].label,
                "to_label": states[body["to"]].label, "moved": body["from"] != body["to"] or row["seq"] == 1,
                "holder": HOLDERS.get(row["role"] or "", ""), "holder_after": process.holder(body["to"], view.origin),
                "shown": [part for part in shown if part is not None], "digest_hex": bytes(row["hash"]).hex(),
                "content": [c for c in body["content"] if c[0] == row["seq"]], "hand": hands.get(row["seq"]),
        }  # fmt: skip
        lines.append(row | told)
    return lines[::-1]


def _events(conn: Connection, view: View) -> list[dict[str, Any]]:
    """The events up to the version that the reader has before him."""
    return _dicts(conn, STORY, {"case": view.id, "until": view.version})


def _written(conn: Connection, view: View) -> list[dict[str, Any]]:
    """What they wrote, as it may be read today: what was blacked out since stays black."""
    later = _dicts(conn, WRITTEN, {"case": view.id, "until": 2**31 - 1})
    return [row for row in filled(later) if row["seq"] <= view.version]


def content_rows(conn: Connection, view: View) -> list[dict[str, Any]]:
    """Every content row of the case, each with the event that erased it, if any."""
    return _dicts(conn, WRITTEN, {"case": view.id, "until": view.version})


LABELS = {"reasons": "起案者の理由", "confirm": "注意を認めた理由", "retention": "保存・廃棄の理由",
          "follow": "人事の発令で変わったところ", "reassign": "替えた職と理由", "stay": "いまの局で続ける理由"}  # fmt: skip


def part_told(
    process: Process,
    action: str,
    part: Mapping[str, Any],
    called: Callable[[str, Any], Any] = lambda kind, value: value,
) -> dict[str, Any] | None:
    """What one content row says on the page: typed reasons and remarks, picked codes by the names that `called` finds.

    Forms and figures are shown elsewhere.
    """
    kind = part["kind"]
    head, _, name = kind.partition(":")
    if kind.removeprefix("internal:").startswith("file:"):
        file = json.loads(bytes(part["data"])) if part["data"] is not None else None
        text = "".join((file["name"], f"({file['label']})" if file["label"] else "")) if file else None
        return {"label": "ファイル", "text": text, "erased_by": part["erased_by"], "internal": head == "internal"}
    if kind in (thread.WHY, thread.ENDED) and part["data"] is not None:
        tied = thread.written(kind, json.loads(bytes(part["data"])))
        return tied | {"erased_by": part["erased_by"], "internal": True}
    if head == "child" and part["data"] is not None:
        moved = json.loads(bytes(part["data"]))
        text = f"{moved['title']}: {moved['action']}({moved['from']} → {moved['to']})"
        return {"label": "下の案件", "text": text, "erased_by": None, "internal": False}
    if kind == "succession" and part["data"] is not None:
        told = {(p["from_name"], p["to_name"]): None for p in json.loads(bytes(part["data"]))}
        text = "、".join(f"{old} → {new}" for old, new in told)
        return {"label": "引き継いだ団体", "text": text, "erased_by": None, "internal": False}
    if kind.removeprefix("internal:") == "extension" and part["data"] is not None:
        said = json.loads(bytes(part["data"]))
        days = "、".join(f"「{m['label']}」{_day(m['from'])} → {_day(m['to'])}" for m in said["moves"])
        told_of = f"{days}。理由: {said['reason']}"
        return {
            "label": "動かした期限",
            "text": told_of,
            "erased_by": part["erased_by"],
            "internal": head == "internal",
        }
    if kind == "erasure" and part["data"] is not None:
        record = json.loads(bytes(part["data"]))
        label = "廃棄の理由" if "disposal" in record else "消去の理由"
        return {"label": label, "text": record["ground"], "erased_by": None, "internal": False}
    if head not in ("input", "internal"):
        if part["erased_by"] and head == "form" and kind != rounds.KIND:
            black = f"一部を黒塗りにしました(記録{part['erased_by']}号)" if part["data"] is not None else None
            return {"label": "様式の内容", "text": black, "erased_by": part["erased_by"], "internal": False}
        return None
    stem, _, rule = name.partition(".")
    asks = [a for row in process.table if row.name == action for a in row.asks]
    asks += BY_NAME[action].asks if action in BY_NAME else ()
    ask = next((a for a in asks if a.name == name), None)
    if action in BY_NAME and ask and ask.kind == "choice" and not ask.choices:
        return None  # which step or post it was is said in the words of the route
    label = ask.label if ask else f"{LABELS.get(stem, stem)}{f'({rule})' if rule else ''}"
    text = None
    if part["data"] is not None:
        text = json.loads(bytes(part["data"]))
        text = called(ask.kind, dict(ask.choices).get(text, text)) if ask else text
        text = "起案者の理由を認めた" if stem == "confirm" and text == "" else text
        text = f"{text}(黒塗り 記録{part['erased_by']}号)" if part["erased_by"] else text
    return {"label": label, "text": text, "erased_by": part["erased_by"], "internal": head == "internal"}


def _day(iso: str) -> str:
    return short(date.fromisoformat(iso))


def letters(conn: Connection, view: View) -> list[dict[str, Any]]:
    """The letters of this case: key, label, number, date, whether filed and by which event."""
    decision = view.form.get("decision") or {}
    filed = {
        row["kind"].removeprefix("letter:"): row["seq"]
        for row in content_rows(conn, view)
        if row["kind"].startswith("letter:")
    }
    done = {row["action"] for row in _events(conn, view)}
    keys = [(letter, row.name) for row in view.process.table for letter in row.letters if row.name in done]
    labels = {item.key: item.label for item in getattr(view.process.documents, "letters", ())}
    return [
        {
            "key": key,
            "label": labels.get(key, key),
            "number": decision.get("number", ""),
            "date": decision.get("on", ""),
            "seq": filed.get(key),
        }
        for key, _ in dict.fromkeys(keys)
        if view.may_read(f"letter:{key}")
    ]


def reference_of(view: View, group: str, refs: Sequence[Sequence[Any]]) -> Sequence[Any] | None:
    """The content row in which a field group stands."""
    return history.form_of(refs).get(group)


__all__ = ["TOKYO", "letters", "reference_of", "timeline"]
