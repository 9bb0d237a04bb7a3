"""Arithmetic over a console's memory, read from text: rewards and ends of episodes.

    ram[0x0770] == 3 or ram[14] > 5
    delta(100 * ram[0x10] + ram[0x11]) / 10

In order of binding: `or`; `and`; `not`; `== != < <= > >=`, one of them; `+ -`; `* /`; a minus
sign; integers (decimal, or 0x...), `ram[ADDRESS]`, `delta(...)` and brackets. Comparisons and logic
give 1 or 0. `delta` is the change since the last step, 0 after a reset. Nothing is run as Python.
"""

import operator
import re
from collections.abc import Callable, Mapping

from sprite_obs.errors import ConfigError, SpriteObsError

Memory = Mapping[int, int]
Value = Callable[[Memory, Memory], float]
"""Takes the memory now and as it was after the last step."""

TOKEN = re.compile(r"\s*(0[xX][0-9a-fA-F]+|\d+|[A-Za-z_]\w*|==|!=|<=|>=|[-+*/<>()\[\]])")
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
SUMS = {"+": operator.add, "-": operator.sub}
PRODUCTS = {"*": operator.mul, "/": operator.truediv}
MAX_DEPTH = 40
"""Brackets within brackets."""
READABLE = (range(0x0000, 0x2000), range(0x6000, 0x8000))
"""The console's memory and that of the cartridge; reading other places has effects."""


class Expression:
    """An expression that was read once and is worked out at every step.

    Args:
        text: the expression.
        where: how messages name it, such as `game.yaml: reward`.

    Raises:
        ConfigError: when the text is no expression; the message shows where it stops being one.

    Attributes:
        addresses: every address that it reads.
    """

    addresses: frozenset[int]

    def __init__(self, text: str, where: str = "expression"):
        self.text, self._where = text, where
        parser = _Parser(text, where)
        self._value = parser.whole()
        self.addresses = frozenset(parser.addresses)

    def value(self, now: Memory, before: Memory) -> float:
        """Works it out from the memory now and after the last step, by address.

        Raises:
            SpriteObsError: when it divides by zero.
        """
        try:
            return float(self._value(now, before))
        except ZeroDivisionError:
            raise SpriteObsError(
                f"{self._where}: {self.text!r} divides by zero; add 1 to the divisor, or compare "
                "instead"
            ) from None


class _Parser:
    """Reads an expression from left to right, a method for each level of binding."""

    def __init__(self, text: str, where: str):
        self._text, self._where = text, where
        self._tokens = self._cut(text)
        self._place = 0
        self._depth = 0
        self._in_delta = False
        self.addresses: set[int] = set()

    def whole(self) -> Value:
        value = self._either()
        if self._next:
            raise self._error("an operator such as + or ==, or the end")
        return value

    def _cut(self, text: str) -> list[tuple[str, int]]:
        """Returns the tokens with their places in the text; an empty one stands for its end."""
        tokens, place, end = [], 0, len(text.rstrip())
        while place < end:
            found = TOKEN.match(text, place)
            if not found:
                raise ConfigError(
                    f"{self._where}: expected numbers, ram[...], delta(...) and operators, got "
                    f"{text[place:].strip()!r} in {text!r}; docs/nes.md lists what there is"
                )
            tokens.append((found[1], found.start(1)))
            place = found.end()
        return [*tokens, ("", end)]

    @property
    def _next(self) -> str:
        return self._tokens[self._place][0]

    def _take(self) -> str:
        token = self._next
        self._place += token != ""
        return token

    def _expect(self, token: str) -> None:
        if self._next != token:
            raise self._error(repr(token))
        self._take()

    def _error(self, expected: str) -> ConfigError:
        token, place = self._tokens[self._place]
        came = repr(token) if token else "the end"
        return ConfigError(
            f"{self._where}: expected {expected}, got {came} at character {place + 1} of "
            f"{self._text!r}; docs/nes.md lists what there is"
        )

    def _either(self) -> Value:
        value = self._both()
        while self._next == "or":
            self._take()
            value = _logic(value, self._both(), any)
        return value

    def _both(self) -> Value:
        value = self._negation()
        while self._next == "and":
            self._take()
            value = _logic(value, self._negation(), all)
        return value

    def _negation(self) -> Value:
        if self._next != "not":
            return self._comparison()
        self._take()
        value = self._nested(self._negation)
        return lambda now, before: not value(now, before)

    def _comparison(self) -> Value:
        value = self._sum()
        if self._next in COMPARISONS:
            value = _joined(COMPARISONS[self._take()], value, self._sum())
            if self._next in COMPARISONS:
                raise self._error("one comparison only, 'and' or 'or'")
        return value

    def _sum(self) -> Value:
        value = self._product()
        while self._next in SUMS:
            value = _joined(SUMS[self._take()], value, self._product())
        return value

    def _product(self) -> Value:
        value = self._signed()
        while self._next in PRODUCTS:
            value = _joined(PRODUCTS[self._take()], value, self._signed())
        return value

    def _signed(self) -> Value:
        if self._next != "-":
            return self._atom()
        self._take()
        value = self._nested(self._signed)
        return lambda now, before: -value(now, before)

    def _atom(self) -> Value:
        if self._next[:1].isdigit():
            number = self._number()
            return lambda now, before: number
        if self._next == "ram":
            return self._ram()
        if self._next == "delta":
            return self._delta()
        if self._next == "(":
            return self._bracket()
        raise self._error("a number, ram[...], delta(...) or '('")

    def _number(self) -> int:
        if not self._next[:1].isdigit():
            raise self._error("an integer, decimal or 0x...")
        token = self._take()
        return int(token, 16) if token[:2].lower() == "0x" else int(token)

    def _ram(self) -> Value:
        self._take()
        self._expect("[")
        address = self._number()
        if not any(address in part for part in READABLE):
            raise ConfigError(
                f"{self._where}: expected an address of memory, 0 to 0x1fff or 0x6000 to 0x7fff, "
                f"got {address:#x} in {self._text!r}; name one of these"
            )
        self._expect("]")
        self.addresses.add(address)
        return lambda now, before: now[address]

    def _delta(self) -> Value:
        if self._in_delta:
            raise self._error("no delta within a delta")
        self._take()
        self._in_delta = True
        value = self._bracket()
        self._in_delta = False
        return lambda now, before: value(now, before) - value(before, before)

    def _bracket(self) -> Value:
        self._expect("(")
        value = self._nested(self._either)
        self._expect(")")
        return value

    def _nested(self, read: Callable[[], Value]) -> Value:
        if self._depth == MAX_DEPTH:
            raise self._error(f"at most {MAX_DEPTH} brackets within each other")
        self._depth += 1
        value = read()
        self._depth -= 1
        return value


def _joined(join: Callable[[float, float], float], left: Value, right: Value) -> Value:
    return lambda now, before: join(left(now, before), right(now, before))


def _logic(left: Value, right: Value, join: Callable[..., bool]) -> Value:
    """Joins by `any` or `all`; what is on the right is not worked out where it does not matter."""
    return lambda now, before: join(side(now, before) for side in (left, right))
