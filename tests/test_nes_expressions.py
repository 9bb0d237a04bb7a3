import pytest

from sprite_obs.envs.nes.expressions import Expression
from sprite_obs.errors import ConfigError, SpriteObsError

NOW = {0x10: 7, 0x11: 250, 0x6000: 3}
BEFORE = {0x10: 5, 0x11: 255, 0x6000: 3}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("0x1F", 31),
        ("ram[0x10]", 7),
        ("ram[16] * 256 + ram[0x11]", 7 * 256 + 250),
        ("1 + 2 * 3 - 4 / 8", 6.5),
        ("8 - 4 - 2", 2),
        ("16 / 4 / 2", 2),
        ("(1 + 2) * 3", 9),
        ("-ram[0x10] + 10", 3),
        ("2 - -3", 5),
        ("ram[0x10] == 7", 1),
        ("ram[0x10] != 7", 0),
        ("1 < 2", 1),
        ("2 <= 1", 0),
        ("2 > 1 and 3 >= 3", 1),
        ("0 and 1 or 1", 1),
        ("1 or 1 and 0", 1),
        ("not 0", 1),
        ("not ram[0x10] == 7", 0),
        ("not not 5", 1),
        ("2 and 3", 1),
        ("delta(ram[0x10])", 2),
        ("delta(ram[0x10] + ram[0x11]) / 3", -1),
        ("delta(ram[0x6000]) == 0", 1),
        ("delta(4)", 0),
        ("ram[0x6000]==3or 0", 1),
    ],
)
def test_values(text, value):
    assert Expression(text).value(NOW, BEFORE) == value


def test_both_sides_are_worked_out_only_where_they_matter():
    assert Expression("ram[0x10] == 7 or 1 / 0").value(NOW, BEFORE) == 1
    assert Expression("ram[0x10] == 8 and 1 / 0").value(NOW, BEFORE) == 0


def test_addresses_are_those_that_are_read():
    expression = Expression("delta(ram[0x10]) + ram[17] * ram[0x6000]")
    assert expression.addresses == {0x10, 0x11, 0x6000}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a number.*got the end"),
        ("1 +", "got the end at character 4"),
        ("(1", r"expected '\)', got the end"),
        ("1)", r"expected an operator.*got '\)' at character 2"),
        ("ram(16)", r"expected '\[', got '\('"),
        ("ram[x]", "expected an integer"),
        ("ram[ram[0]]", "expected an integer"),
        ("ram[0x2002]", "expected an address of memory.*got 0x2002"),
        ("ram[0x8000]", "expected an address of memory"),
        ("score + 1", "got 'score' at character 1"),
        ("__import__('os')", "got .*'os'"),
        ("1.5", r"got '\.5'"),
        ("1 < 2 < 3", "one comparison only"),
        ("delta(delta(1))", "no delta within a delta"),
        ("delta 1", r"expected '\(', got '1'"),
        ("2 ** 3", r"got '\*'"),
        ("1 2", "expected an operator"),
        ("(" * 100 + "1" + ")" * 100, "at most 40 brackets"),
        ("-" * 100 + "1", "at most 40 brackets"),
    ],
)
def test_what_is_no_expression_is_refused_where_it_stops_being_one(text, message):
    with pytest.raises(ConfigError, match=message) as error:
        Expression(text, "game.yaml: reward")
    assert str(error.value).startswith("game.yaml: reward")


def test_dividing_by_zero_names_the_expression():
    with pytest.raises(SpriteObsError, match=r"game\.yaml: reward.*divides by zero"):
        Expression("1 / ram[0x6000]", "game.yaml: reward").value({0x6000: 0}, {0x6000: 1})
