"""The built-in song: composed and synthesised here, so that the page has something to play before a login."""
