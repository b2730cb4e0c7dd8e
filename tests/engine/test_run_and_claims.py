"""The driver takes over live parameters once for each change; claims are checked by name; answers live as long as their run."""

from __future__ import annotations

import dataclasses
import weakref
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
import pytest
import torch
from pydantic import Field

from engine.core.claims import ClaimSpec, Finding, check_all
from engine.core.context import KEPT, Context
from engine.core.device import Budget
from engine.core.drive import Run
from engine.core.experiment import Experiment, Measure, with_theory
from engine.core.frames import GAPS, VOLATILE, Observation, make_frame
from engine.core.messages import Message
from engine.core.parameters import FieldSpec, LabParameters, Ui, changed_specs, field_specs, strongest_effect
from engine.core.streams import Streams

CPU = torch.device("cpu")


class Parameters(LabParameters):
    """A walk that can be hurried."""

    steps: Annotated[int, Field(ge=1, le=100), Ui("Steps", help="How many.")] = 5
    stride: Annotated[float, Field(gt=0, le=9), Ui("Stride", effect="live", help="How far.")] = 1.0
    colour: Annotated[float, Field(ge=0, le=1), Ui("Colour", effect="view", help="How bright.")] = 0.5
    depth: Annotated[
        int, Field(ge=1, le=9), Ui("Depth", help="Deep.", when=({"steps": (1,)}, {"steps": (2,), "stride": (1.0,)}))
    ] = 3


@dataclass(frozen=True)
class Picture:
    """Where it is."""

    place: np.ndarray
    unknown: np.ndarray = field(metadata=GAPS)
    seconds: np.ndarray = field(metadata=VOLATILE)


def experiment(adapted: list[float]) -> Experiment:
    """A walk that notes every adaptation."""

    def adapt(state: float, parameters: Parameters, context: Context) -> float:
        adapted.append(parameters.stride)
        return state

    def observe(state: float, parameters: Parameters, context: Context) -> Observation[Picture]:
        return Observation(Picture(np.array([state]), np.array([np.nan]), np.zeros(1)), {"place": state})

    return Experiment(
        parameters=Parameters,
        init=lambda parameters, context: 0.0,
        step=lambda state, parameters, context: state + parameters.stride,
        observe=observe,
        adapt=adapt,
        measures=(Measure("place", "Place"),),
        total=lambda parameters, context: parameters.steps,
    )


def test_a_live_change_is_taken_over_once() -> None:
    adapted: list[float] = []
    run = Run(experiment(adapted), Parameters(), Context(CPU, 0))
    run.advance(2)
    run.tweak(Parameters(stride=2.0))
    assert adapted == [2.0]
    run.advance(1)
    assert run.observe().measures["place"] == 4.0
    assert run.observe().parameters.stride == 2.0
    run.tweak(Parameters(stride=2.0, colour=0.9))  # nothing that the algorithm sees
    assert adapted == [2.0]


def test_a_run_takes_over_nothing_it_was_not_made_for() -> None:
    run = Run(experiment([]), Parameters(), Context(CPU, 0))
    with pytest.raises(ValueError, match="steps"):
        run.tweak(Parameters(steps=6, stride=2.0))
    assert run.parameters == Parameters()


def test_a_run_ends_where_nothing_changes_any_more() -> None:
    """And a live change lets it go on."""

    def settled(state: float, parameters: Parameters, context: Context) -> Message | None:
        return Message("It has arrived.") if state >= 3 * parameters.stride else None

    walk = dataclasses.replace(experiment([]), settled=settled)
    run = Run(walk, Parameters(steps=50), Context(CPU, 0))
    frames = list(run.frames())
    assert [frame.step for frame in frames] == [0, 1, 2, 3]
    assert [str(frame.settled) for frame in frames] == ["", "", "", "It has arrived."]
    assert run.finished
    run.tweak(Parameters(steps=50, stride=2.0))
    assert not run.finished
    run.advance(50)
    assert (run.step, run.observe().measures["place"]) == (5, 7.0)


def test_what_differs_between_two_sets_of_parameters() -> None:
    old = Parameters()
    assert [spec.name for spec in changed_specs(old, old.changed(colour=0.1, steps=2))] == ["steps", "colour"]
    assert strongest_effect(old, old.changed(colour=0.1)) == "view"
    assert strongest_effect(old, old.changed(colour=0.1, stride=2.0)) == "live"
    assert strongest_effect(old, old.changed(colour=0.1, stride=2.0, seed=1)) == "restart"
    assert strongest_effect(old, old) is None


@pytest.mark.parametrize(
    ("values", "matters"), [({"steps": 1}, True), ({"steps": 2}, True), ({"steps": 2, "stride": 3.0}, False), ({}, False)]
)
def test_a_row_matters_under_any_of_its_conditions(values: dict[str, Any], matters: bool) -> None:
    spec: FieldSpec = next(spec for spec in field_specs(Parameters) if spec.name == "depth")
    assert spec.matters(Parameters(**values).model_dump()) is matters


def test_answers_are_computed_once_and_go_with_the_run() -> None:
    asked: list[int] = []

    class Answer:
        """Something that can be watched."""

    def answer(number: int) -> Answer:
        asked.append(number)
        return Answer()

    context = Context(CPU, 0)
    first = context.once(answer, 1)
    assert context.once(answer, 1) is first
    assert asked == [1]
    assert Context(CPU, 0).once(answer, 1) is not first
    for number in range(2, KEPT + 2):
        context.once(answer, number)
    assert context.once(answer, 1) is not first  # the oldest had to go
    watched = weakref.ref(context.once(answer, 2))
    del first, context
    assert watched() is None


SPECS = (ClaimSpec("near", "They are near.", "a=b"), ClaimSpec("far", "They are far.", "a>b"))


def test_claims_are_checked_by_name() -> None:
    near, far = check_all(SPECS, {"far": Finding(1, 3, 1), "near": Finding(1, 1.5, 1, remark="almost")})
    assert (near.name, near.holds, str(near.remark)) == ("near", True, "almost")
    assert (far.name, far.holds) == ("far", False)
    waiting, _ = check_all(SPECS, {"near": Finding(1, 9, 1, enough=False, remark=Message("not yet")), "far": Finding(1, 1, 1)})
    assert waiting.holds is None
    for wrong in ({"near": Finding(1, 1, 1)}, {**dict.fromkeys(("near", "far"), Finding(1, 1, 1)), "other": Finding(1, 1, 1)}):
        with pytest.raises(KeyError, match=r"far|other"):
            check_all(SPECS, wrong)


def test_a_measure_and_what_theory_says_of_it() -> None:
    measured, theory = with_theory("spread", "Spread", "rad", by="the exact law", known=False)
    assert (measured.name, theory.name, theory.label) == ("spread", "theory_spread", "Spread (the exact law)")
    assert (measured.optional, theory.optional, theory.unit) == (False, True, "rad")


def test_fields_that_are_no_results_are_left_out_of_exports() -> None:
    picture = Picture(np.zeros(1), np.array([np.nan]), np.ones(1))
    frame = make_frame(0, None, Parameters(), Observation(picture, {}))
    assert set(frame.arrays) == {"place", "unknown"}
    assert frame.picture.seconds[0] == 1.0


def test_streams_can_begin_again_and_budgets_know_their_device() -> None:
    streams = Streams(3, CPU)
    advanced = torch.rand(2, generator=streams.generator("noise"))
    assert torch.equal(torch.rand(2, generator=streams.fresh("noise")), advanced)
    assert not torch.equal(torch.rand(2, generator=streams.generator("noise")), advanced)
    assert Budget(cpu=1, cuda=2, mps=3).on(CPU) == 1
    assert Budget(cpu=1, cuda=2, mps=3).on(torch.device("cuda")) == 2
