"""Random vectors and matrices: laws of entries, of angles between vectors, of singular values and eigenvalues."""
