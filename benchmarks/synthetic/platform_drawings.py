"""What the platform game is drawn with, beside some of the eleven drawings."""

import numpy as np

from synthetic.drawings import ART as ELEVEN
from synthetic.drawings import named_drawings
from synthetic.pixel_art import draw

SCALE = 2
SHARED = ("key", "coin", "ring", "heart", "mushroom", "ghost")
ART = {
    "tile": """
        gggggggggg
        gGggGggGgG
        GaaGaAaaGA
        aaaaaAaaaA
        AAAAAAAAAA
        aaAaaaaaAa
        AAAAAAAAAA""",
    "step": """
        oooooooR
        oyyyyyoR
        oyooooRR
        oyooooRR
        oyooooRR
        oRRRRRRR
        RRRRRRRR""",
    "rung": "\n".join(ELEVEN["ladder"].split()[:7]),  # repeated, it makes ladders of any length
    "spikes": """
        ..a....a..
        ..a....a..
        .aaA..aaA.
        .aaA..aaA.
        .aaA..aaA.
        aaaAAaaaAA
        aaaAAaaaAA
        AAAAAAAAAA""",
    "door": """
        ..NNNNNNN..
        .NrrrrrrrN.
        NrrrrrrrrrN
        NrrRrrrRrrN
        NrrRrrrRrrN
        NrrRrrrRrrN
        NrrRrrrRrrN
        NrrRrryyrrN
        NrrRrryyrrN
        NrrRrrrRrrN
        NrrRrrrRrrN
        NrrRrrrRrrN
        NNNNNNNNNNN""",
    "stand": """
        ...kkkk...
        ..kNNNNk..
        .kNNNssk..
        .kNskskk..
        ..ksssk...
        .kppppPk..
        kpppppPPk.
        kspppPPsk.
        .kkbbbkk..
        ..kbkBbk..
        ..kbkkBk..
        ..knk.knk.
        ..knnkknnk""",
    "walk": """
        ...kkkk...
        ..kNNNNk..
        .kNNNssk..
        .kNskskk..
        ..ksssk...
        ..kppPPk..
        .kpppppskk
        .kspppPkk.
        ..kbbbbk..
        .kbbkkBBk.
        kbbk..kBBk
        knnk..knnk
        .kkk...kkk""",
    "climb": """
        .kk.kkkk..
        ksskNNNNk.
        ksskNNNNk.
        .kpkNNNNk.
        .kppkNNkk.
        ..kpppppk.
        ...kppppsk
        ...kPpppsk
        ...kbbbbk.
        ..kbbkbBk.
        ..kbk.kBk.
        ..knk.kBk.
        ..kkk.knk.""",
}


def platform_drawings() -> dict[str, np.ndarray]:
    """Returns `(h, w, 4)` uint8 RGBA drawings of 14 to 30 pixels by their names."""
    shared = {name: drawing for name, drawing in named_drawings(SCALE).items() if name in SHARED}
    return draw(ART, SCALE) | shared
