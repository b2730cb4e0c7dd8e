"""The benchmark of samplers: its rows with and without the optional peer, and its check that all sides run the same chains."""

from __future__ import annotations

import pytest
import torch

from benchmarks import langevin_sampling as benchmark


def test_rows_without_blackjax(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "QUICK", 1 << 16)
    monkeypatch.setattr(benchmark, "installed", lambda: False)
    threads = torch.get_num_threads()
    rows = benchmark.rows(quick=True)
    assert torch.get_num_threads() == threads
    assert [row["peer"] for row in rows] == ["numpy", "numpy float32", None, None]
    assert all(row["value"] > 0 for row in rows)
    assert "not installed" in rows[-1]["benchmark"]
    assert rows[-1]["ok"] is None


@pytest.mark.slow
@pytest.mark.skipif(not benchmark.installed(), reason="blackjax is an optional extra")
def test_blackjax_runs_the_same_chains(monkeypatch: pytest.MonkeyPatch) -> None:
    """`compare` would refuse chains that end up elsewhere."""
    monkeypatch.setattr(benchmark, "STEPS", 2)
    count = 1 << 16
    with benchmark._probe(count) as probe:
        peers = {"blackjax": benchmark._blackjaxes(probe, "mala", "chunks")}
        ours, theirs = benchmark.compare(benchmark._ours("mala", count), peers, 2)
    assert ours > 0
    assert theirs["blackjax"] > 0


def test_chains_that_end_up_elsewhere_give_no_row() -> None:
    with pytest.raises(RuntimeError, match=r"chains of other disagree: mean \|x\|² 2.0000, ours 1.0000"):
        benchmark.compare(lambda: (1.0, 1.0), {"other": lambda: (1.0, 2.0)}, 1)
    assert benchmark.compare(lambda: (1.0, 1.0), {"other": lambda: (2.0, 1.001)}, 3) == (1.0, {"other": 2.0})
