"""The form of a session: what is convened, who comes, what lies on the table, what was said and who agrees to it."""

from states.forms import Field, Form, Group, Table

KINDS = (("region", "地域"), ("block", "ブロック"), ("joint", "合同"))
FORMATS = (("face", "対面"), ("online", "オンライン"), ("both", "対面とオンラインの併用"), ("writing", "書面開催"))
AGENDA_KINDS = (
    ("report", "報告"),
    ("discussion", "協議"),
    ("decision", "決定"),
    ("exchange", "意見交換"),
    ("case", "事例"),
)
OPENNESS = (("open", "公開"), ("part", "一部を公開しない"), ("closed", "公開しない"))
ANSWERS = (("attend", "出席"), ("proxy", "代理が出席"), ("remote", "遠隔で出席"), ("absent", "欠席"))
WORDS = (("agreed", "異議なし"), ("objects", "直してほしい所がある"))

MEETING = Group(
    "meeting", "会議",
    (
        Field("name", "会議の名前", need=True, most=60),
        Field("round", "第何回", "number"),
        Field("kind", "会議の種類", "choice", options=KINDS),
        Field("format", "開き方", "choice", need=True, options=FORMATS),
        Field("held_on", "開く日", "date", need=True, hint="書面開催では、回答の締切の日"),
        Field("from", "始まり", "time"),
        Field("to", "終わり", "time"),
        Field("place", "場所・接続先", hint="書面開催では要りません"),
        Field("chair", "議長", need=True, most=60),
        Field("hosts", "共に開く機関", hint="共催の機関があるとき"),
        Field("openness", "公開の区分", "choice", options=OPENNESS),
    ),
)  # fmt: skip
AGENDA = Group(
    "agenda", "議題",
    (
        Table(
            "items", "議題",
            (
                Field("no", "番号", most=10),
                Field("title", "題", most=80),
                Field("kind", "種類", "choice", options=AGENDA_KINDS),
                Field("presenter", "説明する人"),
                Field("closed", "この議題は公開しない", "tick"),
                Field("outcome", "結果", "long", hint="会議のあとに書きます"),
            ),
            add="議題を足す", need=True,
        ),
    ),
)  # fmt: skip
MATERIALS = Group(
    "materials", "資料",
    (
        Table(
            "items", "資料",
            (
                Field("no", "番号", most=12, hint="資料1-1 のように"),
                Field("title", "題", most=80),
                Field("owner", "出す人"),
                Field("came", "届いた", "tick"),
                Field("edition", "版", "number", hint="差し替えたら2、3と上げます"),
                Field("why", "差し替えの理由"),
            ),
            hint="番号は会議の資料の通し番号です。ファイルは「添付ファイル」に入れます。", add="資料を足す",
        ),
    ),
)  # fmt: skip
ATTENDANCE = Group(
    "attendance", "出席",
    (
        Table(
            "items", "出席者",
            (
                Field("organisation", "機関", most=60),
                Field("post", "職"),
                Field("member", "氏名"),
                Field("answer", "出欠", "choice", options=ANSWERS),
                Field("proxy", "代理の人"),
                Field("attended", "当日いた", "tick"),
            ),
            add="出席者を足す",
        ),
    ),
)  # fmt: skip
ANSWER = Group(
    "answer", "出欠の回答",
    (Field("answer", "出欠", "choice", options=ANSWERS), Field("proxy", "代理の人"), Field("note", "伝えること", "long")),
    many=True, typed=False,
)  # fmt: skip
MINUTES = Group(
    "minutes", "議事録",
    (Field("text", "議事の概要", "long", need=True, hint="発言の趣旨をまとめます。公開するときは名前を伏せられます。"),
     Field("decided", "決まったこと", "long")),
)  # fmt: skip
WORD = Group(
    "word", "議事録の確認",
    (Field("word", "確認", "choice", options=WORDS), Field("text", "直してほしい所", "long"), Field("edition", "版", "mark")),
    many=True, typed=False,
)  # fmt: skip
FOLLOW = Group(
    "follow", "これからすること",
    (
        Table(
            "items", "これからすること",
            (
                Field("no", "議題の番号", most=10),
                Field("what", "すること", most=120),
                Field("owner_kind", "だれが", "choice", options=(("office", "事務局(振興局)"), ("municipality", "市町村"))),
                Field("municipality", "市町村", "municipality"),
                Field("due", "いつまで", "date"),
            ),
            hint="会議の記録とともに、一つずつの案件になります。", add="することを足す",
        ),
    ),
)  # fmt: skip
EDITION = Group("edition", "議事録の版", (Field("no", "版", "mark"), Field("on", "送った日", "mark")), typed=False)
NOTICE = Group("notice", "通知", (Field("number", "文書番号", "mark"), Field("on", "通知した日", "mark")), typed=False)
FIXED = Group(
    "fixed", "議事録の確定",
    (Field("by", "確定した人", "mark"), Field("on", "確定した日", "mark"), Field("silent", "期限までに何も言われなかった", "tick")), typed=False,
)  # fmt: skip
PUBLICATION = Group(
    "publication", "公表",
    (Field("scope", "公開の区分", "choice", need=True, options=OPENNESS), Field("reason", "公開しない理由", "long"),
     Field("place", "載せた所", hint="ホームページの名前など"), Field("text", "公表する議事の概要", "long")),
)  # fmt: skip

FORM = Form((MEETING, AGENDA, MATERIALS, ATTENDANCE, ANSWER, MINUTES, EDITION, WORD, FOLLOW, NOTICE, FIXED, PUBLICATION), kind="meeting.kind", reports=frozenset({"minutes", "publication"}))  # fmt: skip
