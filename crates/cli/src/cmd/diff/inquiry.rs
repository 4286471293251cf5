//! Asks all servers, and those things again that differ.

use std::collections::BTreeSet;

use rocketmq_nameserver::{
    AllRoutes, AsyncNameServerClient, ClusterDifference, ErrorKind, ListDifference, Name, NameServerError,
};

use super::progress::Progress;
use super::{Failure, Report};
use crate::args::{Args, Diff};
use crate::cmd::{Failed, client_of};
use crate::out::counted;

/// How many topics are asked for at a time. Routes on which all servers agree are dropped before the next ones come, so this
/// bounds memory; and it is how far apart reports of progress are.
const AT_A_TIME: usize = 1_000;

/// The servers that are asked, and what they did not say so far.
pub(super) struct Inquiry<'a> {
    args: &'a Args,
    client: AsyncNameServerClient,
    servers: Vec<Name>,
    /// Those that seem to be gone: they are not waited for again and again.
    lost: BTreeSet<Name>,
    failed: Vec<Failure>,
    /// What fails when it is asked again was counted before.
    is_first_look: bool,
    progress: Progress,
}

/// What a server was asked.
#[derive(Clone, Copy)]
enum Asked {
    List,
    Brokers,
    Route,
}

impl<'a> Inquiry<'a> {
    pub(super) fn new(args: &'a Args, client: AsyncNameServerClient) -> Self {
        let servers = client.server_list().iter().map(|server| Name::from(server.to_string())).collect();
        let (lost, failed) = (BTreeSet::new(), Vec::new());
        Inquiry { args, client, servers, lost, failed, is_first_look: true, progress: Progress::new() }
    }

    /// Looks, and looks again as often as is wanted while something differs.
    pub(super) async fn report(mut self, diff: &Diff) -> Result<Report, Failed> {
        let everything = diff.topics.is_empty();
        let mut topics: Vec<Name> = diff
            .topics
            .iter()
            .map(|topic| Name::from(topic.as_str()))
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let (mut lists, mut clusters, mut brokers) = (Vec::new(), Vec::new(), None);
        if everything {
            self.progress.say("asking for the lists of topics and the brokers");
            let (all, infos) = tokio::join!(self.client.query_all_topics(), self.client.query_all_clusters());
            (lists, clusters) = (all.differences(), infos.differences());
            (topics, brokers) = (all.topics(), Some(infos.broker_names().len()));
            self.note(Asked::List, all.failed());
            self.note(Asked::Brokers, infos.failed());
            let silent_twice = |server: &&Name| {
                let is_silent =
                    |(failed, error): (&Name, &NameServerError)| failed == *server && is_silence(error);
                all.failed().any(is_silent) && infos.failed().any(is_silent)
            };
            let lost = self.servers.iter().filter(silent_twice).cloned().collect();
            self.leave(lost)?;
        }
        let mut unknown = Vec::new();
        let mut routes = self
            .differing(&topics, |routes| {
                let opinions = routes.opinions();
                if !everything
                    && opinions.len() == 1
                    && opinions.iter().all(|opinion| opinion.route.is_none())
                {
                    unknown.push(routes.topic().clone());
                }
            })
            .await?;
        for _ in 0..diff.confirm {
            if routes.is_empty() && lists.is_empty() && clusters.is_empty() {
                break;
            }
            self.is_first_look = false;
            self.progress.say("asking again for what differs");
            tokio::time::sleep(diff.pause).await;
            let again: Vec<Name> = routes.iter().map(AllRoutes::topic).cloned().collect();
            routes = self.differing(&again, |_| ()).await?;
            lists = self.lists_again(lists).await;
            clusters = self.brokers_again(clusters).await;
        }
        let place = |failure: &Failure| self.servers.iter().position(|server| *server == failure.server);
        self.failed.sort_by_key(place);
        Ok(Report {
            servers: self.servers,
            topics: topics.len(),
            routes,
            unknown,
            brokers,
            broker_differences: clusters,
            list_differences: lists,
            failed: self.failed,
        })
    }

    /// Asks for the routes of these topics and returns those that differ. `each` sees all of them.
    async fn differing(
        &mut self,
        topics: &[Name],
        mut each: impl FnMut(&AllRoutes),
    ) -> Result<Vec<AllRoutes>, Failed> {
        let (mut differing, mut done) = (Vec::new(), 0);
        for some in topics.chunks(AT_A_TIME) {
            if topics.len() > AT_A_TIME {
                let all = counted(topics.len(), "topic");
                self.progress.say(&format!("{done} of {all} compared, {} differ", differing.len()));
            }
            done += some.len();
            if self.is_first_look {
                let is_lost = |failure: &&mut Failure| self.lost.contains(&failure.server);
                self.failed.iter_mut().filter(is_lost).for_each(|failure| failure.routes += some.len());
            }
            if self.servers.len() - self.lost.len() < 2 {
                continue;
            }
            let all = self.client.query_all_many(some).await;
            for routes in &all {
                self.note(Asked::Route, routes.failed());
            }
            let silent_at = |routes: &AllRoutes, server: &Name| {
                routes.failed().any(|(failed, error)| failed == server && is_silence(error))
            };
            let lost =
                self.servers.iter().filter(|server| all.iter().all(|routes| silent_at(routes, server)));
            let lost = lost.cloned().collect();
            self.leave(lost)?;
            all.iter().for_each(&mut each);
            differing.extend(all.into_iter().filter(AllRoutes::is_disagreement));
        }
        Ok(differing)
    }

    /// Which of these still differ.
    async fn lists_again(&mut self, before: Vec<ListDifference>) -> Vec<ListDifference> {
        if before.is_empty() {
            return before;
        }
        let all = self.client.query_all_topics().await;
        self.note(Asked::List, all.failed());
        let before: BTreeSet<Name> = before.into_iter().map(|difference| difference.topic).collect();
        let mut now = all.differences();
        now.retain(|difference| before.contains(&difference.topic));
        now
    }

    /// Which of these still differ.
    async fn brokers_again(&mut self, before: Vec<ClusterDifference>) -> Vec<ClusterDifference> {
        if before.is_empty() {
            return before;
        }
        let all = self.client.query_all_clusters().await;
        self.note(Asked::Brokers, all.failed());
        let before: BTreeSet<Name> = before.into_iter().map(|difference| difference.broker_name).collect();
        let mut now = all.differences();
        now.retain(|difference| before.contains(&difference.broker_name));
        now
    }

    fn note<'b>(&mut self, asked: Asked, failed: impl Iterator<Item = (&'b Name, &'b NameServerError)>) {
        for (server, error) in failed {
            let at = self.failed.iter().position(|failure| failure.server == *server).unwrap_or_else(|| {
                let (server, error) = (server.clone(), error.clone());
                self.failed.push(Failure { server, list: false, brokers: false, routes: 0, error });
                self.failed.len() - 1
            });
            let failure = &mut self.failed[at];
            match asked {
                Asked::List => failure.list = true,
                Asked::Brokers => failure.brokers = true,
                Asked::Route if self.is_first_look => failure.routes += 1,
                Asked::Route => failure.routes = failure.routes.max(1),
            }
        }
    }

    /// From now on without these.
    fn leave(&mut self, lost: Vec<Name>) -> Result<(), Failed> {
        if lost.is_empty() {
            return Ok(());
        }
        self.lost.extend(lost);
        let left: Vec<&str> =
            self.servers.iter().filter(|server| !self.lost.contains(*server)).map(Name::as_str).collect();
        if !left.is_empty() {
            self.client = client_of(self.args, &left.join(";"))?;
        }
        Ok(())
    }
}

fn is_silence(error: &NameServerError) -> bool {
    matches!(error.kind(), ErrorKind::Connection | ErrorKind::Timeout)
}
