//! 105 and 106: where topics and brokers are (`docs/wire.md` §2.2, §2.3, §4.9).

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use rocketmq_nameserver_protocol::code::{ResponseCode, Version};
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::json::Dialect;
use rocketmq_nameserver_protocol::model::{BrokerData, Name, TopicRouteData};
use rocketmq_nameserver_protocol::request::{Answer, GetBrokerClusterInfo, GetRouteInfo, Request};

use super::{Dispatcher, Refused, with_missing_fields_empty};
use crate::kv::ORDER_TOPIC_CONFIG;

const TOPIC: &str = "topic";
const STANDARD: &str = "acceptStandardJsonOnly";
const ZONE_NAME: &str = "__ZONE_NAME";
const ZONE_MODE: &str = "__ZONE_MODE";

impl Dispatcher {
    pub(super) fn route(&self, request: &Command) -> Result<Answer, Refused> {
        let ready = self.ready_route(request);
        if let Some(body) = ready {
            return Ok(Answer { body, ..Answer::default() });
        }
        let generation = self.ready_routes.generation();
        let switches = self.switches();
        let wait = Duration::from_secs(switches.wait_seconds_for_service);
        if switches.need_wait_for_service && self.now().uptime < wait {
            return Err(Refused::no(ResponseCode::SYSTEM_ERROR, "name server not ready"));
        }
        let query = GetRouteInfo::from_command(&with_missing_fields_empty(request, &[TOPIC]))?;
        let dialect = wanted_dialect(request);
        // Java looks for the topic null and does not find it.
        let topic = request.header.ext_fields.get(TOPIC);
        let route = topic.and_then(|topic| self.read().route(topic, switches.support_acting_master));
        let mut route = route.ok_or_else(|| self.no_route(topic.map_or("null", Name::as_str)))?;
        if switches.order_message_enable {
            route.order_topic_conf = self
                .read_kv()
                .get(&Name::from_static(ORDER_TOPIC_CONFIG), &query.topic)
                .cloned()
                .unwrap_or_default();
        }
        if let Some(zone) = self.wanted_zone(request) {
            return Ok(GetRouteInfo::to_answer(&route.in_zone(zone), Dialect::Legacy));
        }
        if self.is_old(request) {
            return Ok(GetRouteInfo::to_answer(&with_4x_fields(route), dialect));
        }
        let answer = GetRouteInfo::to_answer(&route, dialect);
        self.ready_routes.put(&query.topic, dialect, generation, answer.body.clone());
        Ok(answer)
    }

    /// A route that was made for somebody else already.
    fn ready_route(&self, request: &Command) -> Option<Bytes> {
        let usual = self.waits_for_nothing.load(Ordering::Acquire)
            && !self.is_old(request)
            && self.wanted_zone(request).is_none();
        let topic = request.header.ext_fields.get(TOPIC).filter(|_| usual)?;
        self.ready_routes.get(topic, wanted_dialect(request))
    }

    pub(super) fn cluster_info(&self, request: &Command) -> Result<Answer, Refused> {
        let mut info = self.read().cluster_info();
        if self.is_old(request) {
            info.broker_addr_table.values_mut().for_each(drop_5x_fields);
        }
        // Always the legacy dialect, whoever asks.
        Ok(GetBrokerClusterInfo::to_answer(&info, Dialect::Legacy))
    }

    /// The zone that the client wants to see brokers of, and no others.
    fn wanted_zone<'a>(&self, request: &'a Command) -> Option<&'a str> {
        let fields = &request.header.ext_fields;
        let wanted = self.personality.is_v5()
            && fields.get(ZONE_MODE).is_some_and(|mode| mode.eq_ignore_ascii_case("true"));
        fields.get(ZONE_NAME).map(Name::as_str).filter(|zone| wanted && !zone.trim().is_empty())
    }

    /// Whether the client shall get what a 4.x server would have sent it.
    fn is_old(&self, request: &Command) -> bool {
        self.legacy_bodies && request.header.version < Version::V5_0_0
    }

    fn no_route(&self, topic: &str) -> Refused {
        let faq = self.personality.faq();
        Refused::no(
            ResponseCode::TOPIC_NOT_EXIST,
            format!(
                "No topic route info in name server for the topic: {topic}\nSee {faq} for further details."
            ),
        )
    }
}

/// Standard JSON for those that know it or ask for it.
fn wanted_dialect(request: &Command) -> Dialect {
    let asks =
        || request.header.ext_fields.get(STANDARD).is_some_and(|asks| asks.eq_ignore_ascii_case("true"));
    if request.header.version >= Version::V4_9_4 || asks() { Dialect::Standard } else { Dialect::Legacy }
}

fn with_4x_fields(mut route: TopicRouteData) -> TopicRouteData {
    route.topic_queue_mapping_by_broker.clear();
    for broker in &mut route.broker_data_list {
        drop_5x_fields(Arc::make_mut(broker));
    }
    route
}

fn drop_5x_fields(broker: &mut BrokerData) {
    broker.enable_acting_master = None;
    broker.zone_name = None;
}
