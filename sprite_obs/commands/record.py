"""`sprite-obs record`: play an environment and keep its frames."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import gymnasium

from sprite_obs.commands.arguments import flag
from sprite_obs.errors import SpriteObsError
from sprite_obs.frames.policies import RANDOM_SHARE


@dataclass(frozen=True, kw_only=True)
class Record:
    """Play an environment and keep its frames."""

    env: str
    """Id of the environment, such as ALE/Pong-v5."""
    out: Path
    """Folder of the recording; must not hold one already."""
    frames: int = 3000
    """Frames to record."""
    seed: int = 0
    """Seed of the environment and of the policy."""
    policy: Annotated[
        str,
        flag(
            "sticky (random actions, held for a while), random, or the zip file of an agent that "
            "Stable-Baselines3 saved. Such a file can run code when loaded: use only your own."
        ),
    ] = "sticky"
    model: Annotated[
        Path | None,
        flag(
            "Folder of the model whose sprites an agent of agents/train_ppo.py observes, or the "
            "name of one of the zoo."
        ),
    ] = None
    random_share: float = RANDOM_SHARE
    """Share of the time in which random actions take an agent's place."""

    def run(self) -> None:
        """Records and says what was stored."""
        import ale_py

        from sprite_obs.frames.record import record

        ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)  # no banner
        observe = self._observe if self.model else None
        choices = self.seed, self.policy, self.random_share, observe
        stored = record(self.env, self.frames, self.out, *choices)
        megabytes = stored.num_bytes / 1e6
        print(
            f"recorded {stored.num_frames} frames in {stored.num_episodes} episodes "
            f"({megabytes:.1f} MB): {self.out}"
        )

    def _observe(self, env: gymnasium.Env, max_sprites: int) -> gymnasium.Env:
        from sprite_obs.wrapper import SpriteObservation

        assert self.model is not None
        try:
            return SpriteObservation(env, self.model, max_sprites)
        except (TypeError, ValueError) as error:
            raise SpriteObsError(str(error)) from error
