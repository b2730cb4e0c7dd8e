"""Models with latent variables: mixtures, coins, topics; their likelihoods, EM steps and rates."""
