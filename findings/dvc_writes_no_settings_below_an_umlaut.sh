#!/usr/bin/env bash
# dvc 3.67.1: below a folder such as /home/müller, every command that writes a path into a settings
# file ends in "unexpected error - 'ascii' codec can't encode character", among them `dvc cache dir`
# and `dvc exp run --temp`, which writes the cache's path for its copy: ConfigObj writes ASCII unless
# it is given an encoding. Reading is UTF-8. `dvc exp run --queue` and `dvc repro` work. Below a
# folder with a '#', `dvc exp run --temp` fails as well ("No git repository was found at"): the path
# is made a file:// address without quoting.
#
# Seen (2026-11-28): plain: 0, 0, 0; ü: cache dir 255, remote add 255, exp run --temp 255; '#': 0, 0,
# 255. Exit code 1 if this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet dvc==3.67.1
export PATH="$folder/venv/bin:$PATH" DVC_NO_ANALYTICS=1 GIT_AUTHOR_NAME=a GIT_COMMITTER_NAME=a
export GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_EMAIL=a@example.com
for name in plain mül 'a#b'; do
    mkdir "$folder/$name"
    cd "$folder/$name"
    git init --quiet
    dvc init --quiet
    printf 'stages:\n  copy:\n    cmd: cp params.yaml out\n    params: [a]\n    outs: [out]\n' > dvc.yaml
    echo 'a: 1' > params.yaml
    dvc repro --quiet
    git add --all
    git commit --quiet -m first
    codes=()
    for command in "cache dir --local" "remote add --local store" "exp run --temp -S a=2"; do
        code=0
        # shellcheck disable=SC2086
        dvc $command $([ "${command%% *}" = exp ] || echo "$PWD/x") > log 2>&1 || code=$?
        codes+=("$code")
    done
    echo "$name: ${codes[*]}"
    case $name in
        plain) [ "${codes[*]}" = "0 0 0" ] ;;
        mül) [ "${codes[*]}" = "255 255 255" ] ;;
        *) [ "${codes[*]}" = "0 0 255" ] ;;
    esac
done
