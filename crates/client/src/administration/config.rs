//! 318 and 319: the configuration of the servers.

use rocketmq_nameserver_protocol::model::NamesrvConfig;
use rocketmq_nameserver_protocol::request::{GetNamesrvConfig, UpdateNamesrvConfig};

use crate::client::AsyncNameServerClient;
use crate::error::Result;
use crate::per_server::PerServer;
use crate::question::Question;

/// The configuration. Each server has its own.
impl AsyncNameServerClient {
    /// Changes settings of every server; the others stay: request 318, 4.x and 5.x.
    ///
    /// They are stored and outlive a restart; many take effect only with one. Nothing is refused here, and what a server
    /// does not know it ignores without a word. From 4.9.6 on servers refuse with code 16 to change where their files are,
    /// and then change nothing; **older servers do change that**.
    ///
    /// ```
    /// # async fn f(client: rocketmq_nameserver::AsyncNameServerClient) -> rocketmq_nameserver::Result<()> {
    /// let config = [("orderMessageEnable", "true")].into_iter().collect();
    /// client.update_namesrv_config(config).await.into_result()?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn update_namesrv_config(&self, config: NamesrvConfig) -> PerServer<()> {
        let question = Question::new("update", "the NameServer's configuration");
        self.ask_every(&UpdateNamesrvConfig { config }, &question).await
    }

    /// All settings of one server, the one that works: request 319, 4.x and 5.x.
    ///
    /// To read those of a certain server, make a client of that one alone; to compare those of all, give
    /// [`request_every`](Self::request_every) the request
    /// [`GetNamesrvConfig`](crate::protocol::request::GetNamesrvConfig).
    ///
    /// # Errors
    /// As every call.
    pub async fn get_namesrv_config(&self) -> Result<NamesrvConfig> {
        self.ask(&GetNamesrvConfig, &Question::new("get", "the NameServer's configuration")).await
    }
}
