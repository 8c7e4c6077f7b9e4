//! What the operator decides, read once from flags and environment, handed out as values.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use schema::sync::Durability;

use crate::services::bucket::BucketAt;
use crate::services::installation::District;

/// What the services need to know. No defaults: each value is somebody's decision.
#[derive(Debug, Clone)]
pub struct Config {
    /// The data folder: keys, photos, the signer's head, and the database unless `database_url` names one.
    pub data: PathBuf,
    /// `sqlite:PATH` or `postgres://…`; none for SQLite in the data folder.
    pub database_url: Option<String>,
    /// Where whole photos are; none for the data folder.
    pub photos: Option<BucketAt>,
    /// The name in checkpoint origins and tokens: the host that people know.
    pub host: String,
    /// How an acknowledged op survives.
    pub durability: Durability,
    /// A checkpoint is signed at the latest after this time, if the head moved.
    pub checkpoint_interval_ms: u64,
    /// Address and port to listen on; port 0 takes any free one.
    pub listen: String,
    /// Proxies on other machines whose word on where a request came from is believed.
    pub proxies: Vec<IpAddr>,
    /// How long a webhook may take to answer.
    pub webhook_timeout: Duration,
    /// The district that a first start makes.
    pub district: District,
}

impl Config {
    /// The database's address.
    pub fn database(&self) -> String {
        self.database_url.clone().unwrap_or_else(|| format!("sqlite:{}", self.data.join("rectify.db").display()))
    }
}

/// The settings of a bucket, by their ordinary names.
pub fn bucket_settings() -> Vec<(String, String)> {
    std::env::vars().filter(|(name, _)| name.starts_with("AWS_")).collect()
}

/// The locale of whoever started the program. With [`bucket_settings`] the only place that reads the environment itself.
pub fn locale() -> Option<String> {
    ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty())
}
