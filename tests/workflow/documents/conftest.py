"""A bureau for the tests of documents."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.workflow.documents.year import Bureau, a_bureau


@pytest.fixture
def bureau(fresh_database: Any) -> Iterator[Bureau]:
    with a_bureau(fresh_database) as found:
        yield found
