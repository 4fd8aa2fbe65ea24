"""A network on a frozen backbone in its two halves, which share its weights."""

import hashlib

import keras

EMBEDDING = "embedding"  # the name of the layer whose output is the embedding


def backbone(network: keras.Model) -> keras.Model:
    """Pixels 0..255 of shape (batch, side, side, 3) to embeddings (batch, units)."""
    return keras.Model(network.inputs[0], network.get_layer(EMBEDDING).output, name="backbone")


def head(network: keras.Model) -> keras.Model:
    """Embeddings (batch, units) to class probabilities; training it trains the network."""
    embedding = network.get_layer(EMBEDDING).output
    return keras.Model(embedding, network.outputs[0], name=network.name)


def digest(backbone: keras.Model) -> str:
    """SHA-256 of the weights of a backbone: equal for equal ones, in whatever process."""
    found = hashlib.sha256()
    for weight in backbone.get_weights():
        found.update(weight.tobytes())
    return found.hexdigest()
