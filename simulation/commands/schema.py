"""The command ``schema``: JSON Schema for editors."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Any

import typer

from simulation.scenario import load_parameters
from simulation.scenario.parameter_files import ParameterEntry
from simulation.scenario.schema import ScenarioEntry

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class Kind(StrEnum):
    """What a file holds."""

    scenario = "scenario"
    parameters = "parameters"


def schema(
    kind: Annotated[Kind, typer.Argument(help="Which files to describe.")] = Kind.scenario,
) -> None:
    """JSON Schema of scenario or parameter files; point your editor at the saved output."""
    if kind is Kind.parameters:
        entry = ParameterEntry.model_json_schema()
        content: dict[str, Any] = {"type": "object", "additionalProperties": entry}
        content["$defs"] = entry.pop("$defs", {})
    else:
        content = ScenarioEntry.model_json_schema(by_alias=True)
        names = load_parameters().all_names()
        change = content["$defs"]["ChangeEntry"]["properties"]
        for action in ("set", "multiply", "add"):
            # An editor can then complete the names of parameters, too.
            change[action]["propertyNames"] = {"enum": names}
    typer.echo(json.dumps({"$schema": DIALECT, **content}, indent=2, ensure_ascii=False))
