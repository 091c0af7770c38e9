//! Adobe's IMS and Flow Service, as far as a webhook's address depends on them. It only reads.
//!
//! `endpoints` says whom secrets may be sent to, `token` gets one, `client` asks and pages, `read` takes the answers as
//! leniently as Adobe's own description of them is incomplete, `verdict` says what an inlet is good for.

mod client;
mod endpoints;
mod error;
mod exchange;
mod read;
mod token;
mod verdict;

pub(crate) use client::{Account, Client, OnWait, Options};
pub(crate) use endpoints::{DEFAULT_BASE_URL, DEFAULT_TOKEN_URL, Endpoints};
pub(crate) use error::{AdobeError, ErrorKind};
pub(crate) use read::{Inlet, Run};
pub(crate) use verdict::{Verdict, judge, judge_run, settles_at};
