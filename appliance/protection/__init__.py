"""Content keys: made, wrapped and kept; handed to the pipeline and to the doors.

:mod:`~appliance.protection.keys` is what the house asks for keys. Providers make them,
:mod:`~appliance.protection.vault` keeps them as rows, wrapped by the files of
:mod:`~appliance.protection.kek`. They leave in three ways: sealed to a worker
(:mod:`~appliance.protection.sealing`), sealed into an export
(:mod:`~appliance.protection.export`), or through the doors of licences, which the web
opens.
"""
