"""An archive from which the system is installed on a machine without a network."""
