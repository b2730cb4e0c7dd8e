"""The parameters of `joint_kl`."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, model_validator

from engine.core.parameters import LabParameters, Ui, problem

Row = tuple[Annotated[float, Field(ge=0, le=1)], ...]
Matrix = tuple[tuple[Annotated[float, Field(ge=0, le=1)], ...], ...]

MOST_VALUES, MOST_CAUSES = 12, 6
ROUNDED = 1e-3  # how far from 1 a list may be for having been typed with a few decimals
MOST_MOVES = 60


class Parameters(LabParameters):
    """Data, a model with a hidden cause, and a table of guesses about it."""

    data_distribution: Annotated[
        Row,
        Ui(
            "Data distribution",
            symbol="p̃(x)",
            group="Tables",
            help="Shares of the values of x in the data; they add up to 1.",
        ),
    ] = (0.1, 0.15, 0.1, 0.3, 0.35)
    prior: Annotated[
        Row, Ui("Prior", symbol="p(z)", group="Tables", help="Probability of each hidden cause z; they add up to 1.")
    ] = (0.75, 0.25)
    conditional: Annotated[
        Matrix,
        Ui(
            "Conditional",
            symbol="p(x|z)",
            group="Tables",
            when={"learn": ("prior", "conditional", "both")},
            help="One row for each cause z, parted by semicolons: the law of x under that cause.",
        ),
    ] = ((0.35, 0.35, 0.18, 0.09, 0.03), (0.03, 0.1, 0.22, 0.35, 0.3))
    coins: Annotated[
        Row,
        Ui(
            "Coins",
            symbol="θ_z",
            group="Tables",
            when={"learn": ("coins",)},
            help="Probability of success of each cause; x counts the successes in as many tosses as there are values less one.",
        ),
    ] = (0.3, 0.8)
    posterior: Annotated[
        Matrix,
        Ui(
            "Table r",
            symbol="r(z|x)",
            group="Tables",
            help="One row for each value x: the guess about its cause. Empty: as the start says. Drag it in the picture.",
        ),
    ] = ()
    start: Annotated[
        Literal["uniform", "exact", "random"],
        Ui(
            "An empty table r starts",
            group="Tables",
            choices={"uniform": "Knowing nothing", "exact": "As the exact posterior", "random": "At random"},
            help="What the guesses are where no table is given.",
        ),
    ] = "uniform"
    learn: Annotated[
        Literal["prior", "conditional", "both", "coins"],
        Ui(
            "An M step fits",
            group="Half-steps",
            choices={
                "prior": "p(z)",
                "conditional": "p(x|z), every cell",
                "both": "p(z) and p(x|z), every cell",
                "coins": "p(z) and a coin for each cause",
            },
            help="With every cell free, one hidden cause fits any data; coins are a model with a shape of its own.",
        ),
    ] = "prior"
    order: Annotated[
        Literal["em", "me", "m", "e"],
        Ui(
            "Order",
            group="Half-steps",
            effect="live",
            choices={
                "em": "E, M, E, M, …",
                "me": "M, E, M, E, …",
                "m": "Hold r: M, M, M, …",
                "e": "Hold the model: E, E, E, …",
            },
            help="Which half-steps follow one another.",
        ),
    ] = "em"
    steps: Annotated[
        int,
        Field(ge=0, le=200),
        Ui("Half-steps", group="Half-steps", help="How many half-steps a run takes; 0 shows the tables as they are given."),
    ] = 0
    moves: Annotated[
        str,
        Ui(
            "Moves by hand",
            group="Half-steps",
            help="Half-steps taken before the run, as letters E and M; the buttons of the picture write them.",
        ),
    ] = ""

    @property
    def sizes(self) -> tuple[int, int]:
        """Number of values of x and of causes z."""
        return len(self.data_distribution), len(self.prior)

    @model_validator(mode="after")
    def fit_together(self) -> Parameters:
        """Laws that add up to one, tables of sizes that fit, letters E and M."""
        values, causes = self.sizes
        _between("data_distribution", values, 2, MOST_VALUES)
        _between("prior", causes, 1, MOST_CAUSES)
        _law("data_distribution", self.data_distribution)
        _law("prior", self.prior)
        if self.learn == "coins":
            if len(self.coins) != causes:
                raise problem(
                    "coins", "coins has {found} numbers, but prior has {causes}.", found=len(self.coins), causes=causes
                )
        else:
            _table("conditional", self.conditional, causes, "prior", values, "data_distribution")
        if self.posterior:
            _table("posterior", self.posterior, values, "data_distribution", causes, "prior")
        if not re.fullmatch("[EMem]*", self.moves):
            raise problem("moves", "moves takes the letters E and M, for example EMM.")
        if len(self.moves) > MOST_MOVES:
            raise problem("moves", "moves takes at most {most} letters, not {found}.", most=MOST_MOVES, found=len(self.moves))
        return self


def _between(name: str, found: int, low: int, high: int) -> None:
    if not low <= found <= high:
        raise problem(name, "{name} takes {low} to {high} numbers, not {found}.", name=name, low=low, high=high, found=found)


def _law(name: str, law: Row) -> None:
    if abs(sum(law) - 1) > ROUNDED:
        raise problem(name, "The numbers of {name} add up to {sum}, not to 1.", name=name, sum=f"{sum(law):.6g}")


def _table(name: str, table: Matrix, rows: int, of_rows: str, columns: int, of_columns: str) -> None:
    if len(table) != rows:
        raise problem(
            name,
            "{name} has {found} rows, but {other} has {wanted} numbers.",
            name=name,
            found=len(table),
            other=of_rows,
            wanted=rows,
        )
    for at, row in enumerate(table, 1):
        if len(row) != columns:
            raise problem(
                name,
                "Row {row} of {name} has {found} numbers, but {other} has {wanted}.",
                row=at,
                name=name,
                found=len(row),
                other=of_columns,
                wanted=columns,
            )
        if abs(sum(row) - 1) > ROUNDED:
            raise problem(name, "Row {row} of {name} adds up to {sum}, not to 1.", row=at, name=name, sum=f"{sum(row):.6g}")
