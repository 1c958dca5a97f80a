"""What the documents say is what the program does."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from states import catalogue
from tests import costs
from workflow import diagram
from workflow.__main__ import app
from workflow.settings import Settings

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("key", sorted(catalogue.newest()))
def test_the_diagram_in_the_documents_is_the_processs_own(key: str) -> None:
    assert diagram.mermaid(catalogue.process(key)).strip() in (ROOT / "docs" / f"{key}.md").read_text(encoding="utf-8")


def test_the_verbs_in_the_documents_are_those_that_decide() -> None:
    shown = CliRunner().invoke(app, ["verbs"]).output
    assert shown == (ROOT / "docs" / "verbs.md").read_text(encoding="utf-8")


def test_every_setting_that_the_readme_names_exists() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `([A-Z_]+)` \|", readme, re.MULTILINE))
    known = {str(field.validation_alias or name).upper() for name, field in Settings.model_fields.items()}
    assert named
    assert named <= known


def test_every_command_that_the_readme_names_exists() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"tobidashi ([a-z]+)", readme))
    shown = CliRunner().invoke(app, ["--help"]).output
    assert named
    assert all(re.search(rf"\b{name}\b", shown) for name in named)


def test_links_of_the_documents_lead_somewhere() -> None:
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_what_the_processes_cost_is_told_as_it_is() -> None:
    """Within a tenth and twenty lines: the document is written again when a process has grown, not with every line."""
    told = (ROOT / "docs" / "adr" / "0021-what-the-processes-cost.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| ([^|]+) \| `(\w+)` \| 約 ([\d,]+) \| (\d+) \|$", told, re.MULTILINE)
    known = {key: (label, int(lines.replace(",", "")), int(own)) for label, key, lines, own in found}
    assert set(known) == set(catalogue.newest())
    for key, (label, lines, own) in costs.rows().items():
        assert (known[key][0], known[key][2]) == (label, own), key
        assert abs(known[key][1] - lines) <= lines / 10 + 20, f"{key}: {lines}"


def test_the_readme_leads_to_the_document_of_every_process() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for key, process in catalogue.newest().items():
        assert f"[{process.label}](docs/{key}.md)" in readme, key
