import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from slot_space import SLOTS, slot_space

from sprite_obs.errors import ConfigError, SpriteObsError
from sprite_obs.extractors.deep_set import DeepSetExtractor
from sprite_obs.extractors.pairs import SpriteExtractor

ROOT = Path(__file__).parent.parent
for folder in ("agents", "benchmarks"):
    sys.path.insert(0, str(ROOT / folder))

import train_ppo  # noqa: E402
from agent_ablations import ARMS, Args, PairsAlone, ShuffledSlots, measure, row, run_file  # noqa: E402
from environments import build_vec_env  # noqa: E402

TINY = "n_steps: 64\nbatch_size: 64\nn_epochs: 1\n"


def some_things() -> dict[str, torch.Tensor]:
    rng = np.random.default_rng(0)
    seen = {
        key: rng.integers(1, 4, (2, *box.shape)).astype(np.float32)
        for key, box in slot_space().items()
    }
    seen["presence"][:] = rng.random((2, SLOTS)) < 0.8
    return {key: torch.as_tensor(array) for key, array in seen.items()}


def test_pairs_alone_leave_out_the_slots():
    whole, alone = SpriteExtractor(slot_space()), PairsAlone(slot_space())
    assert alone(some_things()).shape == (2, alone.features_dim)
    assert alone.features_dim == 6 * SLOTS * (SLOTS - 1) // 2
    torch.testing.assert_close(alone(some_things()), whole(some_things())[:, -alone.features_dim :])


def test_shuffled_slots_hold_the_same_things_elsewhere():
    content = "ALE/Pong-v5", "objects", "pong", 8, 2, 0
    plain, shuffled = build_vec_env(*content), ShuffledSlots(build_vec_env(*content), 0)
    extractor, orders, ended = DeepSetExtractor(plain.observation_space), set(), False
    plain.reset(), shuffled.reset()
    for _ in range(1500):
        one, _, dones, infos = plain.step([0, 0])
        other, _, _, others = shuffled.step([0, 0])
        for key in one:
            np.testing.assert_array_equal(np.sort(one[key], 1), np.sort(other[key], 1))
        assert (np.diff(other["presence"]) <= 0).all(), "the first slots"
        orders.add(tuple(other["type"][0].tolist()))
        if dones[0]:
            ended = True
            last, moved = (of[0]["terminal_observation"]["type"] for of in (infos, others))
            assert sorted(last) == sorted(moved) and last.tolist() != moved.tolist()
            break
    assert ended and len(orders) >= 6
    features = [
        extractor({key: torch.as_tensor(array) for key, array in seen.items()})
        for seen in (one, other)
    ]
    torch.testing.assert_close(*features)


def test_arms_are_trained_once_and_compared(tmp_path):
    (tmp_path / "tiny.yaml").write_text(TINY)
    flags = ["--arms", "pairs_alone,attention_shuffled", "--steps", 9000, "--folder", tmp_path]
    command = [sys.executable, ROOT / "benchmarks" / "agent_ablations.py", *flags]
    command += ["--config", tmp_path / "tiny.yaml"]
    tables = []
    for _ in range(2):
        result = subprocess.run([str(part) for part in command], capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        tables.append(result.stdout)
    assert tables[0] == tables[1]
    first, second = (line.strip("| ").split(" | ") for line in tables[0].splitlines()[2:])
    assert first[:4] == ["Pong", "pairs alone", "stable", "0"]
    assert second[:4] == ["Pong", "attention", "shuffled", "0"]
    assert -21 <= float(second[-1]) <= 21
    assert len(list(tmp_path.glob("*.csv"))) == 2 and not list(tmp_path.glob("*.partial"))


def test_a_point_before_the_first_episode_has_no_return(tmp_path):
    lines = ["timesteps,seconds,return,length", "600,1,-20,80", "900,2,-10,80", "1000,3,-3,80"]
    args = Args(steps=1000, folder=tmp_path)
    run_file(args, "pairs", 0).write_text("\n".join(lines))
    assert row(args, "pairs", 0)[4:] == ["-", "-", "-20.0", "-11.0"]
    run_file(args, "pairs", 1).write_text(lines[0])
    with pytest.raises(SpriteObsError, match="no episode ended"):
        row(args, "pairs", 1)


def test_runs_of_other_hyper_parameters_have_other_files(tmp_path):
    files = []
    for text in (TINY, TINY + "# the same values\n", TINY.replace("64", "32")):
        (tmp_path / "tiny.yaml").write_text(text)
        files.append(run_file(Args(config=tmp_path / "tiny.yaml"), "pairs", 0).name)
    assert files[0] == files[1] != files[2]
    assert all(name.startswith("Pong-pairs-tiny_") for name in files)


def test_runs_that_see_both_frames_have_other_files_and_see_them(tmp_path, monkeypatch):
    files = {join: run_file(Args(join_frames=join), "pairs", 0).name for join in (False, True)}
    assert files[True] == files[False].replace("pairs", "pairs-joined")
    seen = []

    def build_envs(settings, *_):
        seen.append(settings.join_frames)
        raise InterruptedError

    monkeypatch.setattr(train_ppo, "build_envs", build_envs)
    for join in (False, True):
        with pytest.raises(InterruptedError):
            row(Args(join_frames=join, folder=tmp_path), "pairs", 0)
    assert seen == [False, True]


@pytest.mark.parametrize(
    ("wrong", "message"), [({"arms": "pears"}, "got 'pears'"), ({"seeds": 0}, "at least 1")]
)
def test_wrong_settings_are_refused(wrong, message):
    with pytest.raises(ConfigError, match=message):
        measure(Args(**wrong))
    assert {name for name, arm in ARMS.items() if arm.shuffled} == {
        f"{name}_shuffled" for name, arm in ARMS.items() if not arm.shuffled
    }
