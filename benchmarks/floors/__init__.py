"""Floors: servers that do part of the same work, for comparison.

Each is started with a file of responses recorded from Soundstage: a list of
``{case, method, target, template, operation, api, status, headers, body, document}``.
"""
