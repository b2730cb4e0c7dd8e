"""The plot kit: a themed card around a pyqtgraph plot, and everything that can be drawn into it.

A panel makes a `PlotCard`, adds items once and feeds them by ``setData``::

    card = PlotCard("Density of the angle")
    card.set_labels(x="angle θ (degrees)", y="density")
    samples = card.add(Histogram(label="samples"))
    law = card.add(Curve("theory", "exact law"))
    samples.setData(counts, edges)
"""

from gui.core.plots.axes import Axis, steady_range
from gui.core.plots.bars import Area, Bars
from gui.core.plots.base import SERIES_DASHES, SERIES_SYMBOLS, Plotted, Swatch, pen
from gui.core.plots.brush import Brush
from gui.core.plots.card import PRINT_RATIO, Card, render_widget
from gui.core.plots.contours import Contours
from gui.core.plots.drag import DragPoints
from gui.core.plots.ellipses import Ellipses
from gui.core.plots.globe.globe import Globe, equal_area_angles
from gui.core.plots.image_grid import ImageGrid
from gui.core.plots.images import ColourBar, DensityImage, HeatMap, diverging_lut, sequential_lut
from gui.core.plots.items import Curve, Histogram, Points
from gui.core.plots.legend import Legend
from gui.core.plots.marks import Band, Label, Marker
from gui.core.plots.plot import PlotCard
from gui.core.plots.swarm import Swarm
from gui.core.plots.vectors import Arrows, Trails

__all__ = [
    "PRINT_RATIO",
    "SERIES_DASHES",
    "SERIES_SYMBOLS",
    "Area",
    "Arrows",
    "Axis",
    "Band",
    "Bars",
    "Brush",
    "Card",
    "ColourBar",
    "Contours",
    "Curve",
    "DensityImage",
    "DragPoints",
    "Ellipses",
    "Globe",
    "HeatMap",
    "Histogram",
    "ImageGrid",
    "Label",
    "Legend",
    "Marker",
    "PlotCard",
    "Plotted",
    "Points",
    "Swarm",
    "Swatch",
    "Trails",
    "diverging_lut",
    "equal_area_angles",
    "pen",
    "render_widget",
    "sequential_lut",
    "steady_range",
]
