"""Run files: exact, atomic, and never believed without a check."""

from __future__ import annotations

import hashlib
from pathlib import Path

import polars as pl
import pytest

from simulation.experiment.runfiles import (
    SCHEMA,
    DamagedRunFile,
    canonical_frame,
    check_run,
    content_hash,
    read_record,
    remove_leftovers,
    run_key,
    run_path,
    write_atomically,
    write_run,
)

ROWS = {
    "area": ["durham", "cumbria", "durham"],
    "provider": ["p", "q", "p"],
    "group": ["", "b", ""],
    "month": ["2018-02", "2018-01", "2018-01"],
    "measure": ["recalls", "recalls", "recalls"],
    "value": [3, 2, 1],
    "known_on": ["2018-02-28", "2018-01-31", "2018-01-31"],
}


def save(folder: Path) -> Path:
    record = write_run(folder, {"seed": 1}, ROWS, ["d1"], {"2018-01": "s"}, {"nobody is lost": 3})
    return run_path(folder, record.key)


def test_what_was_saved_is_read_again(tmp_path: Path) -> None:
    record = check_run(save(tmp_path))
    assert record == read_record(run_path(tmp_path, record.key))
    assert (record.rows, record.event_digests, record.state_digests) == (3, ["d1"], {"2018-01": "s"})
    assert record.checks == {"nobody is lost": 3}
    assert record.determinants == {"seed": 1}
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [f"{record.key}.parquet"]


def test_rows_are_sorted_on_their_full_key_whatever_their_order() -> None:
    frame = canonical_frame(ROWS)
    assert frame["area"].to_list() == ["cumbria", "durham", "durham"]
    assert frame["value"].to_list() == [2, 1, 3]
    assert frame.schema == pl.Schema(SCHEMA)
    backwards = {name: values[::-1] for name, values in reversed(ROWS.items())}
    assert content_hash(canonical_frame(backwards)) == content_hash(frame)
    assert frame.equals(pl.DataFrame(ROWS).sort(list(SCHEMA)))


def test_the_content_hash_can_be_worked_out_with_other_tools() -> None:
    """As docs/result_files.md says it; the rows in order are Cumbria's, then Durham's of January and of February."""
    text = {
        "area": (["cumbria", "durham"], [0, 1, 1]),
        "provider": (["p", "q"], [1, 0, 0]),
        "group": (["", "b"], [1, 0, 0]),
        "month": (["2018-01", "2018-02"], [0, 0, 1]),
        "measure": (["recalls"], [0, 0, 0]),
        "value": ([], [2, 1, 3]),
        "known_on": (["2018-01-31", "2018-02-28"], [0, 0, 1]),
    }
    octets = b""
    for name, (words, numbers) in text.items():
        kind, size = ("<u4", 4) if words else ("<i8", 8)
        listed = ",".join(f'"{word}"' for word in words)
        octets += f'["{name}","{kind}",[{listed}]]'.encode()
        octets += b"".join(number.to_bytes(size, "little") for number in numbers)
    assert content_hash(canonical_frame(ROWS)) == hashlib.sha256(octets).hexdigest()


def test_words_given_as_numbers_are_the_words() -> None:
    """As the model gives them: with words that no row has, in any order, and rows in order or not."""
    words = {name: sorted({*values, "never"}, reverse=True) for name, values in ROWS.items() if name != "value"}
    coded = {name: pl.Series(name, ROWS[name]).cast(pl.Enum(words[name])) for name in words} | {"value": ROWS["value"]}
    assert canonical_frame(coded).equals(canonical_frame(ROWS))
    assert content_hash(coded) == content_hash(canonical_frame(coded)) == content_hash(ROWS)


def test_rows_that_differ_in_their_value_alone_are_sorted_by_it() -> None:
    twice = {name: [values[0]] * 2 for name, values in ROWS.items()} | {"value": [2, 1]}
    assert canonical_frame(twice)["value"].to_list() == [1, 2]


def test_wrong_columns_or_missing_values_are_refused() -> None:
    with pytest.raises(ValueError, match="columns"):
        canonical_frame({name: values for name, values in ROWS.items() if name != "area"})
    with pytest.raises(ValueError, match="missing values"):
        canonical_frame({**ROWS, "area": ["durham", None, "cumbria"]})
    assert canonical_frame({name: [] for name in SCHEMA}).height == 0


def test_a_key_depends_on_everything_and_on_no_order() -> None:
    assert run_key({"a": 1, "b": [2]}) == run_key({"b": [2], "a": 1})
    assert run_key({"a": 1, "b": [2]}) != run_key({"a": 1, "b": [3]})


@pytest.mark.parametrize("keep", [0, 10, 0.5, -1])
def test_a_cut_file_is_found_out(tmp_path: Path, keep: float) -> None:
    path = save(tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[: int(keep * len(data)) if isinstance(keep, float) else keep])
    with pytest.raises(DamagedRunFile, match=path.name):
        check_run(path)


def test_a_flipped_bit_is_found_out(tmp_path: Path) -> None:
    path = save(tmp_path)
    original = path.read_bytes()
    missed = 0
    for position in range(4, len(original) - 4, 37):
        data = bytearray(original)
        data[position] ^= 0x10
        path.write_bytes(data)
        try:
            # A bit that changes neither the rows nor what the file says of itself does no harm.
            missed += check_run(path).content != content_hash(canonical_frame(ROWS))
        except DamagedRunFile:
            continue
    assert missed == 0


def test_other_rows_under_the_same_name_are_found_out(tmp_path: Path) -> None:
    path = save(tmp_path)
    metadata = pl.read_parquet_metadata(path)
    metadata.pop("ARROW:schema")
    frame = pl.read_parquet(path).with_columns(pl.col("value") + 1)
    frame.write_parquet(path, metadata=metadata)
    with pytest.raises(DamagedRunFile, match="do not match their hash"):
        check_run(path)


def test_a_renamed_file_is_found_out(tmp_path: Path) -> None:
    path = save(tmp_path)
    other = path.rename(path.with_stem("0" * 32))
    with pytest.raises(DamagedRunFile, match="holds another run"):
        check_run(other)


def test_a_foreign_parquet_file_is_found_out(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pl.DataFrame({"a": [1]}).write_parquet(path)
    with pytest.raises(DamagedRunFile, match="not a run file"):
        check_run(path)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.txt"
    write_atomically(path, b"old")

    def no_space(_: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("simulation.experiment.runfiles.os.fsync", no_space)
    with pytest.raises(OSError, match="no space"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    path = save(tmp_path)
    leftover = path.with_name(f".{path.name}.123.part")
    leftover.write_bytes(b"half")
    remove_leftovers(tmp_path)
    assert not leftover.exists()
    assert path.exists()
