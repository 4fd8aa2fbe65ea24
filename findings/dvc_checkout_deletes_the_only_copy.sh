#!/usr/bin/env bash
# dvc 3.67.1: an output that is in the workspace as recorded and not in the cache (deleted to save
# space, or another cache) is deleted by `dvc checkout --force`, which then says "Checkout failed
# for following targets ... Is your cache up to date?". Nothing had to be checked out. Without
# --force it stays. `dvc exp apply` of an experiment that did not touch the output deletes it too,
# and leaves params.yaml and dvc.lock of the experiment behind. The documentation of checkout calls
# --force only a way not to be asked about data that is not saved yet.
#
# Seen (2026-11-28): checkout: exit code 255, kept; checkout --force: 255, deleted; exp apply: 255,
# deleted, params.yaml changed. Exit code 1 if this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet dvc==3.67.1
export PATH="$folder/venv/bin:$PATH" DVC_NO_ANALYTICS=1 GIT_AUTHOR_NAME=a GIT_COMMITTER_NAME=a
export GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_EMAIL=a@example.com
mkdir "$folder/project"
cd "$folder/project"
git init --quiet
dvc init --quiet
mkdir in
echo picture > in/a
dvc add --quiet in
printf 'stages:\n  copy:\n    cmd: cp params.yaml out\n    params: [a]\n    outs: [out]\n' > dvc.yaml
echo 'a: 1' > params.yaml
dvc repro --quiet
git add --all
git commit --quiet -m first
dvc exp run --quiet --temp -n other -S a=2 > log 2>&1
rm -r .dvc/cache/files
for command in "checkout" "checkout --force" "exp apply other"; do
    mkdir -p in
    echo picture > in/a
    code=0
    dvc $command > log 2>&1 || code=$?
    kept=no
    [ ! -e in/a ] || kept=yes
    echo "dvc $command: exit code $code, kept: $kept, $(cat params.yaml)"
    [ "$code,$kept" = "255,$([ "$command" = checkout ] && echo yes || echo no)" ]
done
grep --quiet 'a: 2' params.yaml
