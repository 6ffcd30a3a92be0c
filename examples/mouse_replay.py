"""Replay a published animal experiment by imposing the effect of the drug instead of dosing it.

Human-RANKL mice with a fractured femur (Gerstenfeld 2009): denosumab holds free RANKL at 2 %, alendronate inhibits
mature osteoclasts by 45 %. Both leave more callus than the control; the model's numbers are printed, not the paper's.
"""

import osteon


def main() -> float:
    """Print bone mineral of the callus at day 42 against the control; return the ratio of the denosumab arm [1]."""
    course = osteon.simulate(osteon.Scenario.preset("mouse_knockin_femur"))
    mineral = course["callus_BMC"].sel(time=42)
    ratio = mineral / mineral.sel(arm="control")
    for arm in ratio["arm"].values:
        print(f"{arm:20} {float(mineral.sel(arm=arm)):6.2f} mg, {float(ratio.sel(arm=arm)):.2f} times the control")
    return float(ratio.sel(arm="denosumab imposed"))


if __name__ == "__main__":
    main()
