//! Tells the program which compiler built it: a figure without its compiler says little.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let rustc = env::var_os("RUSTC").expect("cargo sets RUSTC for build scripts");
    let output = Command::new(rustc).arg("--version").output().expect("the compiler that builds this runs");
    let text = String::from_utf8(output.stdout).expect("its version is text");
    // "rustc 1.95.0 (59807616e 2026-04-14)": the release is enough.
    let release = text.split_whitespace().nth(1).expect("its version has a number");
    println!("cargo:rustc-env=BENCH_RUSTC={release}");
}
