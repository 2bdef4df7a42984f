"""A small discrete-event engine for large populations of people who wait, meet and move.

SimPy is the clock and the language; an event carries a *batch* of people instead of one. Six ideas:

- :class:`~simulation.engine.calendar.Calendar`: real dates, weekends and bank holidays as whole day numbers;
- :class:`~simulation.engine.clock.Clock`: named phases within the day, in one written order;
- :class:`~simulation.engine.tables.Table`: columns declared once, a row number is the identity;
- :class:`~simulation.engine.agenda.Agenda`: which rows are due on which day;
- :class:`~simulation.engine.chance.Chance`: draws that belong to a key and a purpose, never to an order;
- :class:`~simulation.engine.digest.DayDigest`: a day's events as one number, to find where two runs part.

:class:`~simulation.engine.world.World` holds them together and can be saved at any midnight and continued to
the same bytes. The engine knows nothing of probation, and imports nothing else of this package.
"""

from simulation.engine.agenda import NEVER, Agenda
from simulation.engine.calendar import Calendar
from simulation.engine.chance import Chance
from simulation.engine.clock import Clock
from simulation.engine.digest import DayDigest
from simulation.engine.tables import Column, Table
from simulation.engine.world import Channel, World

__all__ = ["NEVER", "Agenda", "Calendar", "Chance", "Channel", "Clock", "Column", "DayDigest", "Table", "World"]
