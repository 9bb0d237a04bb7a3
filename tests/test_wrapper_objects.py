"""Objects, their sprites and the display in the observation."""

import fake_frame_env
import numpy as np
import pytest
from pong_model import (
    BACKGROUND,
    BALL,
    GREEN,
    LEFT_PADDLE,
    ORANGE,
    RIGHT_PADDLE,
    WHITE,
    save_pong_model,
)

from sprite_obs.checkpoint import load_checkpoint, save_checkpoint
from sprite_obs.wrapper import SpriteObservation


class Balancing(fake_frame_env.FakeFrameEnv):
    """The right paddle carries the ball on its tip for 20 steps; the left one stands in the score.

    It moves down one pixel a step; then the ball is 30 pixels ahead of it.
    """

    metadata = {"render_modes": []}  # noqa: RUF012

    def __init__(self):
        super().__init__(observes=True, size=BACKGROUND.shape)

    def _observation(self) -> np.ndarray:
        self.frame[:] = BACKGROUND
        top, ball = 60 + self.num_steps, (54 if self.num_steps < 20 else 90) + self.num_steps
        self.frame[top : top + 16, 140:144] = GREEN
        self.frame[ball : ball + 4, 141:143] = WHITE
        self.frame[5:21, 16:20] = ORANGE
        return self.frame


@pytest.fixture(scope="module")
def balancing_model(tmp_path_factory):
    """Returns a model that knows the ball on the tip as part of the paddle, and the score."""
    folder = save_pong_model(tmp_path_factory.mktemp("balancing"), env_id=None)
    checkpoint = load_checkpoint(folder)
    tables = checkpoint.tables._replace(
        links=np.array([[BALL, RIGHT_PADDLE, -1, 6]], np.int32),
        display=np.array([[0, 0, 0, 160, 34]], np.int32),
    )
    save_checkpoint(folder, checkpoint._replace(tables=tables))
    return folder


def watch(model, steps: int, **settings) -> list[dict[str, np.ndarray]]:
    """Returns the observations of `Balancing`, from reset on."""
    env = SpriteObservation(Balancing(), model, max_sprites=4, **settings)
    observations = [env.reset(seed=0)[0], *(env.step(0)[0] for _ in range(steps))]
    assert all(observation in env.observation_space for observation in observations)
    return observations


def sprites(observation: dict[str, np.ndarray]) -> list[int]:
    return observation["sprite"][observation["presence"] == 1].tolist()


def test_fragments_of_one_object_share_a_slot(balancing_model):
    observations = watch(balancing_model, 19)
    for n, observation in enumerate(observations):
        assert sprites(observation) == [RIGHT_PADDLE, LEFT_PADDLE]
        row = observation["sprite"].tolist().index(RIGHT_PADDLE)
        assert observation["position"][row].tolist() == [142, 54 + n + 11], "ball and paddle"
        assert observation["type"][row] == RIGHT_PADDLE
        np.testing.assert_array_equal(observation["object"], observation["track"])


def test_an_object_that_comes_apart_is_two(balancing_model):
    observation = watch(balancing_model, 21)[-1]
    assert sprites(observation) == [BALL, RIGHT_PADDLE, LEFT_PADDLE]
    np.testing.assert_array_equal(observation["object"], observation["track"])


def test_at_the_level_of_sprites_each_has_a_slot_and_knows_its_object(balancing_model):
    observations = watch(balancing_model, 21, level="sprite")
    for n, observation in enumerate(observations):
        assert sprites(observation) == [BALL, RIGHT_PADDLE, LEFT_PADDLE]
        ball, paddle, other = range(3)
        assert observation["position"][paddle].tolist() == [142, 68 + n]
        number, track = observation["object"], observation["track"]
        together = n < 20
        assert (number[ball] == number[paddle]) == together
        assert number[paddle] == track[paddle] and number[other] == track[other]
        assert len(set(track[:3].tolist())) == 3
    np.testing.assert_array_equal(observations[0]["track"], observations[-1]["track"])


@pytest.mark.parametrize("level", ["object", "sprite"])
def test_what_belongs_to_the_display_is_marked(balancing_model, level):
    for observation in watch(balancing_model, 5, level=level):
        marked = observation["sprite"][observation["display"] == 1]
        assert marked.tolist() == [LEFT_PADDLE]


@pytest.mark.parametrize(("display", "owner"), [(True, LEFT_PADDLE), (False, RIGHT_PADDLE)])
@pytest.mark.parametrize("level", ["object", "sprite"])
def test_display_that_is_left_out_needs_no_slots(balancing_model, tmp_path, level, display, owner):
    checkpoint, counts = load_checkpoint(balancing_model), np.zeros((2, 4), np.int32)
    counts[:, 1:] = [[1, 5, 0], [0, 0, 9]]  # times the ball and the paddles were seen
    tables = checkpoint.tables._replace(type_counts=counts, object_counts=counts)
    save_checkpoint(tmp_path, checkpoint._replace(tables=tables))
    settings = {"max_sprites": 1, "level": level, "display": display}
    env = SpriteObservation(Balancing(), tmp_path, **settings)
    assert env.observation_space["type"].high.tolist() == [owner]
    assert sprites(env.reset(seed=0)[0]) == [owner]


@pytest.mark.parametrize("level", ["object", "sprite"])
def test_the_display_can_be_left_out(balancing_model, level):
    for n, observation in enumerate(watch(balancing_model, 21, level=level, display=False)):
        apart = level == "sprite" or n >= 20
        assert sprites(observation) == ([BALL] if apart else []) + [RIGHT_PADDLE]
        assert not observation["display"].any()
