"""One toy caseload in five forms, and a table of how fast each runs: ``python -m benchmarks.run``."""
