#!/bin/sh
# Plans, judges and applies a fleet in shards, with the three jobs of this folder: `NAMESPACE=hookwright ./run-shards.sh`.
# Nothing is applied if the judge refuses the plans. After a failure run it again: it plans again, and what is done stays done.
set -eu
cd "$(dirname "$0")"
k() { kubectl --namespace "${NAMESPACE:-hookwright}" "$@"; }

run() { # JOB FILE: replaces the job and waits for its end. Fails if the job does.
  k delete job "$1" --ignore-not-found || return 1
  k apply -f "$2" || return 1
  while sleep "${INTERVAL:-5}"; do
    ended=$(k get "job/$1" -o 'jsonpath={.status.conditions[?(@.status=="True")].type}') || return 1
    case $ended in
      *Complete*) return 0 ;;
      *Failed*)
        echo "$1 failed: kubectl logs job/$1" >&2
        return 2
        ;;
    esac
  done
}

# An index with a shop that could not be read fails, and its plan holds its other shops. So the plans are judged after any end of the
# job. To apply nothing after a failed index, remove the `||`. The judge refuses a missing plan.
run hookwright-plan plan-indexed-job.yaml || [ $? = 2 ]
run hookwright-judge judge-job.yaml
run hookwright-apply apply-indexed-job.yaml
