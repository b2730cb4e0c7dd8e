"""Frames: what leaves the engine. Immutable, on the host, sharing no memory with the run that made them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic

from typing_extensions import TypeVar

from engine.core.claims import Claim
from engine.core.messages import Message
from engine.core.parameters import LabParameters

if TYPE_CHECKING:  # the window is on the screen a tenth of a second sooner without it
    import numpy as np


Parameters = TypeVar("Parameters", bound=LabParameters, default=Any)
Picture = TypeVar("Picture", default=Any)


NOT_SETTLED = Message("")

# What a field of a picture may say of itself: ``curve: np.ndarray = field(metadata=GAPS)``.
GAPS = {"gaps": True}  # its numbers may be no numbers: gaps in a line, curves that are not known yet
VOLATILE = {"volatile": True}  # it is no result, such as seconds: exports and comparisons leave it out


def unit(name: str) -> dict[str, str]:
    """Says the unit of a field: ``metadata=unit("nat")``, or ``GAPS | unit("nat")``."""
    return {"unit": name}


@dataclass(frozen=True, slots=True)
class Observation(Generic[Picture]):
    """What `observe` returns.

    Parameters
    ----------
    picture
        A frozen dataclass of the lab: the arrays to draw, tensors or numpy arrays.
    measures
        Named scalars, the names declared by the experiment.
    claims
        Checked claims, in the declared order.
    tables
        Named lists or lists of lists of numbers, for small vectors and matrices.
    """

    picture: Picture
    measures: Mapping[str, float]
    claims: tuple[Claim, ...] = ()
    tables: Mapping[str, list[Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Frame(Generic[Parameters, Picture]):
    """An observation at one step of one run."""

    step: int
    total: int | None
    parameters: Parameters
    picture: Picture
    measures: Mapping[str, float]
    claims: tuple[Claim, ...]
    tables: Mapping[str, list[Any]]
    settled: Message = NOT_SETTLED  # why the run ends before its last step

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays of the picture by name, without those that are no results."""
        import numpy as np

        picture: Any = self.picture
        kept = (item.name for item in dataclasses.fields(picture) if not item.metadata.get("volatile"))
        values = {name: getattr(picture, name) for name in kept}
        return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}

    @property
    def nbytes(self) -> int:
        """Bytes held by the arrays."""
        return sum(array.nbytes for array in self.arrays.values())


def make_frame(
    step: int,
    total: int | None,
    parameters: Parameters,
    observation: Observation[Picture],
    settled: Message = NOT_SETTLED,
) -> Frame[Parameters, Picture]:
    """A frame whose arrays are frozen copies and whose numbers are plain Python floats."""
    return Frame(
        step=step,
        total=total,
        parameters=parameters,
        picture=freeze(observation.picture),
        measures=MappingProxyType({name: float(value) for name, value in observation.measures.items()}),
        claims=observation.claims,
        tables=MappingProxyType(dict(observation.tables)),
        settled=settled,
    )


def freeze(picture: Picture) -> Picture:
    """The same dataclass with every tensor or array as a contiguous read-only copy on the host.

    A copy, because `tensor.numpy()` shares memory and a later in-place step would rewrite a frame already sent.
    """
    import numpy as np

    changes = {}
    source: Any = picture
    for item in dataclasses.fields(source):
        value = getattr(source, item.name)
        if hasattr(value, "detach"):
            value = value.detach().cpu().numpy()  # device sync
        if isinstance(value, np.ndarray):
            value = np.array(value, order="C")
            value.setflags(write=False)
            changes[item.name] = value
    frozen: Picture = dataclasses.replace(source, **changes)
    return frozen
