"""Captions as text: read from what people have, cleaned, checked, written as WebVTT.

All of this is pure: bytes and values in, values and text out.
"""
