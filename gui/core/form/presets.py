"""The first row of a form: presets by name, and back to the defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QWidget

from engine.api import LabParameters, Preset, UsageError, validate
from gui.core.i18n import tr, translator
from gui.core.look.theme import px, space
from gui.core.look.widgets import ChoiceBox, IconButton

DEFAULTS = Preset("", {}, {})


class PresetBar(QWidget):
    """Chooses among the defaults and the presets, and names the one that is shown; "Custom" when none is.

    The seed belongs to the user: unless a preset sets it, choosing one keeps it.

    Signals
    -------
    chosen : (dict)
        The values of a preset.
    """

    chosen = Signal(dict)

    def __init__(self, model: type[LabParameters], presets: Sequence[Preset], parent: QWidget) -> None:
        super().__init__(parent)
        self._model = model
        self._presets = (DEFAULTS, *presets)
        self._meant = [self._parameters(preset.values) for preset in self._presets]
        self.combo = ChoiceBox(self)
        self.combo.addItems([""] * len(self._presets))
        self.combo.activated.connect(self._on_activated)
        self.reset = IconButton("reset", self, size=16)
        self.reset.clicked.connect(self._on_reset)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.addWidget(self.combo, 1)
        self._row.addWidget(self.reset)

    def show_parameters(self, parameters: LabParameters) -> None:
        """Name the preset that these parameters are."""
        found = -1
        for index, (preset, meant) in enumerate(zip(self._presets, self._meant, strict=True)):
            free = {} if "seed" in preset.values else {"seed": parameters.seed}
            if meant is not None and meant.model_copy(update=free) == parameters:
                found = index
        self._offer_custom(found < 0)
        self.combo.setCurrentIndex(found if found >= 0 else self.combo.count() - 1)
        self.reset.setEnabled(found != 0)

    def retranslate(self) -> None:
        """Set all texts in the current language."""
        self.combo.setAccessibleName(tr("Presets"))
        self.reset.set_text(tr("Reset all parameters"))
        for index, preset in enumerate(self._presets):
            title = preset.titles.get(translator.language) or preset.titles.get("en") or preset.name
            self.combo.setItemText(index, title or tr("Defaults"))
        self.combo.setItemText(len(self._presets), tr("Custom"))

    def restyle(self) -> None:
        """Set distances of the current theme."""
        self._row.setSpacing(space(0))
        self.combo.setMinimumWidth(px(120))  # a long title may be cut; it must not widen the whole form

    def _offer_custom(self, offered: bool) -> None:
        there = self.combo.count() > len(self._presets)
        if offered and not there:
            self.combo.addItem(tr("Custom"))
        elif there and not offered:
            self.combo.removeItem(len(self._presets))

    def _parameters(self, values: Mapping[str, Any]) -> LabParameters | None:
        try:
            return validate(self._model, values)
        except UsageError:
            return None  # choosing it will say why

    @Slot(int)
    def _on_activated(self, index: int) -> None:
        if index < len(self._presets):
            self.chosen.emit(dict(self._presets[index].values))

    @Slot()
    def _on_reset(self) -> None:
        self.chosen.emit({})
