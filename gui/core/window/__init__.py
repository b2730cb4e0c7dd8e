"""The window around the experiments: rail, head, side, sheets, presentation, actions."""
