"""Computations and models of the contract that share no code with the program."""
