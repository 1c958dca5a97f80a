"""The form of a round table: what is planned, who comes from each side, what was said, reported and told to the region.

What could name a person who spoke in candour stands in groups of its own (`people`, `notes`), which stay with the bureau.
"""

from states.forms import Field, Form, Group, Table

FORMS = (
    ("field", "活動フィールドで個別に意見交換"),
    ("table", "座談会・円卓会議"),
    ("both", "両方を兼ねる"),
    ("other", "その他の形態"),
)
PLACES = (
    ("activity_field", "参加者の活動フィールド"),
    ("public_facility", "近隣の公共施設"),
    ("other", "その他"),
)
RANKS = (
    ("director", "振興局長"),
    ("deputy", "副局長"),
    ("department_head", "部長等"),
    ("manager", "課長等"),
    ("staff", "係員等"),
)
SIDES = (
    ("key_person", "地域のキーパーソン"),
    ("mayor", "市町村長"),
    ("deputy_mayor", "副市町村長"),
    ("manager", "施策担当の管理職等"),
    ("staff", "係員等"),
)
ELECTIONS = (("none", "重ならない"), ("near", "告示・選挙運動の期間に重なる"), ("unknown", "分からない"))
CAUSES = (
    ("weather", "天候"),
    ("disaster", "災害"),
    ("guests", "相手の都合"),
    ("election", "選挙"),
    ("office", "道側の都合"),
    ("other", "その他"),
)
KINDS = (
    ("issue", "課題"),
    ("resource", "資源"),
    ("person", "人材"),
    ("chance", "チャンス"),
    ("seed", "種・芽"),
    ("request", "要望"),
    ("other", "その他"),
)
# How an opinion is handled (取扱い).
WAYS = (
    ("spot", "その場で完結"),
    ("bureau", "局で対応"),
    ("municipality", "市町村で対応"),
    ("headquarters", "本庁調整"),
    ("dispatch", "飛び出し隊"),
    ("desk", "相談窓口"),
    ("council", "連携会議"),
    ("information", "情報共有のみ"),
)
FIELDS = (
    ("administration", "行政運営・情報化"),
    ("life", "くらし・交通・環境"),
    ("welfare", "保健・医療・福祉"),
    ("industry", "商工・労働"),
    ("tourism", "観光・交流"),
    ("primary", "農林水産業"),
    ("land", "土木・まちづくり"),
    ("education", "教育・文化・子ども"),
    ("safety", "防災・安全"),
    ("settlement", "移住・定住・担い手"),
    ("other", "その他"),
)

PLAN = Group(
    "plan", "計画",
    (
        Field("name", "名前", need=True, most=60, hint="原則として「○○ラウンドテーブルミーティング」とします。別の名前にするときは、決裁を求めるときに理由を書きます。"),
        Field("municipalities", "対象の市町村", "municipalities", need=True, hint="市町村単位など、エリアを絞ります。"),
        Field("theme", "テーマ", "long", need=True),
        Field("form", "実施形態", "choice", need=True, options=FORMS, hint="気さくに意見交換できる形態とします。"),
        Field("held_on", "開く日", "date", need=True),
        Field("from", "始まり", "time"),
        Field("to", "終わり", "time"),
        Field("place", "場所", need=True, most=80),
        Field("place_kind", "場所の種類", "choice", need=True, options=PLACES),
        Field("visit", "現地視察の先", most=80),
        Field("election", "選挙の時期との重なり", "choice", options=ELECTIONS, hint="首長や議会の選挙の告示・選挙運動の期間に当たらないかを確かめます。"),
        Field("press", "報道に公開する", "tick"),
        Field("note", "備考", "long", inside=True),
    ),
    lead="振興局長などが地域に出向き、キーパーソンと気さくに意見を交わします。",
)  # fmt: skip
OFFICE_SIDE = Group(
    "office_side", "道側の出席者",
    (
        Table(
            "items", "道側の出席者",
            (Field("role", "職", most=60), Field("rank", "職の区分", "choice", options=RANKS), Field("attended", "当日いた", "tick")),
            hint="振興局長、副局長又は各部長等と、関係する職員です。", add="出席者を足す", need=True,
        ),
    ),
)  # fmt: skip
REGION_SIDE = Group(
    "region_side", "地域側の出席者",
    (
        Table(
            "items", "地域側の出席者",
            (Field("role", "肩書・属性", most=60, hint="「漁業者A」のように、名前を書かずに分かるように"), Field("kind", "区分", "choice", options=SIDES), Field("attended", "当日いた", "tick")),
            hint="局の外にも見えます。名前は「氏名と同意」に書きます。", add="出席者を足す", need=True,
        ),
    ),
)  # fmt: skip
PEOPLE = Group(
    "people", "氏名と同意",
    (
        Table(
            "items", "氏名と同意",
            (
                Field("role", "肩書・属性", most=60),
                Field("name", "氏名", most=60),
                Field("kana", "ふりがな", most=60),
                Field("affiliation", "所属", most=60),
                Field("contact", "連絡先", most=80),
                Field("by_name", "名前を出してよい", "tick"),
                Field("photo", "写真を出してよい", "tick"),
                Field("recording", "録音してよい", "tick"),
            ),
            hint="この表は、開く局の中だけで読めます。同意は、本人に確かめたときにだけ印を付けます。", add="人を足す",
        ),
    ),
)  # fmt: skip
NOTES = Group(
    "notes", "出された意見",
    (
        Table(
            "items", "出された意見",
            (
                Field("kind", "種類", "choice", options=KINDS),
                Field("summary", "意見の要旨", most=200),
                Field("speaker", "発言した人", most=60, hint="局の外には出ません"),
                Field("speaker_class", "発言者の区分", most=30, hint="「漁業者」「保護者」のように"),
                Field("verbatim", "言葉のまま", "long", hint="局の外には出ません"),
                Field("answer", "その場での答え", "long"),
                Field("field", "分野", "choice", options=FIELDS),
                Field("municipality", "市町村", "municipality"),
                Field("public", "公表してよい", "tick", hint="名前を伏せて、公表用の報告と一覧に載せます"),
            ),
            hint="開く局の中だけで読めます。報告が確定すると、一つずつの案件になります。", add="意見を足す",
            quick=("kind", "summary", "speaker_class", "answer"),
        ),
    ),
)  # fmt: skip
REPORT = Group(
    "report", "実施結果の報告",
    (
        Field("summary", "意見交換の概要", "long", need=True, hint="名前を伏せて、趣旨をまとめます。発言の言葉のままは載せません。"),
        Field("resources", "把握した資源・人材・種や芽", "long"),
        Field("impressions", "所感", "long", inside=True),
        Field("masked", "名前を伏せたことを確かめた", "tick", hint="同意のある人のほかは、名前が出ていないことを確かめます。"),
    ),
)  # fmt: skip
FOLLOW = Group(
    "follow", "今後の対応",
    (
        Table(
            "items", "今後の対応",
            (
                Field("action", "すること", most=120),
                Field("owner", "担当", most=60),
                Field("due", "いつまで", "date"),
                Field("headquarters", "本庁各部の速やかな対応が要る", "tick", hint="本庁の主管局が調整し、結果を局に知らせます。"),
            ),
            add="対応を足す",
        ),
    ),
)  # fmt: skip
PHOTOS = Group(
    "photos", "写真",
    (
        Table(
            "items", "写真",
            (
                Field("file", "写真(ファイルの名前か説明)", most=80),
                Field("who", "写っている人", most=120, hint="「氏名と同意」の肩書・属性で、「、」で区切って書きます。人が写っていなければ「なし」"),
                Field("public", "公表する", "tick"),
            ),
            hint="公表できるのは、写っている人みなが「写真を出してよい」とした写真だけです。", add="写真を足す",
        ),
    ),
)  # fmt: skip
STOP = Group(
    "stop", "延期・中止",
    (Field("cause", "事由", "choice", options=CAUSES), Field("reason", "理由", "long"), Field("planned", "初めに開くはずだった日", "mark")), typed=False,
)  # fmt: skip
NOTICE = Group("notice", "通知", (Field("number", "文書番号", "mark"), Field("on", "出した日", "mark")), typed=False)
FEEDBACK = Group(
    "feedback", "地域への回答",
    (
        Field("text", "地域に知らせる内容", "long", need=True, hint="意見ごとの回答から下書きができています。直してから送ります。"),
        Field("way", "知らせ方", "choice", options=(("letter", "文書"), ("visit", "訪問"), ("phone", "電話"), ("meeting", "次の会の場"))),
        Field("on", "知らせた日", "mark"),
        Field("number", "文書番号", "mark"),
    ),
)  # fmt: skip

FORM = Form(
    (PLAN, OFFICE_SIDE, REGION_SIDE, PEOPLE, NOTES, REPORT, FOLLOW, PHOTOS, STOP, NOTICE, FEEDBACK),
    kind="plan.form", reports=frozenset({"report", "feedback"}),
)  # fmt: skip
PLANNED = frozenset({"plan", "office_side", "region_side", "people"})
BUREAU_ONLY = frozenset({"people", "notes"})  # names and what was said in candour
