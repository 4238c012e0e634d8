"""How weights of our own are made: `make train-drums`. Nothing that is deployed or installed imports it."""
