"""Stempipe's job and its rules, shared by all functions.

Functions import from here; nothing here imports a function. Inside, imports go one way: rules, adapters,
settings, jobs, errors.
"""
