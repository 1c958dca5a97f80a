"""The declared reports and letters, found by key; and where their templates stand."""

from collections.abc import Iterator
from pathlib import Path

from states import catalogue
from states.documents import Documents, Letter, Report
from states.kernel import Process
from workflow.settings import settings

SHIPPED = Path(__file__).parents[2] / "templates"


class DocumentProblem(ValueError):
    """A document that cannot be made; the sentence says what is wrong and what to do, in Japanese."""


def reports() -> Iterator[tuple[Process, Report]]:
    """Every declared report with its process, newest versions only."""
    for process in catalogue.newest().values():
        for report in of(process).reports:
            yield process, report


def report(process_key: str, key: str) -> tuple[Process, Report]:
    """A report by the keys of its process (none: whichever has one) and its own. Raises `DocumentProblem`."""
    for process, found in reports():
        if process_key in ("", process.key) and found.key == key:
            return process, found
    raise DocumentProblem(f"「{process_key}」に「{key}」という報告はありません。報告の名前を確かめてください。")


def letter(process: Process, key: str) -> Letter | None:
    """A letter of a process by its key."""
    return next((found for found in of(process).letters if found.key == key), None)


def own_templates() -> Path:
    """Where an installation puts templates of its own; they stand before the shipped ones."""
    return settings().data / "templates"


def template_path(name: str) -> Path:
    """The installation's own template where there is one, else the shipped one."""
    own = own_templates() / name
    return own if own.is_file() else SHIPPED / name


def of(process: Process) -> Documents:
    return process.documents if isinstance(process.documents, Documents) else Documents()
