"""How the separation engine compares with Spleeter itself, on this machine and in one run: `make bench`."""
