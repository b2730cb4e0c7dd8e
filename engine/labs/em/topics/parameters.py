"""The parameters of `topics`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from engine.core.parameters import LabParameters, Ui


class Parameters(LabParameters):
    """Topics of a collection of documents."""

    example: Annotated[
        Literal["english", "chinese"],
        Ui(
            "Example",
            group="Texts",
            choices={"english": "Short English texts", "chinese": "Short Chinese texts"},
            help="The collection that comes with the program, on a few clear subjects; a folder takes its place.",
        ),
    ] = "english"
    folder: Annotated[
        str,
        Ui(
            "Folder",
            kind="folder",
            reads="texts",
            group="Texts",
            help="A folder of text files (*.txt), one document each. Empty: the example.",
        ),
    ] = ""
    vocabulary: Annotated[
        int,
        Field(ge=10, le=20_000),
        Ui("Vocabulary", symbol="W", scale="log", group="Texts", help="At most so many words, those found most often."),
    ] = 2000
    least_documents: Annotated[
        int,
        Field(ge=1, le=20),
        Ui("Least documents", group="Texts", help="Words found in fewer documents than this are left out."),
    ] = 2
    stop_words: Annotated[
        bool,
        Ui("Leave out stop words", group="Texts", help="Function words such as the, of and with, and their Chinese likes."),
    ] = True
    han: Annotated[
        Literal["pairs", "characters", "words"],
        Ui(
            "Chinese words",
            group="Texts",
            advanced=True,
            choices={"pairs": "Pairs of characters", "characters": "Single characters", "words": "Words of a dictionary"},
            help="Chinese has no spaces: every two neighbouring characters count as a word, every single one, or the longest "
            "words of a dictionary.",
        ),
    ] = "pairs"
    topics: Annotated[
        int, Field(ge=1, le=20), Ui("Topics", symbol="K", group="Model", help="How many laws of words the documents mix.")
    ] = 5
    steps: Annotated[
        int,
        Field(ge=1, le=1000),
        Ui("Iterations", scale="log", group="Model", help="Full EM iterations; each is an E and an M half-step."),
    ] = 40
    start: Annotated[
        Literal["documents", "annealed", "random"],
        Ui(
            "Start",
            group="Model",
            choices={"documents": "Documents", "annealed": "Annealed", "random": "Random"},
            help="Documents far apart; the same after some tempered iterations; or both tables drawn at random.",
        ),
    ] = "documents"
    beta: Annotated[
        float,
        Field(ge=0.2, le=1.0),
        Ui(
            "Tempering",
            symbol="β",
            effect="live",
            group="Model",
            help="The posterior to the power β: 1 is EM; below it responsibilities are softer, which avoids poor maxima.",
        ),
    ] = 1.0
    held_out: Annotated[
        float,
        Field(ge=0.0, le=0.5),
        Ui(
            "Held out",
            group="Model",
            help="Share of the documents kept from the fit; half of the words of each is folded in, the other half judged.",
        ),
    ] = 0.0
    document: Annotated[
        int,
        Field(ge=1, le=20_000),
        Ui("Document", symbol="d", effect="live", group="Picture", help="Which document is opened, counted from one."),
    ] = 79
    highlight: Annotated[
        int,
        Field(ge=0, le=20),
        Ui("Highlight topic", symbol="z", effect="view", group="Picture", help="The others step back; 0 shows all alike."),
    ] = 0
