"""benchmarks/encode_speed.py, run by its command line in a tiny setting."""

import torch
from test_benchmarks import run, table


def test_every_decoder_encodes_in_every_batch(pong_model, tmp_path):
    out = tmp_path / "table.md"
    few = "--frames", 6, "--repeats", 1, "--batch-sizes", "1,4", "--out", out
    result = run("encode_speed.py", "--model", pong_model, *few)
    assert result.returncode == 0, result.stderr
    assert out.read_text() == result.stdout
    rows = table(result.stdout)
    ways = [(row["decoder"], row["device"], row["batch"]) for row in rows]
    cpu = "CPU, 1 threads"
    expected = [("lookup", cpu), ("network", cpu)]
    if torch.cuda.is_available():
        expected.append(("network", torch.cuda.get_device_name()))
    assert ways == [(*way, batch) for way in expected for batch in ("1", "4")]
    assert all(float(row["frames/s"]) > 0 for row in rows)
    assert {row["times as fast as one by one"] for row in rows[::2]} == {"1.00"}


def test_sizes_are_numbers(pong_model):
    result = run("encode_speed.py", "--model", pong_model, "--batch-sizes", "1,none")
    assert result.returncode == 2
    assert "batch_sizes: expected numbers such as 1,32,256, got '1,none'" in result.stderr
