"""What a network is asked for."""

from dataclasses import dataclass

import keras

NO_WEIGHTS = "none"
# The fields of Spec that are keys of section `train` in params.yaml.
CHOICES = ("width", "dropout", "units", "l2", "weights", "scaling", "unfreeze")


@dataclass(frozen=True)
class Spec:
    """Images, classes and choices that a builder of networks may use."""

    side: int  # pixels; images have the shape (side, side, 3)
    classes: int
    dropout: float = 0.0
    width: float = 1.0  # of small_cnn: times its channels
    units: int = 256  # of the last hidden layer, where there is one
    l2: float = 0.0  # strength of the L2 penalty, where the network has one
    weights: str = NO_WEIGHTS  # of a backbone: 'imagenet', 'none' or the path of a file
    scaling: str = "own"  # of the input: the network's 'own', or 'unit' for 0..1
    unfreeze: str = "none"  # layers of a backbone that train: 'none', 'all', a name, a number

    def inputs(self) -> keras.KerasTensor:
        """The input of the network: pixels 0..255."""
        return keras.Input((self.side, self.side, 3))

    def model(self, name: str, inputs: keras.KerasTensor, x: keras.KerasTensor) -> keras.Model:
        """The network that ends with probabilities of the classes, in float32."""
        top = keras.layers.Dense(self.classes, activation="softmax", dtype="float32")
        return keras.Model(inputs, top(x), name=name)
