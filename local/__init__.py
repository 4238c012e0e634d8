"""template.yaml on this machine: MiniStack plays AWS, and every function runs from its source folder."""
