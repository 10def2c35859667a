"""The optimizer: Muon for every matrix of weights, convolutions included, and Adam for the rest."""

import math

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="vaelib")
class Muon(keras.optimizers.Muon):
    """Muon for dense layers *and* convolutions; Adam for biases and normalisation.

    The gradient of a layer is a matrix. A few of its singular values are large: directions that all
    faces share. Muon makes all of them about 1, so that a step turns the weights as much in every
    direction, and rare patterns are learned as soon as common ones.

    Keras' Muon does so for dense layers alone. Here the kernel of a convolution, (h, w, i, o),
    counts as a matrix (h * w * i, o).

    Args:
        learning_rate: of the matrices; a number or a schedule.
        adam_lr_ratio: Adam's learning rate, as a share of it.
        kwargs: as for `keras.optimizers.Muon`.

    Reference: Jordan et al., 2024 (kellerjordan.github.io/posts/muon); the size of a step: Liu et
    al., 2025 (arXiv:2502.16982).
    """

    def __init__(self, learning_rate=6e-3, adam_lr_ratio=1 / 3, **kwargs):
        super().__init__(learning_rate, adam_lr_ratio=adam_lr_ratio, **kwargs)

    def _should_use_adamw(self, variable):
        return len(variable.shape) < 2

    def zeropower_via_newtonschulz5(self, x, steps):
        """`x` with all singular values brought to about 1, in the shape of `x`.

        Keras multiplies the whole matrix in every step. But a step multiplies it by a polynomial
        of x^T x, which is small; so steps are done there, and the matrix is multiplied less often.
        It is after three steps at most, since rounding errors (those of a GPU's TF32 above all)
        grow tenfold with each.
        """
        matrix = ops.reshape(x, (-1, x.shape[-1]))
        is_wide = matrix.shape[0] < matrix.shape[1]
        if is_wide:
            matrix = ops.transpose(matrix)
        matrix = matrix / (ops.norm(matrix) + 1e-7)  # no singular value is above 1
        for done in range(0, steps, 3):
            matrix = self._even_out(matrix, min(3, steps - done))
        return ops.reshape(ops.transpose(matrix) if is_wide else matrix, x.shape)

    def _even_out(self, matrix, steps):
        gram = ops.matmul(ops.transpose(matrix), matrix)
        identity = ops.eye(matrix.shape[-1], dtype=matrix.dtype)
        product = identity
        for _ in range(steps):
            squared = ops.matmul(gram, gram)
            step = self.muon_a * identity + self.muon_b * gram + self.muon_c * squared
            product = ops.matmul(product, step)
            gram = ops.matmul(ops.matmul(step, gram), step)
        return ops.matmul(matrix, product)

    def lr_adjust(self, x):
        """`x` scaled to the size of a step of Adam, by the longer side of its matrix."""
        return x * math.sqrt(max(math.prod(x.shape[:-1]), x.shape[-1])) * self.rms_rate
