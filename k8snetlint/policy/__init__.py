"""The intermediate representation that every policy dialect is lowered to."""
