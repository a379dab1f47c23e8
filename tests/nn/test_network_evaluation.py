import numpy as np

from autotiny.nn import confusion_matrix, worst_pairs


def test_confusion_matrix_counts_every_pair():
    rng = np.random.default_rng(0)
    labels, predictions = rng.integers(0, 4, (2, 200))
    counts = confusion_matrix(labels, predictions, 4)
    for i in range(4):
        for j in range(4):
            assert counts[i, j] == np.sum((labels == i) & (predictions == j))


def test_classes_that_never_occur_keep_their_row():
    assert confusion_matrix(np.array([0]), np.array([0]), 3).shape == (3, 3)


def test_worst_pairs_leave_out_right_predictions_and_mistakes_that_never_happened():
    assert worst_pairs(np.diag([9, 9, 9])) == []


def test_worst_pairs_are_cut_after_the_worst():
    confusion = np.array([[0, 1, 2], [3, 0, 4], [5, 6, 0]])
    assert worst_pairs(confusion, at_most=2) == [(2, 1, 6), (2, 0, 5)]
