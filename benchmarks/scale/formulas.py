"""What queueing theory says of the simplest queues, to hold the simulation to."""

from __future__ import annotations

from math import exp

import numpy as np


def erlang_c(servers: int, load: float) -> float:
    """The share of those who wait in M/M/c, by Erlang's second formula.

    Parameters
    ----------
    servers
        c.
    load
        Arrival rate times mean service time, in Erlang; less than ``servers``.
    """
    # By the recursion of Erlang's first formula, which does not overflow.
    blocked = 1.0
    for number in range(1, servers + 1):
        blocked = load * blocked / (number + load * blocked)
    return servers * blocked / (servers - load * (1 - blocked))


def mean_wait_exponential(servers: int, load: float, service: float) -> float:
    """Seconds that one waits on average in M/M/c; ``service`` is the mean service time in seconds."""
    return erlang_c(servers, load) * service / (servers - load)


def mean_wait_constant(servers: int, load: float, service: float, most: int = 400) -> float:
    """Seconds that one waits on average in M/D/c.

    Whoever is in service at a moment is gone one service time later, and whoever has come since is not. So
    the number in the system at such steps is a Markov chain (Crommelin, 1932); ``most`` is where it is cut.
    """
    arrivals = np.zeros(most + 1)
    arrivals[0] = exp(-load)
    for number in range(1, most + 1):
        arrivals[number] = arrivals[number - 1] * load / number
    steps = np.zeros((most + 1, most + 1))
    for there in range(most + 1):
        left = max(0, there - servers)
        steps[there, left:] = arrivals[: most + 1 - left]
        steps[there, -1] += 1 - steps[there].sum()
    # The stationary distribution p = p P, its entries summing to 1.
    system = np.vstack([steps.T - np.eye(most + 1), np.ones(most + 1)])
    shares, *_ = np.linalg.lstsq(system, np.append(np.zeros(most + 1), 1.0), rcond=None)
    waiting = sum((there - servers) * shares[there] for there in range(servers + 1, most + 1))
    return float(waiting) * service / load  # Little's law
