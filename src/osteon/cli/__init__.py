"""The command line; nothing heavy is imported before a command runs."""

from osteon.cli.app import main

__all__ = ["main"]
