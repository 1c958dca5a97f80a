"""The Japanese words of the form: every field's name, every choice's label, in the order of the pages."""

import re

ORIGINS: dict[str, str] = {"municipality_request": "市町村の要請", "director": "振興局長の判断"}
# 要領2(3): the grounds of each origin, with their codes.
GROUNDS: dict[str, dict[str, str]] = {
    "director": {
        "director.key_project": "政策展開方針における地域重点プロジェクトの推進",
        "director.wide_area": "道と市町村が一体となって取り組む広域的な連携による地域づくり",
        "director.round_table": "ラウンドテーブルミーティング等で把握した地域課題の解決",
        "director.consultation": "地域づくり総合相談窓口に寄せられた案件",
        "director.other": "その他、振興局長が派遣を必要と認める業務",
    },
    "municipality_request": {
        "request.event": "広域的なイベント等の企画、準備、実施",
        "request.plan": "各種計画等の策定への参画、助言",
        "request.other": "その他、振興局長が派遣を必要と認める業務",
    },
}
ROLES: dict[str, str] = {
    "planning": "企画",
    "preparation": "準備",
    "operation": "実施",
    "advice": "助言",
    "survey": "調査",
    "participation": "参画",
    "labour": "単純労務",
}
OWN_AFFAIRS: dict[str, str] = {"no": "含まない", "yes": "含む", "unknown": "分からない"}
CONCURRENT: dict[str, str] = {"not_needed": "要しない", "needed": "要する"}
DESTINATIONS: dict[str, str] = {"municipality": "市町村", "organization": "振興局長が認める団体"}
CHANNELS: dict[str, str] = {"screen": "画面", "paper": "紙", "mail": "メール", "fax": "ファクシミリ"}
REPLIES: dict[str, str] = {
    "no_objection": "異議なし",
    "trip_suffices": "通常の出張で足りる",
    "not_agreed": "同意しない",
}

# Every field a person fills in, in the order of the pages; # stands for the number of a row or of a person.
LABELS: dict[str, str] = {
    "request.origin": "契機",
    "request.office_code": "宛先の振興局",
    "request.title": "件名",
    "request.purpose": "困っていること",
    "request.ground": "対象業務の区分",
    "request.tasks.#.text": "業務内容",
    "request.tasks.#.role": "業務の役割",
    "request.period.from": "派遣の初めの日",
    "request.period.to": "派遣の終わりの日",
    "request.destination.type": "派遣先の種類",
    "request.destination.municipality_code": "派遣先の市町村コード",
    "request.destination.municipality_name": "派遣先の市町村名",
    "request.destination.organization_name": "派遣先の団体名",
    "request.destination.recognition.approved": "振興局長の認定の有無",
    "request.destination.recognition.approved_on": "振興局長が認めた日",
    "request.destination.recognition.reference": "認定の文書番号",
    "request.own_affairs": "市町村だけの事務",
    "request.concurrent_appointment": "併任発令",
    "request.concurrent_reason": "併任が要る理由",
    "request.wishes.#.skill": "職種・得意なこと",
    "request.wishes.#.headcount": "人数",
    "request.wishes.#.days": "来てほしい日",
    "request.place": "場所",
    "request.expected_result": "期待する成果",
    "request.cost": "経費の負担",
    "request.previous": "前の案件の番号",
    "request.source": "きっかけ",
    "request.instruction.given_on": "振興局長が指示した日",
    "request.instruction.text": "振興局長の指示",
    "contact.municipality_code": "要請した市町村のコード",
    "contact.municipality_name": "要請した市町村名",
    "contact.department": "担当課",
    "contact.name": "担当者",
    "contact.tel": "電話",
    "contact.mail": "メール",
    "receipt.arrived_on": "届いた日",
    "receipt.channel": "届いた方法",
    "team.members.#.person": "職員",
    "team.members.#.name": "職員の氏名",
    "team.members.#.role": "職",
    "team.members.#.section": "所属",
    "team.members.#.leader": "隊長",
    "team.members.#.headcount": "人数",
    "team.members.#.days": "派遣する日",
    "team.members.#.consent": "所属長の承諾",
    "consultation.question": "協議する事項",
    "consultation.asked_from": "協議した時の状態",
    "consultation.reply": "本庁の回答",
    "consultation.conditions": "本庁の条件",
    "report:#.actual_days": "実際に行った日",
    "report:#.findings": "把握したこと",
    "report:#.issues": "課題",
    "report:#.next_steps": "今後の対応",
    "result.results": "成果",
    "result.issues": "残った課題",
    "result.follow_up": "今後の支援",
    "result.evaluation": "市町村の評価",
}
CHOICES: dict[str, dict[str, str]] = {
    "request.origin": ORIGINS,
    "request.ground": GROUNDS["director"] | GROUNDS["municipality_request"],
    "request.tasks.#.role": ROLES,
    "request.destination.type": DESTINATIONS,
    "request.own_affairs": OWN_AFFAIRS,
    "request.concurrent_appointment": CONCURRENT,
    "receipt.channel": CHANNELS,
    "consultation.reply": REPLIES,
}


def pattern(path: str) -> str:
    """request.tasks.0.text → request.tasks.#.text; report:12.issues → report:#.issues."""
    return re.sub(r"(?<=[.:])\d+(?=\.|$)", "#", path)


def label(path: str) -> str:
    """The Japanese name of a field; a row of a table is counted from 1 (「業務内容」2行目). What is no field is just 書いた内容."""
    name = LABELS.get(pattern(path), "書いた内容")
    row = re.search(r"(?<=\.)\d+(?=\.|$)", path)
    return f"「{name}」{int(row[0]) + 1}行目" if row else f"「{name}」"
