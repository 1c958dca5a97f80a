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

OWNERS: dict[str, str] = {"municipality": "市町村", "bureau": "振興局", "headquarters": "本庁"}
STEPS_THAT_WAIT: dict[str, str] = {"approve": "派遣の決定", "begin": "派遣の開始", "finish": "結果の報告"}
ORDERS: dict[str, str] = {"appoint": "併任を命ずる", "release": "併任を解く"}
ISSUERS: dict[str, str] = {"municipality": "市町村長", "prefecture": "道(県)"}
CHANGES: dict[str, str] = {
    "extend": "延長", "shorten": "短縮", "move": "日程の変更", "swap": "職員の交代", "place": "場所の変更", "cancel": "中止",
    "other": "その他の変更",
}  # fmt: skip
CHANGE_REASONS: dict[str, str] = {
    "weather": "天候・災害", "danger": "危険", "illness": "病気・けが", "municipality": "市町村の都合", "office": "道側の都合",
    "other": "その他",
}  # fmt: skip
STOP_REASONS: dict[str, str] = {"weather": "天候・災害", "danger": "危険", "illness": "病気・けが", "other": "その他"}
WENT: dict[str, str] = {"planned": "予定のとおり行った", "other": "予定と違う日がある", "none": "行かなかった"}
GRADES: dict[str, str] = {
    "5": "5 とても役に立った", "4": "4 役に立った", "3": "3 ふつう", "2": "2 あまり役に立たなかった", "1": "1 役に立たなかった",
    "none": "評価しない",
}  # fmt: skip

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
    "request.partners.#.municipality_code": "共同で要請する市町村のコード",
    "request.partners.#.municipality_name": "共同で要請する市町村名",
    "contact.municipality_code": "要請した市町村のコード",
    "contact.municipality_name": "要請した市町村名",
    "contact.department": "担当課",
    "contact.name": "担当者",
    "contact.tel": "電話",
    "contact.mail": "メール",
    "receipt.arrived_on": "届いた日",
    "receipt.channel": "届いた方法",
    "receipt.same_as": "同じ要請の案件番号",
    "own_decision.number": "庁内の決裁番号",
    "team.members.#.person": "職員",
    "team.members.#.name": "職員の氏名",
    "team.members.#.role": "職",
    "team.members.#.section": "所属",
    "team.members.#.leader": "隊長",
    "team.members.#.headcount": "人数",
    "team.members.#.days": "派遣する日",
    "team.members.#.consent": "所属長の承諾",
    "team.members.#.substitute": "振替の日",
    "consultation.question": "協議する事項",
    "consultation.asked_from": "協議した時の状態",
    "consultation.reply": "本庁の回答",
    "consultation.conditions": "本庁の条件",
    "change_consultation.question": "変更について協議する事項",
    "change_consultation.reply": "変更についての本庁の回答",
    "conditions.items.#.text": "条件",
    "conditions.items.#.owner": "条件の担当",
    "conditions.items.#.due": "条件の期限",
    "conditions.items.#.stops": "満たすまで止める段階",
    "appointment.orders.#.person": "発令を受ける職員",
    "appointment.orders.#.kind": "発令の種類",
    "appointment.orders.#.issuer": "発令する者",
    "appointment.orders.#.from": "発令の初めの日",
    "appointment.orders.#.to": "発令の終わりの日",
    "appointment.orders.#.dated_on": "辞令の日付",
    "appointment.orders.#.number": "辞令番号",
    "appointment.cards.#.person": "身分証を持つ職員",
    "appointment.cards.#.issued_on": "身分証を渡した日",
    "appointment.cards.#.returned_on": "身分証が返った日",
    "countersign.note": "人事担当が紙で確かめた記録",
    "countersign.reason": "人事担当が直しを求めた点",
    "change_request.text": "変更の希望",
    "change_request.answer": "変更の希望への答え",
    "change.kind": "変更の種類",
    "change.reason_code": "変更の事由",
    "change.reason": "変更の理由",
    "change.period.from": "変更後の初めの日",
    "change.period.to": "変更後の終わりの日",
    "change.place": "変更後の場所",
    "change.members.#.person": "職員",
    "change.members.#.name": "職員の氏名",
    "change.members.#.role": "職",
    "change.members.#.section": "所属",
    "change.members.#.leader": "隊長",
    "change.members.#.headcount": "人数",
    "change.members.#.days": "派遣する日",
    "change.members.#.consent": "所属長の承諾",
    "change.members.#.substitute": "振替の日",
    "stop.reason_code": "停止の事由",
    "stop.text": "停止の理由",
    "stop.last_day": "実際に行った最後の日",
    "report:#.went": "行った日",
    "report:#.actual_days": "実際に行った日",
    "report:#.oral": "口頭での復命",
    "report:#.findings": "分かったこと",
    "report:#.issues": "課題",
    "report:#.next_steps": "今後の対応",
    "result.results": "成果",
    "result.issues": "残った課題",
    "result.follow_up": "今後の支援",
    "result.evaluation": "市町村の評価",
    "evaluation.grade": "評価",
    "evaluation.text": "評価の言葉",
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
    "change_consultation.reply": REPLIES,
    "conditions.items.#.owner": OWNERS,
    "conditions.items.#.stops": STEPS_THAT_WAIT,
    "appointment.orders.#.kind": ORDERS,
    "appointment.orders.#.issuer": ISSUERS,
    "change.kind": CHANGES,
    "change.reason_code": CHANGE_REASONS,
    "stop.reason_code": STOP_REASONS,
    "evaluation.grade": GRADES,
    "report:#.went": WENT,
}


def pattern(path: str) -> str:
    """request.tasks.0.text → request.tasks.#.text; report:12.issues → report:#.issues."""
    return re.sub(r"(?<=[.:])\d+(?=\.|$)", "#", path)


def label(path: str) -> str:
    """The Japanese name of a field; a row of a table is counted from 1 (「業務内容」2行目). What is no field is just 書いた内容."""
    name = LABELS.get(pattern(path), "書いた内容")
    row = re.search(r"(?<=\.)\d+(?=\.|$)", path)
    return f"「{name}」{int(row[0]) + 1}行目" if row else f"「{name}」"
