"""Formulas are drawn right, in the colour and size asked for, off the GUI thread, and without leaving anything behind."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from PySide6.QtCore import QByteArray, QPointF, QThread
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

from gui.core.notes.formula_label import FormulaLabel
from gui.core.notes.formulas import Formula, FormulaStore, formula_problems, make_formula, normalised

DENSITY = r"p_n(\theta)=\frac{\Gamma(n/2)}{\Gamma(\frac{n-1}2)\sqrt\pi}\sin^{n-2}\theta"
SOUND = [
    DENSITY,
    r"\mathrm{Var}(\theta)=\tfrac12\psi_1(n/2)",
    r"\mathbb E\,\mathrm{MSE}(W^\top W,I_n)=\frac{n+\kappa-2}{mn}.",
    r"\|W^\top W-I\|_F^2\approx n+1",
    r"\operatorname*{argmax}_\theta \sum_{i=1}^n \log p_\theta(x_i)",
    r"\begin{cases}x & x\ge 0\\ 0 & \text{otherwise}\end{cases}",
    r"\hat x,\ \bar y,\ \tilde z,\ \sqrt{x^2+1},\ \underbrace{a+b}_{c}",
    r"x\sim\mathcal N\!\left(0,\tfrac{2}{fan_{in}+fan_{out}}\right)",
]


@pytest.fixture
def store(qapp):
    made = FormulaStore()
    yield made
    made.close()


def pixels(image: QImage) -> np.ndarray:
    """Height x width x (red, green, blue, alpha) from 0 to 255."""
    plain = image.convertToFormat(QImage.Format.Format_RGBA8888)
    rows = np.frombuffer(plain.constBits(), np.uint8).reshape(plain.height(), plain.bytesPerLine())
    return rows[:, : 4 * plain.width()].reshape(plain.height(), plain.width(), 4).copy()


def ink_rows(image: QImage) -> tuple[int, int]:
    rows = np.flatnonzero(pixels(image)[..., 3].max(axis=1) > 100)
    return int(rows[0]), int(rows[-1])


def workers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "formulas"]


@pytest.mark.parametrize("tex", SOUND)
@pytest.mark.parametrize("display", [False, True])
def test_sound_formulas_are_drawn(qapp, tex, display):
    formula = make_formula(tex, display=display)
    assert formula.problem is None
    image = formula.image(16, QColor("#E8ECF1"), 1.0)
    alpha = pixels(image)[..., 3]
    assert (alpha > 128).sum() > 20
    # Nothing is cut off: the outermost lines hold antialiasing at most.
    assert alpha[0].max() < 200
    assert alpha[:, -1].max() < 200


def test_picture_has_the_colour_asked_for(qapp):
    picture = pixels(make_formula(r"\frac{a}{b}").image(40, QColor("#F2B134"), 2.0))
    solid = picture[picture[..., 3] == 255][:, :3]
    assert len(solid) > 50
    np.testing.assert_allclose(solid, np.broadcast_to([0xF2, 0xB1, 0x34], solid.shape), atol=2)


def test_colour_inside_the_formula_stays(qapp):
    picture = pixels(make_formula(r"\textcolor{red}{x}+y").image(60, QColor("#0000FF")))
    solid = {tuple(rgb) for rgb in picture[picture[..., 3] == 255][:, :3].tolist()}
    assert {(255, 0, 0), (0, 0, 255)} <= solid


def test_picture_grows_with_size_and_pixel_ratio(qapp):
    formula = make_formula(DENSITY)
    once, twice = formula.image(20, QColor("black"), 1.0), formula.image(20, QColor("black"), 2.0)
    assert twice.devicePixelRatio() == 2.0
    assert twice.width() == pytest.approx(2 * once.width(), abs=2)
    assert twice.deviceIndependentSize().width() == pytest.approx(once.width(), abs=1)
    assert formula.image(40, QColor("black")).size() == twice.size()


def test_baseline_lies_where_the_measures_say(qapp):
    """The foot of an x stands on the baseline; a fraction reaches below it."""
    size = 100
    plain = make_formula("x")
    image = plain.image(size, QColor("black"))
    _, last = ink_rows(image)
    assert last == pytest.approx(np.ceil(plain.ascent * size), abs=2)
    assert plain.depth < 0.06
    assert make_formula(r"\frac{1}{n-1}").depth > 0.3


def test_svg_stands_alone(qapp):
    formula = make_formula(r"\sqrt2")
    renderer = QSvgRenderer(QByteArray(formula.svg_bytes(30, QColor("#123456"))))
    assert renderer.isValid()
    assert renderer.defaultSize().width() == pytest.approx(formula.width * 30, abs=1)
    assert b"#123456" in formula.svg_bytes(30, QColor("#123456"))


@pytest.mark.parametrize("zoom", [1.0, 1.5])
def test_painting_puts_the_baseline_at_the_position(qapp, zoom):
    canvas = QImage(200, 120, QImage.Format.Format_ARGB32_Premultiplied)
    canvas.fill(0)
    painter = QPainter(canvas)
    painter.scale(zoom, zoom)
    make_formula("x").paint(painter, QPointF(10, 50), 40, QColor("black"))
    painter.end()
    assert ink_rows(canvas)[1] == pytest.approx(50 * zoom, abs=2)


@pytest.mark.parametrize(
    ("tex", "part"),
    [
        (r"\frac{a", "AssertionError"),
        ("", "NoAvailableTokensError"),
        (r"\nosuchthing x", "unknown command"),
        (r"\text{角度}", "no glyph"),
        (r"\mathop{x+y}", "only 0 drawn"),
    ],
)
def test_problems_are_reported(tex, part):
    assert part in (formula_problems(tex) or "")


def test_broken_formula_shows_its_source(qapp):
    formula = make_formula(r"\frac{a <& b")
    assert formula.problem
    assert r"\frac{a &lt;&amp; b" in formula.svg
    assert (pixels(formula.image(16, QColor("black")))[..., 3] > 128).sum() > 20


@pytest.mark.parametrize(
    "tex",
    [
        r"\mathop{\text{argmax}}_\theta f",
        r"\begin{bmatrix}a&b\end{bmatrix}^\top x",
        r"\lVert x\rVert",
        r"\inf_{x} f(x)",
        r"\mathbf{1}_A+\mathbb{1}",
    ],
)
def test_known_gotchas_are_repaired(tex):
    assert formula_problems(tex) is None


def test_repairs_keep_what_is_sound():
    assert all(normalised(tex) == tex for tex in SOUND if "\\mathbb E" not in tex and "\\mathcal N" not in tex)
    assert normalised(r"\color{red}{x}") == r"\textcolor{red}{x}"
    assert normalised(r"\inf_x") == r"\inf_x"
    assert normalised(r"\inf_x", display=True) == r"\inf\limits_x"


def test_limits_stand_below_only_in_display():
    assert make_formula(r"\inf_{x}", display=True).depth > make_formula(r"\inf_{x}").depth


def test_grouped_figures_stay_together_and_other_commas_space():
    assert make_formula("2{,}000").width < make_formula("2,000").width


def test_store_delivers_on_the_gui_thread(store, qtbot, monkeypatch):
    made_on, ready_on = [], []

    def watched(tex: str, *, display: bool = False) -> Formula:
        made_on.append(threading.current_thread())
        return make_formula(tex, display=display)

    monkeypatch.setattr("gui.core.notes.formulas.make_formula", watched)
    store.ready.connect(lambda: ready_on.append(QThread.currentThread()))
    assert store.get("x+y") is None
    assert store.get("x+y") is None
    qtbot.waitUntil(lambda: bool(ready_on), timeout=5000)
    assert ready_on[0] is store.thread()
    assert len(made_on) == 1
    assert made_on[0] is not threading.main_thread()
    assert store.get("x+y").tex == "x+y"
    assert not store.busy
    qtbot.waitUntil(lambda: not workers(), timeout=5000)  # no work, no thread


def test_store_makes_at_once_when_told_to_wait(store):
    formula = store.get("a^2", wait=True)
    assert formula.problem is None
    assert store.get("a^2") is formula
    assert not workers()


def test_store_forgets_the_least_recently_used(qapp):
    store = FormulaStore(capacity=3)
    for tex in "abc":
        store.get(tex, wait=True)
    first = store.get("a")
    store.get("d", wait=True)
    assert len(store) == 3
    assert store.get("a") is first
    assert store.get("b") is None
    store.close()


def test_close_drops_what_waits_and_leaves_no_thread(store):
    for power in range(200):
        store.get(f"x^{{{power}}}")
    store.close()
    assert not workers()
    assert not store.busy
    assert len(store) < 200


def test_store_works_again_after_close(store, qtbot):
    store.close()
    with qtbot.waitSignal(store.ready, timeout=5000):
        store.get("z")
    assert store.get("z") is not None


# The label


def test_label_sets_formulas_when_they_are_ready(store, qtbot):
    label = FormulaLabel(r"The mean is $\frac{\pi}{2}$.", store=store)
    qtbot.addWidget(label)
    assert not label.complete
    qtbot.waitUntil(lambda: label.complete, timeout=5000)
    assert label.text() == r"The mean is $\frac{\pi}{2}$."
    assert label.accessibleName() == label.text()


def test_label_grows_in_height_where_it_is_narrow(store, qtbot):
    label = FormulaLabel(r"The variance of the angle is $\tfrac12\psi_1(n/2)$ for every $n\ge2$.", store=store, wait=True)
    qtbot.addWidget(label)
    wide = label.sizeHint()
    assert label.heightForWidth(wide.width()) == wide.height()
    assert label.heightForWidth(120) > 1.8 * wide.height()
    assert label.minimumSizeHint().width() < wide.width()


def test_label_follows_colour_size_and_text(store, qtbot):
    label = FormulaLabel("$x+y$", store=store, wait=True, colour="#FF0000", size=20)
    qtbot.addWidget(label)
    small = label.sizeHint()
    label.resize(small)
    red = pixels(label.grab().toImage())
    assert ((red[..., 0] > 200) & (red[..., 1] < 40) & (red[..., 2] < 40)).any()
    label.set_colour("#0000FF")
    blue = pixels(label.grab().toImage())
    assert ((blue[..., 2] > 200) & (blue[..., 0] < 40)).any()
    label.set_size(40)
    assert label.sizeHint().width() == pytest.approx(2 * small.width(), rel=0.1)
    label.set_text("$x$")
    assert label.sizeHint().width() < 2 * small.width()


def test_label_leaves_money_and_markup_alone(store, qtbot):
    label = FormulaLabel(r"\$5 *is* a_b", store=store, wait=True)
    qtbot.addWidget(label)
    assert label.complete
    assert label._page.toPlainText() == "$5 *is* a_b"


def test_formulas_may_arrive_after_the_label_is_gone(store, qtbot):
    label = FormulaLabel("$u+v$", store=store)
    label.deleteLater()
    del label
    with qtbot.waitSignal(store.ready, timeout=5000):
        store.get("w")


def test_an_operator_and_its_variable_are_two_words():
    """`Var x` once read as one word, `Varx`."""
    together = make_formula(r"\operatorname{Varx}").width
    assert make_formula(r"\operatorname{Var}x").width > together + 0.1
    assert normalised(r"\operatorname{Var}\theta") == r"\operatorname{Var}\,\theta"
    assert normalised(r"\operatorname{Var}(x)") == r"\operatorname{Var}(x)"
