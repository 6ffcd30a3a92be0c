"""Measurements of speed against other solvers, at equal true error."""
