"""What can be chosen about the die."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from engine.core.parameters import LabParameters, Ui


class Parameters(LabParameters):
    """A die and how often it is thrown."""

    throws: Annotated[int, Field(ge=2, le=100_000), Ui("Throws", scale="log", help="How often it is thrown.")] = 600
    faces: Annotated[int, Field(ge=2, le=100), Ui("Faces", help="As many, all equally likely.")] = 6
    shown: Annotated[int, Field(ge=2, le=100), Ui("Faces shown", effect="live", help="Bars of the picture.")] = 6
