"""Configuration: defaults, YAML, unknown keys, wrong types."""

from pathlib import Path

import pytest

from sprite_obs.config import PretrainConfig, from_dict, load_yaml, to_dict
from sprite_obs.errors import ConfigError
from sprite_obs.model.build import check_model_config

CONFIGS = Path(__file__).parents[1] / "configs" / "pretrain"


def test_files_override_defaults_only_where_they_speak(tmp_path):
    path = tmp_path / "some.yaml"
    path.write_text("seed: 3\ntrain:\n  learning_rate: 1\n  beta_weight: 1e-3\n")
    config = load_yaml(PretrainConfig, path)
    assert config.seed == 3
    assert config.train.learning_rate == 1.0 and isinstance(config.train.learning_rate, float)
    assert config.train.beta_weight == 1e-3
    assert config.model == PretrainConfig().model
    assert from_dict(PretrainConfig, to_dict(config)) == config


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_configurations_are_valid(path):
    check_model_config(load_yaml(PretrainConfig, path).model)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sede: 3", "unknown key 'sede'; known keys are seed, num_threads"),
        ("train: {lr: 1}", "train: unknown key 'lr'"),
        ("seed: fast", r"seed: expected int, got 'fast' \(str\)"),
        ("train: {init: magic}", "init: expected one of .'frames', 'random'.*got 'magic'"),
        ("model: 3", "model: expected a mapping, got int"),
        ("seed: [", "is not a YAML file"),
        ("seed: -1", "seed: expected 0 to 4294967295, got -1"),
        ("num_threads: 0", "num_threads: expected 1 or more, got 0"),
        ("train: {batch_size: 0}", "batch_size: expected 1 or more, got 0"),
        ("train: {learning_rate: fast}", "learning_rate: expected float, got 'fast'"),
        ("discover: {min_visible: 7}", "min_visible: expected 0 to 1, got 7"),
    ],
)
def test_mistakes_are_named_in_one_line(tmp_path, text, message):
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        load_yaml(PretrainConfig, path)
    assert "\n" not in str(caught.value)


def test_missing_file():
    with pytest.raises(ConfigError, match=r"no configuration file nowhere.yaml"):
        load_yaml(PretrainConfig, "nowhere.yaml")
