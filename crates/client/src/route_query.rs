//! How a client asks for routes: one or many, read or as they came, and once more where the zone has no broker.

use bytes::Bytes;
use rocketmq_nameserver_protocol::code::RequestCode;
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::error::DataParseError;
use rocketmq_nameserver_protocol::json::Dialect;
use rocketmq_nameserver_protocol::model::TopicRouteData;
use rocketmq_nameserver_protocol::request::{Answer, GetRouteInfo, Reach, Request};
use tokio::time::Instant;

use crate::call::Told;
use crate::client::AsyncNameServerClient;
use crate::error::Result;
use crate::question::Question;
use crate::zone::Zone;

/// Request 105 in one of its forms.
pub(crate) trait RouteQuery: Request {
    fn query(&self) -> &GetRouteInfo;

    fn query_mut(&mut self) -> &mut GetRouteInfo;

    /// See [`Zone::lacks_others`].
    fn lacks_others(answer: &Self::Response, zone: &Zone) -> bool;
}

impl RouteQuery for GetRouteInfo {
    fn query(&self) -> &GetRouteInfo {
        self
    }

    fn query_mut(&mut self) -> &mut GetRouteInfo {
        self
    }

    fn lacks_others(route: &TopicRouteData, zone: &Zone) -> bool {
        zone.lacks_others(route)
    }
}

/// The form whose answer is handed on as it came: whoever compares answers need not read them.
pub(crate) struct GetRouteBody(pub(crate) GetRouteInfo);

impl Request for GetRouteBody {
    const CODE: RequestCode = GetRouteInfo::CODE;
    const REACH: Reach = GetRouteInfo::REACH;
    type Response = Bytes;

    fn to_command(&self) -> Command {
        self.0.to_command()
    }

    fn from_command(command: &Command) -> std::result::Result<Self, DataParseError> {
        GetRouteInfo::from_command(command).map(GetRouteBody)
    }

    fn to_answer(body: &Bytes, _: Dialect) -> Answer {
        Answer { body: body.clone(), ..Answer::default() }
    }

    fn from_answer(answer: &Answer) -> std::result::Result<Bytes, DataParseError> {
        Ok(answer.body.clone())
    }
}

impl RouteQuery for GetRouteBody {
    fn query(&self) -> &GetRouteInfo {
        &self.0
    }

    fn query_mut(&mut self) -> &mut GetRouteInfo {
        &mut self.0
    }

    /// A client of a zone has to read every answer for this. One that cannot be read is the caller's, who says so.
    fn lacks_others(body: &Bytes, zone: &Zone) -> bool {
        TopicRouteData::from_bytes(body).is_ok_and(|route| zone.lacks_others(&route))
    }
}

impl AsyncNameServerClient {
    /// The answer that counts, and the server that gave it. All within one limit.
    pub(crate) async fn ask_for_route<Q: RouteQuery>(&self, mut query: Q) -> Result<Told<Q::Response>> {
        let mut left = self.ready().await?;
        let question = Question::Route(query.query().topic.clone());
        let mut zone = self.locality().zone.as_ref();
        loop {
            query.query_mut().zone = zone.map(|zone| zone.0.clone());
            let started = Instant::now();
            let told = self.servers.ask_told(&query, left, &question).await?;
            match zone {
                Some(own) if Q::lacks_others(&told.answer, own) => {
                    let topic = &*query.query().topic;
                    tracing::debug!(
                        topic,
                        zone = &*own.0,
                        "no broker of the zone has the topic: all brokers are asked for"
                    );
                    (zone, left) = (None, left.saturating_sub(started.elapsed()));
                }
                _ => return Ok(told),
            }
        }
    }

    /// As [`ask_for_route`](Self::ask_for_route) for many topics, pipelined; `each` gets what comes of each, under its place.
    /// Each question has the client's limit.
    pub(crate) async fn ask_for_routes<Q: RouteQuery>(
        &self,
        mut queries: Vec<Q>,
        mut each: impl FnMut(usize, Result<Told<Q::Response>>),
    ) -> Result<()> {
        let question = |query: &Q| Question::Route(query.query().topic.clone());
        let Some(zone) = &self.locality().zone else {
            return self.ask_many(&queries, question, each).await;
        };
        for query in &mut queries {
            query.query_mut().zone = Some(zone.0.clone());
        }
        let mut without = Vec::new();
        let sort_out = |at, answer: Result<Told<Q::Response>>| match answer {
            Ok(told) if Q::lacks_others(&told.answer, zone) => without.push(at),
            answer => each(at, answer),
        };
        self.ask_many(&queries, question, sort_out).await?;
        if without.is_empty() {
            return Ok(());
        }
        let topics = without.len();
        tracing::debug!(
            topics,
            zone = &*zone.0,
            "no broker of the zone has these topics: all brokers are asked for"
        );
        without.sort_unstable();
        let mut at = 0;
        queries.retain_mut(|query| {
            query.query_mut().zone = None;
            at += 1;
            without.binary_search(&(at - 1)).is_ok()
        });
        let under_its_place = |number: usize, answer| {
            if let Some(at) = without.get(number) {
                each(*at, answer);
            }
        };
        self.ask_many(&queries, question, under_its_place).await
    }
}
