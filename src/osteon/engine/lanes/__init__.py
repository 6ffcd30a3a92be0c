"""The compiled back end: eight patients side by side in vector registers, each with its own steps."""
