"""What the model is told: parameters with their evidence, scenarios with their dated changes, and the map.

``load_parameters`` reads every number, ``load_scenario`` a question and its changes, and ``resolve`` lays one
over the other, so that the model can ask for the value in force on a day, in an area, for a cohort.

Examples
--------
>>> parameters = load_parameters()
>>> scenario = load_scenario("baseline")
>>> resolved = resolve(scenario, parameters, load_geography())
>>> resolved.start.isoformat()
'2016-07-01'
"""

from simulation.scenario.changes import Assignment, Change, Scenario
from simulation.scenario.effective import AreaLimited, Effective, Resolved
from simulation.scenario.geography import CRC, NPS, SIDES, Geography, Provider, load_geography
from simulation.scenario.loading import load_scenario, read_scenario, scenario_files
from simulation.scenario.parameter_files import load_parameters, read_parameters
from simulation.scenario.parameters import Parameter, Parameters, UnknownParameter
from simulation.scenario.problems import Problem, ScenarioError
from simulation.scenario.resolve import resolve

__all__ = [
    "CRC",
    "NPS",
    "SIDES",
    "AreaLimited",
    "Assignment",
    "Change",
    "Effective",
    "Geography",
    "Parameter",
    "Parameters",
    "Problem",
    "Provider",
    "Resolved",
    "Scenario",
    "ScenarioError",
    "UnknownParameter",
    "load_geography",
    "load_parameters",
    "load_scenario",
    "read_parameters",
    "read_scenario",
    "resolve",
    "scenario_files",
]
