"""The decoders that there are, and those that a model can use."""

import typing
from typing import Literal

from sprite_obs.checkpoint import Checkpoint
from sprite_obs.config import ModelConfig
from sprite_obs.errors import CheckpointError

DecoderName = Literal["lookup", "network", "both"]


def usable_decoders(config: ModelConfig) -> tuple[DecoderName, ...]:
    """Returns the decoders that a model can use, the fastest first."""
    if config.background == "scroll":
        return ("network",)  # the look-up compares frames with a still background
    if (config.encoder, config.shifts) != ("window", "shared"):
        return "lookup", "network"  # parts of a frame are not enough for the encoder
    return "lookup", "both", "network"


def check_decoder(decoder: str, checkpoint: Checkpoint) -> None:
    """Refuses a decoder that a model cannot use, with a CheckpointError."""
    config = checkpoint.config
    usable = usable_decoders(config)
    if decoder not in typing.get_args(DecoderName):
        raise CheckpointError(f"unknown decoder {decoder!r}; expected lookup, network or both")
    if checkpoint.model is None and decoder != "lookup":
        raise CheckpointError(
            f"expected decoder lookup for a compact model, got {decoder}, which needs the network "
            "that was left out; use the model that it was exported from, or pretrain one"
        )
    if decoder not in usable:
        raise CheckpointError(
            f"expected decoder {' or '.join(usable)} for a model of background "
            f"{config.background}, encoder {config.encoder} and shifts {config.shifts}, got "
            f"{decoder}; the look-up needs a still background, and both an encoder of windows"
        )
