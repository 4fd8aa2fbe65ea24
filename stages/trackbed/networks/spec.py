"""What a builder of networks gets: image side, classes and settings."""

from dataclasses import dataclass, fields
from typing import Any

import keras

NO_WEIGHTS = "none"


@dataclass(frozen=True)
class Spec:
    """What a builder of networks may use; but for `side` and `classes`, keys of section `train`."""

    side: int  # pixels; images have the shape (side, side, 3)
    classes: int
    dropout: float = 0.0
    width: float = 1.0  # of small_cnn: times its channels
    units: int = 256  # of the last hidden layer, where there is one
    l2: float = 0.0  # strength of the L2 penalty, where the network has one
    weights: str = NO_WEIGHTS  # of a backbone: 'imagenet', 'none' or the path of a file
    scaling: str = "own"  # of the input: the network's 'own', or 'unit' for 0..1
    unfreeze: str = "none"  # layers of a backbone that train: 'none', 'all', a name, a number

    @classmethod
    def of(cls, p: Any, classes: int) -> "Spec":
        """The spec of section `train` of params.yaml; keys that `p` lacks keep their defaults."""
        keys = {field.name for field in fields(cls)} & set(type(p).model_fields)
        return cls(p.image_side, classes, **{key: getattr(p, key) for key in keys})

    def inputs(self) -> keras.KerasTensor:
        """The input of the network: pixels 0..255."""
        return keras.Input((self.side, self.side, 3))

    def model(self, name: str, inputs: keras.KerasTensor, x: keras.KerasTensor) -> keras.Model:
        """The network from `inputs` to `x`, followed by a float32 softmax over the classes."""
        top = keras.layers.Dense(self.classes, activation="softmax", dtype="float32")
        return keras.Model(inputs, top(x), name=name)
