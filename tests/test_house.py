"""The house rules that a machine can hold."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, nodes

from states import catalogue
from workflow import case_sql
from workflow.access import PARTS, SCOPE_OF

HOUSE = Path(__file__).parent.parent
PARTS_OF_IT = ("states", "workflow", "tasks")
ABOUT = 440  # lines; a module that passes about 400 has two stories
GENERATED = {"0001_the_road.py"}  # written by Alembic from the tables

# Words that a process uses for a state and the engine for something of its own.
ENGINES_OWN = {
    "draft": "a case row without history, whatever its process calls the state it begins in",
    "own_approval": "a setting of an organisation, whatever states its processes make of it",
}


def modules(*parts: str) -> list[Path]:
    return sorted(path for part in parts for path in (HOUSE / part).rglob("*.py"))


def name_of(path: Path) -> str:
    return str(path.relative_to(HOUSE))


def words_of_processes() -> set[str]:
    found = set()
    for process in catalogue.all_versions().values():
        found |= {process.key, *(state.name for state in process.states)}
    return found


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_the_engine_names_no_process_and_no_state():
    pattern = re.compile(rf"(?<!\w)({'|'.join(sorted(words_of_processes() - set(ENGINES_OWN)))})(?!\w)")
    found = [
        f"{name_of(path)}:{number}: {match[0]}"
        for path in modules("workflow", "tasks")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        for match in pattern.finditer(line)
    ]
    assert found == []


def test_the_machinery_is_touched_by_the_kernel_alone():
    users = [name_of(p) for p in modules(*PARTS_OF_IT) if any(m.split(".")[0] == "transitions" for m in imported(p))]
    assert users == ["states/kernel.py"]


def test_states_know_no_database_no_web_no_clock():
    foreign = {
        "sqlalchemy",
        "sqlmodel",
        "psycopg",
        "fastapi",
        "starlette",
        "celery",
        "redis",
        "time",
        "workflow",
        "tasks",
    }
    for path in modules("states"):
        assert not {module.split(".")[0] for module in imported(path)} & foreign, name_of(path)
        code = path.read_text(encoding="utf-8")
        assert not re.search(r"\b(date\.today|datetime\.now|time\.time|utcnow)\(", code), name_of(path)


def test_the_pages_call_no_broker():
    for path in modules("workflow"):
        named = {module.split(".")[0] for module in imported(path)}
        if "web" in path.parts and path.name != "health.py":  # which asks whether the broker is there
            assert not named & {"celery", "redis", "tasks", "smtplib"}, name_of(path)


def test_commit_is_written_once():
    asked = re.compile(r"\.(commit|rollback)\(")
    found = [name_of(p) for p in modules(*PARTS_OF_IT) if asked.search(p.read_text(encoding="utf-8"))]
    assert set(found) <= {"workflow/db.py"}
    spoken = re.compile(r"execute\([^)]*[\"'](BEGIN|COMMIT|ROLLBACK)\b")
    assert [name_of(p) for p in modules(*PARTS_OF_IT) if spoken.search(p.read_text(encoding="utf-8"))] == []


def test_only_the_engine_moves_a_case():
    """`decide` is asked by the act alone, and the row of a case is written by the act, the draft and nothing else."""
    deciding = [name_of(p) for p in modules("workflow", "tasks") if ".decide(" in p.read_text(encoding="utf-8")]
    assert deciding == ["workflow/acts.py"]
    writing = re.compile(r"(UPDATE|INSERT INTO|DELETE FROM) (cases|event|content)\b")
    found = {
        (name_of(p), match[0])
        for p in modules("workflow", "tasks")
        if "migrations" not in p.parts
        for match in writing.finditer(p.read_text(encoding="utf-8"))
    }
    assert found == {
        ("workflow/case_sql.py", "UPDATE cases"), ("workflow/case_sql.py", "INSERT INTO event"),
        ("workflow/case_sql.py", "INSERT INTO content"), ("workflow/cases.py", "INSERT INTO cases"),
        ("workflow/cases.py", "UPDATE cases"), ("workflow/cases.py", "DELETE FROM cases"), ("workflow/families.py", "INSERT INTO cases"),
    }  # fmt: skip


@pytest.mark.parametrize("path", modules(*PARTS_OF_IT), ids=name_of)
def test_a_module_tells_one_story(path):
    code = path.read_text(encoding="utf-8")
    assert path.stem not in {"utils", "util", "helpers", "helper", "manager", "base", "common", "misc"}
    if path.name not in GENERATED:
        assert len(code.splitlines()) <= ABOUT
    told = ast.get_docstring(ast.parse(code))
    assert told, "a module says in its first line what it is"
    assert not re.search(r"\b(TODO|FIXME|XXX|HACK)\b", code)
    assert not re.search(r"(/root|/work)\b", code), "no path of one workplace"


def test_a_template_asks_the_process_and_never_a_name():
    states_ = words_of_processes() - {process.key for process in catalogue.all_versions().values()}
    names = states_ | set(SCOPE_OF) | set(PARTS)
    # What a case began with is a fact of the form; one origin is called like a role.
    origins = {origin for process in catalogue.all_versions().values() for origin in process.opens}
    environment = Environment(autoescape=True, extensions=["jinja2.ext.do"])
    found = []
    for path in sorted((HOUSE / "templates").rglob("*.*")):
        if path.suffix not in (".html", ".txt"):
            continue
        for compared in environment.parse(path.read_text(encoding="utf-8")).find_all(nodes.Compare):
            told = {c.value for c in compared.find_all(nodes.Const) if isinstance(c.value, str)}
            asked = {n.name for n in compared.find_all(nodes.Name)} | {n.attr for n in compared.find_all(nodes.Getattr)}
            if asked == {"kind"}:
                continue  # the colour of a bar
            if told & names and not (told & names <= origins and any("origin" in a for a in asked)):
                found.append(f"{name_of(path)}:{compared.lineno}: {sorted(told & names)}")
    assert found == []


# ── the statements of an act are constant ───────────────────────────────────────────────────────────────────────────

PARTS_OF_A_WRITE = (
    "me", "numbers", "steps_close", "steps_open", "steps_move", "deadlines_close", "deadlines_open", "parties", "assignments", "outbox", "working",
    "settled", "key",
)  # fmt: skip


def every_write() -> Iterator[str]:
    for number in range(2 ** len(PARTS_OF_A_WRITE)):
        yield case_sql.write(frozenset(part for place, part in enumerate(PARTS_OF_A_WRITE) if number >> place & 1))


def test_every_statement_of_an_act_is_constant_text_with_named_values():
    """The same parts give the same text; nothing stands in it that a person typed, and every value has a name."""
    some = frozenset({"me", "key", "steps_open"})
    assert case_sql.write(some) is case_sql.write(frozenset(sorted(some)))
    names: set[str] = set()
    for text in (case_sql.READ, case_sql.READ_BY_CLOCK, *every_write()):
        assert not re.search(r"[{}]", re.sub(r"'\{\}'", "", text)), "a place that was not filled"
        names |= set(re.findall(r"%\((\w+)\)s", text))
        assert "%" not in re.sub(r"%\(\w+\)s", "", text)
        assert ";" not in text
    assert all(name.isidentifier() for name in names)
    tree = ast.parse((HOUSE / "workflow/case_sql.py").read_text(encoding="utf-8"))
    filled = {
        ast.unparse(part.value).split(".")[0].split("(")[0]
        for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)
        for part in node.values if isinstance(part, ast.FormattedValue)
    }  # fmt: skip
    local = {"names"}  # the place of a value, counted
    assert all(name.isupper() or name.startswith("_") or name in local for name in filled), filled


# ── the records of the rule book ────────────────────────────────────────────────────────────────────────────────────


def sentences(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield from (piece for piece in re.split(r"[。\n]", part) if len(piece) >= 12)
    elif isinstance(part, dict):
        for value in part.values():
            yield from sentences(value)
    elif isinstance(part, list):
        for value in part:
            yield from sentences(value)


def test_no_record_and_no_sentence_of_one_stands_in_the_code():
    """The thirty records are held against the rules; a rule that knew one of them would prove nothing."""
    told = json.loads((HOUSE / "tests/data/dispatch_requests.json").read_text(encoding="utf-8"))["cases"]
    assert len(told) == 30
    inputs = {piece for record in told for piece in sentences(record["input"])}
    # Words of the 実施要領 itself and names of places are everybody's.
    public = "".join(p.read_text(encoding="utf-8") for p in (HOUSE / "states/data").glob("*.csv"))
    rules = (HOUSE / "tests/data/rules.json").read_text(encoding="utf-8")
    own = {
        piece
        for piece in inputs
        if piece not in public and piece not in rules and not re.fullmatch(r"[\x00-\x7f]*", piece)
    }
    assert len(own) > 100
    where = [
        p
        for part in (*PARTS_OF_IT, "templates")
        for p in (HOUSE / part).rglob("*")
        if p.suffix in (".py", ".json", ".html", ".txt")
    ]
    for path in where:
        code = path.read_text(encoding="utf-8")
        assert not re.search(r"\bDR-?\d", code), name_of(path)
        assert [piece for piece in own if piece in code] == [], name_of(path)
