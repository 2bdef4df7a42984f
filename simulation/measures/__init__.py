"""What the model counts and what readers are shown. See `simulation.measures.registry`."""
