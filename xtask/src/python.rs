//! The Python package: its wheel is built and put into a virtual environment, then judged by Python's own tools.
//!
//! Everything that is made here is under `<target>/python`, nothing in the sources: the environment in `venv`, the wheel
//! in `wheels`, pyright in `npm`, caches in `cache`. What has not changed since the last run is not made again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::{Outcome, cargo, say, stages, succeeds};

/// The oldest Python that the wheel is for.
const OLDEST: (u32, u32) = (3, 11);

const PYTHON: &str = if cfg!(windows) { "python" } else { "python3" };
const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

const PACKAGE: &str = "pyrocketmq.nameserver";

/// The program that starts real servers for the tests.
const REAL_SERVERS: &str = "real-servers";

/// Whether there is a Python that the package can be built for.
pub(crate) fn is_here() -> bool {
    static HERE: OnceLock<bool> = OnceLock::new();
    *HERE.get_or_init(|| missing_python().is_none())
}

/// Style, types, stubs and tests of the package.
pub(crate) fn run() -> Outcome {
    let missing: Vec<String> = [missing_python(), missing_npm()].into_iter().flatten().collect();
    if !missing.is_empty() {
        return Outcome::Skipped(missing.join(" and "));
    }
    outcome(|python| {
        python.install_package()?;
        python.install_pyright()?;
        python.check()?;
        step(&mut python.pytest())
    })
}

/// The tests of the package that ask real NameServers. They need a JDK and Maven too, which the caller looks for.
pub(crate) fn interop() -> Outcome {
    if let Some(missing) = missing_python() {
        return Outcome::Skipped(missing);
    }
    outcome(|python| {
        python.install_package()?;
        step(&mut cargo(&["build", "--quiet", "-p", "rocketmq-nameserver-testkit", "--bin", REAL_SERVERS]))?;
        let program = format!("{REAL_SERVERS}{}", std::env::consts::EXE_SUFFIX);
        let program = python.target.join("debug").join(program);
        step(python.pytest().args(["-m", "interop"]).env("REAL_SERVERS_BIN", program))
    })
}

/// Why a stage ends here; it has been said already.
struct Failed;

type Result<T = ()> = std::result::Result<T, Failed>;

fn outcome(work: impl FnOnce(&Python) -> Result) -> Outcome {
    match work(&Python::new()) {
        Ok(()) => Outcome::Passed,
        Err(Failed) => Outcome::Failed,
    }
}

/// Where things are.
struct Python {
    /// The package's sources.
    sources: PathBuf,
    /// Cargo's target folder, so that the wheel is built from what other builds have made.
    target: PathBuf,
    /// Everything that this file makes.
    made: PathBuf,
}

impl Python {
    fn new() -> Python {
        let root = stages::root();
        let target = root.join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()));
        Python { sources: root.join("crates/python"), made: target.join("python"), target }
    }

    fn venv(&self) -> PathBuf {
        self.made.join("venv")
    }

    /// Where the environment's programs are.
    fn programs(&self) -> PathBuf {
        self.venv().join(if cfg!(windows) { "Scripts" } else { "bin" })
    }

    /// A module of the environment, run in the sources, which keep clean.
    fn module(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.programs().join("python"));
        let cache = self.made.join("cache");
        command
            .args(["-m", name])
            .args(arguments)
            .current_dir(&self.sources)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("HYPOTHESIS_STORAGE_DIRECTORY", cache.join("hypothesis"))
            .env("MYPY_CACHE_DIR", cache.join("mypy"))
            .env("PYTHONPYCACHEPREFIX", cache.join("bytecode"))
            .env("RUFF_CACHE_DIR", cache.join("ruff"))
            // What the caller's shell says of another environment does not hold in this one.
            .env_remove("PYTHONHOME")
            .env_remove("PYTHONPATH")
            .env("VIRTUAL_ENV", self.venv());
        command
    }

    /// The environment with its tools, and the wheel as the sources are now.
    fn install_package(&self) -> Result {
        self.make_venv()?;
        let wheel = self.build_wheel()?;
        unless_made_from(&read(&wheel)?, &self.venv().join("wheel.stamp"), || {
            let wheel = wheel.to_string_lossy();
            step(&mut self.module("pip", &["install", "--quiet", "--no-deps", "--force-reinstall", &wheel]))
        })
    }

    /// Made anew when another Python or other tools are wanted: the old one might have more than is asked for.
    fn make_venv(&self) -> Result {
        let requirements = self.sources.join("requirements-dev.txt");
        let wanted = [version().unwrap_or_default().into_bytes(), read(&requirements)?].concat();
        unless_made_from(&wanted, &self.venv().join("tools.stamp"), || {
            step(Command::new(PYTHON).args(["-m", "venv", "--clear"]).arg(self.venv()))?;
            let requirements = requirements.to_string_lossy();
            step(&mut self.module("pip", &["install", "--quiet", "--requirement", &requirements]))
        })
    }

    fn build_wheel(&self) -> Result<PathBuf> {
        let folder = self.made.join("wheels");
        // A wheel of another version must not be taken for the one that is built now.
        allow(io::ErrorKind::NotFound, fs::remove_dir_all(&folder))?;
        let out = folder.to_string_lossy();
        let python = self.programs().join("python");
        let interpreter = python.to_string_lossy();
        let arguments =
            ["build", "--release", "--locked", "--quiet", "--interpreter", &interpreter, "--out", &out];
        // The same sources make the same wheel, to the byte: 1980 is the first year that a zip file knows.
        step(self.module("maturin", &arguments).env("SOURCE_DATE_EPOCH", "315532800"))?;
        let wheel = fs::read_dir(&folder).ok().and_then(|mut entries| entries.next()?.ok());
        wheel.map(|entry| entry.path()).ok_or_else(|| fail(&format!("no wheel in {}", folder.display())))
    }

    /// npm wants to install beside `package.json`: the files are copied to where it may.
    fn install_pyright(&self) -> Result {
        let folder = self.made.join("npm");
        allow(io::ErrorKind::AlreadyExists, fs::create_dir_all(&folder))?;
        let mut wanted = Vec::new();
        for name in ["package.json", "package-lock.json"] {
            let bytes = read(&self.sources.join(name))?;
            write(&folder.join(name), &bytes)?;
            wanted.extend(bytes);
        }
        unless_made_from(&wanted, &folder.join("tools.stamp"), || {
            step(Command::new(NPM).args(["ci", "--no-audit", "--no-fund", "--silent"]).current_dir(&folder))
        })
    }

    fn check(&self) -> Result {
        let native = format!("{PACKAGE}._native");
        let allowed = ["--concise", "--allowlist", "stubtest-allow.txt", PACKAGE];
        step(&mut self.module("ruff", &["check", "--quiet"]))?;
        step(&mut self.module("ruff", &["format", "--quiet", "--check"]))?;
        // What is installed, as its users have it: types that the wheel does not carry are no types.
        step(&mut self.module("mypy", &["--no-error-summary", "--package", PACKAGE]))?;
        step(&mut self.module("mypy", &["--no-error-summary", "tests"]))?;
        step(&mut self.module("mypy.stubtest", &["--concise", &native]))?;
        step(&mut self.module("mypy.stubtest", &allowed))?;
        step(&mut self.pyright(&["--warnings"])?)?;
        step(&mut self.pyright(&["--ignoreexternal", "--verifytypes", PACKAGE])?)
    }

    /// pyright looks for the environment's Python on the PATH: what its own flag names, `--verifytypes` passes over.
    fn pyright(&self, arguments: &[&str]) -> Result<Command> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = [self.programs()].into_iter();
        let path = std::env::join_paths(folders.chain(std::env::split_paths(&path)));
        let path = path.map_err(|error| fail(&format!("the build folder cannot be on the PATH: {error}")))?;
        let mut command = Command::new("node");
        command
            .arg(self.made.join("npm/node_modules/pyright/index.js"))
            .args(arguments)
            .current_dir(&self.sources)
            .env("PATH", path);
        Ok(command)
    }

    fn pytest(&self) -> Command {
        let cache = format!("cache_dir={}", self.made.join("cache/pytest").display());
        self.module("pytest", &["--quiet", "-o", &cache])
    }
}

/// Makes something unless it has been made from the same before: `stamp` is a file beside it with what it was made from.
fn unless_made_from(wanted: &[u8], stamp: &Path, make: impl FnOnce() -> Result) -> Result {
    if fs::read(stamp).is_ok_and(|bytes| bytes == wanted) {
        return Ok(());
    }
    // If making fails half-way, the next run must start again.
    allow(io::ErrorKind::NotFound, fs::remove_file(stamp))?;
    make()?;
    write(stamp, wanted)
}

fn missing_python() -> Option<String> {
    let (major, minor) = OLDEST;
    let fits = version().is_some_and(|text| {
        let mut numbers = text.split('.').map_while(|number| number.parse().ok());
        (numbers.next(), numbers.next()) >= (Some(major), Some(minor))
    });
    (!fits).then(|| format!("{PYTHON} {major}.{minor} or later with venv not found"))
}

fn missing_npm() -> Option<String> {
    output(Command::new(NPM).arg("--version")).is_none().then(|| "npm not found".to_owned())
}

/// What Python calls itself: `3.11.7`; none without it, and none where it cannot make environments.
fn version() -> Option<String> {
    let says = "import ensurepip, platform, venv; print(platform.python_version())";
    output(Command::new(PYTHON).args(["-c", says]))
}

/// What a program prints, without the end of the line; none if it does not run or fails.
fn output(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Runs a program and says which, in a line that can be copied.
fn step(command: &mut Command) -> Result {
    let words = [command.get_program()].into_iter().chain(command.get_args());
    let line: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    say(&format!("$ {}", line.join(" ")));
    if succeeds(command) { Ok(()) } else { Err(Failed) }
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).map_err(|error| fail(&format!("cannot read {}: {error}", file.display())))
}

fn write(file: &Path, bytes: &[u8]) -> Result {
    fs::write(file, bytes).map_err(|error| fail(&format!("cannot write {}: {error}", file.display())))
}

/// The result, but for one kind of error that does no harm.
fn allow(kind: io::ErrorKind, result: io::Result<()>) -> Result {
    match result {
        Err(error) if error.kind() != kind => Err(fail(&format!("cannot prepare the folder: {error}"))),
        _ => Ok(()),
    }
}

fn fail(text: &str) -> Failed {
    say(text);
    Failed
}
