"""Work is cut so that what is held at a time fits, and every item is done once."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disband.lm.scores.split import SmallerParts, halves_of_memory, parts, shrinking

costs = st.lists(st.integers(1, 100), min_size=1, max_size=30)
limits = {"costs": costs, "memory": st.integers(1, 400), "most": st.integers(1, 10)}


def cost(part, costs):
    return sum(costs[index] for index in part)


@given(**limits)
def test_every_item_is_in_one_part_and_a_part_fits_or_is_an_item_alone(costs, memory, most):
    made = parts(costs, memory, most)
    assert sorted(index for part in made for index in part) == list(range(len(costs)))
    for part in made:
        assert len(part) <= most
        assert len(part) == 1 or cost(part, costs) <= memory


@given(**limits)
def test_any_two_halves_fit_together_unless_one_is_an_item_too_large_for_a_half(
    costs, memory, most
):
    made = halves_of_memory(costs, memory, most)
    assert sorted(index for part in made for index in part) == list(range(len(costs)))
    fit = [part for part in made if cost(part, costs) <= memory // 2]
    for one, other in combinations(fit, 2):
        assert cost(one, costs) + cost(other, costs) <= memory
    if len(made) > 1:
        assert all(len(part) == 1 for part in made if cost(part, costs) > memory // 2)


@given(**limits)
def test_what_fits_whole_is_not_halved(costs, memory, most):
    if len(costs) <= most and sum(costs) <= memory:
        assert len(halves_of_memory(costs, memory, most)) == 1


@pytest.mark.parametrize(("room", "tried"), [(8, [8]), (3, [8, 4, 2]), (1, [8, 4, 2, 1])])
def test_where_memory_runs_out_half_as_much_is_tried(room, tried):
    seen = []

    def work(most):
        seen.append(most)
        if most > room:
            raise MemoryError
        return most

    if len(tried) > 1:
        with pytest.warns(SmallerParts):
            assert shrinking(work, 8) == tried[-1]
    else:
        assert shrinking(work, 8) == room
    assert seen == tried


def test_one_item_that_does_not_fit_is_said_and_another_error_is_not_taken_for_memory():
    def never(_):
        raise MemoryError

    with pytest.raises(MemoryError, match="fewer parameters"):
        shrinking(never, 1)

    def other(_):
        raise RuntimeError("a shape")

    with pytest.raises(RuntimeError, match="a shape"):
        shrinking(other, 8)
