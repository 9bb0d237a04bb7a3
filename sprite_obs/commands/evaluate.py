"""`sprite-obs evaluate`: measure how well a model explains frames."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from sprite_obs.commands.arguments import Data, Decoder, Device, Model, flag, make_folder

if TYPE_CHECKING:
    from sprite_obs.evaluate import Evaluation


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """Measure how well a model explains frames."""

    model: Model
    data: Data
    out: Annotated[
        Path | None,
        flag("JSON file for the figures, which are shown on the screen in any case.", "JSON"),
    ] = None
    ground_truth: Annotated[
        Path | None,
        flag(
            "An .npz file that says where the objects of these frames are, to measure detection "
            "and identity too; docs/detection.md describes it.",
            "NPZ",
        ),
    ] = None
    report: Annotated[
        Path | None,
        flag(
            "HTML file that shows what is missed: the figures, the worst frames beside their "
            "reconstruction, the dictionary by types and the background; any browser opens it.",
            "HTML",
        ),
    ] = None
    decoder: Decoder = None
    device: Device = "auto"

    def run(self) -> None:
        """Measures, shows a table and writes the figures."""
        from sprite_obs.checkpoint import load_checkpoint
        from sprite_obs.evaluate import examine
        from sprite_obs.files import write_atomically
        from sprite_obs.frames.sources import read_frames
        from sprite_obs.metrics.ground_truth import read_ground_truth
        from sprite_obs.report import report_page
        from sprite_obs.type_names import read_named_types
        from sprite_obs.zoo.find import find_model

        folder = find_model(self.model)
        checkpoint = load_checkpoint(folder)
        named_types = read_named_types(folder, len(checkpoint.type_capacity) - 1)
        frames = read_frames(self.data)
        truth = read_ground_truth(self.ground_truth) if self.ground_truth else None
        for file in filter(None, (self.out, self.report)):
            make_folder(file.parent)
        examined = examine(checkpoint, frames, self.device, self.decoder, truth, named_types)
        figures, title = examined.figures, f"{self.model} on {self.data}"
        _show(figures, title)
        if self.report:
            page = report_page(title, examined, frames, truth)
            write_atomically(self.report, page.encode())
        if self.out:
            values = {"model": str(self.model), "data": str(self.data)} | figures.to_json()
            write_atomically(self.out, (json.dumps(values, indent=2) + "\n").encode())


def _show(figures: "Evaluation", title: str) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name, value in figures.to_rows():
        table.add_row(name, value)
    Console().print(table)
