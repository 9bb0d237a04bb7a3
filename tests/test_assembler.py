"""The assembler that builds the NES game of the tests, against bytes worked out by hand."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

from homebrew.assembler import assemble
from homebrew.rom import build_rom


def test_addressing_modes_labels_and_data():
    code, symbols = assemble(
        """
        here = $10          ; a name
        start: lda #%101
               sta here+1
               sta $2000
               lda (here),y
               lda table,x
               asl a
        back:  bne back
               jmp start
        table: .byte <start, >start, 255
        """,
        0xC000,
    )
    assert code == bytes.fromhex("a905 8511 8d0020 b110 bd12c0 0a d0fe 4c00c0 00c0ff")
    assert symbols["table"] == 0xC012


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("mov $10", "unknown instruction mov"),
        ("lda nowhere", "unknown name 'nowhere'"),
        ("near: bne far\n" + "inx\n" * 200 + "far: rts", "branch is 200 bytes long"),
        ("jmp #1", "jmp has no mode imm"),
        ("lda", "lda: expected an operand"),
    ],
)
def test_what_is_no_program_is_refused(source, message):
    with pytest.raises(ValueError, match=message):
        assemble(source, 0xC000)


def test_the_rom_is_the_same_each_time():
    rom = build_rom()
    assert rom == build_rom()
    assert len(rom) == 24592
    assert rom[:4] == b"NES\x1a"
