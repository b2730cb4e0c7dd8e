"""Tables of numbers as people have them: what is read, what is left out and told, and what is refused in one sentence."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.core.errors import LabError
from engine.data.classics import classic
from engine.data.number_tables import NumberTable, column_places, read_table
from engine.data.point_clouds import curved, sample, truth


def read(folder: Path, text: str | bytes, columns: tuple[int | str, ...] = (), encoding: str = "utf-8") -> NumberTable:
    path = folder / "points.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return read_table(str(path), columns)


def refusal(folder: Path, text: str | bytes, columns: tuple[int | str, ...] = ()) -> str:
    with pytest.raises(LabError) as caught:
        read(folder, text, columns)
    return str(caught.value)


def report(table: NumberTable) -> str:
    return " ".join(map(str, table.reading.sentences()))


# ---- plain tables ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["x,y,kind\n1,2,a\n3,4,b\n", "x;y\n1;2\n3;4", "# by hand\n1 2\n\n3  4\n", "\ufeff1\t2\n3\t4\n", "x|y\r1|2\r3|4\r"],
)
def test_columns_of_numbers_are_found(tmp_path: Path, text: str) -> None:
    table = read(tmp_path, text)
    assert table.rows.tolist() == [[1, 2], [3, 4]]
    assert table.names == (("x", "y") if "x" in text else ())
    assert table.reading.rows == 2
    assert table.reading.header == (1 if "x" in text else 0)


def test_a_report_tells_what_was_read(tmp_path: Path) -> None:
    table = read(tmp_path, "Report of May\n\nid;height;note;width\n1;0,5;ok;NA\n2;1,5;ok;7,25\n3;2,5;;3\nSource: a book\n")
    assert table.rows.tolist() == [[1.5, 7.25], [2.5, 3]]
    assert report(table) == (
        "Rows: 2. Columns: height, width. Columns left out: id (numbers of rows), note (text). "
        "Read as: UTF-8, semicolons, decimal comma, names in row 3. "
        "Rows left out (3): 1 (Report of May), 4 (NA), 7 (Source: a book)."
    )
    assert table.reading.to_dict()["rows_left_out"][1] == {"row": 4, "text": "NA"}


def test_columns_are_chosen_in_order_by_number_and_by_name(tmp_path: Path) -> None:
    text = 'a,"Length, cm",c,2024\n1,2,3,4\n4,5,6,7\n'
    for columns in ((3, 1), ("c", "a"), ("C", 1), (3, "a ")):
        table = read(tmp_path, text, columns)
        assert table.rows.tolist() == [[3, 1], [6, 4]]
        assert table.names == ("c", "a")
    assert read(tmp_path, text, ("Length, cm", 2024)).rows.tolist() == [[2, 4], [5, 7]]  # a number beyond all columns is a name
    assert "There is no column named z; the names are: a, Length, cm, c, 2024." in refusal(tmp_path, text, ("z",))
    assert "Column 3 is chosen twice." in refusal(tmp_path, text, (3, "c"))
    assert "2 columns are named x: 1, 2." in refusal(tmp_path, "x,x\n1,2\n3,4\n", ("x",))
    assert "The columns have no names: x." in refusal(tmp_path, "1,2\n3,4\n", ("x",))
    assert column_places(["petal width"], ["petal length", "petal width"], 2) == [1]


@pytest.mark.parametrize(
    ("text", "columns", "sentence"),
    [
        ("1,2\n3,x\n5,6\n", (), "Row 2, column 2 is not a number: 'x'. Mend the row, or leave it out."),
        ("a,b\n1,2\n3\n", (), "Row 3 has no column 2. Mend the row, or choose other columns."),
        ("1,2\n3,4,5\n6,7\n", (), "Row 2 has 3 cells instead of 2."),
        ("1,2\nx,3\ninf,1\n4,5\n5,6\n7,8\n", (), "2 rows do not have their numbers: rows 2, 3."),
        ("1,2\n1e400,3\n4,5\n", (), "Row 2, column 1 is not a number: '1e400'."),
        ("1,2\n3,4\n", (5,), "The table has 2 columns, and column 5 is asked for."),
        ("name,x\nbob,2\njim,4\n", (1,), "Column 1 holds no numbers: 'bob'."),
        ("1,NA\nNA,2\n", (), "No row has a number in every column."),
        ("a,b\n", (), "a row of names and no numbers"),
        ("", (), "The file is empty."),
        ("\n \n", (), "The file is empty."),
        ("# nothing\n", (), "The file has comments and no numbers."),
        ("a,b\nc,d\n", (), "a row of names and no numbers"),
        ("1;a\n2;b\n", (2,), "Column 2 holds no numbers"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, text: str, columns: tuple[int, ...], sentence: str) -> None:
    assert sentence in refusal(tmp_path, text, columns)


def test_a_table_is_read_again_only_after_it_has_changed(tmp_path: Path) -> None:
    first = read(tmp_path, "1,2\n3,4\n")
    path = tmp_path / "points.csv"
    assert read_table(str(path)) is first
    path.write_text("1,2\n3,5\n7,8\n")
    assert read_table(str(path)).rows.tolist() == [[1, 2], [3, 5], [7, 8]]


def test_many_rows_are_read(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(20_000, 2))
    path = tmp_path / "many.csv"
    np.savetxt(path, rows, delimiter=",", fmt="%.17g")
    assert np.array_equal(read_table(str(path)).rows, rows)


# ---- decimal marks and thousands ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("0,5;7,5\n-1,2;3,25\n2,75;4,5\n", [[0.5, 7.5], [-1.2, 3.25], [2.75, 4.5]]),
        ("x;y\n0,5;7,5\n-1,2;3,25\n", [[0.5, 7.5], [-1.2, 3.25]]),
        ("0,5\t7,5\n-1,2\t3,25\n", [[0.5, 7.5], [-1.2, 3.25]]),
        ("0,5 7,5\n-1,2  3,25\n", [[0.5, 7.5], [-1.2, 3.25]]),
        ('"x","y"\n"0,5","7,5"\n"1,2","3"\n', [[0.5, 7.5], [1.2, 3]]),
        ("x;y\n1.234,5;2\n12.345,75;3\n", [[1234.5, 2], [12345.75, 3]]),
        ("x;y\n1.234;0,5\n12.345;0,75\n", [[1234, 0.5], [12345, 0.75]]),
        ('x,y\n"1,234",7\n"12,345",8\n999,9\n', [[1234, 7], [12345, 8], [999, 9]]),
        ("1,234;5,678\n2,345;6,789\n", [[1.234, 5.678], [2.345, 6.789]]),  # semicolons: commas are decimal marks
        ("1,234\t5.5\n2,345\t6.5\n", [[1234, 5.5], [2345, 6.5]]),  # the points are, so the commas are not
        ("x,y\n1'234.5,2\n2'345.5,3\n", [[1234.5, 2], [2345.5, 3]]),
        ("x;y\n1\u00a0234,5;2\n2\u202f345,5;3\n", [[1234.5, 2], [2345.5, 3]]),
        ("x,y\n\u22121.5,2\n3,4\n", [[-1.5, 2], [3, 4]]),
    ],
)
def test_either_decimal_mark_and_groups_of_three(tmp_path: Path, text: str, rows: list[list[float]]) -> None:
    assert read(tmp_path, text).rows.tolist() == rows


def test_a_comma_that_may_be_either_is_asked_about(tmp_path: Path) -> None:
    """1,234 is 1.234 in Berlin and 1234 in London."""
    assert "a comma may be the decimal mark or part thousands: '1,234'" in refusal(tmp_path, "1,234\t5\n2,345\t6\n")


# ---- quotation marks ---------------------------------------------------------------------------------------------------


def test_a_quotation_mark_without_a_partner_swallows_no_row(tmp_path: Path) -> None:
    text = 'x,y,note\n0.1,7.5,ok\n1.2,3.2,"Big Al\n2.7,4.5,ok\n0.4,5.5,ok\n1.3,6.2,ok\n-0.4,4.7,ok\n0.9,5.1,ok\n'
    table = read(tmp_path, text)
    assert table.rows[:, 0].tolist() == [0.1, 1.2, 2.7, 0.4, 1.3, -0.4, 0.9]
    assert "A quotation mark without its partner was read as a letter: row 3." in report(table)
    table = read(tmp_path, 'x,y,note\n1,2,"A\n3,4,ok\n5,6,"B, c"\n7,8,"D\n9,10,e\n')
    assert table.rows[:, 1].tolist() == [2, 4, 6, 8, 10]
    assert table.reading.stray == (2, 5)
    assert "Row 2 opens a quotation mark that does not close." in refusal(tmp_path, 'note,x\n"A,1\nb,2\nc,3\n')


def test_cells_over_several_lines_keep_the_numbers_of_the_rows(tmp_path: Path) -> None:
    text = 'note,x\n"a\nb",1\n"c",2\nd,oops\n"e\n\nf",3\n'
    assert refusal(tmp_path, text).startswith("Row 5, column 2 is not a number: 'oops'.")
    table = read(tmp_path, text.replace("oops", "NA"))
    assert table.rows.tolist() == [[1], [2], [3]]
    assert table.reading.left_out == ((5, "NA"),)


def test_a_cell_may_be_longer_than_the_csv_module_reads(tmp_path: Path) -> None:
    text = "x,y,note\n1,2," + "a" * 200_000 + '\n3,4,"' + "b\n" * 100_000 + '"\n5,6\n'
    assert read(tmp_path, text).rows.tolist() == [[1, 2], [3, 4], [5, 6]]


def test_blanks_before_quotation_marks(tmp_path: Path) -> None:
    table = read(tmp_path, 'x, "y"\n0.1, "7.5"\n1.2, "3.2"\n2.7, "4.5"\n')
    assert table.rows.tolist() == [[0.1, 7.5], [1.2, 3.2], [2.7, 4.5]]
    assert table.names == ("x", "y")


# ---- what is no number -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["NA", "", "n/a", "NaN", "#N/A", "#DIV/0!", "-", "无"])
def test_a_missing_number_leaves_out_its_row_and_no_column(tmp_path: Path, cell: str) -> None:
    """The first row does not decide what a column is."""
    for row in range(3):
        cells = ["0.3", "2.7", "0.4"]
        cells[row] = cell
        table = read(tmp_path, "x,y\n" + "".join(f"{each},{7.5 + at}\n" for at, each in enumerate(cells)))
        assert table.rows.shape == (2, 2)
        assert table.names == ("x", "y")
        assert table.reading.left_out == ((row + 2, cell),)


def test_identifiers_with_underscores_are_no_numbers(tmp_path: Path) -> None:
    table = read(tmp_path, "sample,x,y\n2023_01,0.1,7.5\n2023_02,1.2,3.2\n")
    assert table.names == ("x", "y")
    assert "Columns left out: sample (text)." in report(table)


def test_comments_are_neither_rows_nor_coordinates(tmp_path: Path) -> None:
    table = read(tmp_path, "# made by hand\n0.1 7.5 # run 1\n1.2 3.2 # run 2\n2.7 4.5\n")
    assert table.rows.tolist() == [[0.1, 7.5], [1.2, 3.2], [2.7, 4.5]]
    assert "Comments: 3." in report(table)
    table = read(tmp_path, "x\ty\tcode\n1\t2\t#a1\n3\t4\t#b2\n")  # a cell that begins with # is none
    assert table.rows.tolist() == [[1, 2], [3, 4]]
    assert table.reading.comments == 0


@pytest.mark.parametrize(
    ("text", "names", "rows"),
    [
        (
            '"height" "width"\n"1" 0.1 7.5\n"2" 1.2 3.2\n"3" 2.7 4.5\n',
            ("height", "width"),
            [[0.1, 7.5], [1.2, 3.2], [2.7, 4.5]],
        ),
        (",height,width\n0,0.1,7.5\n1,1.2,3.2\n", ("height", "width"), [[0.1, 7.5], [1.2, 3.2]]),
        ("#,height,width\n1,0.1,7.5\n2,1.2,3.2\n", ("height", "width"), [[0.1, 7.5], [1.2, 3.2]]),
        ("sep=;\nx;y\n1;2\n3;4\n", ("x", "y"), [[1, 2], [3, 4]]),
        ('"sep=|"\r\nx|y\r\n1|2\r\n3|4\r\n', ("x", "y"), [[1, 2], [3, 4]]),
        ("region,2023,2024\nNorth,1.5,2\nSouth,3,4\n", ("2023", "2024"), [[1.5, 2], [3, 4]]),
        ("2023,2024\n1.5,2\n3,4\n", ("2023", "2024"), [[1.5, 2], [3, 4]]),
        ("Ann,1901,1980\nBob,1880,1950\n", (), [[1901, 1980], [1880, 1950]]),
        ("Length, cm\tWidth, cm\n0.1\t7.5\n1.2\t3.2\n", ("Length, cm", "Width, cm"), [[0.1, 7.5], [1.2, 3.2]]),
        ("x,y\n1,2,\n3,4,\n", ("x", "y"), [[1, 2], [3, 4]]),
        ("x,y\n(cm),(kg)\n1,2\n3,4\n", ("x", "y"), [[1, 2], [3, 4]]),
        ("My table,,\n,,\nx,y,z\n1,2,3\n4,5,6\nTotal,,\n", ("x", "y", "z"), [[1, 2, 3], [4, 5, 6]]),
        ("#x,y\n1,2\n3,4\n", ("x", "y"), [[1, 2], [3, 4]]),
        ("| x | y |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n", ("x", "y"), [[1, 2], [3, 4]]),
        ("1，2\n3，4\n５，６\n", (), [[1, 2], [3, 4], [5, 6]]),
        ("身高，体重\n1.5，2\n3,4\n", ("身高", "体重"), [[1.5, 2], [3, 4]]),
        ("x,y,note\n1,2,ok\n3,4\n5,6,b\n", ("x", "y"), [[1, 2], [3, 4], [5, 6]]),
    ],
)
def test_headings_row_names_and_delimiters(tmp_path: Path, text: str, names: tuple[str, ...], rows: list[list[float]]) -> None:
    table = read(tmp_path, text)
    assert table.names == names
    assert table.rows.tolist() == rows


# ---- files -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("cp1252", ("Größe", "Länge")),
        ("gb18030", ("身高", "体重（公斤）")),
        ("gbk", ("日期", "温度")),
        ("utf-16", ("身高", "Größe")),
        ("utf-16-le", ("height", "width")),
        ("utf-16-be", ("height", "width")),
        ("utf-8-sig", ("x", "y")),
        ("big5", ("身高", "體重")),
    ],
)
def test_names_in_the_encodings_that_people_have(tmp_path: Path, encoding: str, names: tuple[str, ...]) -> None:
    table = read(tmp_path, ",".join(names) + "\n0.1,7.5\n1.2,3.2\n", encoding=encoding)
    assert table.names == names
    assert table.rows.tolist() == [[0.1, 7.5], [1.2, 3.2]]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path in ("", str(tmp_path), str(tmp_path / "none.csv"), "a\0b", "~nobody-of-this-name/x.csv"):
        with pytest.raises(LabError):
            read_table(path)
    with (tmp_path / "vast.csv").open("wb") as file:
        file.truncate(2**31)
    with pytest.raises(LabError, match="The file has 2,048 megabytes"):
        read_table(str(tmp_path / "vast.csv"))
    assert "cannot be read: it is not text" in refusal(tmp_path, b"\x89PNG\xff\xfe\x00")
    assert "is a workbook or an archive, not text. Save the table as CSV" in refusal(tmp_path, b"PK\x03\x04\x14\x00")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes and devices of Unix")
def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    """Reading /dev/zero fills the memory; a pipe waits for ever."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in ("/dev/zero", "/dev/urandom", str(pipe)):
        with pytest.raises(LabError, match="it is no regular file"):
            read_table(path)


# ---- points that need no file ------------------------------------------------------------------------------------------


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
