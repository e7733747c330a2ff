"""The DRAE model: reading patches for it."""
