"""Tables of numbers from files, the classics, and generated points."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.core.errors import LabError
from engine.data.classics import classic
from engine.data.number_tables import read_table
from engine.data.point_clouds import curved, sample, truth


def written(folder: Path, text: str, name: str = "points.csv") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    "text", ["x,y,kind\n1,2,a\n3,4,b\n", "x;y\n1;2\n3;4", "# by hand\n1 2\n\n3  4\n", "\ufeff1\t2\n3\t4\n"]
)
def test_columns_of_numbers_are_found(tmp_path: Path, text: str) -> None:
    table = read_table(written(tmp_path, text))
    assert table.rows.tolist() == [[1, 2], [3, 4]]
    assert table.names == (("x", "y") if "x" in text else ())


def test_columns_are_chosen_in_order(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "a,b,c\n1,2,3\n4,5,6\n"), (3, 1))
    assert table.rows.tolist() == [[3, 1], [6, 4]]
    assert table.names == ("c", "a")


@pytest.mark.parametrize(
    ("text", "columns", "sentence"),
    [
        ("1,2\n3,x\n5,6\n", (), "Row 2, column 2 is not a number: 'x'. Mend the row, or leave it out."),
        ("a,b\n1,2\n3\n", (), "Row 3 has no column 2. Mend the row, or choose other columns."),
        ("1,2\n,3\nnan,1\n4,5\n", (), "2 rows do not have their numbers: rows 2, 3."),
        ("1,2\n3,4\n", (5,), "The file has 2 columns, and column 5 is asked for."),
        ("a,b\n", (), "a row of names and no numbers"),
        ("", (), "The file is empty."),
        ("a,b\nc,d\n", (), "Row 2 has no numbers."),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, text: str, columns: tuple[int, ...], sentence: str) -> None:
    with pytest.raises(LabError) as caught:
        read_table(written(tmp_path, text), columns)
    assert sentence in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path in ("", str(tmp_path), str(tmp_path / "none.csv")):
        with pytest.raises(LabError):
            read_table(path)
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(LabError, match="cannot be read"):
        read_table(str(binary))


def test_many_rows_are_read_in_blocks(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(20_000, 2))
    path = tmp_path / "many.csv"
    np.savetxt(path, rows, delimiter=",", fmt="%.17g")
    assert np.array_equal(read_table(str(path)).rows, rows)


@pytest.mark.parametrize(
    ("name", "shape", "groups"), [("iris", (150, 4), 3), ("wine", (178, 13), 3), ("breast_cancer", (569, 30), 2)]
)
def test_classics_are_those_of_scikit_learn(name: str, shape: tuple[int, int], groups: int) -> None:
    found = classic(name)
    assert found.rows.shape == shape
    assert len(found.names) == shape[1]
    assert set(found.labels.tolist()) == set(range(groups))
    datasets = pytest.importorskip("sklearn.datasets")
    peer = getattr(datasets, f"load_{name}")()
    assert np.array_equal(found.rows, peer.data)
    assert np.array_equal(found.labels, peer.target)


@pytest.mark.parametrize("kind", ["blobs", "overlapping", "anisotropic"])
@pytest.mark.parametrize("dimension", [1, 2, 3, 8])
def test_generated_points_have_the_moments_of_their_law(kind: str, dimension: int) -> None:
    law = truth(kind, 3, dimension, 4.0, torch.Generator().manual_seed(1))
    points, labels = sample(law, 40_000, torch.Generator().manual_seed(2))
    assert float(law.weights.sum()) == pytest.approx(1)
    for k in range(3):
        chosen = points[:, labels == k]
        error = 6 / chosen.shape[1] ** 0.5 * float(law.covariances[k].diagonal().amax())
        assert (chosen.mean(1) - law.means[k]).abs().amax() < error
        assert (torch.cov(chosen).reshape(dimension, dimension) - law.covariances[k]).abs().amax() < 2 * error
    gaps = torch.cdist(law.means, law.means)[~torch.eye(3, dtype=torch.bool)]
    assert float(gaps.amin()) == pytest.approx(2.0 if kind == "overlapping" else 4.0)


def test_moons_and_rings_lie_on_circles() -> None:
    points, labels = curved("rings", 500, 0.0, torch.Generator().manual_seed(1))
    radii = points.square().sum(0).sqrt()
    assert torch.allclose(radii, torch.where(labels == 0, 1.0, 2.4).double())
    points, labels = curved("moons", 500, 0.0, torch.Generator().manual_seed(1))
    centres = torch.tensor([[-0.5, 0.5], [-0.25, 0.25]], dtype=torch.float64)[:, labels]
    assert torch.allclose((points - centres).square().sum(0), torch.ones(500, dtype=torch.float64))
