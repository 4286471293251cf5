//! What `cargo xtask test` runs.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::{Outcome, bench, cargo, say, succeeds};

/// One part of the tests.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    run: fn() -> Outcome,
}

impl Stage {
    pub(crate) fn run(&self) -> Outcome {
        (self.run)()
    }
}

const PROTOCOL: &str = "rocketmq-nameserver-protocol";
const TESTKIT: &str = "rocketmq-nameserver-testkit";
const NSCTL: &str = "nsctl";

/// All stages, the quick ones first.
pub(crate) const STAGES: &[Stage] = &[
    Stage { name: "format", what: "rustfmt agrees", run: || cargo_stage(&["fmt", "--all", "--check"]) },
    Stage { name: "layers", what: "imports go one way", run: layers },
    Stage {
        name: "clippy",
        what: "no warning from rustc or clippy",
        run: || {
            let strict = ["--", "-D", "warnings"];
            let all = ["clippy", "--quiet", "--workspace", "--all-targets"];
            both(cargo_stage(&[&all[..], &strict[..]].concat()), || {
                // Tests and tools turn every feature on; whoever uses the library may have none.
                let plain = ["clippy", "--quiet", "-p", "rocketmq-nameserver", "--lib"];
                cargo_stage(&[&plain[..], &strict[..]].concat())
            })
        },
    },
    Stage {
        name: "unit",
        what: "unit and integration tests of every crate, on the embedded server and scripted peers",
        run: || {
            let [protocol, testkit] = ["rocketmq-nameserver-protocol", "rocketmq-nameserver-testkit"];
            let all = [
                "test",
                "--quiet",
                "--workspace",
                "--exclude",
                protocol,
                "--exclude",
                testkit,
                "--lib",
                "--bins",
                "--tests",
            ];
            both(cargo_stage(&all), || {
                let libraries = ["test", "--quiet", "-p", protocol, "-p", testkit, "--lib"];
                cargo_stage(&[&libraries[..], &["--test", "named_tests"]].concat())
            })
        },
    },
    Stage {
        name: "captures",
        what: "real answers of 4.9.7 and 5.3.3, field by field, from the embedded server too; every rule for frames and JSON",
        run: || {
            let named = ["captures", "administration", "configuration", "membership", "registration"];
            let rules = ["framing", "json_acceptance", "requests"];
            both(protocol_tests(&[&named[..], &rules[..]].concat()), || {
                cargo_stage(&["test", "--quiet", "-p", TESTKIT, "--test", "conformance"])
            })
        },
    },
    Stage {
        name: "properties",
        what: "random and mutated input, and what memory it takes",
        run: || protocol_tests(&["properties", "memory"]),
    },
    Stage {
        name: "doc",
        what: "examples in the documentation run, and its links lead somewhere",
        run: || {
            both(cargo_stage(&["test", "--quiet", "--workspace", "--doc"]), || {
                // Of all features: links may lead to what only one of them has.
                let doc = [
                    "doc",
                    "--quiet",
                    "--workspace",
                    "--no-deps",
                    "--features",
                    "rocketmq-nameserver/http,rocketmq-nameserver/metrics",
                ];
                succeeded(succeeds(cargo(&doc).env("RUSTDOCFLAGS", "-D warnings")))
            })
        },
    },
    Stage {
        name: "demo",
        what: "the first command of the README",
        run: || cargo_stage(&["run", "--quiet", "--release", "--", "demo"]),
    },
    Stage { name: "examples", what: "every example of the client, on NameServers of its own", run: examples },
    Stage {
        name: "instructions",
        what: "decode, encode and a session step take at most 5 % more instructions than committed",
        run: instructions,
    },
    Stage {
        name: "python",
        what: "the Python package: style, types, stubs, and its tests on the embedded server",
        run: crate::python::run,
    },
    Stage {
        name: "interop",
        what: "the behaviour suite, the conformance script and the Python package on real NameServers 4.9.7 and 5.3.3; \
               real brokers, clients and mqadmin on the embedded one; queues, addresses and names beside Java's client",
        run: interop,
    },
];

/// The stages as a list for `--help`.
pub(crate) fn help() -> String {
    let lines: Vec<String> =
        STAGES.iter().map(|stage| format!("  {:<12} {}", stage.name, stage.what)).collect();
    format!("Stages:\n{}", lines.join("\n"))
}

/// The stage of that name.
pub(crate) fn by_name(name: &str) -> Result<&'static Stage, String> {
    STAGES.iter().find(|stage| stage.name == name).ok_or_else(|| format!("no such stage.\n\n{}", help()))
}

/// The workspace's root folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

fn succeeded(success: bool) -> Outcome {
    if success { Outcome::Passed } else { Outcome::Failed }
}

fn both(first: Outcome, second: impl FnOnce() -> Outcome) -> Outcome {
    if let Outcome::Passed = first { second() } else { first }
}

fn cargo_stage(arguments: &[&str]) -> Outcome {
    succeeded(succeeds(&mut cargo(arguments)))
}

fn protocol_tests(names: &[&str]) -> Outcome {
    let mut test = cargo(&["test", "--quiet", "-p", PROTOCOL]);
    for name in names {
        test.args(["--test", name]);
    }
    succeeded(succeeds(&mut test))
}

/// Who must not have whom among its normal dependencies.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("rocketmq-nameserver-protocol", &["tokio", "rocketmq-nameserver ", "rocketmq-nameserver-server"]),
    ("rocketmq-nameserver", &["rocketmq-nameserver-server", "rocketmq-nameserver-testkit"]),
    ("rocketmq-nameserver-server", &["rocketmq-nameserver ", "rocketmq-nameserver-testkit"]),
    ("nsctl", &["rocketmq-nameserver-testkit"]),
];

fn layers() -> Outcome {
    for (package, forbidden) in FORBIDDEN {
        let tree = cargo(&["tree", "--edges", "normal", "--prefix", "none", "--package", package]).output();
        let lines = match tree {
            Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).into_owned(),
            Ok(output) => {
                say(&String::from_utf8_lossy(&output.stderr));
                return Outcome::Failed;
            }
            Err(error) => {
                say(&format!("cannot run cargo tree: {error}"));
                return Outcome::Failed;
            }
        };
        // The first line is the package itself.
        if let Some(found) =
            lines.lines().skip(1).find(|line| forbidden.iter().any(|name| line.starts_with(name)))
        {
            say(&format!("{package} must not depend on {found}"));
            return Outcome::Failed;
        }
    }
    Outcome::Passed
}

fn examples() -> Outcome {
    let folder = root().join("crates/client/examples");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            entry.ok()?.file_name().into_string().ok()?.strip_suffix(".rs").map(str::to_owned)
        })
        .collect();
    names.sort();
    if names.is_empty() {
        say("no example found");
        return Outcome::Failed;
    }
    for name in names {
        // Each asks NameServers of its own, unless it is told of others.
        let mut run = cargo(&["run", "--quiet", "-p", "rocketmq-nameserver", "--example", &name]);
        if !succeeds(run.env_remove("NAMESRV_ADDR")) {
            say(&format!("example {name} failed"));
            return Outcome::Failed;
        }
    }
    Outcome::Passed
}

fn instructions() -> Outcome {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Outcome::Skipped("the committed counts are those of Linux on x86-64".to_owned());
    }
    if !runs("valgrind") {
        return Outcome::Skipped("valgrind not found".to_owned());
    }
    let mut bench = bench();
    // Counts are those of a build for any processor.
    bench.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    succeeded(succeeds(bench.args(["instructions", "--against", "bench/results/instructions.json"])))
}

fn interop() -> Outcome {
    let missing: Vec<&str> = ["java", "mvn"].into_iter().filter(|tool| !runs(tool)).collect();
    if !missing.is_empty() {
        return Outcome::Skipped(format!("{} not found; it needs a JDK and Maven", missing.join(" and ")));
    }
    // One test at a time: each starts Java servers, which want the machine for themselves.
    let one_by_one = ["--", "--test-threads=1", "--nocapture"];
    // The longest of these mostly waits for two minutes: the others run meanwhile.
    let two_at_once = ["--", "--test-threads=2", "--nocapture"];
    let testkit = ["test", "--quiet", "-p", TESTKIT];
    let launcher = ["--test", "java_derivations", "--test", "java_servers", "--test", "conformance_java"];
    let embedded = ["--test", "embedded_server"];
    let suite = ["test", "--quiet", "-p", NSCTL, "--test", "real_servers"];
    let on_real_servers = both(succeeded(succeeds(cargo(&testkit).args(launcher).args(one_by_one))), || {
        both(succeeded(succeeds(cargo(&suite).args(one_by_one))), crate::python::interop)
    });
    both(on_real_servers, || succeeded(succeeds(cargo(&testkit).args(embedded).args(two_at_once))))
}

fn runs(tool: &str) -> bool {
    let version = Command::new(tool)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    version.is_ok_and(|status| status.success())
}
