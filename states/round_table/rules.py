"""R-01 … R-08 of the 要領, and what every entry owes: who sits at the table, where, how narrow, under which name."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from states.dates import fiscal_year, short, wareki
from states.forms import Filled
from states.places import code_problem
from states.round_table.form import FORMS, PLACES
from states.terms import Facts, Verdict, block, guard, ok, warn

NAME = "ラウンドテーブルミーティング"
SENIOR = frozenset({"director", "deputy", "department_head"})
SPEAKS_FOR_THE_REGION = frozenset({"key_person", "mayor", "deputy_mayor", "manager"})
PLACES_OF_THE_RULE = frozenset({"activity_field", "public_facility"})
WIDE = 3  # municipalities: from here on half of an area is no narrow area any more
WEEKDAYS = "月火水木金土日"


def held_on(facts: Facts) -> date | None:
    day = facts.read.part("plan").day("held_on")
    return day if isinstance(day, date) else None


def judged_on(facts: Facts) -> date:
    """The day on which places are looked up: that of the meeting, where it can be read."""
    return held_on(facts) or facts.today


def places(facts: Facts) -> tuple[str, ...]:
    codes: tuple[str, ...] = facts.read.part("plan").several("municipalities")
    return codes


def attending(facts: Facts, group: str, *, there: bool) -> tuple[Filled, ...]:
    """The rows of one side: everybody expected, or only who was there."""
    rows: tuple[Filled, ...] = facts.read.part(group).rows("items")
    return tuple(row for row in rows if row.ticked("attended") or not there)


def _office_side(facts: Facts, *, there: bool) -> Iterator[Verdict]:
    ranks = {row.text("rank") for row in attending(facts, "office_side", there=there)}
    if ranks & SENIOR:
        yield ok("道側に、振興局長、副局長、部長等のいずれかがいます。", "office_side.items")
    else:
        yield block(
            "道側に、振興局長、副局長、各部長等のいずれもいません。出席する人を改めてください。", "office_side.items"
        )


def _region_side(facts: Facts, *, there: bool) -> Iterator[Verdict]:
    rows = attending(facts, "region_side", there=there)
    if not rows:
        yield block("地域側の出席者がいません。少なくとも一人が要ります。", "region_side.items")
    elif {row.text("kind") for row in rows} & SPEAKS_FOR_THE_REGION:
        yield ok("地域側に、キーパーソン、市町村長、副市町村長、管理職等のいずれかがいます。", "region_side.items")
    else:
        yield warn(
            "地域側に、キーパーソンも、市町村長・副市町村長・管理職等もいません。係員だけの会になります。",
            "region_side.items",
        )


@guard("R-01")
def senior_from_the_office(facts: Facts) -> Iterator[Verdict]:
    yield from _office_side(facts, there=False)


@guard("R-02")
def voices_of_the_region(facts: Facts) -> Iterator[Verdict]:
    yield from _region_side(facts, there=False)


@guard("R-01")
def senior_was_there(facts: Facts) -> Iterator[Verdict]:
    yield from _office_side(facts, there=True)


@guard("R-02")
def region_was_there(facts: Facts) -> Iterator[Verdict]:
    yield from _region_side(facts, there=True)


@guard("R-03")
def easy_form(facts: Facts) -> Iterator[Verdict]:
    chosen = facts.read.part("plan").text("form")
    if chosen not in dict(FORMS):
        yield block("実施形態を選んでください。", "plan.form")
    elif chosen == "other":
        yield warn("要領が例に挙げる形態ではありません。気さくに意見交換できる形態かを確かめてください。", "plan.form")
    else:
        yield ok(f"実施形態は「{dict(FORMS)[chosen]}」です。", "plan.form")


@guard("R-04")
def place_of_the_region(facts: Facts) -> Iterator[Verdict]:
    kind = facts.read.part("plan").text("place_kind")
    if kind in PLACES_OF_THE_RULE:
        yield ok(f"場所は「{dict(PLACES)[kind]}」です。", "plan.place")
    else:
        yield warn("場所が、参加者の活動フィールドでも近隣の公共施設でもありません。", "plan.place")


@guard("R-05")
def narrow_area(facts: Facts) -> Iterator[Verdict]:
    codes, on, directory = set(places(facts)), judged_on(facts), facts.directory
    offices = {office.code: office for code in codes if (office := directory.office_of(code, on))}
    if len(offices) > 1:
        names = "、".join(office.name for office in offices.values())
        yield warn(f"対象が、{names}の管内にまたがっています。エリアを絞ってください。", "plan.municipalities")
        return
    area = {m.code for code in offices for m in directory.of_office(code, on)}
    if len(codes) >= WIDE and 2 * len(codes) >= len(area):
        whole = "の全部" if codes >= area else ""
        yield warn(
            f"管内{len(area)}市町村のうち{len(codes)}市町村{whole}を対象にしています。分けて開くか、別の会議として扱えないか考えてください。",
            "plan.municipalities",
        )
    elif codes:
        yield ok(f"対象は{len(codes)}市町村です。", "plan.municipalities")


@guard("R-06")
def name_of_the_rule(facts: Facts) -> Iterator[Verdict]:
    name = facts.read.part("plan").text("name")
    if name.endswith(NAME) and name != NAME:
        yield ok("名前は原則どおりです。", "plan.name")
    else:
        yield warn(f"名前が原則の「○○{NAME}」と違います。", "plan.name")


@guard("R-07")
def followed_up(facts: Facts) -> Iterator[Verdict]:
    if count := len(facts.read.part("follow").rows("items")):
        yield ok(f"今後の対応が{count}件あります。", "follow.items")


@guard("R-08")
def headquarters_takes_it_up(facts: Facts) -> Iterator[Verdict]:
    if numbers := for_headquarters(facts.read):
        listed = "、".join(map(str, numbers))
        yield ok(f"今後の対応の{listed}番は、本庁の主管局が調整し、結果を局に知らせます。", "follow.items")


def for_headquarters(read: Any) -> list[int]:
    """The follow-ups, by their number, that need quick handling by departments of headquarters."""
    rows = read.part("follow").rows("items")
    return [number for number, row in enumerate(rows, start=1) if row.ticked("headquarters")]


@guard("I-05")
def a_day_that_is_one(facts: Facts) -> Iterator[Verdict]:
    read = facts.read.part("plan").reading("held_on")
    if read.date is None:
        yield block(read.problem or "開く日を書いてください。", "plan.held_on")
    elif read.mended:
        yield warn(f"{read.note}合っているか確かめてください。", "plan.held_on")
    else:
        yield ok(f"開く日は{wareki(read.date)}です。", "plan.held_on")


@guard(None)
def open_days(facts: Facts) -> Iterator[Verdict]:
    """A closed day does not stop a meeting; it is said, so that nobody overlooks it."""
    day = held_on(facts)
    if day and (name := facts.calendar.holiday_name(day)):
        yield warn(f"開く日({short(day)})は休日({name})です。", "plan.held_on")
    elif day and not facts.calendar.is_business_day(day):
        yield warn(f"開く日({short(day)})は閉庁日です。", "plan.held_on")


@guard(None)
def no_election(facts: Facts) -> Iterator[Verdict]:
    said = facts.read.part("plan").text("election")
    if said == "near":
        yield warn(
            "選挙の告示・選挙運動の期間に重なります。日を改められないか、局長に相談してください。", "plan.election"
        )
    elif said == "unknown":
        yield warn("選挙の時期との重なりを、まだ確かめていません。", "plan.election")


@guard("I-06")
def known_places(facts: Facts) -> Iterator[Verdict]:
    fine = True
    for code in places(facts):
        if facts.directory.municipality(code, judged_on(facts)) is None:
            fine = False
            why = code_problem(code) or f"市町村コード「{code}」は、その日の台帳にありません。"
            yield block(f"{why}選び直してください。", "plan.municipalities")
    if fine and places(facts):
        yield ok("対象の市町村は台帳にあります。", "plan.municipalities")


@guard("I-07")
def hours_in_order(facts: Facts) -> Iterator[Verdict]:
    first, last = (facts.read.part("plan").text(key) for key in ("from", "to"))
    if first and last and last < first:
        yield block("終わりの時刻が、始まりより前になっています。", "plan.to")


@guard(None)
def not_before_its_day(facts: Facts) -> Iterator[Verdict]:
    day = held_on(facts)
    if day and day > facts.today:
        yield block(
            f"開く日({short(day)})がまだ来ていません。日が変わったときは「延期する」で改めてください。", "plan.held_on"
        )


@guard(None)
def every_note_says_something(facts: Facts) -> Iterator[Verdict]:
    for number, row in enumerate(facts.read.part("notes").rows("items"), start=1):
        if not row.text("kind") or not row.text("summary"):
            yield block(f"{number}番目の意見に、種類と要旨を書いてください。", "notes.items")


@guard(None)
def every_follow_up_is_one(facts: Facts) -> Iterator[Verdict]:
    for number, row in enumerate(facts.read.part("follow").rows("items"), start=1):
        if not row.text("action"):
            yield block(f"{number}番目の対応に、何をするかを書いてください。", "follow.items")
        if row.text("due") and row.day("due") is None:
            yield block(f"{number}番目の対応の期限を読み取れません。{row.reading('due').problem}", "follow.items")


@guard(None)
def somebody_has_looked(facts: Facts) -> Iterator[Verdict]:
    """No list knows every way to name a person: somebody has read the report over."""
    if not facts.read.part("report").ticked("masked"):
        yield block("名前を伏せたことを確かめて、印を付けてください。", "report.masked")


@guard(None)
def everything_ended(facts: Facts) -> Iterator[Verdict]:
    """The region is told when every opinion has a handling that came to its end, and headquarters has answered."""
    waiting = [child["title"] for child in facts.registers.get("children", ()) if not child["final"]]
    if waiting:
        first = "、".join(waiting[:3]) + ("など" if len(waiting) > 3 else "")
        yield block(f"まだ終わっていない意見・調整が{len(waiting)}件あります({first})。")
    else:
        yield ok("意見と調整は、すべて扱いが終わっています。")


_HTML, _FORMULA = re.compile("[<>&\"'`{}]"), re.compile("[=+\\-@\t\r]")


def _texts(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict | list | tuple):
        for value in part.values() if isinstance(part, dict) else part:
            yield from _texts(value)


@guard("I-01")
def characters_are_kept(facts: Facts) -> Iterator[Verdict]:
    yield ok("書かれた文字は、そのまま残します。")


@guard("I-03")
def markup_is_text(facts: Facts) -> Iterator[Verdict]:
    if any(_HTML.search(text) for text in _texts(dict(facts.form))):
        yield ok("< や & などの記号は、文字として表示します。")


@guard("I-04")
def formulas_are_text(facts: Facts) -> Iterator[Verdict]:
    if any(_FORMULA.match(text) for text in _texts(dict(facts.form))):
        yield ok("= や + で始まる値は、表計算の様式でも文字のまま載せます。")


def computed(facts: Facts) -> dict[str, Any] | None:
    """Fiscal year, weekday and kind of the day; None while it cannot be read."""
    day = held_on(facts)
    if day is None:
        return None
    return {
        "fiscal_year": fiscal_year(day),
        "weekday": WEEKDAYS[day.weekday()],
        "is_holiday": bool(facts.calendar.holiday_name(day)),
        "is_business_day": facts.calendar.is_business_day(day),
    }
