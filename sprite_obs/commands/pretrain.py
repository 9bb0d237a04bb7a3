"""`sprite-obs pretrain`: learn a game's sprites from its frames."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro
from tqdm import tqdm

from sprite_obs.commands.arguments import Data, Device, flag, make_folder
from sprite_obs.config import PretrainConfig


@dataclass(frozen=True, kw_only=True)
class Pretrain:
    """Learn a game's sprites from its frames."""

    data: Data
    out: Annotated[
        Path,
        flag(
            "Folder of the model: model.safetensors (the checkpoint), model.json (its settings), "
            "dictionary.png, reconstruction.png and training.safetensors (what --resume needs). A "
            "model that is there already is not lost: it is kept in the subfolder 'previous', in "
            "place of an older one, and can be used until the new one is ready."
        ),
    ]
    config: Annotated[
        Path | None,
        flag("YAML file that overrides the defaults below; flags override it in turn.", "YAML"),
    ] = None
    device: Device = "auto"
    resume: bool = False
    """Continue the run that was interrupted in this folder, with the same data and settings."""
    extend: Annotated[
        Path | None,
        flag(
            "Folder of a model to which what is new in these frames is added: its sprites keep "
            "their ids, types and looks, and its settings are the defaults. May be the same as "
            "--out; docs/extending.md says what stays and what is added.",
            "MODEL",
        ),
    ] = None
    settings: Annotated[PretrainConfig, tyro.conf.arg(name="")] = field(
        default_factory=PretrainConfig
    )

    def run(self) -> None:
        """Learns and writes the checkpoint and its pictures."""
        from sprite_obs.checkpoint import load_checkpoint
        from sprite_obs.compiling import tell_of_first_compilation
        from sprite_obs.devices import choose_device
        from sprite_obs.frames.sources import read_frames
        from sprite_obs.model_folder import copy_names, keep_previous, write_pictures
        from sprite_obs.pretrain.checks import check_config, check_frames
        from sprite_obs.pretrain.extend import extend
        from sprite_obs.pretrain.extension_checks import check_extension
        from sprite_obs.pretrain.parallel import is_first_process
        from sprite_obs.pretrain.pretrain import pretrain
        from sprite_obs.pretrain.state import STATE_FILE

        tell_of_first_compilation()
        device = choose_device(self.device)
        check_config(self.settings)
        frames = read_frames(self.data)
        check_frames(frames, self.settings)  # before an earlier model is put away
        old = load_checkpoint(self.extend) if self.extend else None
        if old:
            check_extension(old, frames, self.settings)
        make_folder(self.out)
        first = is_first_process()
        same = self.extend is not None and self.out.samefile(self.extend)
        if first and not self.resume and (previous := keep_previous(self.out, same)):
            print(f"kept what {self.out} held in {previous}", file=sys.stderr)
        try:
            with _step_bar(self.settings) as report:
                rest = frames, self.settings, self.out, device, self.resume, report
                checkpoint = extend(old, *rest) if old else pretrain(*rest)
        except KeyboardInterrupt:
            can_resume = (self.out / STATE_FILE).exists()
            hint = "; go on with the same command and --resume" if can_resume else ""
            raise KeyboardInterrupt(f"interrupted{hint}") from None
        if not first:
            return
        if self.extend:
            copy_names(self.extend, self.out)
        write_pictures(self.out, checkpoint, frames.images)
        if not checkpoint.exact_palette:
            print(
                "warning: these frames hold more than 255 colours, as frames that were scaled or "
                "compressed do; sprites are found less exactly than in frames without loss, which "
                "`sprite-obs record` and PNG files of the emulator's own size give",
                file=sys.stderr,
            )
        num_sprites, num_types = len(checkpoint.sprites), len(checkpoint.type_capacity) - 1
        slots = int(checkpoint.tables.object_capacity[1:].sum())
        room = f"max_sprites={slots} has room for all that was seen at once"
        if old:
            num_sprites -= len(old.sprites)
            num_types -= len(old.type_capacity) - 1
        what = f"{'new ' if old else ''}sprites of {num_types} {'new ' if old else ''}types"
        print(f"learned {num_sprites} {what} ({room}): {self.out}")


@contextmanager
def _step_bar(config: PretrainConfig) -> Iterator[Callable[[int, dict[str, float]], None]]:
    """Shows a bar over all steps, and yields what moves it to a step and shows its losses."""
    from sprite_obs.pretrain.parallel import is_first_process

    teaching = config.train.teach_iterations if config.train.init == "frames" else 0
    steps, hidden = teaching + config.train.iterations, not is_first_process()
    with tqdm(total=steps, desc="counting", unit="step", disable=hidden) as bar:

        def report(step: int, losses: dict[str, float]) -> None:
            bar.set_description("teaching" if step <= teaching else "training", refresh=False)
            bar.set_postfix({k: f"{v:.2g}" for k, v in losses.items()}, refresh=False)
            bar.update(step - bar.n)

        yield report
