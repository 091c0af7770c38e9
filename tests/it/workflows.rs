//! The decisive shell of examples/github-actions, examples/gitlab and examples/atlantis, run for real: the steps are run
//! unchanged by bash as on the runners, with the built binary against the sandbox and replacements of GitHub and GitLab.

mod action;
mod atlantis;
mod drift;
mod environments;
mod gitlab;
mod kubernetes;
mod manual;
mod merge;
mod runner;
mod tokens;
