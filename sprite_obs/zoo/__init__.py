"""Pretrained sprite models, a folder for each game, and how a name finds one of them."""
