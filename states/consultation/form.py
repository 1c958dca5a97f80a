"""The form of a consultation: what was asked first, then from whom, what was done with it, what was answered."""

from collections.abc import Mapping

from states.forms import Field, Form, Group, Table

CHANNELS = (
    ("phone", "電話"), ("visit", "窓口"), ("mail", "メール"), ("paper", "文書"), ("out", "訪問"), ("online", "オンライン"),
    ("meeting", "会議の後"), ("municipality", "市町村経由"),
)  # fmt: skip
ASKERS = (
    ("municipality", "市町村"), ("npo", "団体"), ("company", "企業"), ("individual", "住民"), ("agency", "他の機関"),
)  # fmt: skip
FIELDS = (
    ("region", "地域づくり・移住"), ("tourism", "観光・産業"), ("welfare", "福祉・子ども"), ("transport", "交通・道路"),
    ("primary", "農林水産"), ("disaster", "防災"), ("records", "台帳・手続"), ("other", "その他"),
)  # fmt: skip
SECRECY = (("open", "公開してよい"), ("parties", "関係者限り"), ("secret", "局の中だけ"))
DISPOSITIONS = (
    ("answer", "回答・情報の提供"), ("refer", "所管の課へ引き継ぐ"), ("dispatch_candidate", "飛び出し隊の候補"), ("round_table_candidate", "ラウンドテーブルの候補"),
    ("council_candidate", "連携会議の議題の候補"), ("escalate_hq", "本庁の調整に上げる"), ("out_of_scope", "窓口の対象でない(ほかの窓口を案内)"),
)  # fmt: skip
DUPLICATE = "duplicate"
RESULTS = (
    ("solved", "解決した"),
    ("informed", "情報の提供で終えた"),
    ("elsewhere", "ほかの制度へ移した"),
    ("unable", "対応が難しい"),
)
ALL_DISPOSITIONS = (*DISPOSITIONS, (DUPLICATE, "先の相談と同じ"))

# How a consultation went from one to another; what sends the asker on from door to door is counted.
PASSED = (
    ("assigned", "割り振った"), ("kept", "窓口で預かった"), ("taken", "窓口で対応することにした"), ("accepted", "受けた"), ("refused", "断った"), ("handed", "引き継いだ"),
)  # fmt: skip
SENT_ON = frozenset({"refused", "handed"})


def passed(row: Mapping[str, str]) -> str:
    """A step of the way in a sentence: 農務課 係長が断り、窓口に戻しました(所管でない)"""
    by = row["post"] or "窓口"
    post, section = row["to_post"], row["to"]
    to = "・".join(filter(None, (post, "" if section in post else section))) or "ほかの担当"
    said = {
        "assigned": f"窓口が、{to}に割り振りました", "kept": "担当が決まらず、窓口が預かりました", "taken": "窓口が自分で対応することにしました",
        "accepted": f"{by}が受けました", "refused": f"{by}が断り、窓口に戻しました", "handed": f"{by}が、{to}に引き継ぎました",
    }  # fmt: skip
    told = next((said[key] for key, label in PASSED if label == row["kind"]), row["kind"])
    return f"{told}({row['reason']})" if row["reason"] else told


MATTER = Group(
    "matter", "相談",
    (
        Field("subject", "件名", need=True, most=120), Field("body", "内容", "long", need=True),
        Field("municipality_name", "市町村", hint="聞いたまま書きます。読み、昔の町の名、区の名でもかまいません", need=True, most=40),
    ),
    lead="まずこの3つを書いてください。",
)  # fmt: skip
RECEIPT = Group(
    "receipt", "受付",
    (
        Field("on", "受けた日", "date", hint="空けておくと、今日です"), Field("channel", "方法", "choice", options=CHANNELS),
        Field("asker", "だれから", "choice", options=ASKERS), Field("municipality_code", "市町村コード", hint="分かるときだけ。6けた", most=12),
        Field("field", "分野", "choice", options=FIELDS), Field("urgent", "急ぐ", "tick"), Field("wanted_by", "回答の希望日", "date"),
        Field("secrecy", "扱い", "choice", options=SECRECY),
    ),
)  # fmt: skip
ASKER = Group(
    "asker", "相談した人",
    (
        Field("anonymous", "名前を聞いていない", "tick"), Field("name", "氏名", inside=True), Field("affiliation", "所属", inside=True),
        Field("contact", "連絡先", inside=True, hint="折り返しに要る分だけ"),
    ),
    lead="必要な分だけ書いてください。局の中だけで読みます。",
)  # fmt: skip
ANSWER = Group(
    "answer", "回答",
    (
        Field("text", "回答", "long", need=True), Field("channel", "方法", "choice", options=CHANNELS), Field("law_or_money", "法令の解釈や予算に関わる", "tick"),
        Field("basis", "根拠", "long", hint="法令、要領、所管への確認"), Field("valid_on", "いつの時点の回答か", "date", hint="法令の解釈に関わるときは必ず"),
        Field("on", "回答した日", "mark"), Field("by", "回答した人", "mark"),
    ),
)  # fmt: skip
WRITTEN_BY_ACTS = (
    Group("place", "市町村", (Field("code", "市町村", "municipality"), Field("name", "いまの名"), Field("note", "聞いた名")), typed=False),
    Group("owner", "担当", (Field("post", "担当の職", "post"), Field("section", "課"), Field("named_on", "割り振った日", "mark")), typed=False),
    Group("handovers", "担当の移り変わり", (Table("items", "担当の移り変わり", (
        Field("on", "日", "mark"), Field("kind", "したこと", "choice", options=PASSED), Field("post", "だれが", "post"), Field("to_post", "だれへ", "post"),
        Field("to", "どの課へ"), Field("reason", "理由", "long"),
    ), says=passed),), typed=False),
    Group("inquiry", "照会", (Field("to", "照会先"), Field("question", "聞くこと", "long"), Field("due", "いつまで", "date"), Field("reply", "答え", "long")), typed=False),
    Group("disposition", "処理の方針", (Field("kind", "方針", "choice", options=ALL_DISPOSITIONS), Field("forward_to", "渡す先"), Field("reason", "理由", "long"), Field("on", "決めた日", "mark"), Field("by", "決めた人", "mark")), typed=False),
    Group("extension", "回答期限の延長", (Field("until", "延ばした期限", "date"), Field("reason", "延ばした理由", "long")), typed=False),
    Group("follow", "フォロー", (Field("on", "フォローの日", "date"), Field("result", "結果", "choice", options=RESULTS), Field("note", "相手の様子", "long")), typed=False),
    Group("merged", "統合", (Field("into", "統合先"), Field("reason", "理由", "long")), typed=False),
)  # fmt: skip

FORM = Form((MATTER, RECEIPT, ASKER, ANSWER, *WRITTEN_BY_ACTS), kind="disposition.kind", reports=frozenset({"answer"}))
TAKEN = frozenset({"matter", "receipt", "asker"})
INSIDE = frozenset({"asker", "owner", "handovers", "inquiry", "disposition", "merged"})  # stays within the offices
OF_BUREAU = frozenset({"asker", "handovers"})  # personal data and who handed on: the office alone
