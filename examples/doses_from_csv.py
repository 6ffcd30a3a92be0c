"""Read doses from a NONMEM-style CSV file and see when the drug is in the blood."""

from pathlib import Path

import osteon


def main() -> float:
    """Print the doses and the serum level at the fracture, which is returned [ng/mL]."""
    scenario = osteon.Scenario.read(Path(__file__).with_name("csv_scenario.yaml"))
    for dose in scenario.arms[0].dose_events(scenario.patient):
        print(f"day {dose.time:7.1f}  {dose.amount:g} mg {dose.drug}, {dose.route}")
    serum = osteon.simulate(scenario)["denosumab_serum"].sel(arm="as recorded")
    at_fracture = float(serum.sel(time=0))
    print(f"serum at the fracture: {at_fracture:.0f} {serum.attrs['units']}")
    return at_fracture


if __name__ == "__main__":
    main()
