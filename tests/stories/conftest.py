"""The live system of a story, the people's browsers, and pictures of what they saw when a story fails."""

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.stories import system as prefecture
from tests.stories.hands import Visits, quiet
from tests.stories.system import Pages, System
from workflow.servers import Postgres


@pytest.fixture(scope="module")
def system(pages: Pages, postgres: Postgres, database: Any) -> Iterator[System]:
    with prefecture.opened(pages, postgres, database) as made:
        yield made


@pytest.fixture
def tasks(system: System, tmp_path: Path) -> Iterator[Path]:
    """The real worker and beat."""
    with prefecture.celery(system.environment, tmp_path) as log:
        yield log


@pytest.fixture
def visit(browser: Browser, system: System) -> Iterator[Visits]:
    made = Visits(browser, system)
    yield made
    made.close()
    assert quiet(made.complaints) == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    report = yield
    visits = getattr(item, "funcargs", {}).get("visit")
    if call.when == "call" and report.failed and isinstance(visits, Visits):
        report.sections.append(("そのときの画面", "\n".join(visits.keep(item.name))))
    return report
