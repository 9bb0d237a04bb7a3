"""NesEnv: a NES game that the user owns as a Gymnasium environment."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from sprite_obs.envs.nes.buttons import Combinations, EveryButton, held
from sprite_obs.envs.nes.console import FRAME_SHAPE, Console
from sprite_obs.envs.nes.expressions import Expression
from sprite_obs.envs.nes.settings import NesSettings, read_settings

FRAMES_PER_SECOND = 60


class NesEnv(gymnasium.Env[np.ndarray, Any]):
    """Plays a NES game: an iNES file, and a YAML file that says how.

    Observations are the console's frames, `(240, 256, 3)` uint8 RGB. An episode begins with the
    state of the game after the boot script, which is played once. docs/nes.md describes the keys of
    the YAML file, which are those of `NesSettings`.

    Infos hold `oam`, `(64, 6)` int32, the hardware sprites that the frame shows (see
    `sprite_obs.envs.nes.oam.drawn_sprites`), and the values of the expressions under `info`.

    Example:
        >>> import gymnasium, sprite_obs
        >>> env = gymnasium.make("NES/Game-v0", config="mygame.yaml")
        >>> env = gymnasium.make("NES/Game-v0", rom="mygame.nes", frameskip=2)
    """

    _now: dict[int, int]
    _before: dict[int, int]
    metadata = {"render_modes": ["rgb_array"], "render_fps": FRAMES_PER_SECOND}  # noqa: RUF012

    def __init__(
        self,
        config: str | None = None,
        rom: str | None = None,
        render_mode: str | None = None,
        **settings: Any,
    ):
        """Switches the console on and plays the boot script.

        Args:
            config: YAML file that says how the game is played; None for the defaults.
            rom: the game's iNES file, if `config` does not name it.
            render_mode: `"rgb_array"`, or None: observations are the frames in any case.
            **settings: keys of the YAML file whose values differ from those in it.

        Raises:
            SpriteObsError: when a file is missing or wrong, a setting is unknown or wrong, or
                cynes is not installed.
        """
        self.settings = read_settings(config, rom, settings)
        self.render_mode = render_mode
        self._actions = _actions(self.settings, config or "NES game")
        self._read_expressions(config or "NES game")
        self.observation_space = spaces.Box(0, 255, FRAME_SHAPE, np.uint8)
        self.action_space = self._actions.space
        boot = [(held(step.press, f"{config}: boot"), step.frames) for step in self.settings.boot]
        self._console = Console(self.settings.rom)
        for buttons, frames in boot:
            self._console.play(buttons, frames)
        self._start = self._console.save()
        self._begin()

    @property
    def frameskip(self) -> int:
        """Frames of a step."""
        return self.settings.frameskip

    def get_action_meanings(self) -> list[str]:
        """Returns what each action, or each bit of one, stands for, such as `RIGHT+A`."""
        return self._actions.meanings

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Goes back to the state after the boot script and idles for a drawn number of frames."""
        super().reset(seed=seed)
        self._console.load(self._start)
        idle = int(self.np_random.integers(self.settings.idle_frames + 1))
        if idle:
            self._console.play(0, idle)
        self._begin()
        return self._console.frame.copy(), self._info()

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Holds the action's buttons for the frames of a step."""
        self._play(self._actions.held(action))
        self._before, self._now = self._now, self._memory()
        reward = self._reward.value(self._now, self._before)
        terminated = bool(self._terminated.value(self._now, self._before))
        limit = self.settings.max_frames
        truncated = limit is not None and self._num_frames >= limit
        return self._console.frame.copy(), reward, terminated, truncated, self._info()

    def render(self) -> np.ndarray | None:
        """Returns the last frame, `(240, 256, 3)` uint8, or None without a render mode."""
        return self._console.frame.copy() if self.render_mode == "rgb_array" else None

    def _read_expressions(self, where: str) -> None:
        settings = self.settings
        self._reward = Expression(settings.reward, f"{where}: reward")
        self._terminated = Expression(settings.terminated, f"{where}: terminated")
        self._told = {
            name: Expression(text, f"{where}: info: {name}") for name, text in settings.info.items()
        }
        expressions = (self._reward, self._terminated, *self._told.values())
        self._addresses = sorted(set().union(*(one.addresses for one in expressions)))

    def _begin(self) -> None:
        self._num_frames = 0
        self._held = 0
        self._now = self._memory()
        self._before = self._now

    def _play(self, buttons: int) -> None:
        frames, sticky = self.settings.frameskip, self.settings.repeat_action_probability
        self._num_frames += frames
        if not sticky:
            self._console.play(buttons, frames)
            return
        for _ in range(frames):
            if self.np_random.random() >= sticky:
                self._held = buttons
            self._console.play(self._held)

    def _memory(self) -> dict[int, int]:
        return {address: self._console.ram(address) for address in self._addresses}

    def _info(self) -> dict[str, Any]:
        told = {name: text.value(self._now, self._before) for name, text in self._told.items()}
        return {"oam": self._console.oam(), **told}


def _actions(settings: NesSettings, where: str) -> Combinations | EveryButton:
    if settings.action_space == "discrete":
        return Combinations(settings.actions, f"{where}: actions")
    return EveryButton(settings.buttons, f"{where}: buttons")
