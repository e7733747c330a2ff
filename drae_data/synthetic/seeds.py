"""Named random numbers: a generator depends on a seed and a name, never on the order of calls."""

import hashlib

import numpy as np


def named_generator(seed: int, *names: str | int) -> np.random.Generator:
    """Make the generator that belongs to a seed and a name.

    The names are joined with a separator that cannot occur in them, so ("a", "b1") and ("ab", "1")
    differ. Philox counts instead of iterating a state: its stream is the same on every machine.

    Args:
        seed: the seed of the whole line, any integer.
        *names: what the numbers are for, from coarse to fine: set, strip, run, frame, purpose.

    Returns:
        A fresh generator, shared with nobody.
    """
    text = "\x1f".join([str(seed), *map(str, names)])
    digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))
