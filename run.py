"""Command line of the simulation: ``python run.py --help``."""

from simulation.commands.app import main

# Worker processes import this file again; only the first process may run a command.
if __name__ == "__main__":
    raise SystemExit(main())
