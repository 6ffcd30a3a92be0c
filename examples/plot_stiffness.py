"""Draw stiffness over time with its ensemble range (needs matplotlib: pip install "osteon[plot]").

Usage: python plot_stiffness.py [FILE.png]
"""

import sys

import osteon


def main(target: str = "stiffness.png") -> float:
    """Draw the published case to `target`; return the stiffness at one year of the arm on hold [1 = intact]."""
    course = osteon.simulate(osteon.Scenario.preset("metatarsal_on_denosumab"))
    axes = course.plot("torsional_stiffness")
    axes.set_xlim(-30, 365)
    axes.figure.savefig(target, dpi=150)
    print(f"wrote {target}")
    return float(course["torsional_stiffness"].sel(arm="hold").interp(time=364))


if __name__ == "__main__":
    main(*sys.argv[1:2])
