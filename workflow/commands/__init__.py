"""The command `tobidashi`. Doors only: each command parses, calls one verb and prints; no rule lives here."""

import json
from typing import Annotated, Any

import typer

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


def database_url() -> str:
    if not settings().database_url:
        raise fail(
            "DATABASE_URL がありません。本番や試行では接続先を指定し、手元で試すときは make run を使ってください。"
        )
    return settings().database_url
