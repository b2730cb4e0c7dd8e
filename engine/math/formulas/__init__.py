"""Formulas that a user types: parsed into a tree, evaluated on tensors, differentiated by autograd; no `eval` anywhere."""
