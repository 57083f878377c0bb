"""The ways out of an installation in which nothing about them was set."""

from pathlib import Path

from appliance.outbound import Ways

STRAIGHT = Ways(proxy="", direct=(), bundle="", authorities=Path("/nowhere"))
