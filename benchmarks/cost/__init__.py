"""`make cost`: what a job does, counted on the wire, and what that costs."""
