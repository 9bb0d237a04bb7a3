"""Configuration: defaults, YAML, unknown keys, wrong types."""

import json
from pathlib import Path

import pytest
import yaml

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
        ("model: {sprite_sizes: 8}", "model: sprite_sizes: expected a list, got 8"),
        ("model: {sprite_sizes: [8, big]}", r"sprite_sizes: expected int, got 'big' \(str\)"),
        ("model: {sprite_sizes: [8, 1.5]}", r"sprite_sizes: expected int, got 1.5 \(float\)"),
        ("train: {max_active: some}", r"max_active: expected int, got 'some' \(str\)"),
        ("train: {max_active: 0}", "max_active: expected 1 or more, got 0"),
        ("train: {max_gradient_norm: 0}", "max_gradient_norm: expected 1e-06 or more, got 0"),
        ("train: {iterations: null}", r"iterations: expected int, got None \(NoneType\)"),
        ("train: {shift_warmup: 1.5}", "shift_warmup: expected 0 to 1, got 1.5"),
        ("train: {gumbel: -1}", "gumbel: expected 0 or more, got -1"),
        ("train: {learning_rate: .nan}", "learning_rate: expected 0 or more, got nan"),
        ("train: {precision: 16}", "precision: expected one of .'32', 'bf16'.*got 16"),
        ("model: {normalize_codes: 1}", r"normalize_codes: expected bool, got 1 \(int\)"),
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


def test_lists_and_null(tmp_path):
    path = tmp_path / "some.yaml"
    path.write_text(
        "model: {sprite_sizes: [8, 16]}\ntrain: {max_active: null, max_gradient_norm: null}\n"
    )
    config = load_yaml(PretrainConfig, path)
    assert config.model.sprite_sizes == (8, 16)
    assert config.train.max_active is None and config.train.max_gradient_norm is None
    path.write_text("model: {sprite_sizes: []}\ntrain: {max_active: 7, max_gradient_norm: 2}\n")
    config = load_yaml(PretrainConfig, path)
    assert config.model.sprite_sizes == ()
    assert config.train.max_active == 7 and config.train.max_gradient_norm == 2.0


@pytest.mark.parametrize("language", [json, yaml], ids=["json", "yaml"])
def test_plain_values_survive_files(language):
    given = {"sprite_sizes": [8, 16], "background": "scroll", "scroll_x": 3}
    train = {"max_active": None, "init": "random", "beta_weight": 1e-7}
    config = from_dict(PretrainConfig, {"seed": 5, "model": given, "train": train})
    dump, load = (json.dumps, json.loads) if language is json else (yaml.safe_dump, yaml.safe_load)
    values = to_dict(config)
    assert load(dump(values)) == values
    assert from_dict(PretrainConfig, load(dump(values))) == config
    assert values["model"]["sprite_sizes"] == [8, 16]
