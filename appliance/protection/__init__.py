"""Content keys and the doors they leave through.

The seam is in place and empty: a title says whether it is ``protected``, an asset
lists its ``key_systems``, and a track is a row with a folder of its own, so that
encrypted tracks can stand beside clear ones. :mod:`appliance.delivery` renders the
manifests from those rows, and :mod:`appliance.playback` hands out a token of scope
``licence`` with every session.
"""
