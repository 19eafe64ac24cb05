"""infertop: htop for what inference costs."""

__version__ = "0.1.0"
