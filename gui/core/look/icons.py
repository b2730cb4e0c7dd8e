"""The program's own icons: 24 x 24 stroke drawings in ``resources/icons``, coloured when they are loaded."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QAction, QColor, QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QAbstractButton

from engine.api import resource_path
from gui.core.look.follow import Follower
from gui.core.look.theme import Role, px, theming

SIZE = 18
DISABLED = 0.5
TEXT_GAP = 4
PIXEL_RATIOS = (1.0, 1.25, 1.5, 2.0, 3.0)


@cache
def icon_names() -> tuple[str, ...]:
    """The names of all icons."""
    return tuple(sorted(path.stem for path in resource_path("icons").glob("*.svg")))


@cache
def drawing(name: str) -> str:
    """The SVG text of an icon, its strokes in ``currentColor``."""
    return resource_path("icons", f"{name}.svg").read_text(encoding="utf-8")


def coloured(name: str, colour: QColor | str) -> bytes:
    """The SVG of an icon with its strokes in one colour; opacity becomes an attribute, for SVG Tiny knows no ``#aarrggbb``."""
    of = QColor(colour)
    text = drawing(name).replace("currentColor", of.name())
    return text.replace("<svg ", f'<svg opacity="{of.alphaF():.3f}" ', 1).encode() if of.alpha() < 255 else text.encode()


def pixmap(name: str, colour: QColor | str, size: int, ratio: float = 1.0, gap: int = 0) -> QPixmap:
    """An icon as a pixmap.

    Parameters
    ----------
    name : str
        The name of a file in ``resources/icons``.
    colour : QColor or str
        What ``currentColor`` becomes.
    size : int
        Side length in logical pixels.
    ratio : float
        Device pixels per logical pixel.
    gap : int
        Empty logical pixels on the right: Qt sets text too close to an icon.
    """
    of = QColor(colour)
    side = round(size * ratio)
    made = QPixmap(side + round(gap * ratio), side)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    painter.setOpacity(of.alphaF())
    painter.drawPixmap(0, 0, _stencil(name, side))
    if _one_colour(name):
        painter.setOpacity(1.0)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
        painter.fillRect(made.rect(), QColor(of.rgb()))
    painter.end()
    made.setDevicePixelRatio(ratio)
    return made


@cache
def _stencil(name: str, side: int) -> QPixmap:
    """A drawing in black: parsing and stroking cost much more than the colour, which changes with theme and state."""
    made = QPixmap(side, side)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    QSvgRenderer(QByteArray(coloured(name, "#000000"))).render(painter, QRectF(0, 0, side, side))
    painter.end()
    return made


@cache
def _one_colour(name: str) -> bool:
    """Whether a drawing leaves all its colours to the theme."""
    return "#" not in drawing(name)


@cache
def _icon(name: str, off: str, on: str, disabled: str, size: int, gap: int, ratios: tuple[float, ...]) -> QIcon:
    faint = QColor(disabled)
    faint.setAlphaF(DISABLED)
    made = QIcon()
    for state, colour in ((QIcon.State.Off, off), (QIcon.State.On, on)):
        for ratio in ratios:
            made.addPixmap(pixmap(name, colour, size, ratio, gap), QIcon.Mode.Normal, state)
            made.addPixmap(pixmap(name, faint, size, ratio, gap), QIcon.Mode.Disabled, state)
    return made


def icon(name: str, colour: Role | None = None, size: int = SIZE, *, on: Role | None = None, gap: int = 0) -> QIcon:
    """An icon in the colours of the current theme; ask again after a theme change, or use `set_icon`.

    Parameters
    ----------
    name : str
        The name of a file in ``resources/icons``.
    colour : str or int, optional
        A role of the theme, the number of a series or ``#rrggbb``; the text colour if left out.
    size : int
        Side length in pixels before theme and zoom scale it.
    on : str or int, optional
        The colour while a checkable button is on; the same colour if left out.
    gap : int
        Empty room on the right in pixels, scaled likewise.
    """
    theme = theming.current
    off = theme.colour("text" if colour is None else colour).name()
    screens = {round(screen.devicePixelRatio(), 2) for screen in QGuiApplication.screens()}
    ratios = tuple(sorted(screens.union(PIXEL_RATIOS)))
    checked = off if on is None else theme.colour(on).name()
    return _icon(name, off, checked, theme.muted, px(size), px(gap) if gap else 0, ratios)


class _IconFollower(Follower):
    """Keeps the icon of its parent in the colours of the current theme."""

    def __init__(self, target: QAbstractButton | QAction, name: str, colour: Role | None, size: int, on: Role | None) -> None:
        super().__init__(theming.changed, target, self.follow)
        self.arguments = (name, colour, size, on)
        self.follow()

    def follow(self) -> None:
        target = self.parent()
        name, colour, size, on = self.arguments
        if isinstance(target, QAbstractButton):
            gap = TEXT_GAP if target.text() else 0
            target.setIconSize(QSize(px(size) + (px(gap) if gap else 0), px(size)))
            target.setIcon(icon(name, colour, size, on=on, gap=gap))
        elif isinstance(target, QAction):
            target.setIcon(icon(name, colour, size, on=on))


def set_icon(
    target: QAbstractButton | QAction, name: str, colour: Role | None = None, size: int = SIZE, *, on: Role | None = None
) -> None:
    """Give a button or an action an icon that follows the theme; see `icon`.

    Call it again to replace the icon, or after the button's text came or went.
    """
    old = target.findChild(_IconFollower, options=Qt.FindChildOption.FindDirectChildrenOnly)
    if old is None:
        _IconFollower(target, name, colour, size, on)
    else:
        old.arguments = (name, colour, size, on)
        old.follow()


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="theoria-icons-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def icon_file(name: str, colour: str) -> str:
    """The path of a coloured copy of an icon: style sheets take pictures from files only."""
    path = _folder() / f"{Path(name).name}-{colour.lstrip('#')}.svg"
    path.write_bytes(coloured(name, colour))
    return path.as_posix()
