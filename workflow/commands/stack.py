"""Commands of who installs and runs it: the stack, its schema, the demonstration, accounts."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.engine import make_url

from states.dates import read_date
from workflow.commands import Json, app, database_url, fail, print_json, say
from workflow.memory import settle
from workflow.settings import settings


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

    database_url()
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

    url = database_url()
    bring_up(settings().owner, make_url(url).username or "")
    try:
        load_masters(settings().owner, settings().profile)
    except PublishedDiffers as difference:
        raise fail(str(difference)) from None
    say("データベースの構造と台帳を最新にしました。")


@app.command()
def demo(
    if_empty: Annotated[bool, typer.Option(help="案件がもうあれば何もしません。")] = False,
    show: Annotated[bool, typer.Option("--accounts", help="お試し用の利用者だけを表示します。")] = False,
) -> None:
    """お試し用の案件を入れます。このデータベースは、以後ずっとお試し用になります。"""
    from workflow import demonstration  # noqa: PLC0415

    url = database_url()
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

    database_url()
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
