"""What the stage scripts and the program `trackbed` are made of. A room imports from those above.

pipeline     how a stage runs: params, errors, outputs, lock and log, tables between stages
pictures     untrusted bytes -> checked pixels, resized
records      TFRecord: writing, integrity, reading pixels
dataset      a source folder -> checked pictures, findings, groups
splitting    joined groups, folds and the test part
networks     networks by name, augmentation, the store of embeddings
embedding    a frozen backbone over all images, by TensorFlow or OpenVINO
training     the loop, optimization, checkpoint, resume, epoch log
evaluation   scores, bootstrap, calibration, baselines, slices, robustness, comparison
curves       what a training history of any tool says
integrity    git and DVC: hashes, cache, storages, verify and repair
experiments  runs, sweeps, cross-validation, search, finished trainings
reporting    the report of a run: verdict, advice, figures, model card, text
pages        what commands show: comparison, sweep, suspects, curves
sample       the built-in sample
commands     the program `trackbed`, one module per command
"""
