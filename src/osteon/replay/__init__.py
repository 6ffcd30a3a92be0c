"""Published studies and claims run again: what was printed beside what is simulated."""
