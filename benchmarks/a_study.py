"""The default study, or a smaller one, as a user starts it: ``python -m benchmarks.a_study WORKERS [OPTION...]``.

Options are those of ``python run.py compare``. Everything counts: starting Python and the workers, every run, tables,
charts and the page. Prints one line of JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from benchmarks.measuring import ROOT, peak_megabytes


def main() -> None:
    """Run the study into a folder that is thrown away."""
    workers, *options = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "run.py", "compare", "--workers", workers, "--out", f"{folder}/study", *options]
        begun = perf_counter()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        seconds = perf_counter() - begun
        if done.returncode:
            raise SystemExit(done.stderr or done.stdout)
        manifest = json.loads((Path(folder) / "study" / "manifest.json").read_text(encoding="utf-8"))
        assert (Path(folder) / "study" / "report.html").is_file()
    print(json.dumps({
        "seconds": seconds,
        "runs": len(manifest["runs"]),
        "megabytes": peak_megabytes(of_children=True),
        "outcome": manifest["fingerprint"],
    }))


if __name__ == "__main__":
    main()
