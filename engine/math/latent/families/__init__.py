"""Families of mixture components beside the normal one: Student's law, bits, counts and lines."""

from engine.math.latent.families.base import Family, Look, bound, divergence, look
from engine.math.latent.families.discrete import Bernoulli, Poisson
from engine.math.latent.families.regression import Regression, RegressionMixture
from engine.math.latent.families.student import Student, StudentMixture

__all__ = [
    "Bernoulli",
    "Family",
    "Look",
    "Poisson",
    "Regression",
    "RegressionMixture",
    "Student",
    "StudentMixture",
    "bound",
    "divergence",
    "look",
]
