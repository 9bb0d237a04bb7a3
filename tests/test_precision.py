"""What a user set for training neither changes what is found nor is changed."""

import pytest
import torch
from torch.backends import cuda, cudnn, mkldnn

from sprite_obs.precision import full_precision

OLDER = ["cudnn.allow_tf32", "cuda.matmul.allow_tf32", "cudnn.benchmark", "cudnn.deterministic"]
NEWER = [
    f"{name}.fp32_precision"
    for name in ("cuda.matmul", "cudnn.conv", "cudnn.rnn", "mkldnn.matmul", "mkldnn.conv")
]
has_newer = hasattr(cuda.matmul, "fp32_precision")


def read(name: str) -> object:
    owner, *path = name.split(".")
    value: object = {"cuda": cuda, "cudnn": cudnn, "mkldnn": mkldnn}[owner]
    try:
        for part in path:
            value = getattr(value, part)
    except RuntimeError:
        return "contradicted"
    return value


def settings() -> dict[str, object]:
    values = {name: read(name) for name in OLDER + (NEWER if has_newer else [])}
    try:
        return values | {"matmul": torch.get_float32_matmul_precision()}
    except RuntimeError:
        return values | {"matmul": "contradicted"}


def set_older() -> None:
    torch.set_float32_matmul_precision("medium")
    cudnn.allow_tf32 = cudnn.benchmark = True


def set_newer() -> None:
    cuda.matmul.fp32_precision = "tf32"
    mkldnn.matmul.fp32_precision = "bf16"
    cudnn.conv.fp32_precision = "ieee"


@pytest.fixture(params=[lambda: None, set_older, set_newer], ids=["none", "older", "newer"])
def users_settings(request):
    if request.param is set_newer and not has_newer:
        pytest.skip("this PyTorch has no such settings")
    names = NEWER if has_newer else []
    before = {name: read(name) for name in names}
    request.param()
    yield settings()
    torch.set_float32_matmul_precision("highest")
    cudnn.allow_tf32, cudnn.benchmark = True, False
    for name, value in before.items():
        owner = read(name.removesuffix(".fp32_precision"))
        owner.fp32_precision = value


def test_numbers_are_whole_inside_and_settings_as_before_after_it(users_settings):
    with full_precision("cpu"):
        inside = settings()
    assert inside["matmul"] == "highest" and not inside["cuda.matmul.allow_tf32"]
    assert inside["cudnn.deterministic"] and not inside["cudnn.benchmark"]
    if has_newer:
        assert {inside[name] for name in NEWER} == {"ieee"}
    else:
        assert inside["cudnn.allow_tf32"] is False
    assert settings() == users_settings


def test_settings_are_as_before_after_an_error(users_settings):
    with pytest.raises(ZeroDivisionError), full_precision("cpu"):
        1 / 0  # noqa: B018
    assert settings() == users_settings


def test_autocast_ends_inside():
    with torch.autocast("cpu", torch.bfloat16):
        with full_precision("cpu"):
            assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16
