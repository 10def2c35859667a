"""The optimizer: Muon for every matrix of weights, convolutions included, and Adam for the rest."""

import math
import re

import keras
from keras import ops

POLYNOMIALS = (
    (8.0934, -23.6204, 17.4462),
    (3.6366, -2.7219, 0.5365),
    (2.6613, -1.9772, 0.4526),
)
"""a, b and c of a s + b s^3 + c s^5. One after the other, they bring every s from 0.01 to 1 into
0.73 to 1.27: three of them can't come closer to 1. Each is the best for the values that the one
before gives. Smaller values are multiplied by 78."""


@keras.saving.register_keras_serializable(package="vaelib")
class Muon(keras.optimizers.Muon):
    """Muon for dense layers *and* convolutions; Adam for biases and normalisation.

    The gradient of a layer is a matrix. A few of its singular values are large: directions that all
    faces share. Muon brings all singular values to about 1. Then a step changes the weights equally
    in every direction, and rare patterns are learned as early as common ones.

    Keras' Muon does this for dense layers only. Here the kernel of a convolution, (h, w, i, o), is
    a matrix (h * w * i, o), too.

    Args:
        learning_rate: of the matrices; a number or a schedule.
        adam_lr_ratio: Adam's learning rate, as a share of `learning_rate`.
        momentum: the share of earlier gradients that is kept; a short training needs less of it.
        kwargs: as for `keras.optimizers.Muon`, but for `ns_steps` and `muon_a` to `muon_c`:
            `POLYNOMIALS` replaces them.

    Raises:
        ValueError: one of those four is given.

    Reference: Jordan et al., 2024 (kellerjordan.github.io/posts/muon); the size of a step: Liu et
    al., 2025 (arXiv:2502.16982); the polynomials: Amsel et al., 2025 (arXiv:2505.16932).
    """

    def __init__(self, learning_rate=9e-3, adam_lr_ratio=1 / 3, momentum=0.85, **kwargs):
        super().__init__(learning_rate, adam_lr_ratio=adam_lr_ratio, momentum=momentum, **kwargs)
        usual = keras.optimizers.Muon()  # a saved model gives all four, as they were
        for name in ("ns_steps", "muon_a", "muon_b", "muon_c"):
            if getattr(self, name) != getattr(usual, name):
                raise ValueError(f"{name} has no effect, POLYNOMIALS replaces it: leave it out.")

    def _should_use_adamw(self, variable):
        # Keras has no public way to choose Muon for a kernel; `exclude_layers` only takes away.
        if len(variable.shape) <= 2:
            return super()._should_use_adamw(variable)
        return any(re.search(word, variable.path) for word in self.exclude_layers)

    def zeropower_via_newtonschulz5(self, x, steps=None):
        """Bring all singular values of `x` to about 1; the shape stays.

        A polynomial of the singular values is `x` times a polynomial of x^T x, the Gram matrix.
        That matrix is small, so all steps are done on it, and `x` is multiplied only twice.
        """
        matrix = ops.reshape(x, (-1, x.shape[-1]))
        is_wide = matrix.shape[0] < matrix.shape[1]
        turned = ops.transpose(matrix)
        gram = ops.matmul(matrix, turned) if is_wide else ops.matmul(turned, matrix)
        largest = ops.norm(gram) + 1e-14  # at least as large as its eigenvalues, which are s^2
        gram = gram / largest
        step = _polynomial(gram, *POLYNOMIALS[0])
        product = step / ops.sqrt(largest)
        for coefficients in POLYNOMIALS[1:]:
            gram = ops.matmul(ops.matmul(step, gram), step)  # the Gram matrix after that step
            step = _polynomial(gram, *coefficients)
            product = ops.matmul(product, step)
        matrix = ops.matmul(product, matrix) if is_wide else ops.matmul(matrix, product)
        return ops.reshape(matrix, x.shape)

    def lr_adjust(self, x):
        """Scale `x` to the size of a step of Adam, by the longer side of its matrix."""
        if self.rms_rate is None:
            return x
        return x * math.sqrt(max(math.prod(x.shape[:-1]), x.shape[-1])) * self.rms_rate


def _polynomial(gram, a, b, c):
    """What multiplies x, where `gram` is x^T x, so that each s becomes a s + b s^3 + c s^5."""
    return a * ops.eye(gram.shape[0], dtype=gram.dtype) + b * gram + c * ops.matmul(gram, gram)
