"""The command `tobidashi`. Doors only: each command parses, calls one verb and prints; no rule lives here."""

import json
import re
import sys
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.engine import make_url

from states import catalogue
from states.calendar import Calendar, CalendarEnds
from states.dates import read_date
from states.kernel import Refused
from states.places import Directory
from states.text import narrow, visible
from workflow.memory import settle
from workflow.settings import settings

app = typer.Typer(
    name="tobidashi", help="市町村と道府県のあいだの業務を、提出から報告まで運びます。", no_args_is_help=True,
    add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
)  # fmt: skip
report = typer.Typer(help="所定の様式をつくります。", no_args_is_help=True)
app.add_typer(report, name="report")

Json = Annotated[bool, typer.Option("--json", help="機械で読む形(JSON)で出します。")]


def say(text: str) -> None:
    typer.echo(text)


def fail(text: str, code: int = 1) -> typer.Exit:
    """A refusal on the error stream; the caller raises what this returns."""
    typer.echo(text, err=True)
    return typer.Exit(code)


def print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def _database_url() -> str:
    if not settings().database_url:
        raise fail(
            "DATABASE_URL がありません。本番や試行では接続先を指定し、手元で試すときは make run を使ってください。"
        )
    return settings().database_url


@app.command()
def up(
    port: Annotated[int, typer.Option(help="画面のポート番号。")] = 8000,
    data: Annotated[Path, typer.Option(help="データを置くフォルダー。")] = Path("var"),
) -> None:
    """データベースから画面まで、一式を起動します。Ctrl-C で止まります。"""
    from workflow.up import up as run_tree  # noqa: PLC0415 - the servers' binaries are not installed everywhere

    raise typer.Exit(run_tree(port, data))


@app.command()
def serve(
    port: Annotated[int, typer.Option(help="画面のポート番号。")] = 8000,
    host: Annotated[str, typer.Option(help="待ち受けるアドレス。")] = "127.0.0.1",
    proxy: Annotated[str, typer.Option(help="信頼する中継サーバーのアドレス(カンマ区切り)。")] = "",
) -> None:
    """画面(web)だけを起動します。"""
    import uvicorn  # noqa: PLC0415 - only this command needs the server

    from workflow.db import database  # noqa: PLC0415
    from workflow.masters import PublishedDiffers, check_published  # noqa: PLC0415
    from workflow.web.app import create_app  # noqa: PLC0415
    from workflow.web.wire import Bounded  # noqa: PLC0415

    _database_url()
    try:
        with database().connection() as conn:
            check_published(conn)
    except PublishedDiffers as difference:
        raise fail(str(difference)) from None
    pages = create_app()
    settle()
    uvicorn.run(
        pages, host=host, port=port, http=Bounded, ws="none", log_level="warning", access_log=False, server_header=False,
        proxy_headers=bool(proxy), forwarded_allow_ips=proxy or None, timeout_graceful_shutdown=5,
    )  # fmt: skip


@app.command()
def migrate() -> None:
    """データベースの構造と台帳(団体、業務フロー)を最新にします。所有者の接続で行います。"""
    from workflow.db import migrate as bring_up  # noqa: PLC0415
    from workflow.masters import PublishedDiffers, load_masters  # noqa: PLC0415

    url = _database_url()
    bring_up(settings().owner, make_url(url).username or "")
    try:
        load_masters(settings().owner, settings().profile)
    except PublishedDiffers as difference:
        raise fail(str(difference)) from None
    say("データベースの構造と台帳を最新にしました。")


@app.command()
def versions(
    process: Annotated[str, typer.Argument(help="業務フローの名前。なければすべて。")] = "", as_json: Json = False
) -> None:
    """進行中の案件が、業務フローの新しい版に移せるかを試します。読むだけで、何も動かしません。"""
    from workflow.db import database  # noqa: PLC0415
    from workflow.versions import WORDS, dry_run  # noqa: PLC0415

    _database_url()
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


@app.command()
def demo(
    if_empty: Annotated[bool, typer.Option(help="案件がもうあれば何もしません。")] = False,
    show: Annotated[bool, typer.Option("--accounts", help="お試し用の利用者だけを表示します。")] = False,
) -> None:
    """お試し用の案件を入れます。このデータベースは、以後ずっとお試し用になります。"""
    from workflow import demonstration  # noqa: PLC0415

    url = _database_url()
    if not show:
        try:
            done = demonstration.load(settings().owner, url, if_empty=if_empty)
        except demonstration.NotEmpty:
            raise fail(
                "案件がすでにあるので、お試し用の案件は入れませんでした。空のデータベースで行ってください。"
            ) from None
        say(f"お試し用の案件を{done}件入れました。" if done else "案件がもうあるので、何も変えていません。")
    found = demonstration.accounts(url)
    if found:
        say(f"お試し用の利用者(パスワードはどれも {demonstration.PASSWORD}):")
        for login, label, post, use in found:
            say(f"  {login:<14}{label} … {post}。{use}")


@app.command()
def check(
    process: Annotated[str, typer.Argument(help="業務フローの名前。")],
    file: Annotated[Path, typer.Argument(help="記録のファイル(JSON)。")],
    as_json: Json = False,
) -> None:
    """記録を規則に照らします。データベースは使いません。"""
    try:
        intake = catalogue.intake(process)
    except KeyError:
        raise fail(
            f"「{process}」という業務フローはありません。使えるのは {'、'.join(catalogue.newest())} です。", 2
        ) from None
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

    db = Database(_database_url(), pool_size=1)
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
        data, summary = _compiled(reports, _database_url(), process, office, fy)
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


@app.command()
def verify(as_json: Json = False) -> None:
    """すべての記録のつながりと内容を検証します。破れがあれば終了コードは1です。"""
    from workflow.db import Database  # noqa: PLC0415
    from workflow.verify import WORKERS  # noqa: PLC0415
    from workflow.verify import verify as examine  # noqa: PLC0415

    db = Database(_database_url(), pool_size=WORKERS + 1)
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

    db = Database(_database_url(), pool_size=1)
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
def user(
    staff_no: Annotated[str, typer.Argument(help="職員番号。")],
    name: Annotated[str, typer.Option(help="氏名。")],
    login: Annotated[str, typer.Option(help="ログインに使う名前。")],
    org: Annotated[str, typer.Option(help="団体のコード(hk-kamikawa、014729 など)。")],
    title: Annotated[str, typer.Option(help="職名。")],
    role: Annotated[
        str,
        typer.Option(
            help="役割: municipality municipality_head bureau director headquarters staff auditor records administrator"
        ),
    ],
    section: Annotated[str, typer.Option(help="課・係。")] = "",
    mail: Annotated[str, typer.Option(help="メールアドレス。")] = "",
    kana: Annotated[str, typer.Option(help="氏名の読み。")] = "",
    since: Annotated[str, typer.Option(help="職に就く日(省くと今日)。")] = "",
    as_json: Json = False,
) -> None:
    """利用者をつくり、最初のパスワードを一度だけ表示します。最初の管理者もこれでつくります。"""
    from workflow import cases  # noqa: PLC0415
    from workflow.access import SCOPE_OF  # noqa: PLC0415
    from workflow.accounts import create_user  # noqa: PLC0415
    from workflow.db import database  # noqa: PLC0415

    _database_url()
    if role not in SCOPE_OF:
        raise fail(f"役割「{role}」はありません。使えるのは {'、'.join(SCOPE_OF)} です。", 2)
    starts: date | None = None
    if since:
        reading = read_date(since)
        if reading.date is None:
            raise fail(reading.problem, 2)
        starts = reading.date
    try:
        with database().connection() as conn:
            today = cases.today(conn)
        with database().transaction() as session:
            made = create_user(
                session, staff_no=staff_no, name=name, kana=kana, login=login, mail=mail, org_code=org, section=section,
                title=title, role=role, scope=SCOPE_OF[role], valid_from=starts or today,
            )  # fmt: skip
    except ValueError as refusal:
        raise fail(str(refusal), 2) from None
    if as_json:
        print_json({"login": login, "password": made.password})
    else:
        say(f"利用者 {login} をつくりました。最初のパスワード(この一度だけ表示します): {made.password}")


def main() -> None:
    """Entry point of the installed command: what the surroundings refuse is said in words, a mistake of ours is not hidden."""
    from psycopg import OperationalError  # noqa: PLC0415
    from sqlalchemy.exc import OperationalError as NoConnection  # noqa: PLC0415

    try:
        app()
    except (OperationalError, NoConnection):
        typer.echo(
            "データベースにつながりません。何も変えていません。DATABASE_URL と、データベースが動いているかを確かめてください。",
            err=True,
        )
    except OSError as trouble:
        typer.echo(
            f"{visible(str(trouble.filename or ''))} を扱えませんでした({trouble.strerror})。場所と権限を確かめてください。",
            err=True,
        )
    except UnicodeEncodeError:
        typer.echo("引数の文字コードが UTF-8 ではありません。何も変えていません。UTF-8 で指定してください。", err=True)
    else:
        return
    sys.exit(1)


if __name__ == "__main__":
    main()
