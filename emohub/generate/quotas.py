"""Factors crossed by construction: every level as often as its share says, and every pair of levels as well.

Each factor's levels are handed out in exact quotas (largest remainders). Which row gets which level is chosen so that
the pairs with every earlier factor come close to their expected number, first greedily, then by exchanging the levels
of two rows as long as a pair is off by more than `BOUND`.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from emohub.errors import EmohubError

BOUND = 2.0  # prompts by which the number of a pair of levels may differ from its quota
GOAL = 1.0  # where exchanging stops
TRIES = 2_000  # exchanges of one factor, at most
PARTNERS = 2_000  # rows that one is compared with, so that the work does not grow with the rows

Tables = list[tuple[np.ndarray, np.ndarray, np.ndarray]]  # (level of each row, counts − quotas, quotas) of each pair


def quotas(n: int, shares: Sequence[float], rng: np.random.Generator) -> np.ndarray:
    """How often each level occurs among `n`: whole numbers within one of `n` times its share; ties by chance.

    Args:
        n: How many there are.
        shares: Of each level, in any unit.
        rng: Decides who gets what is left over where remainders are equal.

    Example:
        >>> quotas(20, [45, 45, 10], np.random.default_rng(0)).tolist()
        [9, 9, 2]
    """
    exact = n * np.asarray(shares, dtype=float) / sum(shares)
    found = np.floor(exact + 1e-9).astype(int)
    order = np.lexsort((rng.random(len(found)), -np.round(exact - found, 9)))
    found[order[: n - found.sum()]] += 1
    return found


def crossed(
    first: np.ndarray, factors: Mapping[str, Sequence[float]], rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """The level of every factor for every row.

    Args:
        first: [n] level of a factor that is there already, for example the emotion.
        factors: Factor → share of each of its levels.
        rng: Source of chance.

    Returns:
        Factor → [n] level.

    Raises:
        EmohubError: a pair is off by more than `BOUND`.
    """
    given = [np.unique(first, return_inverse=True)[1]]
    made = {}
    for name, shares in factors.items():
        made[name] = _assigned(given, shares, rng)
        given.append(made[name])
    if (worst := max(off(a, b) for at, a in enumerate(given) for b in given[:at])) > BOUND:
        raise EmohubError(f"The prompts are off balance by {worst:.1f} in a pair of factors. Give another --seed.")
    return made


def off(one: np.ndarray, other: np.ndarray) -> float:
    """How far the counts of two factors' pairs are from what their own counts lead to expect, at most."""
    if not len(one):
        return 0.0
    counts = np.zeros((one.max() + 1, other.max() + 1))
    np.add.at(counts, (one, other), 1)
    return float(np.abs(counts - np.outer(counts.sum(1), counts.sum(0)) / len(one)).max())


def _assigned(given: Sequence[np.ndarray], shares: Sequence[float], rng: np.random.Generator) -> np.ndarray:
    n = len(given[0])
    left = quotas(n, shares, rng)
    tables: Tables = []
    for levels in given:
        expected = np.outer(np.bincount(levels), left) / max(n, 1)
        tables.append((levels, -expected, np.maximum(expected, 1e-9)))
    chosen = np.empty(n, dtype=int)
    open_ = left.copy()
    noise = rng.random((n, len(left))) * 1e-3
    for row in rng.permutation(n):
        cost = noise[row].copy()
        for levels, off, expected in tables:
            cost += (off[levels[row]] + 0.5) / np.sqrt(expected[levels[row]])
        cost[open_ == 0] = np.inf
        level = int(cost.argmin())
        chosen[row] = level
        open_[level] -= 1
        for levels, off, _ in tables:
            off[levels[row], level] += 1
    _repair(chosen, tables, rng)
    return chosen


def _repair(chosen: np.ndarray, tables: Tables, rng: np.random.Generator) -> None:
    """Exchange levels of two rows, from the pair that is furthest off, as long as it helps."""
    n = len(chosen)
    for _ in range(TRIES):
        worst = max(tables, key=lambda table: np.abs(table[1]).max(initial=0))
        if np.abs(worst[1]).max(initial=0) <= GOAL:
            return
        at, level = np.unravel_index(np.abs(worst[1]).argmax(), worst[1].shape)
        has, much = (worst[0] == at), worst[1][at, level] > 0
        rows = np.flatnonzero(has & ((chosen == level) == much))
        partners = np.arange(n) if n <= PARTNERS else rng.integers(0, n, PARTNERS)
        if not _exchange(rng.choice(rows, min(4, len(rows)), replace=False), partners, chosen, tables):
            return


def _exchange(rows: np.ndarray, partners: np.ndarray, chosen: np.ndarray, tables: Tables) -> bool:
    """Make the exchange that lowers the sum of squares most, of one of the rows with a partner, if there is any."""
    best, pair = -1e-9, None
    for row in rows:
        mine, theirs = chosen[row], chosen[partners]
        change = np.zeros(len(partners))
        for levels, off, _ in tables:
            a, b = levels[row], levels[partners]
            moved = -off[a, mine] + off[a, theirs] + off[b, mine] - off[b, theirs] + 2
            change += np.where((b == a) | (theirs == mine), 0, moved)
        other = int(change.argmin())
        if change[other] < best:
            best, pair = change[other], (int(row), int(partners[other]))
    if pair is None:
        return False
    one, other = pair
    for levels, off, _ in tables:
        for row, sign in ((one, -1), (other, -1)):
            off[levels[row], chosen[row]] += sign
    chosen[one], chosen[other] = chosen[other], chosen[one]
    for levels, off, _ in tables:
        for row in pair:
            off[levels[row], chosen[row]] += 1
    return True
