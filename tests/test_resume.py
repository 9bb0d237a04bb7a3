"""A killed run goes on as if nothing had happened, and only with the same data and settings."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from scenes import make_scene
from small_runs import CPU, STARTS, config, random_config, small_frames

from sprite_obs.checkpoint import load_tensors
from sprite_obs.cli import main
from sprite_obs.config import to_dict
from sprite_obs.errors import CheckpointError
from sprite_obs.pretrain.pretrain import pretrain


@pytest.mark.parametrize(("start", "last", "saved"), [("frames", 42, 40), ("random", 6, 5)])
def test_a_killed_run_resumes_to_the_same_weights(tmp_path, start, last, saved):
    settings, frames = STARTS[start]
    steps = []
    whole = pretrain(
        frames, settings, tmp_path / "whole", CPU, report=lambda step, _: steps.append(step)
    )

    def stop(step, losses):
        if step == last:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pretrain(frames, settings, tmp_path / "cut", CPU, report=stop)
    again = []
    resumed = pretrain(
        frames, settings, tmp_path / "cut", CPU, True, lambda step, _: again.append(step)
    )
    assert again == steps[saved:] and len(again) > 1
    expected = whole.model.state_dict()
    for name, value in resumed.model.state_dict().items():
        assert torch.equal(value, expected[name]), name
    for name in ("sprites", "background", "sprite_type", "type_capacity"):
        assert (getattr(whole, name) == getattr(resumed, name)).all()


def killed_after_the_first_state(command):
    """Runs a command, kills it once a state was written, and returns the steps of the state."""
    state = Path(command[-1]) / "training.safetensors"
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 120
        while not state.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        process.kill()
        _, errors = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, errors
    return load_tensors(state)[1]["step"]


def test_a_sigkilled_command_resumes_to_the_same_files(tmp_path):
    np.savez(tmp_path / "frames.npz", frames=small_frames().images)
    settings = random_config(iterations=60, reassign_every=20)
    (tmp_path / "settings.yaml").write_text(yaml.safe_dump(to_dict(settings)))
    command = ["pretrain", "--data", str(tmp_path / "frames.npz"), "--device", "cpu"]
    command += ["--config", str(tmp_path / "settings.yaml"), "--out"]
    process = [sys.executable, "-m", "sprite_obs", *command, str(tmp_path / "cut")]
    assert 0 < killed_after_the_first_state(process) < 60
    subprocess.run([*process, "--resume"], check=True, capture_output=True)
    assert main([*command, str(tmp_path / "whole")]) == 0
    for name in ("model.safetensors", "training.safetensors", "dictionary.png"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_resume_refuses_other_settings_and_missing_states(tmp_path):
    frames = make_scene(60).frames()
    with pytest.raises(
        CheckpointError, match=r"nothing to resume: .*training\.safetensors; start without"
    ):
        pretrain(frames, config(), tmp_path, CPU, resume=True)
    pretrain(frames, config(), tmp_path, CPU)
    with pytest.raises(CheckpointError, match=r"another config\.train\.batch_size;"):
        pretrain(frames, config(batch_size=3), tmp_path, CPU, resume=True)
    with pytest.raises(CheckpointError, match="started with another data;"):
        pretrain(make_scene(60, seed=3).frames(), config(), tmp_path, CPU, resume=True)
