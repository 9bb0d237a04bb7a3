"""Whether ids say what things are: ids of found boxes against categories of the objects matched."""

from dataclasses import dataclass

import numpy as np

SHOTS = (1, 4, 16, 64)
NUM_DRAWS = 10
SEED = 0
NAMELESS = -1


@dataclass(frozen=True)
class IdentityFigures:
    """How ids and categories go together in matched pairs.

    Attributes:
        num_ids: different ids, the id 0 of unknown things included.
        num_categories: different categories.
        ids_per_category: mean over categories of the ids other than 0 that its objects have.
        unknown: share of pairs whose id is 0.
        purity: share of pairs that are right if each id stands for its most frequent category.
        few_shot: for each k, share of pairs in the second half of the frames whose category is
            named right by ids that k pairs of each category in the first half gave a name to, mean
            of ten draws; ids without a name are wrong. Empty where there is one category only, or
            a half without pairs.
    """

    num_ids: int
    num_categories: int
    ids_per_category: float
    unknown: float
    purity: float
    few_shot: dict[int, float]


def score_identity(
    ids: np.ndarray, categories: np.ndarray, in_first_half: np.ndarray
) -> IdentityFigures | None:
    """Compares ids and categories of matched pairs.

    All unknown things share the id 0. Were each its own id, purity would count them as right.

    Args:
        ids: `(N,)` integers, in the order of the frames.
        categories: `(N,)` integers.
        in_first_half: `(N,)` bool, whether the pair is of the first half of the frames.

    Returns:
        The figures, None without pairs.
    """
    if not len(ids):
        return None
    known_ids, id_index = np.unique(ids, return_inverse=True)
    seen, category_index = np.unique(categories, return_inverse=True)
    counts = _count(id_index, category_index, (len(known_ids), len(seen)))
    measurable = len(seen) > 1 and in_first_half.any() and not in_first_half.all()
    return IdentityFigures(
        num_ids=len(known_ids),
        num_categories=len(seen),
        ids_per_category=float((counts[known_ids > 0] > 0).sum(axis=0).mean()),
        unknown=float((ids == 0).mean()),
        purity=float(counts.max(axis=1).sum() / len(ids)),
        few_shot=_few_shot(id_index, category_index, in_first_half) if measurable else {},
    )


def _count(ids: np.ndarray, categories: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    counts = np.zeros(shape, np.int64)
    np.add.at(counts, (ids, categories), 1)
    return counts


def _few_shot(ids: np.ndarray, categories: np.ndarray, is_taught: np.ndarray) -> dict[int, float]:
    rng = np.random.default_rng(SEED)
    return {
        shots: float(
            np.mean([_accuracy(ids, categories, is_taught, shots, rng) for _ in range(NUM_DRAWS)])
        )
        for shots in SHOTS
    }


def _accuracy(
    ids: np.ndarray,
    categories: np.ndarray,
    is_taught: np.ndarray,
    shots: int,
    rng: np.random.Generator,
) -> float:
    """Names the ids by the majority of a few drawn pairs and judges the pairs not taught."""
    num_categories = categories.max() + 1
    drawn = np.concatenate(
        [
            rng.permutation(np.flatnonzero(is_taught & (categories == category)))[:shots]
            for category in range(num_categories)
        ]
    )
    votes = _count(ids[drawn], categories[drawn], (ids.max() + 1, num_categories))
    names = np.where(votes.any(axis=1), votes.argmax(axis=1), NAMELESS)
    return float((names[ids] == categories)[~is_taught].mean())
