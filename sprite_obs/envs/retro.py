"""The games of stable-retro as Gymnasium environments: ``Retro/<Game>``; the import registers them.

``Retro/Airstriker-Genesis-v0`` comes with stable-retro. Other games need a ROM that the user owns
and imports with ``python -m stable_retro.import FOLDER``. A process can hold one emulator at once.
"""

from typing import Any, Literal

import gymnasium
import numpy as np

from sprite_obs.errors import SpriteObsError

try:
    import stable_retro
except ImportError:
    raise SpriteObsError(
        "Retro/... games are played by the package stable-retro, which is not installed; install "
        "it: pip install 'sprite-obs[retro]'"
    ) from None

NAMESPACE = "Retro"
ACTIONS = {
    "discrete": stable_retro.Actions.DISCRETE,
    "multibinary": stable_retro.Actions.FILTERED,
}


class RetroEnv(gymnasium.Env[np.ndarray, Any]):
    """Plays a game of stable-retro without a window, several frames with one action.

    Observations are the console's frames, `(H, W, 3)` uint8 RGB. Rewards, the end of an episode and
    infos are those of stable-retro's files for the game; rewards of a step's frames are summed.

    Example:
        >>> import gymnasium
        >>> name = "Retro/Airstriker-Genesis-v0"
        >>> env = gymnasium.make(f"sprite_obs.envs.retro:{name}", frameskip=4)
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 60}  # noqa: RUF012

    def __init__(
        self,
        game: str,
        state: str | None = None,
        frameskip: int = 4,
        action_space: Literal["discrete", "multibinary"] = "discrete",
        render_mode: str | None = None,
    ):
        """Starts the emulator.

        Args:
            game: name of the game, as stable-retro lists it.
            state: saved state with which episodes begin; None for the game's usual one.
            frameskip: frames of a step; the last one is observed.
            action_space: `"discrete"`: combinations of buttons that make sense;
                `"multibinary"`: a bit for each button.
            render_mode: `"rgb_array"`, or None: observations are the frames in any case.

        Raises:
            SpriteObsError: when the game has no ROM or no such state, when this process holds an
                emulator already, or an argument is wrong.
        """
        if action_space not in ACTIONS or frameskip < 1:
            raise SpriteObsError(
                "expected action_space discrete or multibinary and frameskip of at least 1, got "
                f"{action_space!r} and {frameskip}"
            )
        self.frameskip, self.render_mode = frameskip, render_mode
        self._game = _start(game, state, ACTIONS[action_space])
        self.observation_space = self._game.observation_space
        self.action_space = self._game.action_space
        self._frame = np.zeros(self.observation_space.shape or (), np.uint8)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Goes back to the saved state; what a seed can change, the game decides."""
        super().reset(seed=seed)
        self._frame, info = self._game.reset(seed=seed, options=options)
        return self._frame.copy(), info

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Holds the action's buttons for the frames of a step, or to the end of the episode."""
        total = 0.0
        for _ in range(self.frameskip):
            self._frame, reward, terminated, truncated, info = self._game.step(action)
            total += float(reward)
            if terminated or truncated:
                break
        return self._frame.copy(), total, bool(terminated), bool(truncated), info

    def render(self) -> np.ndarray | None:
        """Returns the last frame, `(H, W, 3)` uint8, or None without a render mode."""
        return self._frame.copy() if self.render_mode == "rgb_array" else None

    def close(self) -> None:
        """Stops the emulator, so that this process can hold another one."""
        game = getattr(self, "_game", None)
        if game is not None:
            game.close()


def _start(game: str, state: str | None, actions: Any) -> Any:
    _check_state(game, state)
    # Without a render mode, stable-retro would open a window.
    settings = {"render_mode": "rgb_array", "use_restricted_actions": actions}
    try:
        return stable_retro.make(game, state or stable_retro.State.DEFAULT, **settings)
    except FileNotFoundError:
        raise SpriteObsError(
            f"expected a game whose ROM stable-retro has, got {game}; import the ROM of a game "
            "that you own: python -m stable_retro.import FOLDER"
        ) from None
    except RuntimeError as error:
        raise SpriteObsError(
            f"{game}: {error}; close the other one, or give each a process of its own, as "
            "make_sprite_vec_env does"
        ) from error


def _check_state(game: str, state: str | None) -> None:
    known = stable_retro.data.list_states(game)
    if state is not None and state not in known:
        raise SpriteObsError(
            f"{game}: expected a saved state among {', '.join(known) or 'none'}, got {state!r}; "
            "name one of these"
        )


def register_games() -> None:
    """Registers all games that stable-retro has files for; those that are known are skipped."""
    for game in stable_retro.data.list_games():
        env_id = f"{NAMESPACE}/{game}"
        if env_id not in gymnasium.registry:
            entry_point = "sprite_obs.envs.retro:RetroEnv"
            gymnasium.register(env_id, entry_point=entry_point, kwargs={"game": game})


register_games()
