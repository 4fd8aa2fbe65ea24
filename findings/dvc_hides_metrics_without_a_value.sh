#!/usr/bin/env bash
# dvc 3.67.1: a metric that is null or a list is left out of `dvc metrics show` and `dvc exp show`,
# also of their JSON, and `dvc metrics diff` has no line for a list that changed. So a score that has
# no value is not shown as such, it is not mentioned at all. Text is shown. The documentation names
# JSON files as metrics and says nothing of values that are left out.
#
# Seen (2026-11-28): show holds c ("undefined") alone, neither a (null) nor b ([3, 4]); diff holds
# a and c, not b ([1, 2] -> [3, 4]). Exit code 1 if this changes.
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
echo 'metrics: [m.json]' > dvc.yaml
echo '{"a": 0.94, "b": [1, 2], "c": 0.94}' > m.json
git add --all
git commit --quiet -m first
echo '{"a": null, "b": [3, 4], "c": "undefined"}' > m.json
dvc metrics show --json | tee shown
grep --quiet '"data": {"c": "undefined"}}' shown
dvc metrics diff --json | tee changed
! grep --quiet '"b"' changed
