"""What every page shares: the templates of this package, its style and script, and which scripts may run."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources

import jinja2


def own_file(name: str) -> str:
    """A file of this package, with line ends as a browser will see them."""
    text = resources.files("simulation.report").joinpath(name).read_text(encoding="utf-8")
    return text.replace("\r\n", "\n")


def hash_for_policy(script: str) -> str:
    """Hash that lets a browser run this script and no other."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def environment() -> jinja2.Environment:
    """Templates of this package; everything put into one is escaped, and a name it doesn't get is an error."""
    return jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.FunctionLoader(own_file),
    )
