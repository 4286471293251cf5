//! Brokers of the own zone: which zone that is, and what it makes of a route (`docs/wire.md` §4.9).

use std::env;

use rocketmq_nameserver_protocol::model::{Name, TopicRouteData};

use crate::error::{NameServerError, Result};

const NAME: &str = "ROCKETMQ_ZONE";
const MODE: &str = "ROCKETMQ_ZONE_MODE";

/// The zone whose brokers a client prefers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Zone(pub(crate) Name);

impl Zone {
    /// The zone that the environment names, if it wants zones to count.
    pub(crate) fn from_env() -> Option<Zone> {
        Zone::from_variables(env::var(NAME).ok(), env::var(MODE).ok())
    }

    /// A server takes a zone into account if the mode is true, and it does not if the name is blank.
    fn from_variables(name: Option<String>, mode: Option<String>) -> Option<Zone> {
        let name = name.filter(|name| !name.trim().is_empty())?;
        mode.is_some_and(|mode| mode.eq_ignore_ascii_case("true")).then(|| Zone(Name::from(name)))
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.0.trim().is_empty() {
            return Err(NameServerError::usage(
                "the zone's name is blank: write the name that brokers register with, or leave zone out",
            ));
        }
        Ok(())
    }

    /// Whether the server must be asked for all brokers: it has none of this zone, and may have left out the others. A server
    /// that does not filter has said them already.
    pub(crate) fn lacks_others(&self, route: &TopicRouteData) -> bool {
        !self.is_in(route) && route.is_in_zone(&self.0)
    }

    /// What of an answer is used: brokers of this zone if there are any, else all.
    pub(crate) fn pick(&self, route: TopicRouteData) -> TopicRouteData {
        if self.is_in(&route) { route.in_zone(&self.0) } else { route }
    }

    fn is_in(&self, route: &TopicRouteData) -> bool {
        route.broker_data_list.iter().any(|broker| broker.is_in_zone(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use rocketmq_nameserver_protocol::model::{BrokerData, QueueData};

    use super::*;

    #[test]
    fn the_environment_names_a_zone_only_if_its_mode_is_true() {
        for (name, mode, expected) in [
            (Some("z"), Some("true"), Some("z")),
            (Some("z"), Some("TRUE"), Some("z")),
            (Some("z"), Some("false"), None),
            (Some("z"), Some("1"), None),
            (Some("z"), Some(""), None),
            (Some("z"), None, None),
            (Some(" "), Some("true"), None),
            (Some(""), Some("true"), None),
            (None, Some("true"), None),
        ] {
            let zone = Zone::from_variables(name.map(str::to_owned), mode.map(str::to_owned));
            assert_eq!(zone, expected.map(|name| Zone(Name::from(name))), "{name:?} {mode:?}");
        }
    }

    #[test]
    fn routes_of_many_brokers_of_other_zones_take_no_more_than_linear_work() {
        // A body of some megabytes. Were each queue looked for among the brokers that go, this would take minutes.
        const ELSEWHERE: usize = 100_000;
        let names = (0..=ELSEWHERE).map(|number| Name::from(format!("broker-{number:06}")));
        let zone_of = |number| if number == 0 { "z" } else { "y" };
        let brokers = names.clone().enumerate().map(|(number, broker_name)| {
            let broker_addresses = [(0, format!("h-{number}:1"))].into_iter().collect();
            let zone_name = Some(zone_of(number).into());
            BrokerData { broker_name, broker_addresses, zone_name, ..Default::default() }.into()
        });
        let route = TopicRouteData {
            broker_data_list: brokers.collect(),
            queue_data_list: names
                .map(|broker_name| QueueData { broker_name, ..Default::default() })
                .collect(),
            ..Default::default()
        };
        let picked = Zone("z".into()).pick(route);
        assert_eq!((picked.broker_data_list.len(), picked.queue_data_list.len()), (1, 1));
    }
}
