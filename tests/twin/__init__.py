"""The independent twin: the core rules of the model once more, person by person, to be read and to be compared.

See README.md beside this file. Only scenarios, the calendar and the drawing of chance are shared with the engine.
"""
