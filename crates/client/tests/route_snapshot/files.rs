//! Files that are not what they should be.

use std::fs;

use rocketmq_nameserver::{ErrorKind, RouteCache};

use crate::folder::{A, Folder, TOPIC, WRITTEN, file, lines};
use crate::site::{Says, Site, outcome, pass};

#[tokio::test(start_paused = true)]
async fn what_is_no_snapshot_leaves_the_cache_empty_and_the_file_alone_until_there_are_routes() {
    let whole = file(&[(TOPIC, "b", 0), ("U", "c", 0)]);
    let (first, rest) = whole.split_once('\n').unwrap();
    let mut texts: Vec<(String, Vec<u8>)> = [
        ("empty", String::new()),
        ("foreign", "# a list of servers\nns-1:9876\n".to_owned()),
        ("another format", format!("{}\n{rest}", first.replace("routes", "rivers"))),
        ("a later version", format!("{}\n{rest}", first.replace("\"version\":1", "\"version\":2"))),
        ("without its first line", rest.to_owned()),
        ("twice", whole.repeat(2)),
        ("with a line too few", {
            let mut lines = lines(&[(TOPIC, "b", 0), ("U", "c", 0)]);
            lines.remove(3);
            lines.join("\n")
        }),
    ]
    .into_iter()
    .map(|(what, text)| (what.to_owned(), text.into_bytes()))
    .collect();
    texts.push(("bytes".to_owned(), vec![0xFF; 1000]));
    // Torn at each place where something is lost.
    for at in (0..whole.len() - 2).step_by(7) {
        texts.push((format!("torn at {at}"), whole.as_bytes()[..at].to_vec()));
    }
    for (what, bytes) in texts {
        let folder = Folder::new();
        fs::write(folder.file(), &bytes).unwrap();
        let site = Site::new(&["ns"], Says::Down);
        let cache = folder.cache(&site);
        pass(WRITTEN).await;
        assert_eq!((cache.stats().loaded, cache.topics().len()), (0, 0), "{what}");
        assert_eq!(fs::read(folder.file()).unwrap(), bytes, "{what}");
        site.all_say(A);
        assert_eq!(outcome(&cache.get_route(TOPIC).await), "a", "{what}");
        pass(WRITTEN).await;
        assert_eq!(folder.cache(&site).stats().loaded, 1, "{what}: it is replaced");
    }
}

#[test]
fn a_file_that_is_too_long_is_refused() {
    let folder = Folder::with(&[(TOPIC, "a", 0)]);
    let long = fs::OpenOptions::new().write(true).open(folder.file()).unwrap();
    long.set_len((256 << 20) + 1).unwrap();
    let site = Site::new(&["ns"], Says::Down);
    let cache = folder.cache(&site);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(outcome(&runtime.block_on(cache.get_route(TOPIC))), "Connection error");
    assert_eq!(cache.stats().loaded, 0);
}

/// Nobody ever writes to the pipe, so whoever opens it waits for ever.
#[cfg(unix)]
#[test]
fn a_pipe_holds_up_nobody_and_stays() {
    use std::os::unix::fs::FileTypeExt;

    let folder = Folder::new();
    let made = std::process::Command::new("mkfifo").arg(folder.file()).status().unwrap();
    assert!(made.success());
    let (done, is_done) = std::sync::mpsc::channel();
    let path = folder.file();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let outcome = runtime.block_on(async {
            let cache = RouteCache::builder(Site::new(&["ns"], A).client()).snapshot(path).build().unwrap();
            let outcome = outcome(&cache.get_route(TOPIC).await);
            (outcome, cache.save_snapshot().await.unwrap_err().kind())
        });
        done.send(outcome).unwrap();
    });
    let outcome = is_done.recv_timeout(std::time::Duration::from_secs(60)).expect("it waits for ever");
    assert_eq!(outcome, ("a".to_owned(), ErrorKind::Usage));
    assert!(fs::metadata(folder.file()).unwrap().file_type().is_fifo());
}

#[tokio::test(start_paused = true)]
async fn a_bad_entry_does_not_spoil_the_others() {
    let topics = [("T", "a", -1000), ("U", "b", -1000), ("V", "c", -1000)];
    for (line, bad, expected) in [
        (1, "{]", &["U", "V"][..]),
        (2, "", &["U", "V"]),
        (2, r#"{"topic":{"name":"T","route":0,"source":"ns","confirmedAt":-1}}"#, &["U", "V"]),
        (2, r#"{"topic":{"name":"","route":0,"source":"ns","confirmedAt":0}}"#, &["U", "V"]),
        (4, r#"{"topic":{"name":"U","route":9,"source":"ns","confirmedAt":0}}"#, &["T", "V"]),
        (3, r#"{"route":{"number":1,"data":{"brokerDatas":"none"}}}"#, &["T", "V"]),
        (4, r#"{"river":{}}"#, &["T", "V"]),
        (6, "\u{FFFD}", &["T", "U"]),
    ] {
        let mut lines = lines(&topics);
        lines[line] = bad.to_owned();
        let folder = Folder::new();
        fs::write(folder.file(), lines.join("\n")).unwrap();
        let site = Site::new(&["ns"], Says::Down);
        let cache = folder.cache(&site);
        let mut loaded = cache.topics();
        loaded.sort();
        assert_eq!(loaded, expected, "{bad}");
        pass(WRITTEN).await;
        assert!(!folder.text().contains("river"), "it is written anew");
        assert_eq!(folder.cache(&site).stats().loaded, 2, "{bad}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_path_that_cannot_be_written_disturbs_no_call_and_is_told_to_who_saves() {
    let folder = Folder::new();
    // A file stands where its folder would be.
    let in_the_way = folder.file();
    fs::write(&in_the_way, "").unwrap();
    let path = in_the_way.join("routes");
    let site = Site::new(&["ns"], A);
    let cache = RouteCache::builder(site.client()).snapshot(&path).build().unwrap();
    assert_eq!(outcome(&cache.get_route(TOPIC).await), "a");
    pass(WRITTEN).await;
    let error = cache.save_snapshot().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    assert_eq!(outcome(&cache.get_route(TOPIC).await), "a");
    // It is tried again, whether anything happens or not.
    fs::remove_file(in_the_way).unwrap();
    pass(WRITTEN * 10).await;
    assert!(path.exists());
}

#[tokio::test(start_paused = true)]
async fn missing_folders_are_made() {
    let folder = Folder::new();
    let path = folder.file().join("a").join("b");
    let site = Site::new(&["ns"], A);
    let cache = RouteCache::builder(site.client()).snapshot(&path).build().unwrap();
    assert!(!folder.file().exists(), "not before there is something to keep");
    assert_eq!(outcome(&cache.get_route(TOPIC).await), "a");
    pass(WRITTEN).await;
    assert!(path.exists());
}

#[tokio::test(start_paused = true)]
async fn a_file_of_another_zone_is_not_used_and_replaced_when_there_are_routes() {
    let site = Site::new(&["ns"], A);
    let in_zone = |zone: Option<&str>| {
        let builder = site.builder().servers("ns");
        let builder = zone.map_or(builder.clone(), |zone| builder.zone(zone));
        builder.build().unwrap()
    };
    for (written_by, read_by, is_used) in [
        (None, None, true),
        (Some("z1"), Some("Z1"), true),
        (Some("z1"), Some("z2"), false),
        (Some("z1"), None, false),
        (None, Some("z1"), false),
    ] {
        let folder = Folder::new();
        site.all_say(A);
        let cache = folder.builder(in_zone(written_by)).build().unwrap();
        cache.get_route(TOPIC).await.unwrap();
        cache.save_snapshot().await.unwrap();
        drop(cache);
        site.all_say(Says::Down);
        let (cache, before) = (folder.builder(in_zone(read_by)).build().unwrap(), folder.text());
        let expected = if is_used { "a" } else { "Connection error" };
        assert_eq!(outcome(&cache.get_route(TOPIC).await), expected, "{written_by:?} {read_by:?}");
        assert_eq!(folder.text(), before, "it is left until there are routes");
    }
}

#[tokio::test(start_paused = true)]
async fn what_makes_no_sense_is_a_usage_error() {
    let site = Site::new(&["ns"], A);
    for path in ["", "/", ".."] {
        let error = RouteCache::builder(site.client()).snapshot(path).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{path}");
    }
    assert_eq!(site.cache().save_snapshot().await.unwrap_err().kind(), ErrorKind::Usage, "it has none");
    let folder = Folder::new();
    let closed = folder.cache(&site);
    closed.close();
    assert_eq!(closed.save_snapshot().await.unwrap_err().kind(), ErrorKind::Usage);
    let outside = folder.cache(&site);
    let saved = std::thread::spawn(move || futures_util::FutureExt::now_or_never(outside.save_snapshot()));
    assert_eq!(saved.join().unwrap().unwrap().unwrap_err().kind(), ErrorKind::Usage, "no runtime");
}
