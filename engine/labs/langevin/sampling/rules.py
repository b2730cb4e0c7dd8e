"""The part of the parameters that decides how a swarm of `sampling` moves and where it settles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.labs.langevin.sampling.parameters import Parameters, Sampler
from engine.math.energies.registry import ENERGIES

METROPOLIS = ("mala", "hmc", "nuts", "tempering")  # samplers that accept or reject, and leave the target as it is
FEW = 1000  # particles below which a swarm is averaged over time too


@dataclass(frozen=True, slots=True)
class EnergySpec:
    """What decides the energy: its name, and the numbers and texts that it uses."""

    name: str
    numbers: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class SamplerSettings:
    """What decides one step of a swarm. Averages over time begin anew when it changes."""

    energy: EnergySpec
    sampler: Sampler
    step_size: float
    temperature: float
    noise: float  # times the standard normal; 0 is none
    drift: bool
    friction: float = 0.0
    leapfrogs: int = 1
    doublings: int = 1
    rungs: int = 1
    hottest: float = 1.0

    @property
    def faithful(self) -> bool:
        """Whether the rule leaves exp(-U/T) exactly as it is."""
        return self.sampler in METROPOLIS and self.settles

    @property
    def settles(self) -> bool:
        """Whether noise and slope stand in Langevin's proportion."""
        return self.drift and self.noise == 1.0 and self.temperature > 0


def energy_spec_of(parameters: Parameters) -> EnergySpec:
    """The energy's part of the parameters, as far as the energy in force uses them."""
    uses = ENERGIES[parameters.energy].uses
    return EnergySpec(parameters.energy, tuple((name, getattr(parameters, name)) for name in uses))


def settings_of(parameters: Parameters, *, second: bool = False) -> SamplerSettings:
    """The rule of the first or the second swarm; numbers its sampler does not use are left at their defaults."""
    other = parameters.second
    sampler: Sampler = parameters.sampler if not second or other == "none" or other == "same" else other
    extra: dict[str, float | int] = {}
    if sampler == "underdamped":
        extra["friction"] = parameters.friction
    elif sampler == "hmc":
        extra["leapfrogs"] = parameters.leapfrog_steps
    elif sampler == "nuts":
        extra["doublings"] = parameters.doublings
    elif sampler in ("annealed", "tempering"):
        extra["hottest"] = parameters.hottest
    if sampler == "tempering":
        extra["rungs"] = parameters.rungs
    return SamplerSettings(
        energy=energy_spec_of(parameters),
        sampler=sampler,
        step_size=parameters.second_step_size if second else parameters.step_size,
        temperature=parameters.temperature,
        noise=parameters.noise_scale if parameters.noise else 0.0,
        drift=parameters.drift,
        **extra,  # type: ignore[arg-type]
    )


def averages_over_time(parameters: Parameters) -> bool:
    """Whether averages go over the later steps as well as over the swarm."""
    return parameters.average == "time" or (parameters.average == "auto" and parameters.particles < FEW)
