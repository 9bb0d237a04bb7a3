"""A 6502 assembler for the few addressing modes that a small game needs."""

import re

# Opcodes by mnemonic and addressing mode.
OPCODES: dict[str, dict[str, int]] = {
    "adc": {"imm": 0x69, "zp": 0x65, "zpx": 0x75, "abs": 0x6D, "absx": 0x7D, "absy": 0x79},
    "and": {"imm": 0x29, "zp": 0x25, "zpx": 0x35, "abs": 0x2D, "absx": 0x3D, "absy": 0x39},
    "asl": {"acc": 0x0A, "zp": 0x06},
    "bit": {"zp": 0x24, "abs": 0x2C},
    "cmp": {"imm": 0xC9, "zp": 0xC5, "zpx": 0xD5, "abs": 0xCD, "absx": 0xDD, "absy": 0xD9},
    "cpx": {"imm": 0xE0, "zp": 0xE4},
    "cpy": {"imm": 0xC0, "zp": 0xC4},
    "dec": {"zp": 0xC6, "zpx": 0xD6},
    "eor": {"imm": 0x49, "zp": 0x45, "zpx": 0x55, "abs": 0x4D, "absx": 0x5D, "absy": 0x59},
    "inc": {"zp": 0xE6, "zpx": 0xF6},
    "jmp": {"abs": 0x4C},
    "jsr": {"abs": 0x20},
    "lda": {"imm": 0xA9, "zp": 0xA5, "zpx": 0xB5, "abs": 0xAD, "absx": 0xBD, "absy": 0xB9}
    | {"indy": 0xB1},
    "ldx": {"imm": 0xA2, "zp": 0xA6, "abs": 0xAE, "absy": 0xBE},
    "ldy": {"imm": 0xA0, "zp": 0xA4, "abs": 0xAC, "absx": 0xBC},
    "lsr": {"acc": 0x4A, "zp": 0x46},
    "ora": {"imm": 0x09, "zp": 0x05, "zpx": 0x15, "abs": 0x0D, "absx": 0x1D, "absy": 0x19},
    "rol": {"acc": 0x2A, "zp": 0x26},
    "sbc": {"imm": 0xE9, "zp": 0xE5, "zpx": 0xF5, "abs": 0xED, "absx": 0xFD, "absy": 0xF9},
    "sta": {"zp": 0x85, "zpx": 0x95, "abs": 0x8D, "absx": 0x9D, "absy": 0x99},
    "stx": {"zp": 0x86, "abs": 0x8E},
    "sty": {"zp": 0x84, "abs": 0x8C},
}
BRANCHES = {"bpl": 0x10, "bmi": 0x30, "bcc": 0x90, "bcs": 0xB0, "bne": 0xD0, "beq": 0xF0}
IMPLIED = {"clc": 0x18, "cld": 0xD8, "dex": 0xCA, "dey": 0x88, "inx": 0xE8, "iny": 0xC8} | {
    "rti": 0x40, "rts": 0x60, "sec": 0x38, "sei": 0x78, "tax": 0xAA, "tay": 0xA8, "txa": 0x8A
} | {"txs": 0x9A, "tya": 0x98}  # fmt: skip

# What an operand looks like, what is left of it, and its mode in the zero page and beyond.
FORMS = (
    (re.compile(r"#(.+)"), "imm", "imm"),
    (re.compile(r"\((.+)\),y"), "indy", "indy"),
    (re.compile(r"(.+),x"), "zpx", "absx"),
    (re.compile(r"(.+),y"), "absy", "absy"),
    (re.compile(r"(.+)"), "zp", "abs"),
)
SIZES = {"imm": 2, "zp": 2, "zpx": 2, "indy": 2, "rel": 2, "acc": 1, "implied": 1}
LINE = re.compile(r"(?:(?P<label>\w+):)?\s*(?P<operation>[.\w]+)?\s*(?P<operand>.*)")


def assemble(source: str, origin: int) -> tuple[bytes, dict[str, int]]:
    """Translates a program into machine code.

    A line holds a label with a colon, an instruction, both or neither; `;` begins a comment.
    `name = value` names a number, `.byte` puts bytes down. Numbers are decimal, `$` hexadecimal or
    `%` binary; `<` and `>` take the low and the high byte of what follows.

    Args:
        source: the program.
        origin: address of its first byte.

    Returns:
        The code, and the value of every name.

    Raises:
        ValueError: for a line that is no instruction, an unknown name, or a branch that is too far.
    """
    symbols: dict[str, int] = {}
    instructions = []
    address = origin
    for line in source.lower().splitlines():
        text = line.partition(";")[0].strip()
        if "=" in text:
            name, _, value = text.partition("=")
            symbols[name.strip()] = _value(value, symbols)
            continue
        found = LINE.fullmatch(text)
        assert found  # everything in the pattern is optional
        if found["label"]:
            symbols[found["label"]] = address
        if found["operation"]:
            mode, operand = _mode(found["operation"], found["operand"], symbols)
            instructions.append((address, found["operation"], mode, operand, line))
            address += _size(mode, operand)
    code = b"".join(_encode(*instruction, symbols=symbols) for instruction in instructions)
    return code, symbols


def _mode(operation: str, operand: str, symbols: dict[str, int]) -> tuple[str, str]:
    """Returns the addressing mode of an instruction and what it addresses."""
    if operation == ".byte":
        return "bytes", operand
    if operation in BRANCHES:
        return "rel", operand
    if operation in IMPLIED:
        return "implied", ""
    if operation not in OPCODES:
        raise ValueError(f"unknown instruction {operation} {operand}")
    if operand == "a":
        return "acc", ""
    for pattern, near, far in FORMS:
        if found := pattern.fullmatch(operand):
            return (near if _is_near(operation, near, found[1], symbols) else far), found[1]
    raise ValueError(f"{operation}: expected an operand")


def _is_near(operation: str, mode: str, operand: str, symbols: dict[str, int]) -> bool:
    """Tells whether an operand is known to be one byte; labels that come later are two."""
    if mode not in OPCODES[operation]:
        return False
    try:
        return _value(operand, symbols) < 0x100
    except ValueError:
        return False


def _size(mode: str, operand: str) -> int:
    return operand.count(",") + 1 if mode == "bytes" else SIZES.get(mode, 3)


def _encode(
    address: int, operation: str, mode: str, operand: str, line: str, symbols: dict[str, int]
) -> bytes:
    if mode == "bytes":
        return bytes(_value(value, symbols) & 0xFF for value in operand.split(","))
    if mode == "implied":
        return bytes([IMPLIED[operation]])
    if mode == "rel":
        distance = _value(operand, symbols) - (address + 2)
        if not -128 <= distance <= 127:
            raise ValueError(f"the branch is {distance} bytes long: {line.strip()}")
        return bytes([BRANCHES[operation], distance & 0xFF])
    if mode not in OPCODES[operation]:
        raise ValueError(f"{operation} has no mode {mode}: {line.strip()}")
    opcode = bytes([OPCODES[operation][mode]])
    if mode == "acc":
        return opcode
    return opcode + _value(operand, symbols).to_bytes(SIZES.get(mode, 3) - 1, "little")


def _value(text: str, symbols: dict[str, int]) -> int:
    """Returns a number, a name's value, a half of it, or a sum."""
    text = text.strip()
    if text[:1] in "<>" and text:
        whole = _value(text[1:], symbols)
        return whole & 0xFF if text[0] == "<" else whole >> 8
    if "+" in text:
        return sum(_value(part, symbols) for part in text.split("+"))
    if text[:1] == "$":
        return int(text[1:], 16)
    if text[:1] == "%":
        return int(text[1:], 2)
    if text.isdigit():
        return int(text)
    if text in symbols:
        return symbols[text]
    raise ValueError(f"unknown name {text!r}")
