"""What a study folder says about itself, and whether that is still true.

`manifest.json` records what determined the results, what came out, and on what computer. The fingerprint
covers what went in (scenarios, areas, dates, seed, replications) and the counts that came out, and nothing
else: neither times nor places nor versions. Two people who get the same fingerprint have the same results.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import importlib.util
import json
import platform
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from simulation.experiment.runfiles import (
    DamagedRunFile,
    canonical_json,
    check_run,
    run_path,
    write_atomically,
)

MANIFEST = "manifest.json"
"""Name of the manifest inside a study's folder."""

ROOT = Path(__file__).resolve().parents[2]
"""Folder of the project."""

CODE_THAT_DECIDES = ("engine", "system", "measures", "scenario", "experiment/runfiles.py", "experiment/whole.py")
"""Parts of the package whose text takes part in the name of a run: what makes it and how it is written."""

LIBRARIES = ("numpy", "polars", "scipy", "simpy", "pydantic", "PyYAML", "typer", "rich", "plotly", "Jinja2")
"""Libraries whose versions are recorded."""

LIBRARIES_THAT_DECIDE = ("numba", "numpy", "polars", "simpy")
"""Libraries whose versions take part in the name of a run: they make it and write it."""

MODEL = "simulation.system"
"""Module that runs the model."""


@functools.cache
def code_digest(runner: str = MODEL) -> str:
    """Return a hash of the text of everything that decides what a run does.

    Parameters
    ----------
    runner : str
        Module that runs the model; added when it is not the usual one.

    Returns
    -------
    str
        SHA-256. Line ends don't matter, so that a Windows checkout gives the same. Worked out once a process:
        a file edited later is not the code that is running.
    """
    files = _files_of(CODE_THAT_DECIDES)
    files += (ROOT / "scenarios" / "data").glob("*.csv")
    named = {path.relative_to(ROOT).as_posix(): path for path in files}
    if runner != MODEL:
        try:
            specification = importlib.util.find_spec(runner)
        except ImportError:
            specification = None
        if specification is not None and specification.origin is not None:
            named[f"runner {runner}"] = Path(specification.origin)
    return _digest_of(named)


@functools.cache
def experiment_digest() -> str:
    """Return a hash of the text of everything that makes and saves the runs of a study, as in `code_digest`."""
    return _digest_of({path.relative_to(ROOT).as_posix(): path for path in _files_of(("experiment",))})


def _files_of(parts: Iterable[str]) -> list[Path]:
    """Return the files of modules and of folders of modules, named from the package."""
    package = Path(__file__).resolve().parents[1]
    return [path for part in parts for path in ([package / part] if "." in part else (package / part).rglob("*.py"))]


def _digest_of(named: Mapping[str, Path]) -> str:
    digest = hashlib.sha256()
    for name in sorted(named):
        text = named[name].read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{name}\0{len(text)}\0".encode())
        digest.update(text)
    return digest.hexdigest()


def file_hash(path: Path) -> str:
    """Return the SHA-256 of the bytes of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@functools.cache
def versions_that_decide() -> dict[str, str]:
    """Return the versions of `LIBRARIES_THAT_DECIDE`."""
    return {name: _version(name) for name in LIBRARIES_THAT_DECIDE}


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def versions() -> dict[str, str]:
    """Return versions of Python and of the libraries used, and the kind of computer."""
    found = {"python": platform.python_version(), "platform": platform.platform(terse=True)}
    found["machine"] = platform.machine()
    return found | {name: _version(name) for name in LIBRARIES}


def git_state() -> dict[str, Any]:
    """Return the commit of the project and whether its files are as committed; None where not known."""

    def git(*arguments: str) -> str | None:
        try:
            answer = subprocess.run(
                ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, timeout=20, check=True
            )
        except (OSError, subprocess.SubprocessError):
            return None
        return answer.stdout.strip()

    # A copy inside some other repository must not take that one's commit for its own.
    inside = git("rev-parse", "--show-prefix")
    commit = git("rev-parse", "HEAD") if inside == "" else None
    changes = git("status", "--porcelain") if commit else None
    return {"commit": commit, "clean": None if changes is None else changes == ""}


def fingerprint(manifest: Mapping[str, Any]) -> str:
    """Return a short text to cite: the same whenever the same study gave the same counts.

    Parameters
    ----------
    manifest : mapping
        Manifest of a study.

    Returns
    -------
    str
        Twelve hexadecimal digits.
    """
    study = {name: value for name, value in determinants(manifest).items() if name != "code"}
    covered = {
        "determinants": study,
        "runs": sorted(
            (run["scenario"], run["replication"], run["content"], *((run["draw"],) if run.get("draw") else ()))
            for run in manifest["runs"]
        ),
    }
    return hashlib.sha256(canonical_json(covered).encode("ascii")).hexdigest()[:12]


def determinants(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a manifest that says which study it is."""
    scenarios = [*manifest["scenarios"], *manifest.get("with_effects", {}).get("scenarios", [])]
    return {
        "baseline": manifest["baseline"],
        "scenarios": {scenario["name"]: scenario["digest"] for scenario in scenarios},
        "areas": manifest["areas"],
        "dates": manifest["dates"],
        "seed": manifest["seed"],
        "replications": manifest["replications"],
        "code": manifest["code"]["digest"],
        # Only where counts are split or parameters drawn, so that other studies keep their fingerprints.
        **({"split": manifest["split"]} if manifest.get("split") else {}),
        **({"kind": manifest["kind"]} if manifest.get("kind") else {}),
        **({"draws": manifest["draws"]} if manifest.get("draws", 1) > 1 else {}),
    }


def differences_of(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return in what a new study differs from the one a folder holds, apart from adding to it.

    Parameters
    ----------
    old, new : mapping
        Manifests.

    Returns
    -------
    list of str
        Empty if the new study is the same one, or the same with more replications or more scenarios.
    """
    before, after = determinants(old), determinants(new)
    found = [
        f"{name} {before[name]}, now {after[name]}" for name in ("baseline", "seed") if before[name] != after[name]
    ]
    found += [f"other {name}" for name in ("areas", "dates") if before[name] != after[name]]
    if before.get("split") != after.get("split"):
        found.append(f"split by {before.get('split', 'nothing')}, now by {after.get('split', 'nothing')}")
    if before.get("kind") != after.get("kind"):
        found.append(f"a study of another kind, {before.get('kind', 'comparison')}")
    if before["code"] != after["code"]:
        found.append("another version of the model")
    if after["replications"] < before["replications"]:
        found.append(f"{before['replications']} replications, now {after['replications']}")
    if after.get("draws", 1) < before.get("draws", 1):
        found.append(f"{before['draws']} draws, now {after.get('draws', 1)}")
    for name, digest in before["scenarios"].items():
        if name not in after["scenarios"]:
            found.append(f"scenario {name}, now left out")
        elif after["scenarios"][name] != digest:
            found.append(f"scenario {name} with other values")
    return found


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Save the manifest, whole or not at all."""
    text = json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomically(folder / MANIFEST, text.encode("utf-8"))


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of a study's folder.

    Raises
    ------
    ValueError
        If there is none or it can't be read; the message says which.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        determinants(manifest)
        fingerprint({"runs": [], **manifest})
    except FileNotFoundError:
        raise ValueError(f"{folder.as_posix()}: no {MANIFEST}, so this is no study folder") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path.as_posix()}: not a manifest that can be read ({error})") from error
    return dict(manifest)


def output_hashes(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Return the hash of each output file, by its name with forward slashes."""
    return {name: file_hash(folder / name) for name in names}


def verify_folder(path: Path | str) -> list[str]:
    """Check that a study's folder still holds what its manifest says.

    Parameters
    ----------
    path : pathlib.Path or str
        Folder of a study.

    Returns
    -------
    list of str
        One sentence for each thing wrong, with the name of the file; empty when all is as it was. The report
        is left out: it is made from the other files and can be made again.
    """
    folder = Path(path)
    try:
        manifest = read_manifest(folder)
    except ValueError as error:
        return [str(error)]
    if manifest.get("state") != "finished":
        return [f"{MANIFEST}: the study is not finished (it is {manifest.get('state', 'of unknown state')})."]
    problems = []
    for key, content in sorted({run["key"]: run["content"] for run in manifest["runs"]}.items()):
        file = run_path(folder, key)
        name = file.relative_to(folder).as_posix()
        if not file.is_file():
            problems.append(f"{name}: the file is missing.")
            continue
        try:
            record = check_run(file)
        except DamagedRunFile as error:
            problems.append(f"runs/{error}.")
            continue
        if record.content != content:
            problems.append(f"{name}: holds other rows than the manifest says.")
    for name, wanted in sorted(manifest["outputs"].items()):
        file = folder / name
        if not file.is_file():
            problems.append(f"{name}: the file is missing.")
        elif file_hash(file) != wanted:
            problems.append(f"{name}: was changed after the study was finished.")
    if fingerprint(manifest) != manifest["fingerprint"]:
        problems.append(f"{MANIFEST}: the fingerprint does not match what it covers.")
    return problems
