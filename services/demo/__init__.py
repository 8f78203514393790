"""The demo: simulated line lists of Lai Châu that reproduce the figures of its published report."""
