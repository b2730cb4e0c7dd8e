"""The spectral norm of a matrix by power iteration, as spectral normalisation of networks runs it.

References
----------
Miyato, Kataoka, Koyama, Yoshida (2018), Spectral normalization for generative adversarial networks, ICLR.
Golub, Van Loan (2013), Matrix Computations, section 8.2.
"""

from __future__ import annotations

import torch
from torch import Tensor

_TINY = 1e-30


def power_iteration(matrix: Tensor, left: Tensor, steps: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    """Iterate v ← Wᵀu/|Wᵀu|, u ← Wv/|Wv|, and estimate the largest singular value by uᵀWv.

    The estimate |Wv| never exceeds ‖W‖₂ and grows from step to step; its relative error falls as (σ₂/σ₁)^(4k), the angles of u
    and v to the singular vectors as (σ₂/σ₁)^(2k).

    Parameters
    ----------
    matrix : Tensor, shape (m, n)
        W.
    left : Tensor, shape (m,)
        u at the start, not orthogonal to the leading singular vector; kept from update to update while a network learns, so
        that one step per update is enough.
    steps : int
        k >= 1.

    Returns
    -------
    norm, left, right : Tensor, shapes (), (m,), (n,)
        uᵀWv, u and v. For W = 0 the norm is 0.
    """
    u, v = left, matrix[0]
    for _ in range(steps):
        v = matrix.mT @ u
        v = v / torch.linalg.vector_norm(v).clamp_min(_TINY)
        u = matrix @ v
        u = u / torch.linalg.vector_norm(u).clamp_min(_TINY)
    return torch.dot(u, matrix @ v), u, v
