"""The plot kit: a themed card around a pyqtgraph plot, and everything that can be drawn into it.

A panel makes a `PlotCard`, adds items once and feeds them by ``setData``::

    card = PlotCard("Density of the angle")
    card.set_labels(x="angle θ (degrees)", y="density")
    samples = card.add(Histogram(label="samples"))
    law = card.add(Curve("theory", "exact law"))
    samples.setData(counts, edges)
"""

from gui.core.plots.axes import Axis, steady_range
from gui.core.plots.base import SERIES_DASHES, SERIES_SYMBOLS, Plotted, Swatch, pen
from gui.core.plots.card import PRINT_RATIO, Card, render_widget
from gui.core.plots.globe import Globe, equal_area_angles
from gui.core.plots.images import ColourBar, DensityImage, HeatMap, diverging_lut, sequential_lut
from gui.core.plots.items import Curve, Histogram, Points
from gui.core.plots.legend import Legend
from gui.core.plots.marks import Band, Label, Marker
from gui.core.plots.plot import PlotCard

__all__ = [
    "PRINT_RATIO",
    "SERIES_DASHES",
    "SERIES_SYMBOLS",
    "Axis",
    "Band",
    "Card",
    "ColourBar",
    "Curve",
    "DensityImage",
    "Globe",
    "HeatMap",
    "Histogram",
    "Label",
    "Legend",
    "Marker",
    "PlotCard",
    "Plotted",
    "Points",
    "Swatch",
    "diverging_lut",
    "equal_area_angles",
    "pen",
    "render_widget",
    "sequential_lut",
    "steady_range",
]
