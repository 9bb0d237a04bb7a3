"""types.yaml beside a model: merges and names its types, and says what is wrong with it."""

from pathlib import Path

import cv2
import gymnasium
import numpy as np
import pytest
from pong_model import BALL, GREEN, LEFT_PADDLE, ORANGE, RIGHT_PADDLE, save_pong_model

from sprite_obs.checkpoint import load_checkpoint
from sprite_obs.cli import main
from sprite_obs.errors import ConfigError
from sprite_obs.frozen import FrozenEncoder
from sprite_obs.model_folder import keep_previous
from sprite_obs.type_names import add_up, merged_types, read_named_types
from sprite_obs.wrapper import SpriteObservation

NAMED = "# the two players\npaddle: [3, 2]\nball: [1]\n"


def write(folder: Path, text: str) -> Path:
    (folder / "types.yaml").write_text(text)
    return folder


@pytest.fixture
def model(tmp_path) -> Path:
    return save_pong_model(tmp_path / "pong")


def pong_frame(model: Path) -> np.ndarray:
    """Returns a frame of the hand-made Pong with a ball and both paddles."""
    checkpoint = load_checkpoint(model)
    frame = checkpoint.background.copy()
    frame[100:104, 80:82] = 236
    frame[60:76, 140:144] = GREEN
    frame[90:106, 16:20] = ORANGE
    return frame


def test_without_a_file_nothing_changes(model):
    checkpoint, encoder = load_checkpoint(model), FrozenEncoder.load(model)
    np.testing.assert_array_equal(encoder.sprite_type, checkpoint.sprite_type)
    np.testing.assert_array_equal(encoder.type_capacity, checkpoint.type_capacity)
    assert encoder.type_names == {}
    assert read_named_types(model, 3) == {}


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "{}"])
def test_an_empty_file_changes_nothing_either(model, text):
    assert FrozenEncoder.load(write(model, text)).type_names == {}


@pytest.mark.parametrize("decoder", ["lookup", "network"])
def test_merged_types_have_the_smallest_id(model, decoder):
    encoder = FrozenEncoder.load(write(model, NAMED), decoder=decoder)
    assert encoder.sprite_type.tolist() == [BALL, RIGHT_PADDLE, RIGHT_PADDLE]
    assert encoder.type_capacity.tolist() == [0, 1, 2, 0]
    assert encoder.num_types == 3, "ids and the space of observations stay"
    assert encoder.type_names == {BALL: "ball", RIGHT_PADDLE: "paddle"}
    assert encoder.sprite_type.dtype == encoder.type_capacity.dtype == np.int32


def test_detections_have_merged_types(model):
    frame = pong_frame(model)
    before = FrozenEncoder.load(model).encode(frame)
    after = FrozenEncoder.load(write(model, NAMED)).encode(frame)
    assert sorted(before.type.tolist()) == [BALL, RIGHT_PADDLE, LEFT_PADDLE]
    assert sorted(after.type.tolist()) == [BALL, RIGHT_PADDLE, RIGHT_PADDLE]
    np.testing.assert_array_equal(before.sprite, after.sprite)


def test_the_wrapper_has_a_slot_for_each_instance_of_a_merged_type(model):
    write(model, NAMED)
    frame = pong_frame(model)

    class Still(gymnasium.Env):
        observation_space = gymnasium.spaces.Box(0, 255, frame.shape, np.uint8)
        action_space = gymnasium.spaces.Discrete(1)

        def reset(self, *, seed=None, options=None):
            return frame, {}

    observation, _ = SpriteObservation(Still(), str(model), max_sprites=3).reset()
    assert observation["type"].tolist() == [BALL, RIGHT_PADDLE, RIGHT_PADDLE]
    assert sorted(observation["sprite"].tolist()) == [1, 2, 3]


def test_other_types_keep_ids_and_capacity():
    sprite_type = np.array([1, 2, 2, 3, 4, 5], np.int32)
    capacity = np.array([0, 4, 3, 2, 1, 7], np.int32)
    merged = merged_types(5, {"car": [5, 2, 3], "ball": [4]})
    assert merged[sprite_type].tolist() == [1, 2, 2, 2, 4, 2]
    assert add_up(capacity, merged).tolist() == [0, 4, 12, 0, 1, 0]
    both = add_up(np.stack([capacity, 2 * capacity]), merged)
    assert both.tolist() == [[0, 4, 12, 0, 1, 0], [0, 8, 24, 0, 2, 0]]
    assert capacity.sum() == 17, "not in place"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("- ball", r"expected lines such as `ball: \[1\]`, got a list"),
        ("ball", r"got a str"),
        ("ball: 1", r"expected a list of type ids for 'ball', such as \[1, 2\], got 1"),
        ("ball: []", r"for 'ball', such as \[1, 2\], got \[\]"),
        ("ball:", r"got None"),
        ("ball: [4]", r"expected type ids from 1 to 3 for 'ball', got 4; dictionary.png"),
        ("ball: [0]", r"from 1 to 3 for 'ball', got 0"),
        ("ball: [one]", r"from 1 to 3 for 'ball', got 'one'"),
        ("ball: [true]", r"from 1 to 3 for 'ball', got True"),
        ("ball: [1.0]", r"from 1 to 3 for 'ball', got 1.0"),
        ("ball: [1]\npaddle: [2, 1]", r"expected each type id once, got 1 twice"),
        ("ball: [1, 1]", r"expected each type id once, got 1 twice"),
        ("ball: [1]\nball: [2]", r"expected each name once, got 'ball' twice"),
        ("1: [1]", r"expected a name as text, got 1 \(int\); put it in quotes"),
        ("yes: [1]", r"expected a name as text, got True \(bool\)"),
        ("' ': [1]", r"expected a name as text, got ' '"),
        ("[1]: [1]", r"is not a YAML file"),
        ("ball: [1", r"is not a YAML file"),
        ("ball: \x00", r"is not a YAML file"),
    ],
)
def test_a_wrong_file_is_refused(model, text, reason):
    write(model, text)
    with pytest.raises(ConfigError, match=reason) as error:
        FrozenEncoder.load(model)
    assert str(error.value).startswith(str(model / "types.yaml"))


def test_a_wrong_file_ends_a_command_in_one_line(model, capsys):
    assert main(["sheet", "--model", str(write(model, "ball: 1"))]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"sprite-obs: error: {model / 'types.yaml'}: expected a list")
    assert error.count("\n") == 1


def test_sheet_draws_the_dictionary_by_the_named_types(model, tmp_path, capsys):
    assert main(["sheet", "--model", str(model)]) == 0
    assert capsys.readouterr().out == f"drew 3 sprites: {model / 'dictionary.png'}\n"
    out = tmp_path / "pictures" / "named.png"
    assert main(["sheet", "--model", str(write(model, NAMED)), "--out", str(out)]) == 0
    plain, named = (cv2.imread(str(path)) for path in (model / "dictionary.png", out))
    assert plain.shape == named.shape and (plain != named).any()


def test_a_new_model_does_not_take_over_the_names_of_the_previous_one(model):
    write(model, NAMED)
    keep_previous(model)
    assert not (model / "types.yaml").exists()
    assert FrozenEncoder.load(model / "previous").type_names == {1: "ball", 2: "paddle"}
    assert FrozenEncoder.load(model).type_names == {}
