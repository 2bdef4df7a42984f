"""Draws from distributions given as a few quantiles in a parameter table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

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


def quantile_tables(
    mappings: Sequence[Mapping[str, float]],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Turn several tables of quantiles into probabilities and values, a row for each, for compiled loops.

    Where a table has fewer quantiles than another its last value is repeated, at probabilities that no draw reaches.
    """
    found = [quantile_table(mapping) for mapping in mappings]
    width = max(values.size for _, values in found)
    shares, numbers = np.full((len(found), width), np.inf), np.empty((len(found), width))
    for row, (probabilities, values) in enumerate(found):
        shares[row, : values.size] = probabilities
        numbers[row, : values.size], numbers[row, values.size :] = values, values[-1]
    return shares, numbers


def side_by_side(mapping: Mapping[str, float]) -> NDArray[np.float64]:
    """Return the probabilities and the values of such a table as the two rows of one array."""
    return np.stack(quantile_table(mapping))


class Lookup(dict[str, Any]):
    """A parameter table that remembers its quantiles; not to be changed."""

    @cached_property
    def quantiles(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Probabilities and values, see :func:`quantile_table`."""
        return quantile_table(self)

    @cached_property
    def edges(self) -> NDArray[np.float64]:
        """Upper edges of the shares of a choice."""
        return upper_edges(list(self.values()))


def upper_edges(shares: Sequence[float]) -> NDArray[np.float64]:
    """Return the upper edges of the shares of a choice, taken relative to their sum."""
    weights = np.array(shares, dtype=np.float64)
    return np.cumsum(weights) / weights.sum()


def draw(mapping: Mapping[str, float], uniform: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values at uniform draws, straight lines between the given quantiles."""
    probabilities, values = mapping.quantiles if isinstance(mapping, Lookup) else quantile_table(mapping)
    return np.interp(uniform, probabilities, values)


def choose(shares: Mapping[str, float], uniform: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the number of the choice each draw falls in, choices in the order of the mapping.

    Shares are taken relative to their sum.
    """
    edges = (shares if isinstance(shares, Lookup) else Lookup(shares)).edges
    return np.minimum(np.searchsorted(edges, uniform, side="right"), len(edges) - 1)


def mean_of_whole(mapping: Mapping[str, float]) -> float:
    """Return the mean of draws from a distribution given by quantiles, cut to whole numbers of at least 1.

    Examples
    --------
    Even between 1 and 3, a half is cut to 1 and a half to 2:

    >>> mean_of_whole({"p0": 1, "p100": 3})
    1.5
    """
    probabilities, values = quantile_table(mapping)
    total = 1.0
    # A whole number is the number of whole numbers up to it: 1 for sure, then the chance to reach 2, 3 and so on.
    for number in range(2, int(values[-1]) + 1):
        span = values[1:] - values[:-1]
        reached = np.where(span > 0, (values[1:] - number) / np.where(span > 0, span, 1), values[1:] >= number)
        total += float(((probabilities[1:] - probabilities[:-1]) * np.clip(reached, 0, 1)).sum())
    return total
