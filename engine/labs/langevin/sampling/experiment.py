"""A swarm of particles that samples an energy in the plane: Langevin's rule, its bias, its barriers, and what helps."""

from __future__ import annotations

import math
import time

import numpy as np
import torch
from torch import Tensor

from engine.core.context import Context
from engine.core.errors import LabError
from engine.core.experiment import Experiment
from engine.core.frames import Observation
from engine.core.messages import Message
from engine.labs.langevin.sampling.claims import CLAIMS, MEASURES, Averages, averages, check_claims, why_never
from engine.labs.langevin.sampling.flow import begin_flow, flow_distance, flow_moments, flows, move_flow
from engine.labs.langevin.sampling.landscape import Landscape, blocks, landscape, law_of, points_at
from engine.labs.langevin.sampling.parameters import Parameters
from engine.labs.langevin.sampling.picture import draw
from engine.labs.langevin.sampling.records import EnsembleSums, Record, Trajectory, pair_correlation, pair_sums
from engine.labs.langevin.sampling.rules import METROPOLIS, SamplerSettings, averages_over_time, settings_of
from engine.labs.langevin.sampling.state import State
from engine.labs.langevin.sampling.walk import HOLD, Ensemble, advance, chunks

LADDER = 80  # steps of the ladder's history
JUDGED = 32  # steps between two looks at the mixing
FAR, NEAR = 50.0, 10.0  # windows beyond which a particle has left for good; the second where the step is beyond the limit
UNFELT = 1e9  # the same where no slope is felt


# ---- the algorithm ---------------------------------------------------------------------------------------------------


def init(parameters: Parameters, context: Context) -> State:
    """The swarm at its start."""
    rule = settings_of(parameters)
    place = context.once(landscape, rule.energy, rule.temperature)
    walk = Ensemble(start_points(parameters, place, context))
    state = State(0, [walk], [Record.new(parameters.particles, parameters.steps)], [rule], Trajectory())
    state.records[0].begin(0, walk.points)
    join_second(state, parameters)
    join_flow(state, parameters, place)
    note_distance(state, parameters, place, context)
    return state


def start_points(parameters: Parameters, place: Landscape, context: Context) -> Tensor:
    """Where the particles begin, shape (2, N), float32."""
    count, device = parameters.particles, context.device
    here = (parameters.start_x, parameters.start_y)
    if parameters.start == "left" or (parameters.start == "exact" and place.density is None):
        return points_at(place.deepest_left(), count, device)
    if parameters.start == "point":
        return points_at(here, count, device)
    points, generator = torch.empty((2, count), device=device), context.generator("start")
    width, height = place.size
    for part in chunks(count, context):
        context.checkpoint()
        number = part.stop - part.start
        if parameters.start == "exact":
            assert place.density is not None
            points[:, part] = place.density.sample(number, generator)
        elif parameters.start == "uniform":
            spread = torch.rand((2, number), generator=generator, device=device)
            points[0, part] = spread[0].mul_(width).add_(place.window[0])
            points[1, part] = spread[1].mul_(height).add_(place.window[2])
        else:
            cloud = torch.randn((2, number), generator=generator, device=device).mul_(0.06 * min(width, height))
            points[:, part] = cloud.add_(torch.tensor(here, device=device)[:, None])
    return points


def step(state: State, parameters: Parameters, context: Context) -> State:
    """Move all particles once."""
    began = time.perf_counter()
    place = present_landscape(state, context)
    _cool_down(state, parameters)
    in_time = averages_over_time(parameters)
    before = [walk.points[0].clone() if in_time else None for walk in state.walks]
    pairs = list(zip(state.walks, state.rules, strict=True))
    state.outcomes = advance(pairs, place.energy, context, state.step, state.step / parameters.steps)
    state.step += 1
    refuse_escape(state, place)
    if state.flow is not None:
        move_flow(state.flow, state.rules[0].step_size, context)
    for walk, record, outcome, past in zip(state.walks, state.records, state.outcomes, before, strict=True):
        accepted = float(outcome.accepted)  # device sync
        record.acceptance = accepted / walk.count
        record.follow(walk.points, state.step)
        since = state.step - record.since
        if past is not None:
            now = record.counted(walk, place, state.step, context)
            record.later.add(now, pair_sums(past, walk.points[0], accepted, place.centre[0]), since)
        if since % JUDGED == 0:
            record.judge(place, since, patience=4.0 if in_time else patience(walk.count))
    keep_ladder(state)
    state.way.spent += time.perf_counter() - began
    state.way.evaluations += state.outcomes[0].gradients
    if state.step >= state.way.next_step:
        note_distance(state, parameters, place, context)
    return state


def adapt(state: State, parameters: Parameters, context: Context) -> State:
    """Give the swarms the rules now in force; what was averaged under others is forgotten."""
    join_second(state, parameters)
    for number in range(len(state.rules)):
        rule = settings_of(parameters, second=number == 1)
        if rule != state.rules[number]:
            state.rules[number] = rule
            state.records[number].begin(state.step, state.walks[number].points)
            state.ladder.clear()
            state.swaps = np.zeros((2, 0))
            if not state.way.changes or state.way.changes[-1] != len(state.way.steps):
                state.way.changes.append(len(state.way.steps))
    join_flow(state, parameters, present_landscape(state, context))  # a formula that is no energy is refused here
    return state


def present_landscape(state: State, context: Context) -> Landscape:
    """The landscape of the rule in force."""
    return context.once(landscape, state.rules[0].energy, state.rules[0].temperature)


def _cool_down(state: State, parameters: Parameters) -> None:
    """Forget what was averaged on the way when an annealed swarm has cooled down."""
    for rule, record, walk in zip(state.rules, state.records, state.walks, strict=True):
        if rule.sampler == "annealed" and state.step == cooled(parameters):
            record.begin(state.step, walk.points)


def join_second(state: State, parameters: Parameters) -> None:
    """Let the second swarm come from where the first is, or go."""
    wanted = parameters.second != "none"
    if wanted and len(state.walks) == 1:
        walk = Ensemble(state.walks[0].points.clone())
        record = Record.new(parameters.particles, parameters.steps)
        record.begin(state.step, walk.points)
        state.walks.append(walk)
        state.records.append(record)
        state.rules.append(settings_of(parameters, second=True))
    elif not wanted and len(state.walks) == 2:
        del state.walks[1], state.records[1], state.rules[1]
        state.outcomes = state.outcomes[:1]


def join_flow(state: State, parameters: Parameters, place: Landscape) -> None:
    """Let the density begin where the first swarm is, anew on another landscape, or go."""
    if not parameters.fokker_planck or not flows(state.rules[0]):
        state.flow = None
    elif state.flow is None or state.flow.place is not place:
        state.flow = begin_flow(state.walks[0].points, place)


def refuse_escape(state: State, place: Landscape) -> None:
    """Stop a run whose particles have left for good, and say why.

    Raises
    ------
    LabError
        With the step size and the stability limit.
    """
    reach = max(*map(abs, place.window), *(0.5 * side for side in place.size))
    for number, (rule, outcome) in enumerate(zip(state.rules, state.outcomes, strict=True)):
        if rule.sampler in METROPOLIS and rule.noise:
            continue
        farthest = float(outcome.extreme)  # device sync
        bound = (FAR if rule.step_size < place.limit else NEAR) * reach
        if farthest <= (bound if rule.drift else UNFELT):
            continue
        facts = {"step": state.step, "epsilon": rule.step_size, "limit": place.limit}
        if rule.step_size >= place.limit:
            sentence = (
                "The swarm flew apart after {step:,d} steps: at ε = {epsilon:g} every step overshoots, for the limit is "
                "4/L = {limit:.3g}."
                if number == 0
                else "The second swarm flew apart after {step:,d} steps: at ε = {epsilon:g} every step overshoots, for the "
                "limit is 4/L = {limit:.3g}."
            )
            raise LabError(sentence, "Choose a step size below {limit:.3g}, or a sampler with Metropolis.", **facts)
        raise LabError(
            "The swarm flew apart after {step:,d} steps, though ε = {epsilon:g} is below the limit {limit:.3g}: some particles "
            "came to places that are steeper.",
            "Choose a smaller step size, or a sampler with Metropolis.",
            **facts,
        )


def keep_ladder(state: State) -> None:
    """Remember which walker stands where, and how many swaps were accepted."""
    for walk, outcome in zip(state.walks, state.outcomes, strict=True):
        if walk.labels is None or outcome.swapped is None:
            continue
        state.ladder.append(tuple(walk.labels[:, 0].tolist()))
        del state.ladder[:-LADDER]
        swapped = outcome.swapped.cpu().numpy()[:-1]
        if state.swaps.shape[1] != len(swapped):
            state.swaps = np.zeros((2, len(swapped)))
        asked = swapped >= 0
        state.swaps += np.stack([np.where(asked, swapped, 0), asked * walk.count])
        return


def note_distance(state: State, parameters: Parameters, place: Landscape, context: Context) -> None:
    """Add the distance to the way so far, and the variance to the step sizes visited."""
    distances = [np.nan, np.nan]
    for number, (walk, record, rule) in enumerate(zip(state.walks, state.records, state.rules, strict=True)):
        found = averages(present(walk, record, parameters, place, state.step, context), place)
        distances[number] = found.distance
        if rule.settles and state.step - record.since >= 20 and rule.sampler != "annealed":
            state.way.visit(rule.sampler, rule.step_size, found.var_x, (rule.energy, rule.temperature))
    state.way.note(state.step, (distances[0], distances[1]))


def present(
    walk: Ensemble, record: Record, parameters: Parameters, place: Landscape, step_number: int, context: Context
) -> EnsembleSums:
    """What averages go over: the swarm as it is, or the later steps too."""
    if averages_over_time(parameters) and record.later.older.number:
        return record.later.older
    return record.counted(walk, place, step_number, context)


def patience(particles: int) -> float:
    """How many times longer than single paths a swarm needs until its averages show nothing of the start.

    Of a start up to 20 deviations away paths have e⁻¹⁰ left when they say that they forgot it (`mixing_of`); 1/√N of a
    deviation is what averages see, and a factor e⁻³ of that shall not matter.
    """
    return max(1.0, (math.log(20 * math.sqrt(particles)) + 3) / 10)


# ---- what follows from the parameters --------------------------------------------------------------------------------


def cooled(parameters: Parameters) -> int:
    """The step from which annealing stays at T."""
    return round((1 - HOLD) * parameters.steps)


def total(parameters: Parameters, context: Context) -> int:
    """Steps of the run."""
    return parameters.steps


def settled(state: State, parameters: Parameters, context: Context) -> Message | None:
    """The word of a run that ends since its paths agree."""
    found = state.records[0].mixing.rank_r_hat
    if parameters.stop_r_hat <= 1 or not found < parameters.stop_r_hat:
        return None
    values = {"value": f"{found:.4f}", "bound": f"{parameters.stop_r_hat:g}"}
    return Message("The paths agree: R-hat is {value}, below {bound}.", values)


def stride(parameters: Parameters, step_number: int) -> int:
    """A frame for every step, for every few of a very long run."""
    return max(1, parameters.steps // 20_000)


# ---- what one sees ---------------------------------------------------------------------------------------------------


def observe(state: State, parameters: Parameters, context: Context) -> Observation:
    """The swarm, its averages and its distance to the target, under the parameters now in force."""
    rules, place = state.rules, present_landscape(state, context)
    in_time = averages_over_time(parameters)
    pairs = zip(state.walks, state.records, strict=True)
    tallies = [present(walk, record, parameters, place, state.step, context) for walk, record in pairs]
    found = [averages(each, place) for each in tallies]
    measures = measured(state, parameters, place, rules, found, context)
    law, record = law_of(rules[0], place), state.records[0]
    waiting = rules[0].sampler == "annealed" and state.step <= cooled(parameters)
    stuck = why_never(rules[0], place, exact_start=parameters.start == "exact" and record.since == 0)
    claims = check_claims(
        found[0], measures, law, rules[0], place, record.mixing, stuck=stuck, waiting=waiting, in_time=in_time
    )
    return Observation(draw(state, place, rules, tallies, in_time, context), measures, claims)


def measured(
    state: State,
    parameters: Parameters,
    place: Landscape,
    rules: list[SamplerSettings],
    found: list[Averages],
    context: Context,
) -> dict[str, float]:
    """All numbers, in the declared order."""
    first, record, law = found[0], state.records[0], law_of(rules[0], place)
    exact = place.density
    in_time = averages_over_time(parameters)
    later = record.later.older_pairs
    lag1 = pair_correlation(later) if in_time else (*record.correlation.lag1(), np.nan)[0]
    asked = state.swaps.sum(1)
    numbers = {
        "mean_x": first.mean_x,
        "mean_y": first.mean_y,
        "var_x": first.var_x,
        "var_y": first.var_y,
        "theory_var_x": law.var_x,
        "mean_energy": first.mean_energy,
        "theory_mean_energy": law.mean_energy,
        "temperature_read": first.temperature,
        "theory_temperature_read": law.temperature + law.heating * first.steepness,
        "acceptance": float(later[6] / later[0]) if in_time and later[0] else record.acceptance,
        "theory_acceptance": law.acceptance,
        "lag1_correlation": lag1,
        "theory_lag1_correlation": law.lag1,
        "effective_sample_size": state.walks[0].count * max(1, state.step - record.since) / 2 * record.mixing.efficiency,
        "r_hat": record.mixing.r_hat,
        "rank_r_hat": record.mixing.rank_r_hat,
        "kl_divergence": first.distance,
        "kl_floor": place.chance(first.number).mean,
        "wasserstein_x": first.wasserstein_x,
        "wasserstein_y": first.wasserstein_y,
        "outside": first.outside,
        "stability_limit": place.limit,
        "step_share": rules[0].step_size / place.limit,
        "swap_acceptance": asked[0] / asked[1] if asked[1] else np.nan,
        "present_temperature": state.outcomes[0].temperature if state.outcomes else parameters.temperature,
    }
    if state.flow is not None:
        numbers["flow_mean_x"], numbers["flow_var_x"] = flow_moments(state.flow)
        counted = record.counted(state.walks[0], place, state.step, context)
        numbers["flow_distance"], numbers["flow_floor"] = flow_distance(state.flow, blocks(counted.counts), counted.number)
    if exact is not None:
        names = ("mean_x", "mean_y", "var_x", "var_y", "mean_energy")
        numbers |= {f"exact_{name}": getattr(exact, name) for name in names}
    if len(found) > 1:
        second = found[1]
        numbers |= {"second_var_x": second.var_x, "second_kl_divergence": second.distance}
        numbers["second_acceptance"] = state.records[1].acceptance
    return {measure.name: numbers.get(measure.name, np.nan) for measure in MEASURES}


EXPERIMENT = Experiment(
    parameters=Parameters,
    init=init,
    step=step,
    adapt=adapt,
    observe=observe,
    measures=MEASURES,
    claims=CLAIMS,
    total=total,
    settled=settled,
    stride=stride,
    pacing="paced",
    history=True,
    memory=("particles",),
)
