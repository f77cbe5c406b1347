"""The solver's side: policies, and a packet's way over ports, as formulas. The only importers of z3.

Other modules of `analysis` call it with their own values, and get their own values back: no term leaves this package.
"""
