#!/usr/bin/env bash
# dvc 3.67.1 with gto 1.10.1: `dvc artifacts get` takes the newest git tag that names the version or
# the stage, also the tag by which `gto deprecate` withdraws it. After `gto deprecate model v2.0.0
# prod`, `gto show` has v1.0.0 in stage prod, and `dvc artifacts get --stage prod` downloads v2.0.0.
# After `gto deprecate model v2.0.0` the latest version is v1.0.0, and `dvc artifacts get` without
# options downloads v2.0.0. Both end with 0 and no warning, although DVC finds the tags with GTO.
# What works: assign the old version again, or delete the tags (`gto deprecate --delete`).
#
# Seen (2026-11-28): gto: prod v1.0.0, latest v1.0.0; dvc: prod v2.0.0, latest v2.0.0; after v1.0.0
# was assigned again: prod v1.0.0. Exit code 1 if this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet dvc==3.67.1 gto==1.10.1
export PATH="$folder/venv/bin:$PATH" DVC_NO_ANALYTICS=1 GIT_AUTHOR_NAME=a GIT_COMMITTER_NAME=a
export GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_EMAIL=a@example.com
mkdir "$folder/project"
cd "$folder/project"
git init --quiet
dvc init --quiet
printf 'artifacts:\n  model:\n    path: model.txt\n    type: model\n' > dvc.yaml
for version in v1.0.0 v2.0.0; do
    echo "$version" > model.txt
    dvc add --quiet model.txt
    git add --all
    git commit --quiet --message "$version"
    gto register model --version "$version" > log
    sleep 1.1 # tags are sorted by the second
    gto assign model --version "$version" --stage prod > log
    sleep 1.1
done
downloaded() {
    dvc artifacts get --quiet --force --out "$folder/got" . model "$@" 2> log
    cat "$folder/got"
}
gto deprecate model v2.0.0 prod > log
sleep 1.1
gto deprecate model v2.0.0 > log
sleep 1.1
gto="prod $(gto show model#prod --version), latest $(gto show model@latest --version)"
dvc="prod $(downloaded --stage prod), latest $(downloaded)"
gto assign model --version v1.0.0 --stage prod --force > log
again="prod $(downloaded --stage prod)"
echo "gto: $gto; dvc: $dvc; assigned again: $again"
[ "$gto; $dvc; $again" = "prod v1.0.0, latest v1.0.0; prod v2.0.0, latest v2.0.0; prod v1.0.0" ]
