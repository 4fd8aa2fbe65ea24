#!/usr/bin/env bash
# dvc 3.67.1: with `verify = true`, `dvc pull` deletes a damaged file from the storage (here a
# folder), for all who use it, if the file is an output of its own. The message says only that the
# checkout failed. A damaged file below a folder that is an output is refused and stays. The
# documentation says that verify computes the hashes of downloaded files, and that pull downloads.
#
# Seen (2026-11-28): file: pull 1, damaged files in the storage 1 before, 0 after; folder: pull 1,
# 1 before, 1 after. Exit code 1 if this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet dvc==3.67.1
export PATH="$folder/venv/bin:$PATH" DVC_NO_ANALYTICS=1 GIT_AUTHOR_NAME=a GIT_COMMITTER_NAME=a
export GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_EMAIL=a@example.com
for case in file folder; do
    mkdir "$folder/$case"
    cd "$folder/$case"
    git init --quiet
    dvc init --quiet
    dvc remote add --quiet --default store "$folder/$case-store"
    dvc remote modify --quiet store verify true
    [ "$case" = file ] || mkdir model
    echo written > "model$([ "$case" = file ] || echo /weights)"
    dvc add --quiet model
    dvc push --quiet
    git add --all
    git commit --quiet -m first
    stored=$(grep --files-with-matches --recursive written "$folder/$case-store")
    chmod u+w "$stored"
    echo altered > "$stored"

    git clone --quiet . "$folder/$case-clone"
    cd "$folder/$case-clone"
    before=$(grep --recursive altered "$folder/$case-store" | wc -l)
    dvc pull > log 2>&1 && pull=0 || pull=$?
    after=$({ grep --recursive altered "$folder/$case-store" || true; } | wc -l)
    echo "$case: pull $pull, damaged files in the storage $before before, $after after"
    results="${results:-} $pull $before $after"
done
[ "$results" = " 1 1 0 1 1 1" ]
