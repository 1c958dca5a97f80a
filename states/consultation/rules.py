"""What a consultation owes before it goes on: a municipality that is plain, an answer that was looked at, an end that was asked about."""

from collections.abc import Iterator
from datetime import date

from states.consultation import places
from states.consultation.form import SENT_ON
from states.dates import read_date
from states.forms import Filled
from states.terms import Facts, Verdict, block, guard, ok, warn
from states.text import search_key

TWICE = 2  # handovers from which on the head decides


def received_on(facts: Facts) -> date:
    day = facts.read.part("receipt").day("on")
    return day if isinstance(day, date) else facts.today


def place_of(facts: Facts) -> places.Found:
    """Which municipality is meant, of what was said."""
    read: Filled = facts.read
    office = str(facts.registers.get("lead") or "")
    return places.found(
        facts.directory, received_on(facts), read.text("matter.municipality_name"), read.text("receipt.municipality_code"), office
    )  # fmt: skip


def handed(facts: Facts) -> int:
    """How often it was refused or handed on."""
    return sum(row.text("kind") in SENT_ON for row in facts.read.part("handovers").rows("items"))


@guard("I-06")
def known_place(facts: Facts) -> Iterator[Verdict]:
    found = place_of(facts)
    if found.municipality is None:
        path = "receipt.municipality_code" if found.of_code else "matter.municipality_name"
        yield block(found.problem or "市町村を書いてください。", path)
    elif found.note:
        yield warn(
            f"「{found.note}」を、{found.municipality.name}の相談として受けます。聞いた名は残ります。",
            "matter.municipality_name",
        )
    else:
        yield ok(f"{found.municipality.name}の相談です。", "matter.municipality_name")


@guard("I-05")
def day_that_is_one(facts: Facts) -> Iterator[Verdict]:
    read = facts.read.part("receipt").reading("on")
    if facts.read.text("receipt.on") and read.date is None:
        yield block(read.problem, "receipt.on")
    elif read.date and read.date > facts.today:
        yield block("受けた日が今日より後になっています。", "receipt.on")


@guard(None)
def disposed(facts: Facts) -> Iterator[Verdict]:
    if not facts.read.text("disposition.kind"):
        yield block("「処理の方針を決める」で、方針を選んでください。文面から自動では決めません。")


@guard(None)
def basis_of_law(facts: Facts) -> Iterator[Verdict]:
    """What reads the law is true of a day and for a reason."""
    answer = facts.read.part("answer")
    if answer.ticked("law_or_money"):
        if not answer.text("basis"):
            yield block("法令の解釈や予算に関わる回答です。根拠を書いてください。", "answer.basis")
        if answer.day("valid_on") is None:
            yield block("法令の解釈や予算に関わる回答です。いつの時点の回答かを書いてください。", "answer.valid_on")


@guard(None)
def no_asker_in_the_answer(facts: Facts) -> Iterator[Verdict]:
    """The name of who asked does not go out with an answer that others may read."""
    name = search_key(facts.read.text("asker.name"))
    if (
        len(name) > 1
        and name in search_key(facts.read.text("answer.text"))
        and facts.read.text("receipt.asker") == "individual"
    ):
        yield block("回答に、相談した人の名前があります。消してください。", "answer.text")


@guard(None)
def merges_into_one(facts: Facts) -> Iterator[Verdict]:
    number = str(facts.inputs.get("same_as") or "").strip()
    other = (facts.registers.get("named") or {}).get(number)
    if number and other is None:
        yield block(f"「{number}」という案件は、見られる中にありません。番号を確かめてください。", "same_as")
    elif other and other["process"] != "consultation":
        yield block(f"「{number}」は相談ではありません。", "same_as")


@guard(None)
def extended_to_a_day(facts: Facts) -> Iterator[Verdict]:
    """An extension leads to a day that is still to come."""
    typed = str(facts.inputs.get("until") or "")
    if not typed:
        return
    read = read_date(typed)
    if read.date is None:
        yield block(f"新しい期限を読み取れません。{read.problem}", "until")
    elif read.date <= facts.today:
        yield block("新しい期限は、明日より先の日にしてください。", "until")
