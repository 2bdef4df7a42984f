"""The shape of a scenario file, as pydantic models; `run.py schema` prints them for editors."""

from __future__ import annotations

import datetime
import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, field_validator, model_validator
from pydantic_core import PydanticCustomError

from simulation.measures.registry import MEASURES
from simulation.scenario.problems import did_you_mean, quote

_UK_DATE = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})\Z")


def _iso_date(value: Any) -> datetime.date:
    if isinstance(value, datetime.date):
        return value
    if isinstance(value, str):
        text = value.strip()
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            try:
                return datetime.date.fromisoformat(text)
            except ValueError as error:
                raise PydanticCustomError(
                    "input_bad_date", "'{text}' is no day of the calendar", {"text": text, "hint": str(error)}
                ) from error
        british = _UK_DATE.match(text)
        hint = "write year-month-day, such as 2018-07-01"
        if british:
            day, month, year = (int(part) for part in british.groups())
            if month <= 12:
                hint = f"write year-month-day: {year:04d}-{month:02d}-{day:02d}"
        raise PydanticCustomError(
            "input_bad_date", "{text} is not a date", {"text": quote(text), "hint": hint}
        )
    raise PydanticCustomError(
        "input_bad_date",
        "{found} is not a date",
        {"found": quote(value), "hint": "write year-month-day, such as 2018-07-01"},
    )


def _names(value: Any) -> Any:
    # One name may be written without its list.
    return [value] if isinstance(value, str) else value


Day = Annotated[
    datetime.date, BeforeValidator(_iso_date), WithJsonSchema({"type": "string", "format": "date"})
]
Names = Annotated[
    list[str],
    BeforeValidator(_names),
    Field(min_length=1),
    WithJsonSchema(
        {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}
    ),
]


class ChangeEntry(BaseModel):
    """One dated change: what differs from the parameters, from when, where and for whom."""

    model_config = ConfigDict(extra="forbid", strict=True, title="Change")

    from_: Day = Field(alias="from", description="First day on which the change holds.")
    to: Day | None = Field(
        default=None, description="First day on which it no longer holds; values then go back."
    )
    ramp_days: int = Field(
        default=0,
        ge=0,
        le=3660,
        description="Days over which a number moves in a straight line to its new value.",
    )
    applies_to: Literal["new", "all"] = Field(
        default="all",
        description="`new` leaves people already past the date a value is read by as they are.",
    )
    areas: Names | None = Field(
        default=None, description="Areas, regions, trusts or providers; everywhere if left out."
    )
    providers: Names | None = Field(
        default=None, description="Providers, `nps` or `crc`; both sides if left out."
    )
    set: dict[str, Any] | None = Field(default=None, description="New values by parameter name.")
    multiply: dict[str, Any] | None = Field(default=None, description="Factors by parameter name.")
    add: dict[str, Any] | None = Field(default=None, description="Amounts to add, by parameter name.")
    why: str | None = Field(default=None, description="What the change stands for.")
    source: str | None = Field(default=None, description="Where it was proposed, decided or measured.")

    @model_validator(mode="after")
    def _dates_in_order(self) -> ChangeEntry:
        if self.to is not None and self.to <= self.from_:
            raise PydanticCustomError(
                "input_dates_out_of_order",
                "a change ends on {to}, not after it starts on {start}",
                {
                    "key": "to",
                    "to": self.to.isoformat(),
                    "start": self.from_.isoformat(),
                    "hint": "`to` must be later than `from`",
                },
            )
        if not (self.set or self.multiply or self.add):
            raise PydanticCustomError(
                "input_empty_change", "the change changes nothing", {"hint": "give it set, multiply or add"}
            )
        return self


class ScenarioEntry(BaseModel):
    """A scenario file: a question, and the dated changes that put it."""

    model_config = ConfigDict(extra="forbid", strict=True, title="Scenario")

    name: str = Field(description="Identifier; the same as the file name.")
    title: str = Field(description="Heading in reports.")
    question: str = Field(default="", description="The question the scenario answers.")
    asked_by: str = Field(default="", description="Who asked, where and when.")
    expected: str = Field(default="", description="The direction expected before anything was run.")
    expects: dict[str, Literal["more", "less"]] = Field(
        default_factory=dict,
        description="Measures expected to be `more` or `less` than in the baseline, said before anything was run.",
    )
    moves: list[str] = Field(
        default_factory=list,
        description="Measures that the changes act on directly, shown before what follows from them.",
    )
    extends: str | None = Field(
        default=None, description="Scenario whose dates, areas and changes come first."
    )
    start: Day | None = Field(default=None, description="First day of the run.")
    count_from: Day | None = Field(
        default=None, description="First day counted; what lies before it is burn-in."
    )
    end: Day | None = Field(default=None, description="Last day of the run.")
    areas: Names | None = Field(default=None, description="Areas to run; `all` if left out.")
    changes: list[ChangeEntry] = Field(default_factory=list, description="In order of date.")

    @field_validator("expects", "moves")
    @classmethod
    def _known_measures(cls, value: Any) -> Any:
        known = [measure.name for measure in MEASURES]
        for name in value:
            if name not in known:
                raise PydanticCustomError(
                    "input_unknown_measure",
                    "no measure is called {name}",
                    {
                        "key": name,
                        "name": quote(name),
                        "hint": did_you_mean(name, known) or "measures are listed in docs/data_dictionary.md",
                    },
                )
        return value
