"""Function and complications in people, an empirical layer beside the biology: pain, loading, hip score, risks."""

from osteon.endpoints.function.harris import POINTS, harris_items, harris_score, walking_ability
from osteon.endpoints.function.necrosis import blood_supply, necrosis_hazard, necrosis_risk
from osteon.endpoints.function.pain import fit_pain, pain, pain_reported, pain_sd
from osteon.endpoints.function.refracture import refracture_risk
from osteon.endpoints.function.table import (
    FUNCTION_SERIES,
    FUNCTION_UNITS,
    HIP,
    function_endpoints,
    function_names,
    function_of,
    function_parameters,
    function_ranges,
    members_range,
)
from osteon.endpoints.function.values import Traits, Values, shipped_values, traits_of
from osteon.endpoints.function.weight_bearing import capacity, full_loading

__all__ = [
    "FUNCTION_SERIES",
    "FUNCTION_UNITS",
    "HIP",
    "POINTS",
    "Traits",
    "Values",
    "blood_supply",
    "capacity",
    "fit_pain",
    "full_loading",
    "function_endpoints",
    "function_names",
    "function_of",
    "function_parameters",
    "function_ranges",
    "harris_items",
    "harris_score",
    "members_range",
    "necrosis_hazard",
    "necrosis_risk",
    "pain",
    "pain_reported",
    "pain_sd",
    "refracture_risk",
    "shipped_values",
    "traits_of",
    "walking_ability",
]
