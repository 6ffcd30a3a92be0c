"""Sizes that the parts of a kernel agree on; imports nothing, since a kernel that is at hand needs no more."""

#: Patients side by side.
LANES = 8
#: Most stages of a Rosenbrock method.
STAGES = 8
#: Rows of the `M` block, one number a lane each.
MISC = ("h", "per_h", "error", "total", "guard", "change", "x", "low")
