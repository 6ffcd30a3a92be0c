"""Runs the standard battery over every system, drug and species."""

import pytest

from tests import standard


@pytest.mark.parametrize("check", standard.CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
@pytest.mark.parametrize("case", standard.cases(), ids=str)
def test_standard(case: standard.Case, check) -> None:
    check(case)
