//! mqadmin prints with the embedded server what it prints with the Java NameServer of its release. Both have the same
//! broker, and each command runs with one and then with the other.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rocketmq_nameserver_protocol::model::Perm;
use rocketmq_nameserver_server::Personality;
use rocketmq_nameserver_testkit::interop::{
    BrokerOptions, InteropError, Jars, RealBroker, RealNameServer, Release, has_tools, run_java,
};

use crate::site::{Server, say};

/// They take a few seconds.
const LIMIT: Duration = Duration::from_secs(300);

/// What of an output must be the same.
#[derive(Clone, Copy)]
enum Same {
    Text,
    /// The lines, in any order.
    Lines,
    /// That many columns of each line; the others change with time.
    Columns(usize),
    /// What stands before `=`, in any order.
    Keys,
}

/// The topic and the broker are there. Each server has a topic `{own}` that its side may delete: deleting a topic takes
/// it from the broker, too.
///
/// Permissions come first and order configurations late: a broker that learns one of these changes its topic, registers it,
/// and so brings back the permission.
const COMMANDS: &[(&str, Same)] = &[
    ("topicRoute -t AdminTopic", Same::Text),
    ("topicRoute -t AdminTopic -l", Same::Text),
    ("wipeWritePerm -b broker-a", Same::Text),
    ("topicRoute -t AdminTopic", Same::Text),
    ("addWritePerm -b broker-a", Same::Text),
    ("topicRoute -t AdminTopic", Same::Text),
    ("wipeWritePerm -b no-such-broker", Same::Text),
    ("topicRoute -t NoSuchTopic", Same::Text),
    ("topicClusterList -t AdminTopic", Same::Text),
    ("topicList", Same::Lines),
    ("clusterList", Same::Columns(5)),
    ("getNamesrvConfig", Same::Keys),
    ("updateNamesrvConfig -k orderMessageEnable -v true", Same::Text),
    ("updateNamesrvConfig -k kvConfigPath -v /nowhere", Same::Text),
    ("updateKvConfig -s Space -k Key -v Value", Same::Text),
    ("deleteKvConfig -s Space -k Key", Same::Text),
    ("deleteKvConfig -s Space -k Key", Same::Text),
    ("updateOrderConf -t AdminTopic -m get", Same::Text),
    ("updateOrderConf -t AdminTopic -m put -v broker-a:4", Same::Text),
    ("updateOrderConf -t AdminTopic -m get", Same::Text),
    ("topicRoute -t AdminTopic", Same::Text),
    ("updateOrderConf -t AdminTopic -m delete", Same::Text),
    ("topicRoute -t AdminTopic", Same::Text),
    ("deleteTopic -t {own} -c DefaultCluster", Same::Text),
    ("topicRoute -t {own}", Same::Text),
];

#[test]
fn mqadmin_4_9_7_prints_what_it_prints_with_the_java_name_server() -> Result<(), InteropError> {
    check(Release::V4_9_7, Personality::V4)
}

#[test]
fn mqadmin_5_3_3_prints_what_it_prints_with_the_java_name_server() -> Result<(), InteropError> {
    check(Release::V5_3_3, Personality::V5)
}

fn check(release: Release, personality: Personality) -> Result<(), InteropError> {
    if !has_tools() {
        return Ok(());
    }
    let jars = Jars::fetch(release)?;
    let (java, embedded) = (RealNameServer::start(&jars)?, Server::start(personality));
    let addresses = [java.address(), embedded.address()];
    let [java_topic, embedded_topic] = ["TopicOfJava", "TopicOfEmbedded"];
    let sides = [
        Side { address: java.address(), own_topic: java_topic, other_topic: embedded_topic },
        Side { address: embedded.address(), own_topic: embedded_topic, other_topic: java_topic },
    ];
    // Without its timer wheel, which is off here for its size, 5.3.3 fails to delete a topic.
    let settings = [("timerWheelEnable", "true"), ("mappedFileSizeTimerLog", "1048576")];
    let settings = settings.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let options = BrokerOptions { settings, ..BrokerOptions::default() };
    let broker = RealBroker::start_at(&jars, &addresses, &options)?;
    for topic in ["AdminTopic", java_topic, embedded_topic] {
        broker.create_topic(topic, 4, 8, Perm::READ_WRITE)?;
    }
    let start = Instant::now();
    let commands: Vec<String> =
        COMMANDS.iter().flat_map(|(command, _)| sides.each_ref().map(|side| side.command(command))).collect();
    let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
    let printed = run_java(&jars, "MqadminCommands.java", &commands, LIMIT)?;
    say(&format!("mqadmin {release}: {} commands took {:?}", commands.len(), start.elapsed()));
    let outputs: Vec<&str> = printed.split("##### ").skip(1).collect();
    assert_eq!(outputs.len(), commands.len(), "{printed}");
    let mut differences = Vec::new();
    for ((command, same), pair) in COMMANDS.iter().zip(outputs.chunks(2)) {
        let [expected, found] = [0, 1].map(|side| sides[side].compared(pair[side], *same));
        assert!(expected.lines().count() > 1, "{command} printed nothing");
        if found != expected {
            differences
                .push(format!("{command}\nwith Java:\n{expected}\nwith the embedded server:\n{found}"));
        }
    }
    assert!(differences.is_empty(), "mqadmin {release}:\n{}", differences.join("\n"));
    Ok(())
}

/// One of the two NameServers.
struct Side {
    address: SocketAddr,
    own_topic: &'static str,
    other_topic: &'static str,
}

impl Side {
    /// A command for this NameServer, with tabs between its words.
    fn command(&self, command: &str) -> String {
        let command = format!("{command} -n {}", self.address);
        command.replace("{own}", self.own_topic).replace(' ', "\t")
    }

    /// What of an output is compared: nothing that is this side's alone, and no places in a stack trace.
    fn compared(&self, output: &str, same: Same) -> String {
        let address = self.address.to_string();
        let names = [(&*address, "{address}"), (self.own_topic, "{own}"), (self.other_topic, "{other}")];
        let output =
            names.into_iter().fold(output.to_owned(), |output, (name, common)| output.replace(name, common));
        let lines = output.lines().map(str::trim_end).filter(|line| !line.starts_with("\tat "));
        let mut lines: Vec<String> = lines
            .map(|line| match same {
                Same::Text | Same::Lines => line.to_owned(),
                Same::Columns(count) => line.split_whitespace().take(count).collect::<Vec<_>>().join(" "),
                Same::Keys => line.split('=').next().unwrap_or_default().trim_end().to_owned(),
            })
            .collect();
        // The first line is the command.
        if let (Same::Lines | Same::Keys, Some(lines)) = (same, lines.get_mut(1..)) {
            lines.sort();
        }
        lines.join("\n")
    }
}
