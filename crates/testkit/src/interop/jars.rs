//! The class path of a release: fetched with Maven once, then found in the build folder.

use std::env;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{self, Command, ExitStatus};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::error::InteropError;
use super::home::last_lines;
use super::release::Release;
use super::tools::run;

/// `@RELEASE@` stands for the release.
const POM: &str = include_str!("pom.xml");

/// How long Maven may take. About 90 MB on a slow line.
const FETCH_LIMIT: Duration = Duration::from_secs(600);

/// The jars of one release: servers, tools and the Java client.
#[derive(Clone, Debug)]
pub struct Jars {
    release: Release,
    root: PathBuf,
}

impl Jars {
    /// The jars in `<target>/interop/<release>/lib`, fetched with Maven unless they are already there and complete.
    /// The target folder is the one that `CARGO_TARGET_DIR` names, else the workspace's own.
    ///
    /// Threads and processes may fetch at the same time. They never see each other's half-done folders.
    ///
    /// # Errors
    /// [`InteropError::MissingTool`] without Maven, [`InteropError::Fetch`] with its last lines if it fails or takes
    /// over 10 minutes.
    pub fn fetch(release: Release) -> Result<Jars, InteropError> {
        // One Maven at a time: two would download the same files twice.
        static FETCHING: Mutex<()> = Mutex::new(());
        let _guard = FETCHING.lock().unwrap_or_else(PoisonError::into_inner);
        let root = interop_folder();
        let pom = POM.replace("@RELEASE@", &release.to_string());
        let jars = Jars { release, root };
        if !is_complete(&jars.folder(), &pom) {
            let partial = Partial::create(&jars.root, &jars.folder())?;
            run_maven(release, &partial.0, &pom)?;
            partial.finish(&jars.folder(), &pom)?;
        }
        Ok(jars)
    }

    /// Which release it is.
    pub fn release(&self) -> Release {
        self.release
    }

    /// What `java -cp` wants to hear.
    pub fn class_path(&self) -> PathBuf {
        self.folder().join(LIB).join("*")
    }

    /// Where the homes of running servers are.
    pub(super) fn homes(&self) -> PathBuf {
        homes(&self.root)
    }

    fn folder(&self) -> PathBuf {
        self.root.join(self.release.to_string())
    }
}

/// The jars.
const LIB: &str = "lib";
/// What Maven was given.
const POM_FILE: &str = "pom.xml";
/// The names of the jars, written when all of them are there.
const STAMP: &str = "complete";

/// Where the homes of running servers and programs are, in that folder.
pub(super) fn homes(interop: &Path) -> PathBuf {
    interop.join("run")
}

/// Everything that is fetched, built and run for these tests.
pub(super) fn interop_folder() -> PathBuf {
    target_folder().join("interop")
}

fn target_folder() -> PathBuf {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let workspace = crate_folder.ancestors().nth(2).unwrap_or(crate_folder);
    // A relative folder is meant from where Cargo was called, which is the workspace as a rule; tests run elsewhere.
    workspace.join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// Whether a folder has every jar that this pom stands for.
fn is_complete(folder: &Path, pom: &str) -> bool {
    let same_pom = fs::read_to_string(folder.join(POM_FILE)).is_ok_and(|text| text == pom);
    let names = fs::read_to_string(folder.join(STAMP)).unwrap_or_default();
    let lib = folder.join(LIB);
    same_pom && !names.is_empty() && names.lines().all(|name| lib.join(name).is_file())
}

/// A folder of this process alone that becomes the real one when it is complete, and is removed if it never is.
struct Partial(PathBuf);

impl Partial {
    fn create(root: &Path, folder: &Path) -> Result<Partial, InteropError> {
        fs::create_dir_all(root).map_err(InteropError::io(format!("create {}", root.display())))?;
        let path = beside(folder, "partial");
        fs::create_dir(&path).map_err(InteropError::io(format!("create {}", path.display())))?;
        Ok(Partial(path))
    }

    /// Stamps the folder and puts it in its place. If another process was faster, its folder stays.
    fn finish(self, folder: &Path, pom: &str) -> Result<(), InteropError> {
        write_stamp(&self.0).map_err(InteropError::io(format!("stamp {}", self.0.display())))?;
        // What is there was made for another pom, or has lost files: a folder cannot be renamed over a full one.
        if folder.exists() && !is_complete(folder, pom) {
            let old = beside(folder, "old");
            let moved = fs::rename(folder, &old).and_then(|()| fs::remove_dir_all(&old));
            moved.or_else(allow(io::ErrorKind::NotFound)).map_err(InteropError::io("remove old jars"))?;
        }
        match fs::rename(&self.0, folder) {
            Err(_) if is_complete(folder, pom) => Ok(()),
            renamed => renamed.map_err(InteropError::io(format!("create {}", folder.display()))),
        }
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // Gone already if it was put in its place; otherwise nothing but disk space depends on it.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn allow(kind: io::ErrorKind) -> impl FnOnce(io::Error) -> io::Result<()> {
    move |error| if error.kind() == kind { Ok(()) } else { Err(error) }
}

/// A name that no other process and no other call has.
fn beside(folder: &Path, suffix: &str) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut name = folder.as_os_str().to_owned();
    name.push(format!(".{}-{number}.{suffix}", process::id()));
    name.into()
}

fn write_stamp(folder: &Path) -> io::Result<()> {
    let mut names = String::new();
    for entry in fs::read_dir(folder.join(LIB))? {
        names += &entry?.file_name().to_string_lossy();
        names.push('\n');
    }
    fs::write(folder.join(STAMP), names)
}

fn run_maven(release: Release, folder: &Path, pom: &str) -> Result<(), InteropError> {
    let written = fs::write(folder.join(POM_FILE), pom);
    written.map_err(InteropError::io("write the pom"))?;
    let output = folder.join("maven.log");
    let ending = maven(folder, &output)?;
    if ending.is_some_and(|status| status.success()) {
        return Ok(());
    }
    Err(InteropError::Fetch {
        release,
        ending: ending.map_or_else(
            || format!("not done after {} s", FETCH_LIMIT.as_secs()),
            |status| status.to_string(),
        ),
        output: last_lines(&output),
    })
}

/// How Maven ended, or `None` if it had to be ended.
fn maven(folder: &Path, output: &Path) -> Result<Option<ExitStatus>, InteropError> {
    let file = File::create(output).map_err(InteropError::io("write Maven's output"))?;
    let errors = file.try_clone().map_err(InteropError::io("write Maven's output"))?;
    let mut command = Command::new("mvn");
    command
        .args(["--batch-mode", "--quiet", "dependency:copy-dependencies"])
        .current_dir(folder)
        .stdout(file)
        .stderr(errors);
    run(&mut command, FETCH_LIMIT).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => InteropError::MissingTool { tool: "mvn" },
        _ => InteropError::io("run mvn")(source),
    })
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// A folder for one test.
    struct Root(PathBuf);

    impl Root {
        fn new(name: &str) -> Root {
            Root(beside(&env::temp_dir().join(name), "test"))
        }

        fn folder(&self) -> PathBuf {
            self.0.join("5.3.3")
        }

        /// What a fetch does, without Maven.
        fn install(&self, pom: &str, jar: &str) -> Result<(), InteropError> {
            let partial = Partial::create(&self.0, &self.folder())?;
            fs::create_dir(partial.0.join(LIB)).unwrap();
            fs::write(partial.0.join(LIB).join(jar), jar).unwrap();
            fs::write(partial.0.join(POM_FILE), pom).unwrap();
            partial.finish(&self.folder(), pom)
        }
    }

    impl Drop for Root {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    #[test]
    fn a_folder_is_complete_only_with_its_pom_its_stamp_and_every_jar() {
        let root = Root::new("jars-complete");
        for spoil in ["", POM_FILE, STAMP, "lib/a.jar"] {
            root.install("pom", "a.jar").unwrap();
            assert!(is_complete(&root.folder(), "pom"), "{spoil}");
            assert!(!is_complete(&root.folder(), "another pom"), "{spoil}");
            if !spoil.is_empty() {
                fs::remove_file(root.folder().join(spoil)).unwrap();
                assert!(!is_complete(&root.folder(), "pom"), "{spoil}");
            }
        }
    }

    #[test]
    fn jars_for_another_pom_are_replaced_and_nothing_else_is_left() {
        let root = Root::new("jars-replace");
        root.install("old pom", "old.jar").unwrap();
        root.install("new pom", "new.jar").unwrap();
        assert!(is_complete(&root.folder(), "new pom"));
        assert!(!root.folder().join(LIB).join("old.jar").exists());
        assert_eq!(fs::read_dir(&root.0).unwrap().count(), 1);
    }

    #[test]
    fn fetching_at_the_same_time_leaves_one_complete_folder() {
        let root = Root::new("jars-race");
        thread::scope(|scope| {
            let racers: Vec<_> = (0..8).map(|_| scope.spawn(|| root.install("pom", "a.jar"))).collect();
            for racer in racers {
                racer.join().unwrap().unwrap();
            }
        });
        assert!(is_complete(&root.folder(), "pom"));
        assert_eq!(fs::read_dir(&root.0).unwrap().count(), 1);
    }

    #[test]
    fn the_pom_names_the_release_everywhere() {
        let pom = POM.replace("@RELEASE@", "5.3.3");
        assert!(!pom.contains('@'));
        assert_eq!(pom.matches("<version>5.3.3</version>").count(), 4);
    }
}
