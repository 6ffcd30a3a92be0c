"""The biology, written once as plain rate functions, and its assembly into systems."""
