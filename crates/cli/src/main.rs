//! nsctl
fn main() {}
