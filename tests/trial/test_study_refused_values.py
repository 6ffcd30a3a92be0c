"""Values of the wrong shape, and wishes that nobody could meet, are refused by the path of their field."""

from typing import Any

import pytest

from osteon.errors import InputError
from osteon.trial.study import Study
from tests.trial.test_study_refused import GOOD

AGES = {"age": {"kind": "normal", "mean": "60 yr", "sd": "10 yr"}}


def refused(**changes: Any) -> InputError:
    with pytest.raises(InputError) as caught:
        Study.parse({**Study.parse(GOOD).to_dict(), **changes})
    return caught.value


@pytest.mark.parametrize(
    ("population", "path", "part"),
    [
        (
            {"covariates": AGES, "correlation": [{"traits": ["age", ["sex"]], "rho": 0.3}]},
            "correlation[0].traits[1]",
            "is not a known trait",
        ),
        ({"rules": [{"trait": "sex", "is": ["male"]}]}, "rules[0].is", "is not a known sex"),
        ({"rules": [{"trait": "sex", "not": {"a": 1}}]}, "rules[0].not", "is not a known sex"),
        ({"covariates": AGES, "target": {}}, "target", "asks for nothing"),
        ({"covariates": AGES, "target": {"age": {"mean": "60 yr", "sd": "0 yr"}}}, "target.age.sd", "is not above 0"),
        ({"covariates": AGES, "target": {"age": {"mean": "60 yr", "sd": "-1 yr"}}}, "target.age.sd", "is not above 0"),
        ({"draws": 9999}, "draws", "9999 is too many"),
    ],
)
def test_a_population_that_cannot_be(population: dict[str, Any], path: str, part: str) -> None:
    error = refused(population=population)
    assert error.path == f"population.{path}"
    assert part in str(error)


def test_a_level_lies_between_its_ends() -> None:
    error = refused(analysis={"method": "log_rank", "level": 1})
    assert error.path == "analysis.level"
    assert "is outside the allowed range of above 0.5 and below 1" in str(error)
