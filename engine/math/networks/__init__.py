"""Networks: activations, mean-field theory of deep random networks, energy networks and their training."""
