"""The parameters of `mixture`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from engine.core.parameters import Ui, problem
from engine.labs.em.mixture.data_parameters import DataParameters, Matrix

SHAPED = ("normal", "student")  # families whose components have means and covariances to take hold of
MOST_NUMBERS = 50_000  # of a list by hand


class Parameters(DataParameters):
    """A mixture of laws, fitted half-step by half-step."""

    family: Annotated[
        Literal["normal", "student", "bernoulli", "poisson", "regression"],
        Ui(
            "Family",
            group="Mixture",
            choices={
                "normal": "Normal",
                "student": "Student: heavy tails",
                "bernoulli": "Bernoulli: pixels on or off",
                "poisson": "Poisson: counts",
                "regression": "Lines with errors",
            },
            help="What a component is. The half-steps are the same: only density and weighted fit differ.",
        ),
    ] = "normal"
    components: Annotated[
        int,
        Field(ge=1, le=12),
        Ui("Components", symbol="K", group="Mixture", help="How many laws are mixed."),
    ] = 3
    covariance: Annotated[
        Literal["full", "tied", "diagonal", "spherical"],
        Ui(
            "Covariance",
            symbol="Σ",
            effect="live",
            group="Mixture",
            when={"family": SHAPED},
            choices={
                "full": "Full: any ellipse",
                "tied": "Tied: one ellipse for all",
                "diagonal": "Diagonal: axes along the coordinates",
                "spherical": "Spherical: circles",
            },
            help="Which shapes the components may take.",
        ),
    ] = "full"
    floor: Annotated[
        float,
        Field(ge=0, le=10),
        Ui(
            "Covariance floor",
            symbol="ε",
            effect="live",
            group="Mixture",
            when={"family": (*SHAPED, "regression")},
            help="Added to every variance after an M half-step; at 0 a component may fall onto a single point.",
        ),
    ] = 0.0

    degrees: Annotated[
        float,
        Field(ge=0.2, le=200),
        Ui(
            "Degrees of freedom",
            symbol="ν",
            scale="log",
            group="Mixture",
            when={"family": ("student",)},
            help="Of Student's law, at first where they are learned: the fewer, the heavier its tails; many are nearly normal.",
        ),
    ] = 4.0
    learn_degrees: Annotated[
        bool,
        Ui(
            "Learn them",
            effect="live",
            group="Mixture",
            when={"family": ("student",)},
            help="In a second conditional M step each component estimates its own degrees of freedom.",
        ),
    ] = False

    start: Annotated[
        Literal["random", "kmeans++", "kmeans", "manual"],
        Ui(
            "Start",
            group="Start",
            choices={
                "random": "Random points",
                "kmeans++": "Points far apart (k-means++)",
                "kmeans": "k-means",
                "manual": "By hand",
            },
            help="Where the components begin. EM finds a local maximum nearby, not the highest one.",
        ),
    ] = "random"
    means: Annotated[
        Matrix,
        Ui(
            "Means",
            symbol="μ",
            group="Start",
            when={"start": ("manual",)},
            help="A row per component, parted by semicolons; on a line a single row will do. Drag them in the picture.",
        ),
    ] = ()
    deviations: Annotated[
        Matrix,
        Ui(
            "Deviations",
            symbol="σ",
            group="Start",
            when={"start": ("manual",)},
            help="One standard deviation per component, or a row of them with one per coordinate; none: those of the data.",
        ),
    ] = ()
    spreads: Annotated[
        Matrix,
        Ui(
            "Covariance matrices",
            symbol="Σ",
            group="Start",
            when={"start": ("manual",)},
            advanced=True,
            help="A row per component with all d x d numbers of its covariance; they go before the deviations.",
        ),
    ] = ()
    weights: Annotated[
        tuple[Annotated[float, Field(ge=0)], ...],
        Ui(
            "Weights",
            symbol="π",
            group="Start",
            when={"start": ("manual",)},
            help="One per component, divided by their sum; none: all the same.",
        ),
    ] = ()

    algorithm: Annotated[
        Literal["em", "hard", "gradient", "online"],
        Ui(
            "Algorithm",
            effect="live",
            group="Algorithm",
            choices={
                "em": "EM",
                "hard": "Hard EM (k-means)",
                "gradient": "Gradient ascent",
                "online": "Online EM, in batches",
            },
            help="Hard EM gives each point to one component; gradient ascent steps where EM goes to the top of the bound.",
        ),
    ] = "em"
    steps: Annotated[
        int,
        Field(ge=0, le=2000),
        Ui("Iterations", symbol="T", scale="log", group="Algorithm", help="Full iterations: an E and an M half-step each."),
    ] = 60
    tolerance: Annotated[
        float,
        Field(ge=0, le=1),
        Ui(
            "Tolerance",
            effect="live",
            scale="log",
            group="Algorithm",
            advanced=True,
            help="Converged once an iteration adds less to the mean log-likelihood; from there on nothing moves.",
        ),
    ] = 1e-12
    relaxation: Annotated[
        float,
        Field(ge=0.1, le=3),
        Ui(
            "Over-relaxation",
            symbol="ω",
            effect="live",
            group="Algorithm",
            advanced=True,
            when={"algorithm": ("em",), "family": ("normal",)},
            help="Steps so many times as long as those of EM; one that lowers the likelihood is replaced by that of EM.",
        ),
    ] = 1.0
    learning_rate: Annotated[
        float,
        Field(ge=1e-4, le=10),
        Ui(
            "Learning rate",
            symbol="η",
            effect="live",
            scale="log",
            group="Algorithm",
            when=[{"algorithm": ("gradient",)}, {"compare": (True,)}],
            help="Of gradient ascent on the mean log-likelihood, in coordinates of unit variance.",
        ),
    ] = 0.1

    batch: Annotated[
        int,
        Field(ge=1, le=100_000),
        Ui(
            "Batch",
            symbol="b",
            effect="live",
            scale="log",
            group="Algorithm",
            when={"algorithm": ("online",)},
            help="Points that arrive at each iteration. Points drawn meanwhile come with the next one.",
        ),
    ] = 20
    forgetting: Annotated[
        float,
        Field(ge=0.5, le=1),
        Ui(
            "Forgetting",
            symbol="κ",
            effect="live",
            group="Algorithm",
            when={"algorithm": ("online",)},
            help="Iteration t takes the share t^-κ of its moments from the new batch: at 1 all points count alike.",
        ),
    ] = 0.7

    compare: Annotated[
        bool,
        Ui(
            "Race the algorithms",
            group="Beside it",
            when={"family": ("normal",)},
            help="EM, hard EM and gradient ascent from the same start, iteration by iteration.",
        ),
    ] = False
    choose: Annotated[
        bool,
        Ui(
            "AIC and BIC over K",
            group="Beside it",
            help="Fit 1 to 8 components as well, and weigh likelihood against the number of parameters.",
        ),
    ] = False
    restarts: Annotated[
        int,
        Field(ge=0, le=100),
        Ui(
            "Restarts",
            group="Beside it",
            help="Further runs from other starts of the same kind (from random points if it is by hand): where do they end?",
        ),
    ] = 0
    bayes: Annotated[
        bool,
        Ui(
            "Variational Bayes",
            group="Beside it",
            when={"family": ("normal",)},
            help="From the same start, with a law of the parameters instead of a point: needless components lose their points.",
        ),
    ] = False
    concentration: Annotated[
        float,
        Field(ge=1e-4, le=100),
        Ui(
            "Concentration",
            symbol="α₀",
            scale="log",
            group="Beside it",
            when={"bayes": (True,), "family": ("normal",)},
            help="Of the Dirichlet prior of the weights: the smaller, the fewer components are kept.",
        ),
    ] = 0.01
    rate: Annotated[
        bool,
        Ui(
            "Predict the rate",
            group="Beside it",
            when={"family": ("normal",)},
            help="Look ahead to the fixed point, and find the missing share of information there: EM converges at that rate.",
        ),
    ] = True
    plane: Annotated[
        Literal["principal", "columns"],
        Ui(
            "Seen from",
            effect="live",
            group="Picture",
            advanced=True,
            choices={"principal": "Principal axes", "columns": "Two columns"},
            help="Of more than two columns: which plane the picture shows.",
        ),
    ] = "principal"
    shown: Annotated[
        tuple[Annotated[int, Field(ge=1, le=10_000)], ...],
        Ui(
            "Columns shown",
            effect="live",
            group="Picture",
            advanced=True,
            when={"plane": ("columns",)},
            help="Two of the columns that are used, counted from one.",
        ),
    ] = (1, 2)

    @field_validator("values", "drawn", "means", "deviations", "spreads")
    @classmethod
    def rows_of_one_length(cls, rows: Matrix, info: ValidationInfo) -> Matrix:
        """Of a matrix, and not too many."""
        name, length = str(info.field_name), len(rows[0]) if rows else 0
        for at, row in enumerate(rows, 1):
            if len(row) != length or not row:
                raise problem(
                    name,
                    "Row {row} of {name} has {found} numbers instead of {wanted}.",
                    row=at,
                    name=name,
                    found=len(row),
                    wanted=length,
                )
        if len(rows) * length > MOST_NUMBERS:
            raise problem(name, "{name} takes at most {most:,d} numbers.", name=name, most=MOST_NUMBERS)
        return rows

    @model_validator(mode="after")
    def families_and_algorithms(self) -> Self:
        """Some algorithms are there for some families only."""
        if self.algorithm == "gradient" and self.family != "normal":
            raise problem("algorithm", "Gradient ascent is there for normal components only.")
        if self.algorithm == "online" and self.family == "student":
            raise problem("algorithm", "Online EM keeps one share per point, and Student's law hides a scale as well.")
        if self.start == "manual" and self.family not in SHAPED:
            raise problem("start", "Only normal and Student components have means and covariances to begin with by hand.")
        return self

    @field_validator("weights")
    @classmethod
    def not_all_zero(cls, weights: tuple[float, ...]) -> tuple[float, ...]:
        """Something must be left to divide by."""
        if weights and sum(weights) <= 0:
            raise problem("weights", "weights needs at least one number above 0.")
        return weights

    @field_validator("shown")
    @classmethod
    def two_columns(cls, shown: tuple[int, ...]) -> tuple[int, ...]:
        """Two different ones."""
        if len(shown) != 2 or shown[0] == shown[1]:
            raise problem("shown", "shown takes two different numbers, for example 1,2.")
        return shown
