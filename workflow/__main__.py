"""Where the command `tobidashi` begins."""

import sys

import typer

from states.text import visible
from workflow.commands import app, asking, records, stack  # noqa: F401 - each adds its commands

__all__ = ["app", "main"]


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
