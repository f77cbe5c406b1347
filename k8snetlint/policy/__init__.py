"""The intermediate representation that every policy dialect is lowered to."""

from .lowering import lower

__all__ = ["lower"]
