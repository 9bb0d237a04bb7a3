import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from sprite_obs.objects.assignment import assign


@pytest.mark.parametrize("seed", range(20))
def test_the_sum_of_costs_is_that_of_scipy(seed):
    rng = np.random.default_rng(seed)
    for _ in range(20):
        rows = rng.integers(1, 12)
        # Few different values, so that many assignments are equally good.
        cost = rng.integers(0, 9, (rows, rows + rng.integers(0, 6))).astype(float)
        columns = assign(cost)
        assert len(set(columns.tolist())) == rows
        expected = cost[linear_sum_assignment(cost)].sum()
        assert cost[np.arange(rows), columns].sum() == expected


def test_a_row_without_a_choice_is_served():
    cost = np.array([[0.0, 1.0], [0.0, 9.0]])
    assert assign(cost).tolist() == [1, 0]


def test_nothing_is_assigned_to_nothing():
    assert assign(np.zeros((0, 3))).tolist() == []
