//! Answers in one line, and bodies in short.

use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::frame::{Frame, SerializeType};
use rocketmq_nameserver_protocol::model::{
    BrokerClusterInfo, BrokerData, Name, QueueData, TopicList, TopicRouteData,
};

/// One answer, and how it was written.
pub(crate) struct Answer {
    pub(crate) form: SerializeType,
    /// The text of a JSON header.
    header: String,
    pub(crate) command: Command,
}

impl Answer {
    pub(crate) fn new(frame: Frame) -> Self {
        let form = frame.serialize_type;
        let header = String::from_utf8_lossy(&frame.header).into_owned();
        Answer { form, header, command: Command::from_frame(frame).expect("a header") }
    }

    pub(crate) fn code(&self) -> i32 {
        self.command.header.code
    }

    pub(crate) fn body(&self) -> &str {
        std::str::from_utf8(&self.command.body).expect("UTF-8")
    }

    /// `code {field=value,…} remark | body`, without what is not there. `{}` stands for fields that are there and empty.
    pub(crate) fn line(&self) -> String {
        let header = &self.command.header;
        let mut fields: Vec<String> =
            header.ext_fields.iter().map(|(key, value)| format!("{key}={value}")).collect();
        fields.sort_unstable();
        let mut line = header.code.to_string();
        if !fields.is_empty() || self.header.contains(r#""extFields":{}"#) {
            line += &format!(" {{{}}}", fields.join(","));
        }
        if let Some(remark) = &header.remark {
            line += &format!(" {remark}");
        }
        if !self.command.body.is_empty() {
            line += &format!(" | {}", self.body());
        }
        line
    }

    /// A body of 105: `name@cluster: id=address; name=perm`, then, if there are any, `filters`, `order` and `mapped`. The
    /// line of the answer if it is a refusal.
    pub(crate) fn route(&self) -> String {
        if self.code() != 0 {
            return self.line();
        }
        let route = TopicRouteData::from_bytes(&self.command.body).expect("a route");
        let mut parts: Vec<String> = route.broker_data_list.iter().map(|data| broker(data)).collect();
        parts.extend(route.queue_data_list.iter().map(queue));
        parts.sort_unstable();
        for (address, servers) in &route.filter_server_table {
            parts.push(format!("filters {address}: {}", words(servers)));
        }
        if !route.order_topic_conf.is_empty() {
            parts.push(format!("order {}", route.order_topic_conf));
        }
        for (name, mapping) in &route.topic_queue_mapping_by_broker {
            parts.push(format!("mapped {name}: {}", mapping.epoch));
        }
        parts.join("; ")
    }

    /// The queues in a body of 105: `name=perm`, for each broker.
    pub(crate) fn queues(&self) -> String {
        if self.code() != 0 {
            return self.code().to_string();
        }
        let route = TopicRouteData::from_bytes(&self.command.body).expect("a route");
        let mut queues: Vec<String> = route.queue_data_list.iter().map(queue).collect();
        queues.sort_unstable();
        queues.join(" ")
    }

    /// A body of 106: `cluster: names`, then `name@cluster: id=address`.
    pub(crate) fn clusters(&self) -> Vec<String> {
        let info = BrokerClusterInfo::from_bytes(&self.command.body).expect("clusters");
        let clusters =
            info.cluster_addr_table.iter().map(|(cluster, names)| format!("{cluster}: {}", words(names)));
        clusters.chain(info.broker_addr_table.values().map(broker)).collect()
    }

    /// A body of 206 and the like, sorted.
    pub(crate) fn topics(&self) -> Vec<String> {
        let list = TopicList::from_bytes(&self.command.body).expect("topics");
        let mut topics: Vec<String> = list.topic_list.iter().map(ToString::to_string).collect();
        topics.sort_unstable();
        topics
    }
}

fn words(names: &[Name]) -> String {
    let mut names: Vec<&str> = names.iter().map(Name::as_str).collect();
    names.sort_unstable();
    names.join(" ")
}

fn broker(data: &BrokerData) -> String {
    let mut text = format!("{}@{}:", data.broker_name, data.cluster);
    for (id, address) in data.broker_addresses.iter() {
        text += &format!(" {id}={address}");
    }
    if data.enable_acting_master == Some(true) {
        text += " acting";
    }
    if let Some(zone) = &data.zone_name {
        text += &format!(" zone {zone}");
    }
    text
}

/// `name=perm`, with the numbers of queues unless they are 8 and the flag unless it is 0.
fn queue(queue: &QueueData) -> String {
    let mut text = format!("{}={}", queue.broker_name, queue.perm.0);
    if (queue.read_queue_nums, queue.write_queue_nums) != (8, 8) {
        text += &format!("x{}/{}", queue.read_queue_nums, queue.write_queue_nums);
    }
    if queue.topic_syn_flag != 0 {
        text += &format!("!{}", queue.topic_syn_flag);
    }
    text
}
