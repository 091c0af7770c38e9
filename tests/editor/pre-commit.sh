#!/usr/bin/env bash
# The hooks as a user has them: a repository whose configuration names them, a good manifest that is committed and a bad
# one that is not.
#
#   tests/editor/pre-commit.sh HOOKWRIGHT PRE_COMMIT
set -euo pipefail
hookwright=$1
pre_commit=$2
tools=$(dirname "$pre_commit")
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/bin"
ln -s "$hookwright" "$folder/bin/hookwright"
# Neither the machine's configuration of git nor its caches.
export HOME=$folder PRE_COMMIT_HOME=$folder/cache GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
export GIT_AUTHOR_NAME=test GIT_AUTHOR_EMAIL=test@example.com GIT_COMMITTER_NAME=test GIT_COMMITTER_EMAIL=test@example.com
export PATH=$folder/bin:$tools:$PATH
unset GIT_DIR GIT_INDEX_FILE GIT_WORK_TREE

"$pre_commit" validate-manifest "$root/.pre-commit-hooks.yaml"

# The hooks' repository, without what is not about hooks.
git init -q "$folder/hooks"
cp "$root/.pre-commit-hooks.yaml" "$folder/hooks/"
git -C "$folder/hooks" add -A
git -C "$folder/hooks" commit -qm hooks
rev=$(git -C "$folder/hooks" rev-parse HEAD)

# One manifest in two files, neither of which is valid alone.
git init -q "$folder/shops"
cd "$folder/shops"
mkdir webhooks
cat >webhooks/common.yaml <<'YAML'
version: 1
destinations:
  commerce: https://dcs.adobedc.net/collection/5e331f99e157309c495d985a4be804410e7b869f6b067c0d5d5ec958c2aaeb85
YAML
cat >webhooks/acme.yaml <<'YAML'
version: 1
shops:
  - shop: acme
    bindings:
      - { topic: orders/create, destination: commerce }
YAML
cat >.pre-commit-config.yaml <<YAML
repos:
  - repo: $folder/hooks
    rev: $rev
    hooks:
      - id: hookwright-validate-system
        args: [-f, webhooks/]
YAML
git add -A
"$pre_commit" install >/dev/null

expect() {
  if ! grep -qF "$1" "$folder/said"; then
    echo "pre-commit does not say: $1"
    cat "$folder/said"
    exit 1
  fi
}

git commit -qm "a good manifest" 2>"$folder/said" || { cat "$folder/said"; exit 1; }
expect "Passed"

sed -i 's/destination: commerce/destination: comerce/' webhooks/acme.yaml
if git commit -qam "a bad one" >"$folder/said" 2>&1; then
  echo "a bad manifest was committed"
  exit 1
fi
expect "Failed"
expect "HW023"
expect "webhooks/acme.yaml:5"

# Nothing to do with the manifest: the hook is not run.
git checkout -q -- . 2>/dev/null
git reset -q --hard
echo text >notes.md
git add notes.md
git commit -qm "notes" 2>"$folder/said"
expect "(no files to check)Skipped"
echo "pre-commit: a good manifest passed, a bad one was kept out"
