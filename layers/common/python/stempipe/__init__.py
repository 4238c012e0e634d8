"""Stempipe's rules and their adapters: the job, its storage, its queue.

Functions import from here; nothing here imports a function.
"""
