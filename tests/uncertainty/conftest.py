"""A posterior that stands in for the shipped one."""

from pathlib import Path

import pytest

from osteon.parameters import posterior

from .standin import draws, write


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of 20 draws over all structures."""
    return write(tmp_path_factory.mktemp("posterior") / "turnover.nc", draws())


@pytest.fixture(autouse=True)
def shipped(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """It stands where the shipped one would."""
    monkeypatch.setattr(posterior, "SHIPPED", made)
    return made
