"""The commands ``lrs badges``. They print; they decide nothing."""
