"""Compare the arms of your own scenario: union and strength, each with its range over the ensemble."""

from pathlib import Path

import osteon

SHOWN = ["time_to_union", "torsional_strength_week12", "torsional_strength_week52", "CTX_last"]


def main() -> float:
    """Print a table and return the strength at 12 weeks of the arm treated before the fracture [1 = intact]."""
    scenario = osteon.Scenario.read(Path(__file__).with_name("own_scenario.yaml"))
    table = osteon.simulate(scenario).endpoints()
    table = table[table["endpoint"].isin(SHOWN)].set_index(["endpoint", "arm"])
    print(table[["value", "low", "high", "unit", "note"]].to_string(float_format="%.3g"))
    return table["value"]["torsional_strength_week12", "before"]


if __name__ == "__main__":
    main()
