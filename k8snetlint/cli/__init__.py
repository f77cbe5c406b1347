"""The command line: one click command a module, heavy imports inside the commands."""
