"""How long songs wait: a simulation of what calls the workers, its tables, and what it is held to."""
