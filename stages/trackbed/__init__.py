"""What the stage scripts and the program `trackbed` are made of. A room imports from those above.

pipeline     how a stage runs: params, errors, outputs, lock and log, tables between stages
records      TFRecord: writing, integrity, reading pixels, resizing
pictures     untrusted bytes -> checked pixels
dataset      a source folder -> checked pictures, findings, groups
splitting    joined groups, folds and the test part
inference    an exported model in ONNX Runtime: inputs, answers, novelty
networks     networks by name, augmentation, embeddings
embedding    a frozen backbone over all images, by TensorFlow or OpenVINO
training     networks on images, heads in NumPy, checkpoint, resume, epoch log
evaluation   scores, bootstrap, calibration, baselines, slices, robustness, comparison
exporting    a trained model -> files for other runtimes, and whether they answer alike
explanation  where a model looks, and whether that means something
gallery      all test pictures, packed for a page
charts       curves of training and classes as data of a page
curves       what a training history of any tool says
integrity    git and DVC: hashes, cache, storages, verify and repair
experiments  runs, sweeps, cross-validation, search, finished trainings
drift        whether new pictures look like the held-out ones
reporting    the report of a run: verdict, advice, figures, model card, text
pages        what commands show: comparison, sweep, suspects, curves
sample       the built-in sample
serving      the HTTP server
creation     a project of one's own: its files, proposals, first commits
commands     the program `trackbed`, one module per command
"""
