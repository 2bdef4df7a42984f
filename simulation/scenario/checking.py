"""Runs pydantic models over trees with positions, and puts what they find into plain words."""

from __future__ import annotations

import math
import re
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from simulation.scenario.problems import ENOUGH, did_you_mean, quote
from simulation.scenario.yaml_reader import Document, Node

Model = TypeVar("Model", bound=BaseModel)

_EXPECTED = {
    "string_type": "text",
    "list_type": "a list",
    "dict_type": "a mapping of names to values",
    "model_type": "a mapping of names to values",
    "model_attributes_type": "a mapping of names to values",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a number",
}


def is_number(value: object) -> bool:
    """True for a finite int or float that is no bool."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def number_problem(value: object, wanted: str) -> tuple[str, str, str]:
    """What is wrong with something that should have been a number: (code, message, hint)."""
    hint = "write a number such as 28" if "whole" in wanted else "write a number such as 0.36"
    if isinstance(value, str):
        text = value.strip()
        if re.fullmatch(r"[-+]?[0-9.,_ ]+%", text):
            hint = "write a share: 36% is 0.36"
        elif re.fullmatch(r"[£$]?[-+]?[0-9][0-9,_ ]*(\.[0-9]+)?", text):
            hint = "remove quotes, commas, underscores, currency signs and leading zeros"
        elif text.lower() in ("nan", ".nan", "inf", ".inf", "-.inf", "-inf", "+.inf", "infinity"):
            hint = "write a finite number"
        elif re.fullmatch(r"[-+]?[0-9.]+[eE][-+]?[0-9]+", text):
            hint = "the number is too large"
    elif isinstance(value, bool):
        hint = "true and false are not numbers; write 1 or 0 if that is what you mean"
    elif isinstance(value, (dict, list)):
        hint = "write one number"
    found = "nothing stands here, where there should be" if value is None else f"{quote(value)} is not"
    return ("wrong_type", f"{found} {wanted}", hint)


def check_model(model: type[Model], node: Node, document: Document, subject: str = "") -> Model | None:
    """Validate a tree; problems go to ``document`` with the position of the key or value they belong to.

    Parameters
    ----------
    model : type of pydantic.BaseModel
    node : Node
        The mapping to check.
    document : Document
    subject : str
        What the mapping describes, put before each message.

    Returns
    -------
    Model or None
        None when anything was wrong.
    """
    try:
        return model.model_validate(node.plain())
    except ValidationError as error:
        seen: set[tuple[Any, ...]] = set()
        for detail in error.errors(include_url=False):
            _report(model, node, document, subject, detail, seen)
    return None


def _report(
    model: type[BaseModel],
    root: Node,
    document: Document,
    subject: str,
    detail: ErrorDetails,
    seen: set[tuple[Any, ...]],
) -> None:
    # A union reports each branch; the branch's own name is no key of the file and ends the path.
    path: list[str | int] = []
    node = root
    for step in detail["loc"]:
        below, reached = node.at((step,))
        if not reached:
            if detail["type"] in ("missing", "extra_forbidden"):
                path.append(step)
            break
        path.append(step)
        node = below
    if tuple(path) in seen or node.refused:
        return
    seen.add(tuple(path))
    name = ".".join(str(step) if isinstance(step, str) else f"[{step + 1}]" for step in path).replace(
        ".[", "["
    )
    shown = f"{subject}: " if subject else ""
    kind = detail["type"]
    few = len(document.problems) < ENOUGH
    if kind == "missing":
        text = f"{shown}the key {quote(str(path[-1]))} is missing"
        hint = _missing_hint(model, path, node) if few else ""
        document.problem("missing_key", text, node.key_line, node.key_column, hint)
    elif kind == "extra_forbidden":
        keys = valid_keys(model, path)
        hint = (did_you_mean(str(path[-1]), keys) if few else "") or f"the keys here are {', '.join(keys)}"
        text = f"{shown}there is no key {quote(str(path[-1]))} here"
        document.problem("unknown_key", text, node.key_line, node.key_column, hint)
    else:
        code, text, hint = _explain(detail, name)
        # A remark about two keys together belongs beside the one to change.
        key = str((detail.get("ctx") or {}).get("key", ""))
        place = node.get(key) or node
        document.problem(code, shown + text, place.line, place.column, hint)


def _explain(detail: ErrorDetails, name: str) -> tuple[str, str, str]:
    kind, value, context = detail["type"], detail.get("input"), detail.get("ctx") or {}
    if kind.startswith("input_"):
        # Our own checks bring their words with them.
        return kind.removeprefix("input_"), f"{name}: {detail['msg']}", str(context.get("hint", ""))
    if kind == "literal_error":
        options = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        hint = did_you_mean(value, options) if isinstance(value, str) else ""
        return "not_a_choice", f"{name} is {quote(value)}, not one of {', '.join(options)}", hint
    if kind in ("float_type", "int_type", "int_from_float", "finite_number"):
        code, text, hint = number_problem(value, _EXPECTED[kind])
        return code, f"{name}: {text}", hint
    if kind in ("greater_than_equal", "less_than_equal"):
        limit = f"below {context.get('ge')}" if "ge" in context else f"above {context.get('le')}"
        return "out_of_range", f"{name} is {quote(value)}, {limit}", ""
    if kind == "too_short":
        return "empty_list", f"{name} is an empty list", "leave the key out if there is no limit"
    if kind in _EXPECTED:
        found = "empty" if value is None else quote(value)
        return "wrong_type", f"{name} is {found}, where {_EXPECTED[kind]} is wanted", ""
    return "bad_value", f"{name}: {detail['msg']}", ""


def valid_keys(model: type[BaseModel], path: list[str | int]) -> list[str]:
    """Keys that may stand beside the one at ``path``."""
    current: type[BaseModel] | None = model
    for step in path[:-1]:
        if isinstance(step, int) or current is None:
            continue
        chosen = next((f for n, f in current.model_fields.items() if step in (n, f.alias)), None)
        current = _model_within(chosen.annotation) if chosen else None
    return [entry.alias or key for key, entry in current.model_fields.items()] if current else []


def _model_within(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in getattr(annotation, "__args__", ()):
        found = _model_within(part)
        if found:
            return found
    return None


def _missing_hint(model: type[BaseModel], path: list[str | int], node: Node) -> str:
    if not isinstance(node.value, dict):
        return ""
    keys = valid_keys(model, path)
    strangers = [key for key in node.value if key not in keys]
    close = next((key for key in strangers if did_you_mean(key, [str(path[-1])])), "")
    return f"is {quote(close)} meant to be {quote(path[-1])}?" if close else ""
