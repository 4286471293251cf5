//! What must hold for any value and any bytes, not only for those that somebody thought of.
//!
//! Every property runs 256 times, or as often as `PROPTEST_CASES` says. A case that failed once is kept in
//! `proptest-regressions/` beside this folder and tried first from then on: commit it with the fix.

#[path = "../../../testkit/src/captures.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the testkit crate")]
mod captures;
mod differential;
#[path = "../../../testkit/src/hostile/frame.rs"]
#[allow(unreachable_pub, reason = "shared with the fuzz targets")]
mod frame;
#[path = "../independent/header.rs"]
#[allow(dead_code, reason = "shared with the tests of the captures")]
mod header;
mod hostile;
mod identity;
#[path = "../../../testkit/src/hostile/json.rs"]
#[allow(unreachable_pub, reason = "shared with the fuzz targets")]
mod json;
mod neighbours;
#[path = "../independent/oracle.rs"]
mod oracle;
#[path = "../independent/quoting.rs"]
mod quoting;
#[path = "../../../testkit/src/hostile/session/mod.rs"]
#[allow(unreachable_pub, reason = "shared with the fuzz targets")]
mod session;
mod texts;
#[path = "../independent/tree.rs"]
mod tree;
mod upkeep;
mod values;
