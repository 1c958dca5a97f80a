"""Commands that only answer: whether history holds, what a newer version would need, business days, the diagram, the verbs."""

import re
from typing import Annotated

import typer

from states import catalogue
from states.calendar import Calendar, CalendarEnds
from states.dates import read_date
from states.text import narrow, visible
from workflow.commands import Json, app, database_url, fail, print_json, say


@app.command()
def verify(as_json: Json = False) -> None:
    """すべての記録のつながりと内容を検証します。破れがあれば終了コードは1です。"""
    from workflow.db import Database  # noqa: PLC0415
    from workflow.verify import WORKERS  # noqa: PLC0415
    from workflow.verify import verify as examine  # noqa: PLC0415

    db = Database(database_url(), pool_size=WORKERS + 1)
    try:
        outcome = examine(db)
    finally:
        db.close()
    if as_json:
        print_json(outcome.as_json())
    else:
        for found in outcome.breaks:
            say(f"案件 {found.case} 記録 {found.seq}: {found.sentence}{f'({found.part})' if found.part else ''}")
        for case, seq, order, by in outcome.erased:
            say(f"案件 {case} 記録 {seq} の内容 {order}: 消去済み(記録{by}号)")
        say(
            f"案件 {outcome.cases}件、記録 {outcome.events}件: {'異常はありません。' if outcome.whole else f'破れ {len(outcome.breaks)}件。'}"
        )
    raise typer.Exit(0 if outcome.whole else 1)


@app.command()
def versions(
    process: Annotated[str, typer.Argument(help="業務フローの名前。なければすべて。")] = "", as_json: Json = False
) -> None:
    """進行中の案件が、業務フローの新しい版に移せるかを試します。読むだけで、何も動かしません。"""
    from workflow.db import database  # noqa: PLC0415
    from workflow.versions import WORDS, dry_run  # noqa: PLC0415

    database_url()
    if process and process not in catalogue.newest():
        known = "、".join(catalogue.newest())
        raise fail(f"「{process}」という業務フローはありません。使えるのは {known} です。", 2)
    with database().connection() as conn:
        found = list(dry_run(conn, process))
    if as_json:
        print_json([one.as_json() for one in found])
        return
    say(f"前の版で進行中の案件: {len(found)}件")
    for one in found:
        say(
            f"{one.number or one.case} {one.process} 第{one.version}版→第{one.newest}版 「{one.state}」 {WORDS[one.fitting.fit]}"
        )
        for reason in (*one.fitting.reasons, *(f"「{verb}」はできなくなります。" for verb in one.lost)):
            say(f"  {reason}")


@app.command(context_settings={"ignore_unknown_options": True})  # so that -3 is a number
def calendar(
    day: Annotated[str, typer.Argument(metavar="DATE", help="起算の日(2026-10-05、R8.10.5、令和8年10月5日 など)。")],
    n: Annotated[str, typer.Argument(metavar="N", help="何営業日後か。負の数なら前、0ならその日か次の開庁日です。")],
    office: Annotated[str, typer.Option(help="局のコード(hk-kamikawa など)。その局の閉庁日も数えません。")] = "",
    as_json: Json = False,
) -> None:
    """ある日から数えて N 営業日後の日を出します。局を指定しなければ、データベースは使いません。"""
    from workflow import calendar_days  # noqa: PLC0415

    reading = read_date(day)
    if reading.date is None:
        raise fail(reading.problem, 2)
    count = narrow(n).strip()
    if not re.fullmatch(r"[+-]?[0-9]{1,6}", count):
        raise fail(f"「{visible(n[:20])}」を営業日の数として読めません。3 や -5 のように、整数で指定してください。", 2)
    try:
        found = (_office_days(office) if office else Calendar()).add_business_days(reading.date, int(count))
    except CalendarEnds as ends:
        raise fail(str(ends), 2) from None
    if as_json:
        print_json(
            calendar_days.as_json(reading.date, int(count), found) | {"office": office or None, "note": reading.note}
        )
        return
    if reading.note:
        say(reading.note)
    say(calendar_days.told(reading.date, int(count), found))


def _office_days(office: str) -> Calendar:
    from workflow import calendar_days  # noqa: PLC0415
    from workflow.db import Database  # noqa: PLC0415

    db = Database(database_url(), pool_size=1)
    try:
        with db.connection() as conn:
            return calendar_days.of_office(conn, office)
    except ValueError as refusal:
        raise fail(visible(str(refusal)), 2) from None
    finally:
        db.close()


@app.command()
def diagram(
    process: Annotated[str, typer.Argument(help="業務フローの名前。")],
    svg: Annotated[bool, typer.Option("--svg", help="Mermaid ではなく SVG で出します。")] = False,
) -> None:
    """業務フローの図(Mermaid または SVG)を出します。"""
    from workflow import diagram as drawing  # noqa: PLC0415

    try:
        found = catalogue.process(process)
    except KeyError:
        raise fail(
            f"「{process}」という業務フローはありません。使えるのは {'、'.join(catalogue.newest())} です。", 2
        ) from None
    say(str(drawing.svg(found, found.initial.name, ())) if svg else drawing.mermaid(found))


@app.command()
def verbs() -> None:
    """決裁の操作の表(だれが、いつ、どうなるか)を Markdown で出します。"""
    from workflow import verb_table  # noqa: PLC0415

    say(verb_table.markdown().rstrip("\n"))
