"""Draws from distributions given as a few quantiles in a parameter table."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray


def quantile_table(mapping: Mapping[str, float]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Turn ``{"p0": 1, "p50": 7, "p100": 60}`` into probabilities and values.

    Parameters
    ----------
    mapping : mapping of str to float
        Percentile names and values.
    """
    pairs = sorted((float(name.lstrip("p")) / 100, float(value)) for name, value in mapping.items())
    return np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])


def draw(mapping: Mapping[str, float], uniform: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values at uniform draws, straight lines between the given quantiles."""
    probabilities, values = quantile_table(mapping)
    return np.interp(uniform, probabilities, values)


def choose(shares: Mapping[str, float], uniform: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the number of the choice each draw falls in, choices in the order of the mapping.

    Shares are taken relative to their sum.
    """
    weights = np.array(list(shares.values()), dtype=np.float64)
    edges = np.cumsum(weights) / weights.sum()
    return np.minimum(np.searchsorted(edges, uniform, side="right"), len(weights) - 1)


def mean(mapping: Mapping[str, float]) -> float:
    """Return the mean of a distribution given by quantiles."""
    probabilities, values = quantile_table(mapping)
    return float(sum((probabilities[1:] - probabilities[:-1]) * (values[1:] + values[:-1]) / 2))
