"""The Qt style sheet of a theme. Calm and flat: one accent, one line colour, radius 6 / 8 / 10, visible focus everywhere.

Widgets choose a variant by dynamic properties: ``role`` on labels (`title`, `subheading`, `heading`, `section`, `strong`,
`muted`, `caption`, `small`, `number`, `error`, `holds`, `pending`) and on buttons (`primary`, `ghost`, `play`, `nav`);
``invalid`` on fields; ``level`` (`error`, `warning`) on a frame named `strip`; ``compact`` on a ghost or nav tool button.
`set_role`, `set_invalid` and `restyle` make a change visible on a shown widget.
"""

from __future__ import annotations

from collections.abc import Mapping
from string import Template

from PySide6.QtWidgets import QWidget

from gui.core.look.icons import icon_file
from gui.core.look.theme import Theme, mix, theming

FRAMES = Template("""
QWidget { color: $text; }
QMainWindow, QDialog, #center { background: $background; }
#rail { background: $surface; border: none; }
#rail { border-right: 1px solid $hair; }
QFrame#card { background: $surface; border: 1px solid $line; border-radius: ${r10}px; }
QFrame#card:focus { border-color: $accent; }
QFrame#strip { background: $raised; border: 1px solid $line; border-radius: ${r8}px; }
QFrame#strip[level="error"] { border-color: $fails; }
QFrame#strip[level="warning"] { border-color: $pending; }
QFrame[frameShape="4"], QFrame[frameShape="5"] { color: $line; }
QScrollArea, QScrollArea > QWidget > QWidget { background: transparent; border: none; }
QAbstractScrollArea { background: transparent; }
QStackedWidget { background: transparent; }

QLabel { background: transparent; }
QLabel[role="title"] { font-size: ${f22}px; font-weight: 600; }
QLabel[role="subheading"] { font-size: ${f19}px; font-weight: 600; }
QLabel[role="heading"] { font-size: ${f15}px; font-weight: 600; }
QLabel[role="section"] { font-size: ${f11}px; font-weight: 600; color: $muted; letter-spacing: ${spacing}px; }
QLabel[role="strong"] { font-weight: 600; }
QLabel[role="muted"], QLabel[role="caption"] { color: $muted; }
QLabel[role="small"] { font-size: ${f11}px; color: $muted; }
QLabel[role="number"] { font-weight: 500; }
QLabel[role="error"] { color: $fails; }
QLabel[role="holds"] { color: $holds; }
QLabel[role="pending"] { color: $pending; }
QLabel:disabled { color: $faint; }
""")

BUTTONS = Template("""
QPushButton, QToolButton {
    background: $surface; border: 1px solid $line; border-radius: ${r8}px;
    padding: ${p6}px ${p12}px; min-height: ${h18}px; font-weight: 500;
}
QToolButton { padding: ${p6}px; min-width: ${h18}px; }
QPushButton:hover, QToolButton:hover { background: $raised; border-color: $line_strong; }
QPushButton:pressed, QToolButton:pressed { background: $pressed; }
QPushButton:checked, QToolButton:checked { background: $accent_soft; border-color: $accent; color: $accent_text; }
QPushButton:focus, QToolButton:focus { border: ${ring}px solid $accent; padding: ${p6f}px ${p12f}px; }
QToolButton:focus { padding: ${p6f}px; }
QPushButton:disabled, QToolButton:disabled { color: $faint; background: transparent; border-color: $hair; }
QPushButton::menu-indicator, QToolButton::menu-indicator { image: none; width: 0; }

QPushButton[role="primary"] { background: $accent; border-color: $accent; color: $on_accent; font-weight: 600; }
QPushButton[role="primary"]:hover { background: $accent_hover; border-color: $accent_hover; }
QPushButton[role="primary"]:pressed { background: $accent_pressed; }
QPushButton[role="primary"]:focus { border-color: $text; }
QPushButton[role="primary"]:disabled { background: $raised; border-color: $raised; color: $faint; }

QPushButton:flat, QPushButton[role="ghost"], QToolButton[role="ghost"] {
    background: transparent; border-color: transparent; color: $muted;
}
QPushButton:flat:hover, QPushButton[role="ghost"]:hover, QToolButton[role="ghost"]:hover {
    background: $raised; color: $text;
}
QPushButton:flat:focus, QPushButton[role="ghost"]:focus, QToolButton[role="ghost"]:focus {
    border-color: $accent; color: $text;
}
QPushButton[role="ghost"]:checked, QToolButton[role="ghost"]:checked { background: $accent_soft; color: $accent_text; }
QToolButton[role="ghost"][compact="true"] { padding: ${p2}px; min-width: 0; min-height: 0; border-radius: ${r6}px; }

QPushButton[role="play"], QToolButton[role="play"] {
    background: $accent; border: none; border-radius: ${play_r}px; padding: 0;
    min-width: ${play}px; max-width: ${play}px; min-height: ${play}px; max-height: ${play}px;
}
QPushButton[role="play"]:hover, QToolButton[role="play"]:hover { background: $accent_hover; }
QPushButton[role="play"]:pressed, QToolButton[role="play"]:pressed { background: $accent_pressed; }
QPushButton[role="play"]:focus, QToolButton[role="play"]:focus {
    border: ${ring}px solid $text; padding: 0; min-width: ${play_f}px; max-width: ${play_f}px;
    min-height: ${play_f}px; max-height: ${play_f}px;
}
QPushButton[role="play"]:disabled, QToolButton[role="play"]:disabled { background: $raised; }

QPushButton[role="nav"], QToolButton[role="nav"] {
    background: transparent; border: 1px solid transparent; border-radius: ${r8}px; color: $muted; text-align: left;
    padding: ${p7}px ${p10}px; font-weight: 500; min-height: ${h20}px;
}
QPushButton[role="nav"]:hover, QToolButton[role="nav"]:hover { background: $raised_soft; color: $text; }
QPushButton[role="nav"]:checked, QToolButton[role="nav"]:checked {
    background: $raised; color: $text; font-weight: 600;
}
QPushButton[role="nav"]:focus, QToolButton[role="nav"]:focus { border: 1px solid $accent; padding: ${p7}px ${p10}px; }
QToolButton[role="nav"][compact="true"] { padding: ${p7}px; }

QTabBar { background: transparent; qproperty-drawBase: 0; }
QTabBar::tab {
    background: transparent; border: 1px solid transparent; border-radius: ${r8}px; color: $muted; font-weight: 500;
    padding: ${p6}px ${p14}px; margin-right: ${p4}px; min-height: ${h18}px;
}
QTabBar::tab:hover { background: $raised_soft; color: $text; }
QTabBar::tab:selected { background: $raised; border-color: $line; color: $text; }
QTabBar::tab:selected:focus { border-color: $accent; }
QTabBar::tab:disabled { color: $faint; }
QTabBar[role="pages"]::tab { font-size: ${f11}px; padding: ${p4}px ${p8}px; margin-right: ${p2}px; }
QTabBar::scroller { width: ${h36}px; }
QTabBar QToolButton { border: none; background: $background; border-radius: 0; padding: 0; min-width: 0; }
QTabWidget::pane { border: none; }
QTabWidget::tab-bar { left: 0; }
""")

FIELDS = Template("""
QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox, QPlainTextEdit, QTextEdit, QAbstractSpinBox {
    background: $raised; border: 1px solid $field_line; border-radius: ${r6}px; padding: ${p4}px ${p8}px;
    selection-background-color: $accent; selection-color: $on_accent;
}
QLineEdit, QAbstractSpinBox, QComboBox { min-height: ${h20}px; }
QLineEdit:hover, QAbstractSpinBox:hover, QComboBox:hover { border-color: $line_strong; }
QLineEdit:focus, QAbstractSpinBox:focus, QComboBox:focus, QPlainTextEdit:focus, QTextEdit:focus {
    border-color: $accent;
}
QLineEdit[invalid="true"], QAbstractSpinBox[invalid="true"], QComboBox[invalid="true"], QPlainTextEdit[invalid="true"],
QSpinBox[invalid="true"], QDoubleSpinBox[invalid="true"], QTextEdit[invalid="true"] { border-color: $fails; }
QLineEdit:disabled, QAbstractSpinBox:disabled, QComboBox:disabled, QPlainTextEdit:disabled {
    color: $faint; background: transparent;
}
QLineEdit:read-only { background: transparent; }
QAbstractSpinBox { padding-right: ${p4}px; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {
    subcontrol-origin: border; width: ${h18}px; border: none; background: transparent;
}
QAbstractSpinBox::up-button { subcontrol-position: top right; margin: ${p2}px ${p2}px 0 0; }
QAbstractSpinBox::down-button { subcontrol-position: bottom right; margin: 0 ${p2}px ${p2}px 0; }
QAbstractSpinBox::up-arrow { image: url($up); width: ${h11}px; height: ${h11}px; }
QAbstractSpinBox::down-arrow { image: url($down); width: ${h11}px; height: ${h11}px; }
QAbstractSpinBox::up-arrow:disabled, QAbstractSpinBox::up-arrow:off { image: url($up_faint); }
QAbstractSpinBox::down-arrow:disabled, QAbstractSpinBox::down-arrow:off { image: url($down_faint); }

QComboBox { padding-right: ${h24}px; }
QComboBox::drop-down { subcontrol-origin: border; subcontrol-position: center right; width: ${h24}px; border: none; }
QComboBox::down-arrow { image: url($down); width: ${h14}px; height: ${h14}px; }
QComboBox::down-arrow:disabled { image: url($down_faint); }
QComboBox QAbstractItemView {
    background: $raised; border: 1px solid $line_strong; border-radius: ${r6}px; padding: ${p4}px; outline: none;
    selection-background-color: $accent_soft; selection-color: $text;
}
QComboBox QAbstractItemView::item { padding: ${p4}px ${p8}px; border-radius: ${r6}px; min-height: ${h20}px; }
QComboBox QAbstractItemView::item:selected, QComboBox QAbstractItemView::item:hover {
    background: $accent_soft; color: $text;
}

QSlider { min-height: ${h20}px; background: transparent; border: none; }
QSlider::groove:horizontal { height: ${g4}px; border-radius: ${g2}px; background: $line; }
QSlider::sub-page:horizontal { background: $accent; border-radius: ${g2}px; }
QSlider::handle:horizontal {
    width: ${knob}px; height: ${knob}px; margin: ${knob_m}px 0; border-radius: ${knob_r}px; background: $handle;
    border: ${ring}px solid $handle_line;
}
QSlider::handle:horizontal:hover { background: $handle_hover; }
QSlider::handle:horizontal:focus { border-color: $focus_line; background: $focus_fill; }
QSlider::sub-page:horizontal:disabled { background: $faint; }
QSlider::handle:horizontal:disabled { background: $line_strong; border-color: $surface; }
QSlider::groove:vertical { width: ${g4}px; border-radius: ${g2}px; background: $line; }
QSlider::add-page:vertical { background: $accent; border-radius: ${g2}px; }
QSlider::handle:vertical {
    width: ${knob}px; height: ${knob}px; margin: 0 ${knob_m}px; border-radius: ${knob_r}px; background: $handle;
    border: ${ring}px solid $handle_line;
}

QCheckBox, QRadioButton { spacing: ${p8}px; background: transparent; min-height: ${h22}px; border: none; }
QCheckBox::indicator {
    width: ${switch_w}px; height: ${switch_h}px; border-radius: ${switch_r}px; border: ${ring}px solid $line_strong;
    background: $raised;
}
QCheckBox::indicator:unchecked { image: url($knob_off); }
QCheckBox::indicator:checked { image: url($knob_on); background: $accent; border-color: $accent; }
QCheckBox::indicator:indeterminate { image: url($knob_mid); background: $accent_soft; border-color: $accent; }
QCheckBox::indicator:hover { border-color: $muted; }
QCheckBox::indicator:checked:hover { border-color: $accent_hover; background: $accent_hover; }
QCheckBox::indicator:focus { border-color: $focus_line; }
QCheckBox::indicator:disabled { background: transparent; border-color: $line; image: url($knob_off_faint); }
QCheckBox::indicator:checked:disabled { background: $line; image: url($knob_on_faint); }
QCheckBox:disabled, QRadioButton:disabled { color: $faint; }
QRadioButton::indicator {
    width: ${h14}px; height: ${h14}px; border-radius: ${radio_r}px; border: ${ring}px solid $line_strong;
    background: $raised;
}
QRadioButton::indicator:hover { border-color: $muted; }
QRadioButton::indicator:checked { image: url($radio); background: $accent; border-color: $accent; }
QRadioButton::indicator:focus { border-color: $focus_line; }
""")

REST = Template("""
QScrollBar { background: transparent; border: none; }
QScrollBar:vertical { width: ${h10}px; margin: 0; }
QScrollBar:horizontal { height: ${h10}px; margin: 0; }
QScrollBar::handle { background: $scroll; border-radius: ${g3}px; margin: ${g2}px; }
QScrollBar::handle:vertical { min-height: ${h30}px; }
QScrollBar::handle:horizontal { min-width: ${h30}px; }
QScrollBar::handle:hover { background: $muted; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QSplitter::handle { background: transparent; }
QSplitter::handle:hover { background: $accent_soft; }
QSplitter::handle:pressed { background: $accent; }

QMenu { background: $raised; border: 1px solid $line_strong; border-radius: ${r8}px; padding: ${p4}px; }
QMenu::item { padding: ${p6}px ${h24}px ${p6}px ${p10}px; border-radius: ${r6}px; background: transparent; }
QMenu::item:selected { background: $accent_soft; }
QMenu::item:disabled { color: $faint; }
QMenu::icon { padding-left: ${p8}px; }
QMenu::separator { height: 1px; background: $line; margin: ${p4}px ${p8}px; }
QMenu::indicator { width: ${h14}px; height: ${h14}px; margin-left: ${p6}px; }
QMenu::indicator:checked { image: url($check); }
QMenu::right-arrow { image: url($right); width: ${h14}px; height: ${h14}px; margin-right: ${p4}px; }
QMenuBar { background: $surface; }
QMenuBar::item { background: transparent; padding: ${p4}px ${p10}px; border-radius: ${r6}px; }
QMenuBar::item:selected { background: $raised; }
QToolTip { background: $raised; color: $text; border: 1px solid $line_strong; padding: ${p4}px ${p6}px; }

QPlainTextEdit, QTextEdit { padding: ${p8}px; border-radius: ${r8}px; }
QTextBrowser { background: transparent; border: none; padding: 0; }
QAbstractItemView { background: transparent; border: none; outline: none; alternate-background-color: $raised_soft;
    selection-background-color: $accent_soft; selection-color: $text; gridline-color: $hair; }
QListView::item {
    padding: ${p4}px ${p8}px; border-radius: ${r6}px; border: 1px solid transparent; min-height: ${h20}px;
}
QListView::item:hover { background: $raised_soft; }
QListView::item:selected { background: $raised; color: $text; }
QListView::item:selected:focus { border-color: $accent; }
QTableView::item { padding: ${p4}px ${p8}px; }
QTableView::item:selected { background: $accent_soft; color: $text; }
QHeaderView { background: transparent; border: none; }
QHeaderView::section {
    background: transparent; color: $muted; border: none; border-bottom: 1px solid $line; padding: ${p4}px ${p8}px;
}
QTableCornerButton::section { background: transparent; border: none; }

QProgressBar {
    background: $line; border: none; border-radius: ${g2}px; min-height: ${g4}px; max-height: ${g4}px;
    color: transparent;
}
QProgressBar::chunk { background: $accent; border-radius: ${g2}px; }
QGroupBox { border: 1px solid $line; border-radius: ${r8}px; margin-top: ${h18}px; padding: ${p8}px; }
QGroupBox::title { subcontrol-origin: margin; color: $muted; padding: 0 ${p4}px; }
QStatusBar { background: $surface; color: $muted; }
QStatusBar::item { border: none; }
QSizeGrip { image: none; }
""")


def style_sheet(theme: Theme) -> str:
    """The style sheet of the whole application in one theme."""
    values = {**_colours(theme), **_sizes(theme), **_pictures(theme)}
    return "".join(part.substitute(values) for part in (FRAMES, BUTTONS, FIELDS, REST))


theming.style_sheet = style_sheet


def restyle(widget: QWidget) -> None:
    """Make the style sheet see a dynamic property (`role`, `invalid`, `level`) that changed on a shown widget."""
    style = widget.style()
    style.unpolish(widget)
    style.polish(widget)
    widget.update()


def set_role(widget: QWidget, role: str) -> None:
    """Give a label or a button one of the style sheet's roles."""
    if widget.property("role") != role:
        widget.setProperty("role", role)
        restyle(widget)


def set_invalid(widget: QWidget, invalid: bool) -> None:
    """Mark a field as holding a value that is not allowed, or as sound again."""
    if bool(widget.property("invalid")) != invalid:
        widget.setProperty("invalid", invalid)
        restyle(widget)


def _colours(theme: Theme) -> Mapping[str, str]:
    named = ("background", "surface", "raised", "line", "text", "muted", "accent", "on_accent", "holds", "fails", "pending")
    return {
        **{name: getattr(theme, name) for name in named},
        "hair": mix(theme.surface, theme.line, 0.6),
        "line_strong": mix(theme.line, theme.muted, 0.4),
        "field_line": theme.line if theme.dark else mix(theme.line, theme.muted, 0.1),
        "raised_soft": mix(theme.surface, theme.raised, 0.6),
        "pressed": mix(theme.raised, theme.line, 0.8),
        "faint": mix(theme.surface, theme.muted, 0.55),
        "scroll": mix(theme.surface, theme.muted, 0.35),
        "accent_soft": mix(theme.surface, theme.accent, 0.2 if theme.dark else 0.12),
        "accent_text": mix(theme.text, theme.accent, 0.35),
        "accent_hover": mix(theme.accent, theme.text, 0.18),
        "accent_pressed": mix(theme.accent, theme.background, 0.25) if theme.dark else mix(theme.accent, theme.text, 0.35),
        "handle": theme.text if theme.dark else theme.surface,
        "handle_line": theme.surface if theme.dark else theme.accent,
        "handle_hover": mix(theme.text, theme.accent, 0.25) if theme.dark else mix(theme.surface, theme.accent, 0.15),
        "focus_line": theme.accent if theme.dark else theme.text,
        "focus_fill": theme.text if theme.dark else theme.accent,
    }


def _sizes(theme: Theme) -> Mapping[str, str | int]:
    px = theme.px
    ring = px(2)
    groove, play = 2 * px(2), 2 * px(17)
    knob = 2 * px(6)
    knob_full = knob + 2 * ring
    return {
        **{f"f{n}": px(n) for n in (11, 13, 15, 19, 22)},
        **{f"p{n}": px(n) for n in (2, 4, 6, 7, 8, 10, 12, 14)},
        **{f"h{n}": px(n) for n in (10, 11, 14, 18, 20, 22, 24, 30, 36)},
        **{f"r{n}": px(n) for n in (6, 8, 10)},
        "p6f": px(6) - ring + 1,
        "p12f": px(12) - ring + 1,
        "spacing": f"{0.9 * theme.scale:.1f}",
        "ring": ring,
        "g2": groove // 2,
        "g3": px(3),
        "g4": groove,
        "knob": knob,
        "knob_m": -((knob_full - groove) // 2),
        "knob_r": knob_full // 2,
        "play": play,
        "play_f": play - 2 * ring,
        "play_r": play // 2,
        "switch_w": px(28),
        "switch_h": px(14),
        "switch_r": px(7) + ring,
        "radio_r": px(7) + ring,
    }


def _pictures(theme: Theme) -> Mapping[str, str]:
    faint = mix(theme.surface, theme.muted, 0.4)
    return {
        "down": icon_file("chevron-down", theme.muted),
        "down_faint": icon_file("chevron-down", faint),
        "up": icon_file("chevron-up", theme.muted),
        "up_faint": icon_file("chevron-up", faint),
        "right": icon_file("chevron-right", theme.muted),
        "check": icon_file("check", theme.accent),
        "knob_off": icon_file("parts/knob-off", theme.muted),
        "knob_on": icon_file("parts/knob-on", theme.on_accent),
        "knob_mid": icon_file("parts/knob-mid", theme.accent),
        "knob_off_faint": icon_file("parts/knob-off", faint),
        "knob_on_faint": icon_file("parts/knob-on", faint),
        "radio": icon_file("parts/dot", theme.on_accent),
    }
