"""Draws EM as descent on one divergence: the staircase joint KL = marginal KL + gap, and the tables behind it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from engine.api import Frame
from gui.core.lab.two_rows import TwoRows
from gui.core.numbers import number_text
from gui.panels.em.joint_kl.cards import BoundCard, DataCard, ShareCard, StairCard, TableCard, moved_border, moved_share, short

if TYPE_CHECKING:
    from engine.labs.em.joint_kl import Parameters, Picture

LETTERS = ("", "E", "M")
MOST_MOVES = 60


class ExperimentPanel(TwoRows["Parameters", "Picture"]):
    """The staircase and the tables above; the table r, the data and the lower bound below."""

    def build(self) -> None:
        self._frame: Frame | None = None
        self._steps = 0  # of the run that a drag has interrupted
        self.stairs, self.tables = StairCard(), TableCard()
        self.shares, self.data, self.bound = ShareCard(), DataCard(), BoundCard()
        self.stairs.step_wanted.connect(self._on_step)
        self.stairs.column_wanted.connect(self._on_column)
        self.shares.dragged.connect(self._on_border)
        self.shares.dropped.connect(self._on_dropped)
        self.data.handles.dragged.connect(self._on_data)
        self.arrange([self.stairs, self.tables], [self.shares, self.data, self.bound], stretch=(5, 4), shares=[(5, 4)])
        self.fit()

    def retranslate(self) -> None:
        self.stairs.set_title(self.text("Joint KL = marginal KL + gap"))
        self.stairs.set_labels(x=self.text("half-step (faint: still ahead)"), y=self.text("divergence (nats)"))
        self.stairs.marginal.label = self.text("marginal KL")
        self.stairs.gap.label = self.text("gap")
        self.stairs.joint.label = self.text("joint KL")
        self.stairs.view.setToolTip(self.text("A click on a column goes there."))
        self.stairs.buttons["E"].setText(self.text("E step"))
        self.stairs.buttons["E"].setToolTip(self.text("Make r the exact posterior: the gap goes."))
        self.stairs.buttons["M"].setText(self.text("M step"))
        self.stairs.buttons["M"].setToolTip(self.text("Fit the model to the completed table: the sum falls."))
        self.tables.set_title(self.text("The two joint tables"))
        self.tables.set_labels(x=self.text("value x"))
        self.tables.titles = [
            self.text("data and r: p̃(x) r(z|x)"),
            self.text("model: p(x, z)"),
            self.text("what each cell adds to the joint KL"),
        ]
        self.shares.set_title(self.text("Table r(z|x): break it"))
        self.shares.set_labels(x=self.text("value x"), y=self.text("share of each cause"))
        self.shares.exact.label = self.text("exact posterior")
        self.shares.view.setToolTip(self.text("Drag a border: the gap opens. An E step puts it back."))
        self.data.set_title(self.text("Data and model"))
        self.data.set_labels(x=self.text("value x"), y=self.text("probability"))
        self.data.data.label = self.text("data p̃(x)")
        self.data.model.label = self.text("model p(x)")
        self.bound.set_title(self.text("Likelihood and bound"))
        self.bound.set_labels(x=self.text("half-step"), y=self.text("nats per observation"))
        self.bound.likelihood.label = self.text("log-likelihood")
        self.bound.bound.label = self.text("lower bound")
        self.bound.between.label = self.text("gap")
        for card in (self.stairs, self.shares, self.data, self.bound):
            card.refresh_legend()

    def draw(self, frame: Frame[Parameters, Picture], parameters: Parameters) -> None:
        self._frame = frame
        picture: Picture = frame.picture
        self.stairs.show_way(picture)
        numbers = {name: frame.measures[name] for name in ("joint_kl", "marginal_kl", "gap")}
        self.stairs.set_caption(self.text("{joint_kl:.4f} = {marginal_kl:.4f} + {gap:.4f} nats", **numbers))
        self.shares.show_shares(picture)
        self.shares.set_caption(self.text("gap {gap:.4f}", gap=numbers["gap"]))
        self.draw_later("tables", partial(self._draw_tables, frame))
        self.draw_later("data", partial(self._draw_data, frame))
        self.draw_later("bound", partial(self._draw_bound, frame))

    def _draw_tables(self, frame: Frame[Parameters, Picture]) -> None:
        self.tables.show_tables(frame.picture)
        self.tables.set_caption(self.text("framed where they differ"))

    def _draw_data(self, frame: Frame[Parameters, Picture]) -> None:
        self.data.show_data(frame.picture)
        self.data.set_caption(f"KL = {frame.measures['marginal_kl']:.4f}")

    def _draw_bound(self, frame: Frame[Parameters, Picture]) -> None:
        self.bound.show_bound(frame.picture, self.text("ceiling −H(p̃)"))
        self.bound.set_caption(number_text(frame.measures["lower_bound"], ".4f"))

    # ---- what a hand does --------------------------------------------------------------------------------------------

    def _way(self) -> str:
        """The letters of the half-steps behind the frame that is seen."""
        assert self._frame is not None
        return "".join(LETTERS[kind] for kind in self._frame.picture.kinds)

    def _on_step(self, kind: str) -> None:
        if self._frame is not None and len(self._way()) < MOST_MOVES:
            self.tweak_requested.emit({"moves": self._way() + kind, "steps": 0})

    def _on_column(self, column: int) -> None:
        if self._frame is None:
            return
        way = self._way() + "".join(LETTERS[kind] for kind in self._frame.picture.ahead_kinds)
        if 0 <= column <= min(len(way), MOST_MOVES) and column != len(self._way()):
            self.tweak_requested.emit({"moves": way[:column], "steps": 0})

    def _on_border(self, value: int, border: int, height: float) -> None:
        if self._frame is None:
            return
        tables = self._present()
        tables["posterior"][value] = tuple(moved_border(tables["posterior"][value], border, height))
        self._break({**tables, "posterior": tuple(tables["posterior"])})

    def _on_data(self, value: int, _x: float, height: float) -> None:
        if self._frame is not None:
            law = moved_share(self._frame.picture.data.tolist(), value, height)
            self.tweak_requested.emit({"data_distribution": tuple(law)})

    def _present(self) -> dict[str, Any]:
        """The tables that are seen as parameters: those of the model only where half-steps have moved them."""
        assert self._frame is not None
        picture: Picture = self._frame.picture
        tables: dict[str, Any] = {"posterior": [tuple(map(short, row)) for row in picture.posterior.tolist()]}
        if len(picture.kinds) > 1:
            tables["prior"] = tuple(map(short, picture.prior.tolist()))
            if len(picture.coins):
                tables["coins"] = tuple(map(short, picture.coins.tolist()))
            else:
                tables["conditional"] = tuple(tuple(map(short, row)) for row in picture.conditional.tolist())
        return tables

    def _break(self, tables: dict[str, Any]) -> None:
        """Begin anew with these tables; the run waits until the hand lets go."""
        assert self._frame is not None
        self._steps = self._steps or self._frame.parameters.steps
        self.tweak_requested.emit({**tables, "moves": "", "steps": 0})

    def _on_dropped(self) -> None:
        if self._steps:
            self.tweak_requested.emit({"steps": self._steps})
            self._steps = 0
