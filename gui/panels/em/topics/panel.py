"""Draws topics as lists of words, one text in their colours, documents as mixtures, the sorted table, and the perplexity."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from engine.api import Frame
from gui.core.lab.two_rows import TwoRows
from gui.core.look.theme import theming
from gui.core.plots import Area, Band, Card, Curve, DensityImage, Label, Marker, PlotCard
from gui.panels.em.topics.widgets import FAINT, ColouredText, WordLists, topic_colour

if TYPE_CHECKING:
    from engine.labs.em.topics import Parameters
    from engine.labs.em.topics.picture import Picture

MOST_TOPICS = 20
NARROW = 0.055  # of the documents: below it a topic's number finds no room
HEADROOM = 1.12


class ExperimentPanel(TwoRows["Parameters", "Picture"]):
    """Words and a text above; mixtures, table and perplexity below."""

    def build(self) -> None:
        self._picture: Picture | None = None
        self._build_words()
        self._build_mixtures()
        self._build_table()
        self._build_curve()
        self.arrange([self.words, self.text_card], [self.mixtures, self.table, self.curve], stretch=(5, 4), shares=[(17, 10)])
        self.fit()

    def _build_words(self) -> None:
        self.words = Card()
        self.lists = WordLists(self.words)
        self.words.set_content(self.lists)
        self.lists.clicked.connect(self._on_topic)
        self.text_card = Card()
        self.reading = ColouredText(self.text_card)
        self.text_card.set_content(self.reading)

    def _build_mixtures(self) -> None:
        self.mixtures = PlotCard()
        self.mixtures.set_axes_visible(grid=False)
        self.mixtures.set_interactive(False)
        self.layers = [self.mixtures.add(Area(topic, alpha=0.85)) for topic in range(MOST_TOPICS)]
        self.numbers = [self.mixtures.add(Label(role="text", anchor=(0.5, 0.5), size=13)) for _ in range(MOST_TOPICS)]
        self.open_mark = self.mixtures.add(Marker("text", dash="dot"))
        self.mixtures.clicked_at.connect(self._on_document)

    def _build_table(self) -> None:
        self.table = PlotCard()
        self.table.set_axes_visible(grid=False)
        self.table.set_interactive(False)
        self.cells = DensityImage(fade=True)
        self.table.plot.addItem(self.cells)
        self.table.items.append(self.cells)
        self.borders = self.table.add(Curve("muted", width=1.0, alpha=0.4))
        self.topic_band = self.table.add(Band("text", alpha=0.08))
        self.column_mark = self.table.add(Marker("text", dash="dot"))
        self.table.clicked_at.connect(self._on_document)

    def _build_curve(self) -> None:
        self.curve = PlotCard()
        self.one_topic = self.curve.add(Marker("theory", vertical=False, at=1.0))
        self.floor = self.curve.add(Marker("muted", vertical=False, dash="dot", at=1.0))
        self.bound = self.curve.add(Curve(3, dash="dot", width=1.6))
        self.fitted = self.curve.add(Curve("data", width=2.4))
        self.held = self.curve.add(Curve(1, dash="dash", width=2.0))

    def retranslate(self) -> None:
        self.words.set_title(self.text("Topics as words"))
        self.mixtures.set_title(self.text("Documents as mixtures"))
        self.mixtures.set_labels(x=self.text("documents: click to open"), y="p(z|d)")
        self.table.set_title(self.text("Sorted table"))
        self.table.set_labels(x=self.text("documents"), y=self.text("words"))
        self.curve.set_title(self.text("Perplexity"))
        self.curve.set_labels(x=self.text("iteration"), y=self.text("perplexity"))
        self.fitted.label = self.text("fitted documents")
        self.bound.label = self.text("with the gap")
        for card in (self.mixtures, self.table, self.curve):
            card.refresh_legend()

    def draw(self, frame: Frame[Parameters, Picture], parameters: Parameters) -> None:
        picture: Picture = frame.picture
        self._picture = picture
        count = len(picture.topic_shares)
        chosen = parameters.highlight - 1 if 0 < parameters.highlight <= count else None
        self._draw_words(frame, picture, chosen)
        self.draw_later("text", partial(self._draw_text, picture, chosen))
        self.draw_later("mixtures", partial(self._draw_mixtures, picture, chosen))
        self.draw_later("table", partial(self._draw_table, frame, picture, chosen))
        self.draw_later("curve", partial(self._draw_curve, frame, picture))

    def _draw_words(self, frame: Frame[Parameters, Picture], picture: Picture, chosen: int | None) -> None:
        heads = [self.text("{number} · {share:.0%}", number=z + 1, share=share) for z, share in enumerate(picture.topic_shares)]
        self.lists.setData(picture.topic_words, picture.topic_probabilities, heads, chosen)
        half = self.text("after an E step") if picture.after_e else self.text("after an M step")
        number = round(frame.measures["iterations"])
        self.words.set_caption(self.text("iteration {number}", number=number) + f" · {half}" if frame.step else "")

    def _draw_text(self, picture: Picture, chosen: int | None) -> None:
        self.text_card.set_title(self.text("Document {number}", number=picture.document))
        self.text_card.set_caption(picture.name)
        self.reading.setData(picture.text, picture.spans, picture.strengths, picture.document_mixture, chosen)

    def _draw_mixtures(self, picture: Picture, chosen: int | None) -> None:
        topics, columns = picture.mixtures.shape
        edges = np.arange(columns + 1, dtype=float).repeat(2)[1:-1]
        tops = np.vstack([np.zeros(columns), picture.mixtures.cumsum(0)])
        starts = np.concatenate([[0.0], picture.column_ends])
        for z, (layer, number) in enumerate(zip(self.layers, self.numbers, strict=True)):
            layer.set_present(z < topics)
            number.set_present(z < topics)
            if z >= topics:
                continue
            layer.role, layer.alpha = topic_colour(z), 0.85 if chosen in (None, z) else FAINT
            layer.restyle(theming.current)
            layer.setData(edges, tops[z].repeat(2), tops[z + 1].repeat(2))
            roomy = starts[z + 1] - starts[z] > NARROW * columns
            number.setData(0.5 * (starts[z] + starts[z + 1]), 0.5, str(z + 1) if roomy else "")
        self.mixtures.set_range(x=(0.0, columns), y=(0.0, 1.0))
        self._mark(self.open_mark, picture)

    def _draw_table(self, frame: Frame[Parameters, Picture], picture: Picture, chosen: int | None) -> None:
        rows, columns = picture.table.shape
        self.cells.setData(picture.table[::-1], (0.0, 0.0, float(columns), float(rows)), (0.0, float(np.log(3.0))))
        lines = [((end, end), (0.0, rows)) for end in picture.column_ends[:-1]]
        lines += [((0.0, columns), (rows - end, rows - end)) for end in picture.row_ends[:-1]]
        x = [value for across, _ in lines for value in (*across, np.nan)]
        y = [value for _, up in lines for value in (*up, np.nan)]
        self.borders.setData(x, y)
        starts = np.concatenate([[0.0], picture.column_ends])
        self.topic_band.set_present(chosen is not None)
        if chosen is not None:
            self.topic_band.setData(starts[chosen], starts[chosen + 1])
        self._mark(self.column_mark, picture)
        self.table.set_range(x=(0.0, columns), y=(0.0, rows))
        self.table.set_caption(f"{round(frame.measures['words']):,d} × {round(frame.measures['documents']):,d}")

    def _draw_curve(self, frame: Frame[Parameters, Picture], picture: Picture) -> None:
        iterations = 0.5 * picture.half_steps
        self.fitted.setData(iterations, picture.perplexities)
        self.bound.setData(iterations, picture.bounds)
        self.held.setData(iterations, picture.heldout)
        judged = bool(np.isfinite(picture.heldout).any())
        label = self.text("held-out documents") if judged else ""
        self.held.set_present(judged)
        if label != self.held.label:
            self.held.label = label
            self.curve.refresh_legend()
        self.one_topic.setData(picture.unigram, self.text("one topic {value:.1f}", value=picture.unigram))
        self.floor.setData(picture.perfect, self.text("perfect fit {value:.1f}", value=picture.perfect))
        highest = np.nanmax([picture.unigram, *picture.bounds[1:], *picture.heldout])
        total = 0.5 * (frame.total or 1)
        self.curve.set_range(x=(0.0, total), y=(0.0, HEADROOM * min(highest, 4 * picture.unigram)), steady=True)
        self.curve.set_caption(self.text("now {value:.2f}", value=picture.perplexities[-1]))

    def _mark(self, mark: Marker, picture: Picture) -> None:
        """Show where the opened document stands; of several in one column only the first one has a place."""
        found = np.flatnonzero(picture.columns == picture.document)
        mark.set_present(len(found) > 0)
        if len(found):
            mark.setData(found[0] + 0.5)

    # ---- what a hand does ----------------------------------------------------------------------------------------

    def _on_topic(self, topic: int) -> None:
        """A click on a topic makes the others step back; a second one brings them forward again."""
        now = self._last[1].highlight if self._last else 0
        self.tweak_requested.emit({"highlight": 0 if now == topic + 1 else topic + 1})

    def _on_document(self, x: float, _y: float) -> None:
        if self._picture is None:
            return
        column = int(np.clip(x, 0, len(self._picture.columns) - 1))
        self.tweak_requested.emit({"document": int(self._picture.columns[column])})
