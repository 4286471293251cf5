//! Answers that are wrong in content, because a [`Fault`] is on.

use std::sync::PoisonError;

use rocketmq_nameserver_protocol::code::{RequestCode, ResponseCode};
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::json::Dialect;
use rocketmq_nameserver_protocol::model::TopicRouteData;
use rocketmq_nameserver_protocol::request::{Answer, GetRouteInfo, Request};

use super::{Dispatcher, Refused};
use crate::fault::{Fault, Faults};
use crate::kv::KvStore;
use crate::table::ConnectionId;

/// What asks which brokers and topics there are.
const QUESTIONS: [RequestCode; 9] = [
    RequestCode::GET_ROUTEINFO_BY_TOPIC,
    RequestCode::GET_BROKER_CLUSTER_INFO,
    RequestCode::GET_ALL_TOPIC_LIST_FROM_NAMESERVER,
    RequestCode::GET_TOPICS_BY_CLUSTER,
    RequestCode::GET_SYSTEM_TOPIC_LIST_FROM_NS,
    RequestCode::GET_UNIT_TOPIC_LIST,
    RequestCode::GET_HAS_UNIT_SUB_TOPIC_LIST,
    RequestCode::GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST,
    RequestCode::GET_BROKER_MEMBER_GROUP,
];

impl Dispatcher {
    /// What a request gets because of faults; `None` if they leave its content alone.
    pub(super) fn answer_at_fault(
        &self,
        faults: Faults,
        connection: ConnectionId,
        request: &Command,
    ) -> Option<Result<Answer, Refused>> {
        let code = RequestCode(request.header.code);
        let asks_for_route = code == RequestCode::GET_ROUTEINFO_BY_TOPIC;
        if faults.has(Fault::NotReady) && asks_for_route {
            Some(Err(Refused::no(ResponseCode::SYSTEM_ERROR, "name server not ready")))
        } else if faults.has(Fault::Empty) && QUESTIONS.contains(&code) {
            Some(self.with_nothing_registered().answer_or_refuse(connection, request, Faults::NONE))
        } else if faults.has(Fault::Disagree) && asks_for_route {
            Some(self.route(request).and_then(|answer| self.without_last_group(&answer, request)))
        } else {
            None
        }
    }

    /// Such a server with the same settings.
    fn with_nothing_registered(&self) -> Dispatcher {
        let settings = self.settings.read().unwrap_or_else(PoisonError::into_inner).clone();
        let empty = Dispatcher::new(self.personality, KvStore::default(), settings, self.legacy_bodies);
        Dispatcher { started: self.started, ..empty }
    }

    fn without_last_group(&self, answer: &Answer, request: &Command) -> Result<Answer, Refused> {
        let mut route = GetRouteInfo::from_answer(answer)?;
        // As it was: a client that is served in one dialect may not read the other.
        let legacy = GetRouteInfo::to_answer(&route, Dialect::Legacy).body == answer.body;
        if remove_last_group(&mut route) && route.broker_data_list.is_empty() {
            return self.with_nothing_registered().route(request);
        }
        let dialect = if legacy { Dialect::Legacy } else { Dialect::Standard };
        Ok(GetRouteInfo::to_answer(&route, dialect))
    }
}

/// The group that stands last in the answer, and all that belongs to it. Says whether there was one.
fn remove_last_group(route: &mut TopicRouteData) -> bool {
    let Some(last) = route.broker_data_list.pop() else { return false };
    route.queue_data_list.retain(|queue| queue.broker_name != last.broker_name);
    route.topic_queue_mapping_by_broker.remove(&last.broker_name);
    for (_, address) in last.broker_addresses.iter() {
        route.filter_server_table.remove(address);
    }
    true
}
