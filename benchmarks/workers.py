"""Studies as a user starts them, with one worker process and with two."""

from __future__ import annotations

from collections.abc import Collection

from benchmarks.measuring import Results, in_turns, measure, spread, table


def measure_studies(studies: dict[str, list[str]], repeats: int, on_two: Collection[str] = ()) -> Results:
    """Measure studies, given by their options, with two workers and, but for those named last, with one."""
    return in_turns(
        {
            f"{title}, {number} worker{'s' * (number > 1)}": lambda options=options, number=number: measure(
                "a_study", number, *options
            )
            for title, options in studies.items()
            for number in ((2,) if title in on_two else (2, 1))
        },
        repeats,
    )


def gain(results: Results, title: str) -> list[float]:
    """Return how many times as many runs two workers make in the same time, by turn."""
    pairs = zip(results[f"{title}, 1 worker"], results[f"{title}, 2 workers"], strict=True)
    return [one["seconds"] / two["seconds"] for one, two in pairs]


def studies_table(results: Results, titles: list[str]) -> str:
    """Return the table of studies as Markdown."""
    header = ["study", "runs", "one worker, seconds", "two workers, seconds", "times as fast", "largest process, MB"]
    rows = []
    for title in titles:
        one, two = results.get(f"{title}, 1 worker", []), results[f"{title}, 2 workers"]
        if len({run["outcome"] for run in one + two}) > 1:
            raise SystemExit(f"{title}: results depend on the number of workers, or on chance")
        rows.append([
            title,
            f"{two[0]['runs']}",
            spread([run["seconds"] for run in one], ",.1f") if one else "not measured",
            spread([run["seconds"] for run in two], ",.1f"),
            spread(gain(results, title)) if one else "",
            spread([run["megabytes"] for run in two], ",.0f"),
        ])
    return table(header, rows)
