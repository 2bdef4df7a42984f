"""How fast the model runs beside what is asked of it, and a toy caseload in five forms: see ``benchmarks.run``."""
