"""What Matinee is and may do: no web framework, no queue, no encoder in here."""

__version__ = "0.1.0"
