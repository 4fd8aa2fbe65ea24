#!/usr/bin/env bash
# dvc 3.67.1: with `verify = true` on the remote, `dvc pull` and `dvc fetch` refuse a file of the
# storage whose content is not that of its hash. `dvc get` (and `dvc artifacts get`) of the same
# repository hands it over and ends with 0, also with `--remote-config verify=true`. The
# documentation of `verify` speaks of files that are downloaded, with no word of these commands.
#
# Seen (2026-11-28): get "altered", get --remote-config "altered"; pull 1, no file. Exit code 1 if
# this changes.
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
dvc remote add --quiet --default store "$folder/store"
dvc remote modify --quiet store verify true
mkdir model
echo written > model/weights
dvc add --quiet model
dvc push --quiet
git add --all
git commit --quiet -m first
stored=$(grep --files-with-matches --recursive written "$folder/store")
chmod u+w "$stored"
echo altered > "$stored"

git clone --quiet "$folder/project" "$folder/clone"
cd "$folder"
dvc get --quiet --out got "$folder/clone" model
dvc get --quiet --out configured "$folder/clone" model --remote-config verify=true
cd clone
dvc pull --quiet 2> log && pull=0 || pull=$?
seen="get '$(cat ../got/weights)', get --remote-config '$(cat ../configured/weights)'; pull $pull"
echo "$seen"
[ "$seen" = "get 'altered', get --remote-config 'altered'; pull 1" ]
[ ! -e model/weights ]
