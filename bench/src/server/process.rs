//! What the system says about a process: its memory and its processor time. Linux only; elsewhere nothing is known.

use std::fs;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The resident memory of a process, in KiB.
pub(super) fn resident_kib(id: u32) -> Option<u64> {
    resident(&fs::read_to_string(format!("/proc/{id}/status")).ok()?)
}

fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The processor time of all threads that a process has now. Those that have ended are not in it.
pub(super) fn processor_time(id: u32) -> Option<Duration> {
    let tasks = fs::read_dir(format!("/proc/{id}/task")).ok()?;
    let times =
        tasks.filter_map(|task| on_processor(&fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?));
    Some(times.sum())
}

/// The first number, in ns.
fn on_processor(schedstat: &str) -> Option<Duration> {
    schedstat.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

/// How many tasks the machine had to run, on average over the last minute.
pub(crate) fn load_average() -> Option<f64> {
    fs::read_to_string("/proc/loadavg").ok()?.split_whitespace().next()?.parse().ok()
}

/// Takes as many open files as the system allows, for this process and those that it starts; returns how many.
pub(super) fn raise_open_files() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    // If it may not be raised to its own maximum, what it is remains.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_s_words_are_read() {
        assert_eq!(resident("VmHWM:\t  900 kB\nVmRSS:\t  876 kB\nThreads:\t1\n"), Some(876));
        assert_eq!(resident("Name:\tx\n"), None);
        assert_eq!(on_processor("1500 20 3\n"), Some(Duration::from_nanos(1500)));
        assert_eq!(on_processor(""), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_has_memory_and_processor_time() {
        let id = std::process::id();
        assert!(resident_kib(id).unwrap() > 0);
        assert!(processor_time(id).is_some());
        assert!(load_average().is_some());
    }
}
