"""One module a command; `simulation.commands.app` names them all and imports the one asked for."""
