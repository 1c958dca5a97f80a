"""Commands that work on records: hold them against the rules, take them in, compile the report."""

from pathlib import Path
from typing import Annotated, Any

import typer

from states import catalogue
from states.calendar import Calendar
from states.kernel import Refused
from states.places import Directory
from workflow.commands import Json, app, database_url, fail, print_json, report, say

READERS = "、".join(f"{key}({catalogue.process(key).label})" for key in catalogue.readers())


@app.command()
def check(
    process: Annotated[str, typer.Argument(help=f"業務フローの名前。記録を読めるのは {READERS}。")],
    file: Annotated[Path, typer.Argument(help="記録のファイル(JSON)。")],
    as_json: Json = False,
) -> None:
    """記録を規則に照らします。データベースは使いません。"""
    try:
        intake = catalogue.intake(process)
    except KeyError:
        raise fail(f"「{process}」という、記録を読める業務フローはありません。使えるのは {READERS} です。", 2) from None
    try:
        records = intake.read_records(file.read_bytes())
    except OSError as trouble:
        raise fail(f"{file} を読めませんでした({trouble.strerror})。ファイルの場所を確かめてください。", 2) from None
    except ValueError as refusal:
        problems = getattr(refusal, "problems", ())
        if as_json:
            print_json(
                {
                    "problems": [
                        {"record": p.record, "field": p.field, "reason": p.reason, "line": p.line} for p in problems
                    ]
                }
            )
        else:
            say(f"{file} は受け付けられません。何も取り込んでいません。")
            for line in str(refusal).splitlines():
                say(f"  {line}")
        raise typer.Exit(2) from None
    found = intake.check(records, Directory.from_csv(), Calendar())
    if as_json:
        print_json(found)
        return
    for record, answer in found.items():
        say(f"{record}: {answer['decision']}")
        for verdict in (*answer["blocking"], *answer["warnings"]):
            say(f"  {verdict['rule'] or '—'} {verdict['sentence']}")


@app.command("import")
def take_in(
    process: Annotated[str, typer.Argument(help="業務フローの名前。")],
    file: Annotated[Path | None, typer.Argument(help="記録のファイル(JSON か、様式の .xlsx)。")] = None,
    logins: Annotated[
        list[str] | None,
        typer.Option("--as", help="だれの職で取り込むか(ログイン名)。くり返して局ごとに指定できます。"),
    ] = None,
    good_ones: Annotated[
        bool, typer.Option("--good-ones", help="直す記録があっても、よい記録だけは取り込みます。")
    ] = False,
    template: Annotated[
        Path | None, typer.Option(help="取り込まずに、書き込む様式(.xlsx)をここへ書き出します。")
    ] = None,
    as_json: Json = False,
) -> None:
    """届いた記録を、代理入力として案件に取り込みます。二度行っても、案件は一つです。"""
    from workflow import intake  # noqa: PLC0415

    try:
        if template:
            template.write_bytes(intake.blank_form(process))
            say(f"様式を {template} に書き出しました。")
            return
        if file is None or not logins:
            raise fail(
                "記録のファイルと、だれの職で取り込むか(--as ログイン名)を指定してください。何も取り込んでいません。", 2
            )
        answers = _taken_in(process, file.read_bytes(), logins, good_ones)
    except KeyError:
        raise fail(
            f"「{process}」という業務フローはありません。使えるのは {'、'.join(catalogue.newest())} です。", 2
        ) from None
    except OSError as trouble:
        raise fail(f"{trouble.filename} を扱えませんでした({trouble.strerror})。場所を確かめてください。", 2) from None
    except intake.Unreadable as unreadable:
        if as_json:
            print_json({"problems": [{"line": line, "reason": reason} for line, reason in unreadable.problems]})
        raise fail(f"{file} は受け付けられません。何も取り込んでいません。\n{unreadable}", 2) from None
    except Refused as refusal:
        raise fail(refusal.sentence, 2) from None
    if as_json:
        print_json({answer.record: answer.as_json() for answer in answers})
    else:
        for line in intake.told(answers):
            say(line)
    raise typer.Exit(0 if all(answer.outcome == intake.ACCEPTED for answer in answers) else 1)


def _taken_in(process: str, data: bytes, logins: list[str], good_ones: bool) -> Any:
    from workflow import intake  # noqa: PLC0415
    from workflow.db import Database  # noqa: PLC0415

    db = Database(database_url(), pool_size=1)
    try:
        with db.connection() as conn:
            people = intake.people_of(conn, logins)
            return intake.take_in(conn, people, process, intake.read(conn, people, process, data), good_ones=good_ones)
    finally:
        db.close()


@report.command("year-end")
def year_end(
    office: Annotated[str, typer.Option(help="局のコード(hk-kamikawa など)。all は全道の集計です。")],
    output: Annotated[Path, typer.Option("-o", "--output", help="書き出すファイル(.xlsx)。")],
    fy: Annotated[int | None, typer.Option("--fy", help="年度(西暦)。省くと今年度です。")] = None,
    process: Annotated[str, typer.Option(help="業務フローの名前。")] = "",
    demonstration: Annotated[
        bool, typer.Option("--demo", help="使い捨てのデータベースに、お試し用の案件を入れてつくります。")
    ] = False,
    as_json: Json = False,
) -> None:
    """年度末報告の様式をつくります。"""
    from workflow import reports  # noqa: PLC0415

    if demonstration:
        from workflow.throwaway import demonstration_database  # noqa: PLC0415

        with demonstration_database() as url:
            data, summary = _compiled(reports, url, process, office, fy)
    else:
        data, summary = _compiled(reports, database_url(), process, office, fy)
    output.write_bytes(data)
    if as_json:
        print_json(summary)
    else:
        say(f"{output} を書き出しました。")


def _compiled(reports: Any, url: str, process: str, office: str, fy: int | None) -> tuple[bytes, Any]:
    from workflow.db import Database  # noqa: PLC0415

    db = Database(url, pool_size=1)
    try:
        with db.connection() as conn:
            result: tuple[bytes, Any] = reports.year_end(conn, process, "year-end", office, fy)
            return result
    except ValueError as refusal:
        raise fail(str(refusal), 2) from None
    finally:
        db.close()
