//! A server in memory that knows every topic: on the same 8 brokers, with its own numbers of queues or with those that all
//! have. Only numbers differ, so every route takes the same memory.
//!
//! Two programs have this module, the bench and the one that counts allocations.

use clap::ValueEnum;
use rocketmq_nameserver::protocol::code::ResponseCode;
use rocketmq_nameserver::protocol::command::Command;
use rocketmq_nameserver::protocol::frame::{DEFAULT_MAX_FRAME_SIZE, SerializeType, cut};
use rocketmq_nameserver::protocol::header::ExtFields;
use rocketmq_nameserver::protocol::json::Dialect;
use rocketmq_nameserver::protocol::request::{GetRouteInfo, Request};
use rocketmq_nameserver::{AsyncNameServerClient, TopicRouteData};
use rocketmq_nameserver_testkit::scripted_peer::{PeerConnection, in_memory};

/// A real 5.3.3 answer: 8 broker pairs.
const ROUTE_FRAME: &[u8] = include_bytes!("../../../crates/testkit/captures/rocketmq-5.3.3-route.frame");

/// What the topics have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Routes {
    /// Every topic has numbers of queues of its own.
    Differ,
    /// All topics have the same route.
    Same,
}

/// Makes answers.
#[derive(Debug, Clone)]
pub(crate) struct Answers {
    routes: Routes,
    route: TopicRouteData,
}

impl Answers {
    pub(crate) fn new(routes: Routes) -> crate::Outcome<Answers> {
        let frame =
            cut(&mut ROUTE_FRAME.into(), DEFAULT_MAX_FRAME_SIZE)?.ok_or("the capture is cut short")?;
        Ok(Answers { routes, route: TopicRouteData::from_bytes(&frame.body)? })
    }

    /// The route of the topic with that number.
    fn route(&self, number: u32) -> TopicRouteData {
        let mut route = self.route.clone();
        if self.routes == Routes::Differ {
            // A digit of the number for each broker: no two numbers below 2^32 have the same.
            for (place, queues) in (0..).zip(&mut route.queue_data_list) {
                queues.read_queue_nums = 1 + (number >> (4 * place) & 15);
                queues.write_queue_nums = queues.read_queue_nums;
            }
        }
        route
    }

    /// The answer to a question about that topic, whose name ends with its number.
    pub(crate) fn frame(&self, opaque: i32, topic: &str) -> crate::Outcome<Vec<u8>> {
        let number = topic.trim_start_matches(|letter: char| !letter.is_ascii_digit()).parse()?;
        let answer = GetRouteInfo::to_answer(&self.route(number), Dialect::Standard);
        let answer = Command::response(opaque, ResponseCode::SUCCESS, ExtFields::new(), answer.body);
        Ok(answer.to_frame(SerializeType::Json)?.to_vec())
    }

    /// Answers every question on that connection, until it is closed or a topic has no number.
    async fn serve(self, mut connection: PeerConnection) {
        while let Some((opaque, topic)) = connection.topic().await {
            let Ok(frame) = self.frame(opaque, &topic) else { return };
            connection.send(&frame).await;
        }
    }
}

/// A client of such a server. It must be used inside of a runtime, which the server lives on, too.
pub(crate) fn client(routes: Routes) -> crate::Outcome<AsyncNameServerClient> {
    let answers = Answers::new(routes)?;
    let connector = in_memory(move |connection| answers.clone().serve(connection));
    Ok(AsyncNameServerClient::builder().servers("in-memory:9876").connector(connector).build()?)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn routes_differ_or_are_the_same_on_the_same_brokers() {
        let numbers = [0, 1, 15, 16, 999_999, u32::MAX];
        for (routes, expected) in [(Routes::Differ, numbers.len()), (Routes::Same, 1)] {
            let answers = Answers::new(routes).unwrap();
            let bodies: HashSet<_> = numbers
                .map(|number| {
                    let route = answers.route(number);
                    assert_eq!(route.broker_data_list, answers.route.broker_data_list);
                    assert_eq!(route.broker_data_list.len(), 8);
                    GetRouteInfo::to_answer(&route, Dialect::Standard).body
                })
                .into();
            assert_eq!(bodies.len(), expected, "{routes:?}");
        }
    }
}
