"""Files made elsewhere that sound needs, such as models: fetched once, known by their sha256."""
