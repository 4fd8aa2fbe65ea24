#!/usr/bin/env bash
# dvc 3.67.1: a dependency outside of the repository, given by a relative path, is found by
# `dvc repro` and by `dvc exp run`, and not by `dvc exp run --temp` and `--queue`: the copy in
# .dvc/tmp/exps/standalone resolves the path against itself. The error names the copy's path. With
# an absolute path all of them find it. The documentation of external dependencies allows both.
#
# Seen (2026-11-28): relative: repro 0, exp run --temp 255; absolute: 0, 0. Exit code 1 if this
# changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet dvc==3.67.1
export PATH="$folder/venv/bin:$PATH" DVC_NO_ANALYTICS=1 GIT_AUTHOR_NAME=a GIT_COMMITTER_NAME=a
export GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_EMAIL=a@example.com
mkdir "$folder/pictures" "$folder/project"
echo 1 > "$folder/pictures/1"
cd "$folder/project"
git init --quiet
dvc init --quiet
for path in ../pictures "$folder/pictures"; do
    printf 'stages:\n  copy:\n    cmd: cp -r %s out\n    deps: [%s]\n    params: [a]\n    outs: [out]\n' \
        "$path" "$path" > dvc.yaml
    echo 'a: 1' > params.yaml
    dvc repro --quiet && repro=0 || repro=$?
    git add --all
    git commit --quiet --message "$path"
    dvc exp run --temp --set-param a=2 > run.log 2>&1 && run=0 || run=$?
    echo "$path: repro $repro, exp run --temp $run; $(grep --only-matching 'No such file.*' run.log | head -n 1)"
    results="${results:-} $repro $run"
done
test "$results" = " 0 255 0 0"
