"""The keys of section `train` of params.yaml, with their types and bounds."""

from typing import Literal

from pydantic import Field

from trackbed.networks import augmentation
from trackbed.pipeline import params

MONITORED = Literal["loss", "accuracy", "macro_f1", "val_loss", "val_accuracy", "val_macro_f1"]


class TrainParams(params.Section):
    """Section `train` of params.yaml."""

    network: str
    weights: str  # 'none', 'imagenet' or the path of a weights file
    scaling: Literal["own", "unit"]
    unfreeze: str  # 'none', 'all', the name of a layer or the number of last layers
    head_epochs: int = Field(ge=0)
    fine_tune_rate: float = Field(gt=0)
    image_side: int = Field(ge=8, le=1024)  # pixels
    initial_scale: float = Field(1.0, gt=0, le=1)  # see training.batches
    ghost_batches: int = Field(1, ge=1, le=16)  # see training.batch_normalization
    dropout: float = Field(ge=0, lt=1)
    width: float = Field(ge=0.25, le=8)
    units: int = Field(ge=1)
    l2: float = Field(ge=0)
    augment: augmentation.Changes
    fold: int = Field(ge=0)  # the fold to validate on
    epochs: int = Field(ge=1)
    monitor: MONITORED
    patience: int = Field(ge=1)  # epochs
    batch: int = Field(ge=1)  # images
    loss: Literal["crossentropy", "focal"]
    focal_gamma: float = Field(ge=0)
    label_smoothing: float = Field(ge=0, lt=1)
    class_weights: bool
    balanced_sampling: bool
    optimizer: Literal["adam", "adamw", "sgd"]
    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    clip_norm: float = Field(ge=0)
    average: float = Field(ge=0, lt=1)  # momentum of the moving average of the weights
    schedule: Literal["constant", "exponential", "cosine", "plateau"]
    decay_rate: float = Field(gt=0, le=1)
    decay_steps: int = Field(ge=1)  # batches
    warmup_epochs: int = Field(ge=0)
    plateau_factor: float = Field(gt=0, lt=1)
    plateau_patience: int = Field(ge=1)  # epochs
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"]
    seed: int = Field(ge=0, lt=2**31)
    resume: bool  # write the state while training, and continue a killed run from it

    @property
    def parts(self) -> int:
        """Parts of a batch that are trained beside each other; 1 but for small_cnn."""
        return self.ghost_batches if self.network == "small_cnn" else 1
