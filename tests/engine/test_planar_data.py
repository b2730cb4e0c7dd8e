"""Laws of the plane: densities that integrate to one and fit their samples; files read or refused in a sentence."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from engine.core.errors import LabError
from engine.data.planar import PLANAR, REACH, Modes, moons, planar, smoothed
from engine.data.point_files import bandwidth, read_points, standardised

MODES = {"moons": 2, "rings": 3, "pinwheel": 5, "checkerboard": 8, "eight_gaussians": 8}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def middles(cells: int, reach: float = REACH) -> torch.Tensor:
    places = reach * ((2 * torch.arange(cells, dtype=torch.float64) + 1) / cells - 1)
    y, x = torch.meshgrid(places, places, indexing="ij")
    return torch.stack([x.reshape(-1), y.reshape(-1)])


@pytest.mark.parametrize("name", PLANAR)
def test_densities_integrate_to_one_with_unit_variance(name: str) -> None:
    law, cells, reach = planar(name), 480, 3.5
    points = middles(cells, reach)
    masses = law.log_density(points).exp() * (2 * reach / cells) ** 2
    assert float(masses.sum()) == pytest.approx(1, abs=2e-4)
    mean = points @ masses
    assert torch.allclose(mean, torch.zeros(2, dtype=torch.float64), atol=1e-3)
    assert float((points.square() @ masses).mean()) == pytest.approx(1, abs=0.025)  # squares on the grid are 1.75 wide
    assert law.modes == MODES[name]


@pytest.mark.parametrize("name", PLANAR)
def test_samples_have_the_density(name: str) -> None:
    """χ² over coarse cells that expect at least ten points."""
    law, count, cells = planar(name), 40_000, 16
    points = law.sample(count, generator())
    index = ((points + REACH) / (2 * REACH) * cells).long().clamp(0, cells - 1)
    seen = torch.bincount(index[1] * cells + index[0], minlength=cells**2).double()
    fine = law.log_density(middles(cells * 24)).exp().reshape(cells, 24, cells, 24).sum((1, 3)).reshape(-1)
    expected = fine / fine.sum() * count
    kept = expected >= 10
    chi = float(((seen - expected)[kept].square() / expected[kept]).sum())
    freedom = int(kept.sum())
    assert abs(chi - freedom) < 5 * math.sqrt(2 * freedom) + 5


@pytest.mark.parametrize("name", PLANAR)
def test_modes_share_the_law(name: str) -> None:
    law = planar(name)
    modes = Modes.of(law, generator())
    assert float(modes.shares.sum()) > 0.98
    counts = modes.count(law.sample(8000, generator(1)))
    assert torch.allclose(counts.double() / 8000, modes.shares, atol=0.03)
    assert int(modes.labels(torch.tensor([[2.95], [2.95]]))) == -1


def test_the_same_seed_gives_the_same_points() -> None:
    for name in PLANAR:
        law = planar(name)
        assert torch.equal(law.sample(50, generator(3)), law.sample(50, generator(3)))


def test_nodes_of_the_moons_are_dense_enough() -> None:
    """The quadrature over the arcs agrees with one of ten times as many places."""
    law = moons()
    angles = math.pi * (torch.arange(2000, dtype=torch.float64) + 0.5) / 2000
    scale = law.spread / 0.1
    outer = scale * (torch.stack([angles.cos(), angles.sin()]) - torch.tensor([[0.5], [0.25]]))
    points = law.sample(200, generator()).double()
    squares = (points[:, None] - outer[:, :, None]).square().sum(0)
    exact = torch.logsumexp(-squares / (2 * law.spread**2), 0) - math.log(2 * 2000 * 2 * math.pi * law.spread**2)
    found = law.mode_log_densities(points)[0]
    near = exact > -6
    assert torch.allclose(found[near], exact[near], atol=2e-3)


def test_smoothed_points_have_a_known_density() -> None:
    points = torch.randn((2, 300), generator=generator())
    law = smoothed(points, 0.2)
    assert law.modes == 0
    masses = law.log_density(middles(300, 6.0)).exp() * (12 / 300) ** 2
    assert float(masses.sum()) == pytest.approx(1, abs=1e-4)
    assert smoothed(torch.zeros((2, 9000)), 0.1).centres.shape == (2, 2048)
    assert bandwidth(10) > bandwidth(1000) >= bandwidth(10**9) == 0.06


# ---- files -------------------------------------------------------------------------------------------------------------


def write(tmp_path: Path, text: str) -> str:
    file = tmp_path / "points.csv"
    file.write_text(text, encoding="utf-8")
    return str(file)


ROWS = [(float(i), 10.0 * i, -i / 7) for i in range(12)]


@pytest.mark.parametrize("mark", [",", ";", "\t", " "])
@pytest.mark.parametrize("head", ["", "time{}width{}height\n", "# a remark\n\n"])
def test_columns_of_any_kind_are_read(tmp_path: Path, mark: str, head: str) -> None:
    text = head.format(mark, mark) + "\n".join(mark.join(map(str, row)) for row in ROWS)
    points = read_points(write(tmp_path, text), (3, 1))
    assert points.shape == (2, 12)
    assert points[:, 5].tolist() == pytest.approx([ROWS[5][2], ROWS[5][0]])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("1,2\n3,4\n", "2 points"),
        ("x,y\n1,2\n3,oh\n", "Row 3, column 2 is not a number: 'oh'"),
        ("1,2\n3,nan\n", "1 points"),
        ("1,2\n\n3,inf\n", "Row 3, column 2"),
        ("1,2\n3\n", "Row 2 has no column 2"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(LabError, match=words) as caught:
        read_points(write(tmp_path, text))
    assert caught.value.hint


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(b"\x89PNG\xff\xfe\x00")
    for path, words in (
        ("", "No file"),
        (str(tmp_path / "none.csv"), "cannot be read"),
        (str(tmp_path), "cannot be read"),
        (str(tmp_path / "image"), "not text"),
    ):
        with pytest.raises(LabError, match=words):
            read_points(path)


@pytest.mark.parametrize("size", [1e-200, 1.0, 1e200])
def test_points_of_any_size_are_standardised(size: float) -> None:
    points = torch.tensor([[1.0, 2.0, 4.0, 8.0], [3.0, 1.0, 2.0, 2.0]], dtype=torch.float64)
    torch.testing.assert_close(standardised(points * size), standardised(points))
    microseconds = torch.tensor([[1.7e15 + 100, 1.7e15 + 900, 1.7e15 + 400], [1.0, 2.0, 0.0]], dtype=torch.float64)
    assert standardised(microseconds).double().square().mean(1).tolist() == pytest.approx([1, 1])
    with pytest.raises(LabError, match="the same in every row"):
        standardised(torch.full((2, 9), 0.1, dtype=torch.float64))


def test_standardised_points_fit_into_the_square() -> None:
    points = torch.randn((2, 400), generator=generator(), dtype=torch.float64) * torch.tensor([[5.0], [0.01]]) + 300
    found = standardised(points)
    assert torch.allclose(found.mean(1), torch.zeros(2), atol=1e-4)
    points[0, 0] = 1e6
    assert float(standardised(points).abs().max()) <= 0.9 * REACH + 1e-5
    with pytest.raises(LabError, match="same in every row"):
        standardised(torch.stack([torch.ones(20), torch.arange(20.0)]))
