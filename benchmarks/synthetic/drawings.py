"""Eleven drawings, as different from each other as the sprites of a small game."""

import numpy as np

from synthetic.pixel_art import draw

ART = {
    "key": """
        ..yyyy.........
        .yyYYyy........
        yyY..Yyyyyyyyyy
        yY....ooooooooo
        yY....YYYYYYYYY
        yyY..Yy..yY.yY.
        .yyYYyy..yY.yY.
        ..YYYY...YY....""",
    "coin": """
        ...YYYY...
        ..YyyyyY..
        .YyyyyyyY.
        YyyooooyyY
        YyoyyyyoyY
        YyoyyyyyyY
        YyoyyyyyyY
        YyoyyyyoyY
        YyyooooyyY
        .YyyyyyyY.
        ..YyyyyY..
        ...YYYY...""",
    "ladder": """
        nN......nN
        nN......nN
        nYYYYYYYnN
        nNNNNNNNnN
        nN......nN
        nN......nN
        nN......nN
        nYYYYYYYnN
        nNNNNNNNnN
        nN......nN""",
    "figure": """
        ...kkkk...
        ..kNNNNk..
        .kNNNssk..
        .kNskskk..
        ..ksssk...
        .krrrrrk..
        krrrrrrrk.
        ksrrrrrsk.
        kskbbbksk.
        .kkbbbkk..
        ..kbkbbk..
        ..kbkkbk..
        ..kbk.kbk.
        ..knk.knk.
        ..knnkknnk""",
    "ghost": """
        ....pppp....
        ..pppppppp..
        .pppppppppp.
        .pptppptppp.
        .ptkpptkppp.
        pptkpptkpppp
        ppptppptpppp
        pppppppppppp
        pPppPPPpppPp
        pppPpppPpppp
        pppppppppppP
        pP.ppP.pPPpP
        P...P...P..P""",
    "ring": """
        ..cccccc...
        .cbbbbbbcc.
        ccbbbbbbbbB
        .ccbbbbbbB.
        ..ccbbbbB..
        ...yyyyY...
        ..yyYYyyY..
        .yyY...yyY.
        .yY.....yY.
        .yY.....yY.
        .yyY...yyY.
        ..yyyyyyY..
        ...YYYYY...""",
    "heart": """
        ..rrr...rrr..
        .rmmrr.rrrrr.
        rmmrrrrrrrrrR
        rmrrrrrrrrrrR
        rrrrrrrrrrrrR
        .rrrrrrrrrrR.
        ..rrrrrrrrR..
        ...rrrrrrR...
        ....rrrrR....
        .....rrR.....
        ......R......""",
    "mushroom": """
        ....ooooo....
        ..ooooooooo..
        .ottooooottoo
        ottttooottttr
        oottooooottrr
        oooooooooorrr
        .rrrrrrrrrrr.
        ....ttttn....
        ....ttttn....
        ....ttttn....
        ...tttttnn...
        ...nnnnnnn...""",
    "star": """
        ......y......
        ......y......
        .....yyy.....
        .....yyy.....
        yyyyyyyyyyyyy
        .oyyyyyyyyyo.
        ..oyykykyyo..
        ...yykykyy...
        ...yyyyyyy...
        ..yyyyyyyyo..
        ..yyyooyyyo..
        .yyoo...ooyo.
        .oo.......oo.""",
    "skull": """
        ...ttttt...
        .ttttttttt.
        ttttttttttn
        ttttttttttn
        t...tt...tn
        t...tt...tn
        tt.tttt.tnn
        tttttktttn.
        .ttttktttn.
        ..t.t.t.n..
        ..t.t.t.n..
        ..t.t.t.n..""",
    "flag": """
        AA........
        Aggg......
        Aagggggg..
        Aaggggggg.
        Aagggggggg
        AaGGGGGGG.
        AaGGGGGG..
        AaGG......
        Aa........
        Aa........
        Aa........
        Aa........
        Aa........
        aaA.......
        aaaA......""",
}


def named_drawings(scale: int = 1) -> dict[str, np.ndarray]:
    """Returns all drawings by their names; see `drawings`."""
    return draw(ART, scale)


def drawings(scale: int = 1) -> list[np.ndarray]:
    """Returns eleven drawings, none with white or almost white pixels.

    Args:
        scale: how many times each pixel is repeated; at 1, drawings are 8 to 15 pixels wide and
            high.

    Returns:
        `(h, w, 4)` uint8 RGBA each, alpha 0 or 255, cut to what is opaque.
    """
    return list(named_drawings(scale).values())
