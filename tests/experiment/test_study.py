"""A study from scenarios to files."""

from simulation.experiment import verify_folder


def test_first(make_study):
    result = make_study().run(quiet=True)
    print(result.headlines)
    assert verify_folder(result.folder) == []
