"""The frame around every picture: title, caption, legend, content; and pictures of it at any resolution."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QImage, QMouseEvent, QPaintDevice
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from gui.core.look.elided import Elided
from gui.core.look.follow import follow
from gui.core.look.icons import set_icon
from gui.core.look.theme import font, px, space, theming
from gui.core.numbers import typeset
from gui.core.plots.legend import Legend

PRINT_RATIO = 300 / 96


class Card(QFrame):
    """A frame with a title on the left, a caption on the right, a legend and one content widget.

    Parameters
    ----------
    title : str
        What the picture shows.
    parent : QWidget, optional
        The owner.
    expandable : bool
        Show a button that asks for the whole screen; a double click asks as well.

    Attributes
    ----------
    expand_requested : Signal
        The user wants this picture alone on the screen.
    """

    expand_requested = Signal()

    def __init__(self, title: str = "", parent: QWidget | None = None, *, expandable: bool = True) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self._build_header()
        self.expand_button.setVisible(expandable)
        self._arrange()
        self.set_title(title)
        self.set_caption("")
        follow(theming.changed, self, self.restyle)
        self.restyle()

    def _build_header(self) -> None:
        self.title_label = Elided("strong", self, least=170)  # the caption gives way first
        self.caption_label = Elided("caption", self)
        self.caption_label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.expand_button = QToolButton(self)
        self.expand_button.setProperty("role", "ghost")
        self.expand_button.setProperty("compact", True)
        self.expand_button.setCursor(Qt.CursorShape.PointingHandCursor)
        set_icon(self.expand_button, "expand", "muted", 14)
        self.expand_button.clicked.connect(self.expand_requested)
        self.legend = Legend(self)
        self.legend.hide()

    def _arrange(self) -> None:
        self.header = QHBoxLayout()
        self.header.addWidget(self.title_label, 1)
        self.header.addWidget(self.caption_label)
        self.header.addWidget(self.expand_button)
        self.body = QHBoxLayout()
        self.column = QVBoxLayout(self)
        self.column.addLayout(self.header)
        self.column.addWidget(self.legend)
        self.column.addLayout(self.body, 1)

    def set_content(self, widget: QWidget) -> None:
        """Put the one widget into the card that is its picture."""
        self.body.insertWidget(0, widget, 1)

    def set_title(self, title: str) -> None:
        """What the picture shows; also its name for screen readers."""
        self.title_label.set_text(title)
        self.setAccessibleName(title)

    def set_caption(self, caption: str) -> None:
        """The facts on the right: sizes, seed."""
        self.caption_label.set_text(typeset(caption))
        self.caption_label.setVisible(bool(caption))

    def restyle(self) -> None:
        """Take distances and fonts from the current theme again."""
        self.column.setContentsMargins(space(2), px(8), space(2), px(10))
        self.column.setSpacing(px(4))
        self.header.setSpacing(space(1))
        self.body.setSpacing(space(1))
        self.caption_label.setFont(font(13, tabular=True))
        self.expand_button.setMinimumSize(px(24), px(24))
        self.title_label.setMinimumHeight(px(24))  # as high as the button, so that all titles stand on one line
        self.legend.refresh()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.expand_requested.emit()


def render_widget(widget: QWidget, size: QSize | None = None, ratio: float = PRINT_RATIO) -> QImage:
    """A picture of a widget at any resolution: text, lines and markers all grow with the device pixel ratio.

    Parameters
    ----------
    widget : QWidget
        A card or a whole window; it need not be shown.
    size : QSize, optional
        Logical size for the picture; the widget's own if left out.
    ratio : float
        Device pixels per logical pixel; 300 / 96 makes 300 dots per inch.
    """
    before = widget.size()
    if size is not None:
        widget.resize(size)
    image = QImage(widget.size() * ratio, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    dots_per_metre = round(96 * ratio / 0.0254)
    image.setDotsPerMeterX(dots_per_metre)
    image.setDotsPerMeterY(dots_per_metre)
    image.fill(theming.current.colour("background"))
    _paint(widget, image)
    if widget.size() != before:
        widget.resize(before)
    return image


def _paint(widget: QWidget, device: QPaintDevice) -> None:
    """Paint a widget without the marks of use that do not belong on paper."""
    cards = [
        card for card in [widget, *widget.findChildren(Card)] if isinstance(card, Card) and not card.expand_button.isHidden()
    ]
    for card in cards:
        card.expand_button.hide()
        card.column.activate()
    widget.ensurePolished()
    widget.render(device)
    for card in cards:
        card.expand_button.show()
        card.column.activate()
