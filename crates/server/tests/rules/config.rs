//! `docs/wire.md` §2.9 and §2.10: the server's own settings, 318 and 319.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use rocketmq_nameserver_server::Personality;

use crate::world::{BOTH, Row, World, answers, ask, both, builder, request, set, settings, v4, v5};

const KEYS_V4: &str = "clusterTest configStorePath kvConfigPath listenPort orderMessageEnable productEnvName \
    rocketmqHome serverAsyncSemaphoreValue serverCallbackExecutorThreads serverChannelMaxIdleTimeSeconds \
    serverOnewaySemaphoreValue serverPooledByteBufAllocatorEnable serverSelectorThreads serverSocketBacklog \
    serverSocketRcvBufSize serverSocketSndBufSize serverWorkerThreads useEpollNativeSelector \
    writeBufferHighWaterMark writeBufferLowWaterMark";
const KEYS_V5: &str = "bindAddress clientRequestThreadPoolNums clientRequestThreadPoolQueueCapacity clusterTest \
    configBlackList configStorePath defaultThreadPoolNums defaultThreadPoolQueueCapacity \
    deleteTopicWithBrokerRegistration enableAllTopicList enableControllerInNamesrv enableShutdownGracefully \
    enableTopicList kvConfigPath listenPort needWaitForService notifyMinBrokerIdChanged orderMessageEnable \
    productEnvName returnOrderTopicConfigToBroker rocketmqHome scanNotActiveBrokerInterval \
    serverAsyncSemaphoreValue serverCallbackExecutorThreads serverChannelMaxIdleTimeSeconds \
    serverNettyWorkerGroupEnable serverOnewaySemaphoreValue serverPooledByteBufAllocatorEnable \
    serverSelectorThreads serverSocketBacklog serverSocketRcvBufSize serverSocketSndBufSize \
    serverWorkerThreads shutdownWaitTimeSeconds supportActingMaster unRegisterBrokerQueueCapacity \
    useEpollNativeSelector waitSecondsForService writeBufferHighWaterMark writeBufferLowWaterMark";

/// What 319 shows: each line `key=value`.
async fn config(world: &mut World) -> Vec<(String, String)> {
    let answer = world.ask(request(319, &[])).await;
    assert_eq!(answer.code(), 0);
    assert!(answer.body().ends_with('\n'), "{:?}", answer.body());
    let setting = |line: &str| {
        let (key, value) = line.split_once('=').expect("key=value");
        (key.to_owned(), value.to_owned())
    };
    answer.body().strip_suffix('\n').unwrap().split('\n').map(setting).collect()
}

async fn value(world: &mut World, key: &str) -> String {
    let config: BTreeMap<String, String> = config(world).await.into_iter().collect();
    config[key].clone()
}

#[tokio::test(start_paused = true)]
async fn each_generation_shows_its_own_keys_and_5x_sorts_them() {
    for (personality, keys) in [(Personality::V4, KEYS_V4), (Personality::V5, KEYS_V5)] {
        let shown: Vec<String> =
            config(&mut World::new(personality)).await.into_iter().map(|(key, _)| key).collect();
        let expected: Vec<&str> = keys.split_whitespace().collect();
        let all: BTreeSet<&str> = shown.iter().map(String::as_str).collect();
        assert_eq!(all, expected.iter().copied().collect(), "{personality:?}");
        assert_eq!(shown.len(), expected.len());
        if personality == Personality::V5 {
            assert!(shown.is_sorted());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn settings_have_javas_defaults() {
    for (key, expected, since_v5) in [
        ("listenPort", "9876", false),
        ("orderMessageEnable", "false", false),
        ("clusterTest", "false", false),
        ("productEnvName", "center", false),
        ("serverChannelMaxIdleTimeSeconds", "120", false),
        ("returnOrderTopicConfigToBroker", "true", true),
        ("enableAllTopicList", "true", true),
        ("enableTopicList", "true", true),
        ("supportActingMaster", "false", true),
        ("notifyMinBrokerIdChanged", "false", true),
        ("needWaitForService", "false", true),
        ("waitSecondsForService", "45", true),
        ("scanNotActiveBrokerInterval", "5000", true),
        ("unRegisterBrokerQueueCapacity", "3000", true),
        ("deleteTopicWithBrokerRegistration", "false", true),
        ("enableShutdownGracefully", "false", true),
        ("shutdownWaitTimeSeconds", "30", true),
    ] {
        for personality in BOTH.into_iter().filter(|personality| !since_v5 || *personality == Personality::V5)
        {
            assert_eq!(value(&mut World::new(personality), key).await, expected, "{personality:?} {key}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn properties_are_read_as_java_reads_them_and_shown_without_escapes() {
    for (text, expected) in [
        ("productEnvName=x", "x"),
        ("productEnvName=x\n", "x"),
        ("productEnvName = x\n", "x"),
        ("productEnvName:x", "x"),
        ("productEnvName x", "x"),
        ("  \tproductEnvName\t:  x", "x"),
        ("productEnvName=x ", "x "),
        ("productEnvName==x", "=x"),
        ("productEnvName=a b=c:d#e", "a b=c:d#e"),
        ("productEnvName=", ""),
        ("productEnvName", ""),
        ("productEnvName=x\r\norderMessageEnable=true\r\n", "x"),
        ("productEnvName=x\nproductEnvName=y\n", "y"),
        ("productEnvName=x\n#productEnvName=y\n ! productEnvName=z\n\n", "x"),
        ("productEnvName=a\\\n   b", "ab"),
        ("productEnvName=a\\tb", "a\tb"),
        ("productEnvName=C:\\\\x", "C:\\x"),
        ("productEnvName=\\x\\=\\:", "x=:"),
        ("productEnvName=\\u0041\\u00fC\\u4e2D", "Aü中"),
        ("product\\u0045nvName=x", "x"),
        // Bytes are characters of Latin-1.
        ("productEnvName=ü", "Ã¼"),
    ] {
        for personality in BOTH {
            let mut world = World::new(personality);
            assert_eq!(world.ask(settings(text)).await.line(), "0", "{personality:?} {text:?}");
            assert_eq!(value(&mut world, "productEnvName").await, expected, "{personality:?} {text:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_broken_escape_is_refused_and_changes_nothing() {
    for text in
        ["productEnvName=x\nclusterTest=\\u12", "productEnvName=\\u12g4", "\\uzzzz=x\nproductEnvName=x"]
    {
        for personality in BOTH {
            let mut world = World::new(personality);
            let line = world.ask(settings(text)).await.line();
            assert_eq!(line, "1 string2Properties error", "{personality:?} {text:?}");
            assert_eq!(value(&mut world, "productEnvName").await, "center", "{personality:?} {text:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn switches_are_true_or_false_and_numbers_are_numbers_or_ignored() {
    for (text, key, expected) in [
        ("orderMessageEnable=true", "orderMessageEnable", "true"),
        ("orderMessageEnable=TrUe", "orderMessageEnable", "true"),
        ("orderMessageEnable=true ", "orderMessageEnable", "false"),
        ("orderMessageEnable=yes", "orderMessageEnable", "false"),
        ("orderMessageEnable=1", "orderMessageEnable", "false"),
        ("orderMessageEnable=true\norderMessageEnable=", "orderMessageEnable", "false"),
        ("serverWorkerThreads=9", "serverWorkerThreads", "9"),
        ("serverWorkerThreads=-9", "serverWorkerThreads", "-9"),
        ("serverWorkerThreads=x", "serverWorkerThreads", "8"),
        ("serverWorkerThreads=", "serverWorkerThreads", "8"),
        ("serverWorkerThreads=9 ", "serverWorkerThreads", "8"),
        ("serverWorkerThreads=9.0", "serverWorkerThreads", "8"),
        ("serverWorkerThreads=2147483648", "serverWorkerThreads", "8"),
        ("serverWorkerThreads=x\nproductEnvName=y", "productEnvName", "y"),
        ("noSuchKey=x\nproductEnvName=y", "productEnvName", "y"),
        ("PRODUCTENVNAME=x", "productEnvName", "center"),
        ("productenvname=x", "productEnvName", "center"),
        (" productEnvName =x", "productEnvName", "x"),
        ("", "productEnvName", "center"),
        ("\n", "productEnvName", "center"),
    ] {
        for personality in BOTH {
            let mut world = World::new(personality);
            let keys = config(&mut world).await.len();
            assert_eq!(world.ask(settings(text)).await.line(), "0", "{personality:?} {text:?}");
            assert_eq!(value(&mut world, key).await, expected, "{personality:?} {text:?}");
            assert_eq!(config(&mut world).await.len(), keys, "{personality:?} {text:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_black_listed_is_refused_and_nothing_else_applied() {
    let rows = || {
        let mut rows: Vec<Row> = Vec::new();
        let old = "16 Can not update config path";
        let new = "16 Can not update config in black list.";
        for (text, expected) in [
            ("kvConfigPath=x", [old, new]),
            ("configStorePath=x", [old, new]),
            ("rocketmqHome=x", ["0", new]),
            ("configBlackList=x", ["0", new]),
            ("productEnvName=x\nkvConfigPath=", [old, new]),
            ("kvconfigpath=x", ["0", "0"]),
            ("listenPort=1", ["0", "0"]),
            ("bindAddress=x", ["0", "0"]),
        ] {
            rows.push((text, vec![set(text)], expected));
        }
        rows
    };
    answers(rows).await;
    for personality in BOTH {
        let mut world = World::new(personality);
        assert_eq!(world.ask(settings("productEnvName=x\nkvConfigPath=y")).await.code(), 16);
        assert_eq!(value(&mut world, "productEnvName").await, "center");
    }
    let mut world = World::new(Personality::V4);
    world.ask(settings("rocketmqHome=x")).await;
    assert_eq!(value(&mut world, "rocketmqHome").await, "x");
}

#[tokio::test(start_paused = true)]
async fn the_black_list_can_be_made_longer_but_not_shorter_on_5x() {
    let black = builder(Personality::V5).setting("configBlackList", "productEnvName;listenPort");
    let mut world = World::of(black);
    for (text, code) in [
        ("productEnvName=x", 16),
        ("listenPort=1", 16),
        ("kvConfigPath=x", 16),
        ("configStorePath=x", 16),
        ("rocketmqHome=x", 16),
        ("configBlackList=x", 16),
        ("orderMessageEnable=true", 0),
    ] {
        assert_eq!(world.ask(settings(text)).await.code(), code, "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn keys_of_5x_are_unknown_to_4x() {
    let rows = || {
        let lists = |text: &'static str| vec![set(text), ask(request(206, &[]))];
        vec![
            ("ignored", lists("enableAllTopicList=false"), v4(r#"0 | {"topicList":[]}"#)),
            ("known", lists("enableAllTopicList=false"), v5("1 disable")),
            ("the answer", vec![set("enableAllTopicList=false")], both("0")),
        ]
    };
    answers(rows).await;
}

#[tokio::test(start_paused = true)]
async fn settings_are_kept_in_the_file_of_config_store_path() {
    for personality in BOTH {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let file = folder.join(format!("rules-namesrv-{personality:?}.properties"));
        fs::write(&file, "").unwrap();
        let stored = builder(personality).setting("configStorePath", file.to_string_lossy());
        let mut world = World::of(stored);
        let update = settings("productEnvName=kept");
        assert_eq!(world.ask(update).await.line(), "0");
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains("productEnvName=kept"), "{personality:?}: {text:?}");
    }
}
