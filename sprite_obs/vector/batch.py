"""The sprites of the frames of many environments, found in one pass; what both wrappers share."""

from collections.abc import Sequence
from typing import NamedTuple

import gymnasium
import numpy as np

from sprite_obs.detections import Detections, Sight
from sprite_obs.frozen import FrozenEncoder
from sprite_obs.objects.flicker import join_frames
from sprite_obs.observations import ObservationBuilder, Observations
from sprite_obs.view.overlay import draw_detections


class Observed(NamedTuple):
    """What environments showed.

    Attributes:
        observations: those of the B environments.
        error: `(B,)` float64, share of each frame's pixels that the sprites do not explain.
        camera: `(B, 2)` int32, the camera's place in scenery that scrolls; None for models without.
    """

    observations: Observations
    error: np.ndarray
    camera: np.ndarray | None


class BatchObserver:
    """Observes the frames of several environments, each with its own tracks and slots.

    Args:
        encoder: finds the sprites; all environments share it.
        builder: builds the observations.
        keeps_seen: whether `pictures` can be asked for.
    """

    def __init__(self, encoder: FrozenEncoder, builder: ObservationBuilder, keeps_seen: bool):
        self._encoder, self._builder, self._keeps_seen = encoder, builder, keeps_seen
        self._seen: dict[int, tuple[np.ndarray, Detections]] = {}

    def first(
        self,
        frames: np.ndarray,
        envs: Sequence[int],
        earlier: Sequence[np.ndarray | None] = (),
    ) -> Observed:
        """Observes the first frames of episodes; arguments are those of `next`.

        There are frames before them where a wrapper makes the first steps.
        """
        self.begin(envs)
        return self.next(frames, envs, earlier)

    def begin(self, envs: Sequence[int]) -> None:
        """Forgets the tracks of environments and empties their slots: a new episode comes."""
        for env in envs:
            self._builder.reset(env)

    def next(
        self,
        frames: np.ndarray,
        envs: Sequence[int],
        earlier: Sequence[np.ndarray | None] = (),
    ) -> Observed:
        """Observes the next frames of environments.

        Args:
            frames: `(B, H, W, 3)` uint8.
            envs: the B environments.
            earlier: of each environment the frame before, whose sprites are joined, or None.

        Returns:
            The observations in the order of `envs`.
        """
        if self._keeps_seen or any(frame is not None for frame in earlier):
            return self._observed(*self._explained(frames, earlier), frames, envs)
        seen = self._encoder.look(frames)
        return self._observed(seen, seen.error, frames, envs)

    def ends(
        self,
        frames: np.ndarray,
        last: np.ndarray,
        ended: Sequence[int],
        earlier: Sequence[np.ndarray | None] = (),
        final_earlier: Sequence[np.ndarray | None] = (),
    ) -> tuple[Observed, Observed]:
        """Observes all environments after a step in which episodes ended and new ones began.

        Args:
            frames: `(B, H, W, 3)` uint8 of all environments, the first one of the new episode where
                one ended.
            last: `(E, H, W, 3)` uint8, the last frames of the episodes that ended.
            ended: the E environments.
            earlier: of all environments the frame before, as in `next`.
            final_earlier: of those of `ended` the frame before the last one.

        Returns:
            What the environments show, and what those of `ended` showed last.
        """
        before = [*final_earlier, *earlier]
        found, error = self._explained(np.concatenate([last, frames]), before)
        split = int(np.searchsorted(found.frame, len(ended)))
        at_end, now = found.rows(slice(split)), found.rows(slice(split, None))
        now = now._replace(frame=now.frame - len(ended))
        finished = self._observed(at_end, error[: len(ended)], last, ended)
        self.begin(ended)
        return self._observed(now, error[len(ended) :], frames, range(len(frames))), finished

    def _explained(
        self, frames: np.ndarray, earlier: Sequence[np.ndarray | None]
    ) -> tuple[Detections, np.ndarray]:
        """Finds the sprites of frames, joined with those of the frames before, where there are."""
        before = {row: frame for row, frame in enumerate(earlier) if frame is not None}
        if not before:
            return self._encoder.explain(frames)
        both = np.concatenate([frames, np.stack(list(before.values()))])
        found, error = self._encoder.explain(both)
        return _joined(found, len(frames), list(before)), error[: len(frames)]

    def pictures(self) -> list[np.ndarray]:
        """Returns the newest frame of each environment, enlarged, with its sprites drawn over it.

        Raises:
            ResetNeeded: before all environments were observed.
        """
        if not self._seen:
            raise gymnasium.error.ResetNeeded("call reset() before render()")
        return [draw_detections(*self._seen[env]) for env in sorted(self._seen)]

    def _observed(
        self,
        found: Detections | Sight,
        error: np.ndarray,
        frames: np.ndarray,
        envs: Sequence[int],
    ) -> Observed:
        if self._keeps_seen and isinstance(found, Detections):
            things = self._builder.things(found)
            for row, env in enumerate(envs):
                self._seen[env] = frames[row].copy(), things.of_frame(row)
        camera = self._encoder.cameras(frames) if self._encoder.has_camera else None
        return Observed(self._builder.build(found, envs), error.astype(np.float64), camera)


def _joined(found: Detections, num_frames: int, rows: Sequence[int]) -> Detections:
    """Joins the frames `rows` with the ones before them, which come after all frames."""
    before = {row: num_frames + index for index, row in enumerate(rows)}
    joined = []
    for row in range(num_frames):
        newer = found.of_frame(row)
        if row in before:
            older = found.of_frame(before[row])
            both = zip(older, newer, strict=True)
            pair = Detections(*(np.concatenate(columns) for columns in both))
            index = np.repeat(np.array([0, 1], np.int32), [len(older.frame), len(newer.frame)])
            newer = join_frames(pair._replace(frame=index))
        joined.append(newer._replace(frame=np.full_like(newer.frame, row)))
    return Detections(*(np.concatenate(columns) for columns in zip(*joined, strict=True)))
