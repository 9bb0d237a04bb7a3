"""What changes from step to step, at the first and the last one and in between."""

import pytest
import torch

from sprite_obs.config import TrainConfig
from sprite_obs.pretrain.schedule import FIRST_LOOK, SETTLING, WARMUP, plan_step, step_generator

TOTAL = 1000


def plans(first=0, total=TOTAL, max_shift=4, scrolls=False, **train):
    config = TrainConfig(**{"init": "random"} | train)
    return [plan_step(config, step, first, total, max_shift, scrolls) for step in range(total)]


def test_cosine_warms_up_and_ends_at_a_hundredth():
    sizes = [plan.step_size for plan in plans(schedule="cosine")]
    assert sizes[0] == pytest.approx(1 / WARMUP)
    assert sizes[: WARMUP - 1] == sorted(sizes[: WARMUP - 1])
    assert sizes[WARMUP:] == sorted(sizes[WARMUP:], reverse=True)
    assert 0.98 < max(sizes) <= 1
    assert sizes[TOTAL // 2] == pytest.approx(0.505)
    assert sizes[-1] == pytest.approx(0.01, rel=0.01)


def test_constant_is_constant():
    assert {plan.step_size for plan in plans(schedule="constant")} == {1.0}


def test_noise_fades_and_is_gone_after_60_percent():
    noise = [plan.gumbel for plan in plans(gumbel=0.5)]
    assert noise[0] == 0.5
    assert noise[300] == pytest.approx(0.25)
    assert noise[599] > 0 and set(noise[600:]) == {0.0}
    assert {plan.gumbel for plan in plans(gumbel=0)} == {0.0}


def test_shifts_grow_to_their_limit():
    reach = [plan.max_shift for plan in plans(shift_warmup=0.4)]
    assert reach[0] == 0 and reach[200] == 2 and set(reach[400:]) == {4}
    assert reach == sorted(reach)
    assert {plan.max_shift for plan in plans(shift_warmup=0)} == {4}
    assert plans(shift_warmup=1)[-1].max_shift == 4


def test_shifts_and_noise_wait_for_the_first_whole_frames():
    plan = plans(first=500, init="frames", shift_warmup=1, gumbel=1)
    assert plan[500].max_shift == 0 and plan[500].gumbel == 1
    assert plan[750].max_shift == 2 and plan[750].gumbel == pytest.approx(1 - 0.5 / 0.6)


@pytest.mark.parametrize(("every", "expected"), [(0, []), (1, [0, 1, 2, 3]), (2, [1, 3]), (3, [2])])
def test_straight_through_steps(every, expected):
    some = plans(total=4, straight_through_every=every)
    assert [step for step, plan in enumerate(some) if plan.straight_through] == expected


def test_sprites_are_reassigned_early_once_and_then_every_so_often():
    steps = [step for step, plan in enumerate(plans(reassign_every=200)) if plan.reassign]
    assert steps == [FIRST_LOOK, 200, 400]


@pytest.mark.parametrize("train", [{"reassign_every": 0}, {"init": "frames"}])
def test_without_reassignment_the_dictionary_always_learns(train):
    some = plans(**train)
    assert not any(plan.reassign for plan in some)
    assert {plan.dictionary for plan in some} == {1.0}


def test_the_dictionary_rests_while_sprites_are_reassigned():
    paces = [plan.dictionary for plan in plans(reassign_every=200)]
    assert set(paces[:600]) == {0.0} and set(paces[600:]) == {SETTLING}


def test_a_scrolling_background_waits_for_the_first_dreams():
    paces = [plan.background for plan in plans(scrolls=True)]
    assert set(paces[:100]) == {0.0} and set(paces[100:]) == {1.0}


@pytest.mark.parametrize("train", [{"dream_weight": 0}, {"init": "frames"}])
def test_a_scrolling_background_does_not_wait_for_dreams_that_never_come(train):
    assert {plan.background for plan in plans(scrolls=True, **train)} == {1.0}


def test_a_still_background_does_not_wait():
    assert {plan.background for plan in plans(scrolls=False)} == {1.0}


def test_one_step_and_none_after_teaching():
    assert plans(total=1)[0].reassign is False
    assert plans(first=3, total=3, init="frames")[2].max_shift == 4


def test_random_numbers_depend_on_seed_and_step_alone():
    def draw(seed, step):
        return tuple(torch.randint(2**62, (4,), generator=step_generator(seed, step)).tolist())

    assert draw(1, 2) == draw(1, 2)
    drawn = {draw(seed, step) for seed in (0, 1, 2**32 - 1) for step in range(50)}
    assert len(drawn) == 150
