"""How much a game flickers: in which share of its steps the last frame lacks what is there."""

import numpy as np

from sprite_obs.envs.last_two_frames import LastTwoFrames
from sprite_obs.envs.make import rgb_frame
from sprite_obs.frames.policies import StickyPolicy
from sprite_obs.frozen import FrozenEncoder
from sprite_obs.objects.flicker import missing_things

NUM_STEPS = 500
"""Steps that are played, one or two seconds."""
NOTHING = np.zeros(0, np.int32)


def flicker_share(
    env: LastTwoFrames, encoder: FrozenEncoder, num_steps: int = NUM_STEPS, seed: int = 0
) -> float:
    """Plays held random actions and returns in which share of the steps something flickers.

    Something does where the last frame of a step lacks a thing that the frame before shows, and
    lacked one of its type in the step before, too: what goes for good is missing once.

    Args:
        env: an environment that keeps the last two frames of a step.
        encoder: finds the sprites; of the same game.
        num_steps: steps to play.
        seed: seed of the environment and of the actions.

    Returns:
        A number in [0, 1].

    Raises:
        CheckpointError: when the frames are not those of the model.
    """
    act = StickyPolicy(env.action_space, seed)
    observation, _ = env.reset(seed=seed)
    flickering, missing_before = 0, NOTHING
    for _ in range(num_steps):
        observation, _, terminated, truncated, _ = env.step(act(observation))
        missing = _missing_types(env, encoder, rgb_frame(env, observation))
        flickering += bool(np.isin(missing, missing_before).any())
        missing_before = missing
        if terminated or truncated:
            observation, _ = env.reset()
            missing_before = NOTHING
    return flickering / num_steps


def _missing_types(env: LastTwoFrames, encoder: FrozenEncoder, frame: np.ndarray) -> np.ndarray:
    """Returns the types of what the last frame of a step lacks."""
    if env.earlier_frame is None:
        return NOTHING
    return missing_things(encoder.encode(np.stack([env.earlier_frame, frame]))).type
