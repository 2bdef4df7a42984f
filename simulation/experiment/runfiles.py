"""One file for each run: written whole or not at all, and checked each time it is read again.

A run file is a Parquet table of counts, named by the hash of everything that determines the run, so that a
study which is stopped and started again, or given one more scenario, uses what it already has. The rows are
sorted on their full key and a hash of the rows themselves (not of the bytes of the file, which a new Parquet
library may arrange otherwise) is kept inside the file. A file that doesn't match its hash is damaged and the
run is done again.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import polars as pl

SCHEMA: dict[str, type[pl.DataType]] = {
    "area": pl.String,
    "provider": pl.String,
    "group": pl.String,
    "month": pl.String,
    "measure": pl.String,
    "value": pl.Int64,
    "known_on": pl.String,
}
"""Columns of a run file, in the order of the sort key."""

FORMAT = "2"
"""Version of the run file; part of every run's name, so an older file is never misread."""

RUNS_FOLDER = "runs"
"""Folder of the run files inside a study's folder."""


NO_ROOM = frozenset(
    getattr(errno, name) for name in ("ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EACCES", "EPERM") if hasattr(errno, name)
)
"""What systems answer when a disk is full, or not to be written to."""


_A_MEGABYTE = 2**20


class DamagedRunFile(Exception):
    """A run file exists but can't be trusted; the message names the file and says why."""


@dataclass(frozen=True)
class RunSummary:
    """What a study's manifest keeps of a run; fields as in `RunRecord`."""

    content: str
    rows: int
    checks: dict[str, int]


@dataclass(frozen=True)
class RunRecord:
    """What a run file says about itself.

    Parameters
    ----------
    key : str
        Hash of what determines the run; also the name of the file.
    content : str
        SHA-256 of the rows; see `content_hash`.
    rows : int
        Number of rows.
    determinants : dict
        What the key was made from.
    event_digests : str
        JSON list with one digest of the events of each day.
    state_digests : str
        JSON mapping from month to a digest of the state at its end.
    checks : dict
        Number of times that each invariant was checked and held.
    """

    key: str
    content: str
    rows: int
    determinants: dict[str, Any]
    event_digests: list[str]
    state_digests: dict[str, str]
    checks: dict[str, int]

    @property
    def summary(self) -> RunSummary:
        """What the study's manifest keeps."""
        return RunSummary(self.content, self.rows, self.checks)


def canonical_json(value: object) -> str:
    """Return JSON text that is the same for equal values: sorted keys, no spaces, plain ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def run_key(determinants: Mapping[str, Any]) -> str:
    """Return the name of a run: a hash of everything that determines it.

    Parameters
    ----------
    determinants : mapping
        Digest of the resolved scenario, areas, dates, seed, replication, digest of the code, library
        versions.

    Returns
    -------
    str
        32 hexadecimal digits.

    Examples
    --------
    >>> run_key({"seed": 1}) == run_key({"seed": 1})
    True
    >>> run_key({"seed": 1}) == run_key({"seed": 2})
    False
    """
    text = canonical_json({"format": FORMAT, **determinants})
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:32]


def run_path(folder: Path, key: str) -> Path:
    """Return where a run of a study is kept."""
    return folder / RUNS_FOLDER / f"{key}.parquet"


@dataclass(frozen=True)
class _Coded:
    """Rows of a run in their order: of each column of words its different words, sorted, and the number of each row's.

    Parameters
    ----------
    words : dict of str to list of str
        Only words that occur.
    codes : dict of str to ndarray
        By column; of columns that hold no words, the values themselves.
    """

    words: dict[str, list[str]]
    codes: dict[str, npt.NDArray[np.integer]]

    def frame(self) -> pl.DataFrame:
        """Return the rows with the columns and types of `SCHEMA`."""
        return pl.DataFrame(
            {
                name: pl.Series(name, self.words[name], dtype=pl.String).gather(codes)
                if name in self.words
                else pl.Series(name, codes, dtype=SCHEMA[name])
                for name, codes in self.codes.items()
            }
        )

    def hash(self) -> str:
        """Return the SHA-256 of the words and numbers."""
        digest = hashlib.sha256()
        for name, codes in self.codes.items():
            kind = "<u4" if name in self.words else "<i8"
            digest.update(canonical_json([name, kind, self.words.get(name, [])]).encode("ascii"))
            digest.update(np.ascontiguousarray(codes, dtype=kind).tobytes())
        return digest.hexdigest()


def _in_order(rows: Mapping[str, Any] | pl.DataFrame) -> _Coded:
    """Return rows as numbers, sorted on the full key."""
    names = set(rows.columns if isinstance(rows, pl.DataFrame) else rows)
    if names != set(SCHEMA):
        raise ValueError(f"a run gave the columns {sorted(names)}, not {sorted(SCHEMA)}")
    words: dict[str, list[str]] = {}
    codes: dict[str, npt.NDArray[np.integer]] = {}
    for name, kind in SCHEMA.items():
        column = rows[name]
        if not (isinstance(column, pl.Series) and isinstance(column.dtype, pl.Enum)):
            column = column.cast(kind) if isinstance(column, pl.Series) else pl.Series(name, column, dtype=kind)
        if column.null_count():
            raise ValueError("a run gave rows with missing values")
        if column.dtype == pl.String:
            column = column.cast(pl.Enum(column.unique().sort()))
        if isinstance(column.dtype, pl.Enum):
            words[name], codes[name] = _few_words(column)
        else:
            codes[name] = column.to_numpy()
    # A model gives its rows in order: that is seen in a moment, and sorting takes long.
    if not _strictly_rising([(codes[name], len(words[name])) for name in words if name != "known_on"]):
        order = np.lexsort([codes[name] for name in reversed(SCHEMA)])
        codes = {name: column[order] for name, column in codes.items()}
    return _Coded(words, codes)


def _few_words(column: pl.Series) -> tuple[list[str], npt.NDArray[np.integer]]:
    """Return the words that occur in a column, sorted, and the number of each row's among them."""
    known = cast(pl.Enum, column.dtype).categories.to_list()
    codes = column.to_physical().to_numpy()
    used = np.flatnonzero(np.bincount(codes, minlength=len(known))).tolist()
    used.sort(key=lambda code: known[code])
    if used == list(range(len(known))):
        return known, codes
    number = np.zeros(len(known), dtype=np.uint32)
    number[used] = np.arange(len(used), dtype=np.uint32)
    return [known[code] for code in used], number[codes]


def _strictly_rising(columns: Sequence[tuple[npt.NDArray[np.integer], int]]) -> bool:
    """Tell whether each row comes after the one before it by these columns alone; each has so many different values."""
    if math.prod(max(values, 1) for _, values in columns) >= 2**62:
        return False
    key: npt.NDArray[np.int64] = np.zeros(columns[0][0].size, dtype=np.int64)
    for column, values in columns:
        key = key * values + column
    return bool((key[1:] > key[:-1]).all())


def canonical_frame(rows: Mapping[str, Any] | pl.DataFrame) -> pl.DataFrame:
    """Return rows with exact columns and types, sorted on the full key.

    Parameters
    ----------
    rows : mapping of str to sequence, or polars.DataFrame
        Equal-length columns with the names of `SCHEMA`, in any order.

    Returns
    -------
    polars.DataFrame

    Raises
    ------
    ValueError
        If a column is missing or unknown, or a value is missing.
    """
    return _in_order(rows).frame()


def content_hash(rows: Mapping[str, Any] | pl.DataFrame) -> str:
    """Return the SHA-256 of rows in any order: column by column, their different words and then numbers.

    Of each column its name, ``"<u4"`` for words or ``"<i8"`` for values and the sorted list of its different words are
    written as JSON text without spaces, followed by a number for each row: that of its word in the list, in 4 octets,
    or its value in 8, the lowest octet first.
    """
    return _in_order(rows).hash()


def write_atomically(path: Path, data: bytes | memoryview) -> None:
    """Write a file so that a reader, even after a power cut, finds the old one or the new, never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def write_parquet_atomically(path: Path, frame: pl.DataFrame | pl.LazyFrame, metadata: dict[str, str]) -> None:
    """Write a Parquet file whole or not at all; a lazy table is streamed without being held in memory.

    Raises
    ------
    OSError
        If it can't be written; its number is the system's, so that a full disk is known as one.
    """
    if isinstance(frame, pl.DataFrame):
        # From memory, because Polars tells a full disk in words that don't say so.
        whole = io.BytesIO()
        frame.write_parquet(whole, metadata=cast(Any, metadata), compression="zstd")
        write_atomically(path, whole.getbuffer())
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            try:
                frame.sink_parquet(file, metadata=cast(Any, metadata), compression="zstd")
            except pl.exceptions.PolarsError:
                # If the disk is full, so it is for this, and then the system says it.
                file.write(bytes(_A_MEGABYTE))
                file.flush()
                raise
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make a rename durable where the system allows folders to be synchronised (Windows does not)."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_run(
    folder: Path,
    determinants: Mapping[str, Any],
    rows: Mapping[str, Any] | pl.DataFrame,
    event_digests: Sequence[str] = (),
    state_digests: Mapping[str, str] | None = None,
    checks: Mapping[str, int] | None = None,
) -> RunRecord:
    """Save one run into a study's folder.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the study.
    determinants : mapping
        What determines the run; see `run_key`.
    rows : mapping or polars.DataFrame
        Counts of the run, see `SCHEMA`.
    event_digests, state_digests, checks
        Kept inside the file; see `RunRecord`.

    Returns
    -------
    RunRecord
    """
    coded = _in_order(rows)
    frame = coded.frame()
    record = RunRecord(
        key=run_key(determinants),
        content=coded.hash(),
        rows=frame.height,
        determinants=dict(determinants),
        event_digests=list(event_digests),
        state_digests=dict(state_digests or {}),
        checks={name: int(count) for name, count in (checks or {}).items()},
    )
    metadata = {
        "format": FORMAT,
        "key": record.key,
        "content": record.content,
        "determinants": canonical_json(record.determinants),
        "event_digests": canonical_json(record.event_digests),
        "state_digests": canonical_json(record.state_digests),
        "checks": canonical_json(record.checks),
    }
    write_parquet_atomically(run_path(folder, record.key), frame, metadata)
    return record


def read_record(path: Path) -> RunRecord:
    """Read what a run file says about itself, without reading its rows.

    Raises
    ------
    DamagedRunFile
        If it is no Parquet file or was not written by this program.
    """
    try:
        metadata = pl.read_parquet_metadata(path)
        if metadata.get("format") != FORMAT:
            raise DamagedRunFile(f"{path.name}: not a run file of this version")
        return RunRecord(
            key=metadata["key"],
            content=metadata["content"],
            rows=int(pl.scan_parquet(path).select(pl.len()).collect().item()),
            determinants=json.loads(metadata["determinants"]),
            event_digests=json.loads(metadata["event_digests"]),
            state_digests=json.loads(metadata["state_digests"]),
            checks=json.loads(metadata["checks"]),
        )
    except (KeyError, ValueError, OSError, pl.exceptions.PolarsError) as error:
        raise DamagedRunFile(f"{path.name}: {_first_line(error)}") from error


def check_run(path: Path) -> RunRecord:
    """Read a run file whole and check it against its name and its own hash.

    Parameters
    ----------
    path : pathlib.Path
        The run file.

    Returns
    -------
    RunRecord

    Raises
    ------
    DamagedRunFile
        Names the file and says what doesn't match.
    """
    record = read_record(path)
    if record.key != path.stem:
        raise DamagedRunFile(f"{path.name}: holds another run ({record.key})")
    if run_key(record.determinants) != record.key:
        raise DamagedRunFile(f"{path.name}: what it says determined it does not give its name")
    try:
        frame = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DamagedRunFile(f"{path.name}: {_first_line(error)}") from error
    if frame.schema != pl.Schema(SCHEMA):
        raise DamagedRunFile(f"{path.name}: has other columns than a run file")
    if content_hash(frame) != record.content:
        raise DamagedRunFile(f"{path.name}: its rows do not match their hash")
    return record


def remove_leftovers(folder: Path) -> None:
    """Delete unfinished files that a killed process left behind."""
    for place in (folder, folder / RUNS_FOLDER):
        for path in place.glob(".*.part"):
            path.unlink(missing_ok=True)


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
