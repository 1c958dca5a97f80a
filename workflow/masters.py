"""Master data of one installation: its organisations with their dates, and which processes are published.

Loaded by the owner role after every migration; loading twice changes nothing. Organisations are rows, never literals:
the profile names the units of headquarters, the directory of `states` the bureaus and municipalities.
"""

import json
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.engine import Connection

from states import catalogue
from states.places import Directory
from workflow.numbers import short_name

PROFILES = Path(__file__).parent / "profiles"

# Versions that a release has published. Their tables never change again; the rest may, until they are released.
RELEASED: frozenset[tuple[str, int]] = frozenset()


class PublishedDiffers(Exception):
    """A process in the code is not the one that was published under its version."""


def profile_of(name: str) -> dict[str, Any]:
    """Words, units of headquarters and prefecture of a profile."""
    found: dict[str, Any] = json.loads((PROFILES / f"{name}.json").read_text(encoding="utf-8"))
    return found


def load_masters(owner_url: str, profile: str = "hokkaido") -> None:
    """Write the installation row, the organisations and the published processes; one transaction."""
    words = profile_of(profile)
    engine = create_engine(owner_url)
    try:
        with engine.begin() as connection:
            connection.execute(
                text("INSERT INTO installation AS i (id, profile, headquarters, personnel, demonstration, clock_offset) "
                     "VALUES (1, :profile, :headquarters, :personnel, false, '0') "
                     "ON CONFLICT (id) DO UPDATE SET personnel = EXCLUDED.personnel WHERE i.personnel = ''"),
                {"profile": profile, "headquarters": words["headquarters"]["code"], "personnel": words["personnel"]["code"]},
            )  # fmt: skip
            connection.execute(text(ORGANISATION), _organisations(words))
            _publish(connection)
    finally:
        engine.dispose()


ORGANISATION = """INSERT INTO organisation (code, kind, name, short, kana, office, sort, contact, valid_from, valid_to, successor)
VALUES (:code, :kind, :name, :short, :kana, :office, :sort, :contact, :valid_from, :valid_to, :successor)
ON CONFLICT (code, valid_from) DO UPDATE SET name = EXCLUDED.name, short = EXCLUDED.short, kana = EXCLUDED.kana,
  office = EXCLUDED.office, sort = EXCLUDED.sort, valid_to = EXCLUDED.valid_to, successor = EXCLUDED.successor"""


def _organisations(words: dict[str, Any]) -> list[dict[str, Any]]:
    directory, prefecture = Directory.from_csv(), words["prefecture_code"]
    always = {"valid_from": None, "valid_to": None, "successor": None, "office": None}
    rows = [{**always, **words[unit], "kind": unit, "sort": 0} for unit in ("headquarters", "personnel")]
    rows += [
        {**always, **department, "kind": "department", "sort": number, "contact": department["name"]}
        for number, department in enumerate(words["departments"], start=1)
    ]
    rows += [
        {**always, "code": o.code, "kind": "bureau", "name": o.name, "short": short_name(o.name), "kana": o.kana, "sort": o.sort,
         "contact": words["office_contact"].format(office=o.name), "valid_from": o.valid_from, "valid_to": o.valid_to}
        for o in directory.offices if o.prefecture_code == prefecture
    ]  # fmt: skip
    rows += [
        {"code": m.code, "kind": "municipality", "name": m.name, "short": m.name, "kana": m.kana, "office": m.office_code,
         "sort": int(m.code), "contact": m.name, "valid_from": m.valid_from, "valid_to": m.valid_to,
         "successor": m.successor_code or None}
        for m in directory.municipalities if m.prefecture_code == prefecture
    ]  # fmt: skip
    return rows


def _publish(connection: Connection) -> None:
    stored = {(r[0], r[1]): r[2] for r in connection.execute(text("SELECT process, version, digest FROM published"))}
    for (key, version), process in catalogue.all_versions().items():
        if (key, version) in RELEASED and stored.get((key, version), process.digest) != process.digest:
            raise PublishedDiffers(
                f"業務フロー {process.label} 第{version}版は公開済みです。変えるときは新しい版にしてください。"
            )
        connection.execute(
            text("INSERT INTO published (process, version, digest) VALUES (:key, :version, :digest) "
                 "ON CONFLICT (process, version) DO UPDATE SET digest = EXCLUDED.digest"),
            {"key": key, "version": version, "digest": process.digest},
        )  # fmt: skip


def check_published(connection: Any) -> None:
    """Refuse to start when the code is not what was published, or a stored case names what the catalogue lacks.

    `connection` is a psycopg connection. Raises `PublishedDiffers` with what to do.
    """
    stored = {
        (r[0], r[1]): r[2] for r in connection.execute("SELECT process, version, digest FROM published").fetchall()
    }
    for place, process in catalogue.all_versions().items():
        if stored.get(place) != process.digest:
            raise PublishedDiffers(
                f"業務フロー {process.label} 第{process.version}版が登録と違います。tobidashi migrate を実行してください。"
            )
    rows = connection.execute("SELECT DISTINCT process, process_version, state FROM cases").fetchall()
    for key, version, state in rows:
        known = catalogue.all_versions().get((key, version))
        if known is None or state not in {s.name for s in known.states}:
            raise PublishedDiffers(
                f"保存された案件が、このプログラムにない業務フロー({key} 第{version}版 {state})を使っています。"
            )
