#!/usr/bin/env bash
# dvc 3.67.1: `dvc repro --dry --allow-missing`, the check for CI of a clone without its data, says
# "Data and pipelines are up to date." of a pipeline that never ran and has no dvc.lock at all, where
# its first stage has no dependencies (a download, say): "missing" and "never recorded" are the same
# to it, and the later stages follow. `dvc status` names both stages.
# What works: in CI, look for dvc.lock and for every stage of dvc.yaml in it.
#
# Seen (2026-11-28): dry run: both stages didn't change, up to date; status: 2 stages changed. Exit
# code 1 if this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet dvc==3.67.1
export PATH="$folder/venv/bin:$PATH" DVC_NO_ANALYTICS=1
mkdir "$folder/project"
cd "$folder/project"
git init --quiet
dvc init --quiet
cat > dvc.yaml <<'END'
stages:
  download:
    cmd: echo 1 > data.txt
    outs: [data.txt]
  train:
    cmd: cp data.txt model.txt
    deps: [data.txt]
    outs: [model.txt]
END
dry=$(dvc repro --dry --allow-missing)
status=$(dvc status --json)
echo "$dry"
echo "status: $status"
grep -q "^Stage 'download' didn't change, skipping" <<<"$dry"
grep -q "^Stage 'train' didn't change, skipping" <<<"$dry"
grep -q "^Data and pipelines are up to date." <<<"$dry"
grep -q '"download".*"train"' <<<"$status"
[ ! -e dvc.lock ]
