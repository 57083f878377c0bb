"""The encoders of this machine: tested, left alone when they fail, tested again."""
