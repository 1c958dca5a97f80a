"""What a session must hold before it goes on: agenda, materials with their numbers, attendance, minutes nobody objects to."""

from collections import Counter
from collections.abc import Iterator
from datetime import date

from states.forms import Filled
from states.terms import Facts, Verdict, block, guard, ok, warn

NOTICE_WEEKS = 4  # 開催通知は4〜6週間前 (domain §7)
MATERIALS_DAYS, SENT_DAYS = 10, 5  # business days before the meeting


def held_on(facts: Facts) -> date | None:
    day = facts.read.part("meeting").day("held_on")
    return day if isinstance(day, date) else None


def in_writing(facts: Facts) -> bool:
    return bool(facts.read.part("meeting").text("format") == "writing")


def materials_due(facts: Facts) -> date | None:
    day = held_on(facts)
    return facts.calendar.add_business_days(day, -MATERIALS_DAYS) if day else None


@guard("I-05")
def a_day_that_is_one(facts: Facts) -> Iterator[Verdict]:
    meeting: Filled = facts.read.part("meeting")
    if not meeting.text("held_on"):
        return
    read = meeting.reading("held_on")
    if read.date is None:
        yield block(f"開く日を読み取れません。{read.problem}", "meeting.held_on")
    elif name := facts.calendar.holiday_name(read.date):
        yield warn(f"開く日は休日({name})です。", "meeting.held_on")
    elif not facts.calendar.is_business_day(read.date):
        yield warn("開く日は閉庁日です。", "meeting.held_on")
    else:
        yield ok("開く日は開庁日です。", "meeting.held_on")


@guard(None)
def a_place_to_meet(facts: Facts) -> Iterator[Verdict]:
    if not in_writing(facts) and not facts.read.part("meeting").text("place"):
        yield block("場所か接続先を書いてください。書面開催のときだけ要りません。", "meeting.place")


@guard(None)
def notice_in_time(facts: Facts) -> Iterator[Verdict]:
    day = held_on(facts)
    if day and (day - facts.today).days < NOTICE_WEEKS * 7:
        left = (day - facts.today).days
        yield warn(f"開く日まで{max(left, 0)}日です。開催通知は4週間前までに出すのが目安です。", "meeting.held_on")


@guard(None)
def numbered_once(facts: Facts) -> Iterator[Verdict]:
    rows = facts.read.part("materials").rows("items")
    counted = Counter(row.text("no") for row in rows if row.text("no"))
    for number, count in counted.items():
        if count > 1:
            yield block(
                f"資料の番号「{number}」が{count}つあります。差し替えるときは、同じ行の版を上げてください。",
                "materials.items",
            )
    if any(not row.text("no") for row in rows):
        yield block("番号のない資料があります。「資料1-1」のように番号を付けてください。", "materials.items")


@guard(None)
def every_material_here(facts: Facts) -> Iterator[Verdict]:
    late = [row.text("no") for row in facts.read.part("materials").rows("items") if not row.ticked("came")]
    if late:
        yield warn(f"まだ届いていない資料があります: {'、'.join(late)}。", "materials.items")


@guard(None)
def replaced_with_reason(facts: Facts) -> Iterator[Verdict]:
    for row in facts.read.part("materials").rows("items"):
        if (row.number("edition") or 1) > 1 and not row.text("why"):
            yield block(f"{row.text('no')}を差し替えた理由を書いてください。", "materials.items")


@guard(None)
def somebody_there(facts: Facts) -> Iterator[Verdict]:
    if in_writing(facts):
        if not facts.read.each("answer"):
            yield warn("書面での回答がまだ一つもありません。", "attendance.items")
        return
    there = [row for row in facts.read.part("attendance").rows("items") if row.ticked("attended")]
    if not there:
        yield block("当日いた人に印を付けてください。だれもいない会議は、延期か中止にします。", "attendance.items")
    nameless = [row.text("organisation") for row in there if row.text("answer") == "proxy" and not row.text("proxy")]
    if nameless:
        yield block(f"代理で出席した人の名前を書いてください: {'、'.join(nameless)}。", "attendance.items")


@guard(None)
def every_duty_owned(facts: Facts) -> Iterator[Verdict]:
    for number, row in enumerate(facts.read.part("follow").rows("items"), start=1):
        if not row.text("due") or row.day("due") is None:
            yield block(f"{number}番目のすることに、いつまでかを書いてください。", "follow.items")
        if row.text("owner_kind") not in ("office", "municipality"):
            yield block(f"{number}番目のすることに、だれがするかを選んでください。", "follow.items")
        if row.text("owner_kind") == "municipality" and not row.text("municipality"):
            yield block(f"{number}番目のすることに、どの市町村かを選んでください。", "follow.items")


@guard(None)
def nobody_objects(facts: Facts) -> Iterator[Verdict]:
    edition = facts.read.part("edition").text("no")
    open_words = [
        org for org, word in facts.read.each("word").items()
        if word.text("word") == "objects" and word.text("edition") == edition
    ]  # fmt: skip
    for org in open_words:
        known = facts.directory.municipality(org, facts.today)
        yield block(
            f"{known.name if known else org}から「直してほしい」という確認が返っています。議事録を直して、改めて確認を求めてください。"
        )
    if not open_words:
        yield ok("議事録に異議は出ていません。")


@guard(None)
def closed_items_stay_closed(facts: Facts) -> Iterator[Verdict]:
    publication: Filled = facts.read.part("publication")
    closed = [
        row.text("no") or row.text("title") for row in facts.read.part("agenda").rows("items") if row.ticked("closed")
    ]
    if closed and publication.text("scope") == "open":
        yield block(
            f"公開しない議題があります({'、'.join(closed)})。「一部を公開しない」を選んでください。",
            "publication.scope",
        )
    if publication.text("scope") in ("part", "closed") and not publication.text("reason"):
        yield block("公開しない理由を書いてください。", "publication.reason")
    if publication.text("scope") in ("open", "part") and not publication.text("text"):
        yield block("公表する議事の概要を書いてください。議事録そのものは公表されません。", "publication.text")
