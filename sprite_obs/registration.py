"""Registers ``SpriteObs/<Game>-v5`` for each Atari game, and ``NES/Game-v0``, with Gymnasium."""

from typing import Any, Literal

import ale_py
import gymnasium

from sprite_obs.games import NES_ID, game_name

NAMESPACE = "SpriteObs"


def register_envs() -> None:
    """Registers a sprite environment for each ``ALE/*-v5`` id, and NES games; skips known ids.

    Example:
        >>> import gymnasium, sprite_obs
        >>> env = gymnasium.make("SpriteObs/Pong-v5", max_sprites=32)
    """
    gymnasium.register_envs(ale_py)
    if NES_ID not in gymnasium.registry:
        gymnasium.register(NES_ID, entry_point="sprite_obs.envs.nes.environment:NesEnv")
    for spec in list(gymnasium.registry.values()):
        env_id = f"{NAMESPACE}/{spec.name}-v5"
        if spec.namespace == "ALE" and spec.version == 5 and env_id not in gymnasium.registry:
            gymnasium.register(
                env_id,
                entry_point=f"{__name__}:make_sprite_env",  # a string: PyTorch loads when used
                max_episode_steps=spec.max_episode_steps,
                nondeterministic=spec.nondeterministic,
                kwargs={"env_id": spec.id},
            )


def make_sprite_env(
    env_id: str,
    model: str | None = None,
    max_sprites: int = 32,
    any_game: bool = False,
    render_sprites: bool = False,
    level: Literal["object", "sprite"] = "object",
    display: bool = True,
    flatten: bool = False,
    join_frames: bool = False,
    decoder: Literal["lookup", "network", "both"] | None = None,
    device: Literal["cpu", "cuda", "auto"] = "auto",
    **kwargs: Any,
) -> gymnasium.Env:
    """Builds an Atari game behind `SpriteObservation`; the entry point of the registered ids.

    Args:
        env_id: id of the game, such as ``ALE/Pong-v5``.
        model: folder of the model's checkpoint, or the name of a model of the zoo; None for the
            zoo's model of this game.
        max_sprites: number of slots.
        any_game: allow a model that was learned on another game.
        render_sprites: let ``render()`` draw the sprites.
        level: a slot for each object, or for each sprite of which objects are drawn.
        display: whether score, lives and logos get slots.
        flatten: one vector of features instead of a dictionary.
        join_frames: show the sprites of the last two frames of a step, for games that flicker.
        decoder: how sprites are found; None for the model's choice.
        device: where the network runs, if the decoder uses it.
        **kwargs: settings of the game, such as ``frameskip`` or ``render_mode``.
    """
    from sprite_obs.envs.last_two_frames import LastTwoFrames
    from sprite_obs.wrapper import SpriteObservation

    # Bare: the caller is gymnasium.make, which adds its own wrappers around the result.
    frameskip = kwargs.get("frameskip", gymnasium.spec(env_id).kwargs["frameskip"])
    single = {"frameskip": 1} if join_frames else {}
    game: gymnasium.Env = gymnasium.make(env_id, **{**kwargs, **single}).unwrapped
    if join_frames:
        game = LastTwoFrames(game, frameskip)
    model = model or game_name(env_id)
    return SpriteObservation(
        game,
        model,
        max_sprites,
        any_game,
        render_sprites,
        level,
        display,
        flatten,
        decoder,
        device,
    )
