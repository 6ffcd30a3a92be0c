"""Bone turnover without a fracture: what happens when denosumab is stopped after two years."""

import osteon


def main() -> float:
    """Print trough and rebound of CTX; return the height of the rebound [% above the untreated baseline]."""
    course = osteon.simulate(osteon.Scenario.preset("denosumab_stop"))
    stopped = course["CTX"].sel(arm="stop")
    peak = stopped.sel(time=stopped.idxmax("time"))
    print(
        f"CTX falls to {float(stopped.min()):.0f} % and rebounds to {float(peak):+.0f} % on day {float(peak.time):.0f}"
    )
    print(f"if continued it is at {float(course['CTX'].sel(arm='continue', time=731)):.0f} % after two years")
    return float(peak)


if __name__ == "__main__":
    main()
