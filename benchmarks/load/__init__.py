"""Songs that come whether or not those before are done: what becomes of them, and when it is told."""
