"""Colours, type and spacing: the three themes, and the one that is worn now.

Widgets ask `theming.current` for colours and `px`, `space`, `font` for sizes, and do so again after `theming.changed`.
The values lie in ``resources/themes/*.toml``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from engine.api import load_toml, themes
from gui.core.look.follow import Follower
from gui.core.look.fonts import FAMILIES, MONO_FAMILIES, load_fonts

SMALL, BODY = 11, 13
GRID = (4, 8, 14, 24)
ZOOM_RANGE = (0.7, 2.0)

Role = str | int


@dataclass(frozen=True)
class Theme:
    """One look: colours by meaning, and how large and thick things are drawn."""

    name: str
    dark: bool
    background: str
    surface: str
    raised: str
    line: str
    text: str
    muted: str
    accent: str
    on_accent: str
    holds: str
    fails: str
    pending: str
    data: str
    theory: str
    series: tuple[str, ...]
    sequential: str
    sequential_reversed: bool
    diverging: tuple[str, ...]
    scale: float
    line_scale: float

    def colour(self, role: Role, alpha: float = 1.0) -> QColor:
        """The colour of a role (`data`, `theory`, `muted`, ...), of a series by its number, or of a plain ``#rrggbb``.

        Parameters
        ----------
        role : str or int
            The name of a colour field, the number of a series (it wraps round), or a colour as text.
        alpha : float
            Opacity from 0 to 1.
        """
        value = self.series[role % len(self.series)] if isinstance(role, int) else getattr(self, role, role)
        colour = QColor(value)
        colour.setAlphaF(alpha)
        return colour

    def px(self, size: float) -> int:
        """A length of the type scale or the grid in pixels, at this theme's scale."""
        return max(1, round(size * self.scale))

    def width(self, line: float) -> float:
        """A pen width at this theme's line scale."""
        return line * self.line_scale


@cache
def load_theme(name: str) -> Theme:
    """Read ``resources/themes/<name>.toml``."""
    values: dict[str, Any] = {
        key: tuple(v) if isinstance(v, list) else v for key, v in load_toml("themes", f"{name}.toml").items()
    }
    known = {field.name for field in fields(Theme)}
    if unknown := values.keys() - known:
        raise ValueError(f"themes/{name}.toml has unknown entries: {', '.join(sorted(unknown))}")
    return Theme(name=name, **values)


def _no_sheet(_theme: Theme) -> str:
    return ""


class Themes(QObject):
    """Which theme is worn and how far the user has zoomed in.

    `changed` is emitted after either changed; by then palette and default font of the application are set. The style sheet
    is not the application's, which would restyle every widget there is: `dress` gives it to the widgets that hold others,
    each when it is seen.
    """

    changed = Signal()
    sheet_changed = Signal()  # emitted before `changed`

    def __init__(self) -> None:
        super().__init__()
        self.sheet = ""
        self.zoom = 1.0
        self.current = load_theme("dark")
        self.dressed = False
        self.style_sheet: Callable[[Theme], str] = _no_sheet  # `gui.core.look.style` puts its own here

    def set(self, name: str) -> None:
        """Wear the theme of this name; an unknown name is ignored."""
        if name in themes() and name != self.current.name:
            self._wear(name, self.zoom)

    def set_zoom(self, zoom: float) -> None:
        """Scale type and spacing by a factor of the user's own, kept between 0.7 and 2."""
        low, high = ZOOM_RANGE
        zoom = min(high, max(low, round(zoom, 2)))
        if zoom != self.zoom:
            self._wear(self.current.name, zoom)

    def zoom_in(self) -> None:
        """One step larger (Ctrl++)."""
        self.set_zoom(self.zoom + 0.1)

    def zoom_out(self) -> None:
        """One step smaller (Ctrl+-)."""
        self.set_zoom(self.zoom - 0.1)

    def apply(self, app: QApplication) -> None:
        """Dress the application, now and after every later change."""
        if not self.dressed:
            self.dressed = True
            load_fonts()
            app.setStyle("Fusion")  # the same drawing on every platform
        self._dress(app)

    def dress(self, widget: QWidget) -> None:
        """Give a widget, and with it all that lie on it, the style sheet of the current theme, now and after every change.

        Call it again before a page is shown that was hidden during a change: children that are shown first then find it.
        """
        old = widget.findChild(_Dresser, options=Qt.FindChildOption.FindDirectChildrenOnly)
        (old or _Dresser(self, widget)).put_on()

    def _wear(self, name: str, zoom: float) -> None:
        theme = load_theme(name)
        self.zoom = zoom
        self.current = replace(theme, scale=theme.scale * zoom)
        app = QApplication.instance()
        if self.dressed and isinstance(app, QApplication):
            self._dress(app)
        self.changed.emit()

    def _dress(self, app: QApplication) -> None:
        app.setPalette(palette(self.current))
        app.setFont(font(BODY))
        self.sheet = self.style_sheet(self.current)
        self.sheet_changed.emit()
        self.sheet_changed.emit()


class _Dresser(Follower):
    """Keeps its parent in the current style sheet."""

    def __init__(self, themes: Themes, widget: QWidget) -> None:
        super().__init__(themes.sheet_changed, widget, self.put_on)
        self._themes = themes

    def put_on(self) -> None:
        widget = self.parent()
        if isinstance(widget, QWidget) and widget.styleSheet() != self._themes.sheet:
            widget.setStyleSheet(self._themes.sheet)


theming = Themes()


def px(size: float) -> int:
    """A size of the type scale 11 / 13 / 15 / 19 / 22 in pixels, scaled by theme and zoom."""
    return theming.current.px(size)


def space(step: int) -> int:
    """A distance of the grid: 0, 1, 2, 3 for 4, 8, 14, 24 pixels, scaled by theme and zoom."""
    return theming.current.px(GRID[step])


def font(size: float = BODY, weight: int = 400, *, tabular: bool = False, mono: bool = False) -> QFont:
    """A font of the type scale.

    Parameters
    ----------
    size : float
        Height in pixels before theme and zoom scale it.
    weight : int
        400 regular, 500 medium, 600 semibold.
    tabular : bool
        All digits equally wide, so that changing numbers stand still.
    mono : bool
        A fixed-width family, for code.
    """
    made = QFont()
    made.setFamilies(list(MONO_FAMILIES if mono else FAMILIES))
    made.setPixelSize(px(size))
    made.setWeight(QFont.Weight(weight))
    if tabular:
        made.setFeature(QFont.Tag("tnum"), 1)
    if mono:
        made.setFeature(QFont.Tag("calt"), 0)  # what is typed is what stands there: no ≠ for !=
    return made


def text_width(text: str, of: QFont) -> float:
    """How wide a line of text is, in pixels."""
    return QFontMetricsF(of).horizontalAdvance(text)


def luminance(colour: str) -> float:
    """Relative luminance of an sRGB colour (WCAG 2.1)."""
    of = QColor(colour)
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (of.redF(), of.greenF(), of.blueF())]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    """Contrast ratio of two colours, from 1 to 21 (WCAG 2.1): (L1 + 0.05) / (L2 + 0.05), the lighter one above."""
    dark, light = sorted((luminance(a), luminance(b)))
    return (light + 0.05) / (dark + 0.05)


def rgb(colour: QColor | str) -> tuple[float, float, float]:
    """Red, green and blue from 0 to 1."""
    of = QColor(colour)
    return of.redF(), of.greenF(), of.blueF()


def mix(a: str, b: str, amount: float) -> str:
    """The colour that lies `amount` (0 to 1) of the way from a to b."""
    x, y = QColor(a), QColor(b)
    pairs = ((x.red(), y.red()), (x.green(), y.green()), (x.blue(), y.blue()))
    return QColor(*(round(p + (q - p) * amount) for p, q in pairs)).name()


def palette(theme: Theme) -> QPalette:
    """The Qt palette of a theme, for what the style sheet does not reach."""
    roles = QPalette.ColorRole
    colours = {
        roles.Window: theme.background,
        roles.Base: theme.surface,
        roles.AlternateBase: theme.raised,
        roles.Button: theme.raised,
        roles.ToolTipBase: theme.raised,
        roles.WindowText: theme.text,
        roles.Text: theme.text,
        roles.ButtonText: theme.text,
        roles.ToolTipText: theme.text,
        roles.BrightText: theme.fails,
        roles.PlaceholderText: theme.muted,
        roles.Highlight: theme.accent,
        roles.HighlightedText: theme.on_accent,
        roles.Link: theme.accent,
        roles.LinkVisited: theme.accent,
        roles.Accent: theme.accent,
        roles.Mid: theme.line,
        roles.Dark: theme.line,
        roles.Light: theme.raised,
        roles.Midlight: theme.raised,
        roles.Shadow: theme.background,
    }
    made = QPalette()
    for role, value in colours.items():
        made.setColor(role, QColor(value))
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, role, QColor(theme.muted))
    return made
