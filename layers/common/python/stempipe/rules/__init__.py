"""What each function does: one module for each of them."""
