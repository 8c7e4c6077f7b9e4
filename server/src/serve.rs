//! Running the server: listening, the work that goes on beside requests, and stopping.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::middleware::from_fn;
use actix_web::web::Data;
use actix_web::{App as Actix, HttpServer};
use anyhow::Context;
use schema::sync::Durability;
use tokio::task::JoinHandle;
use tracing_actix_web::TracingLogger;

use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::Result;
use crate::routes;
use crate::services::checkpoint::Checkpoints;
use crate::services::photos::causes;
use crate::services::replica::{self, Follower};
use crate::services::ticker;
use crate::span::RouteSpan;

/// How long the head of a request may take to come.
const HEAD_WITHIN: Duration = Duration::from_secs(5);
/// How long an idle connection is kept.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// Connections of one worker.
const CONNECTIONS: usize = 12_000;
/// How often interrupted work is taken up.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// What is done once a day is done at every so manieth sweep.
const SWEEPS_A_DAY: u64 = 24 * 60;
/// How often the standby is asked.
const FOLLOW_EVERY: Duration = Duration::from_secs(1);
/// How long requests under way are waited for at a stop.
const STOP_WITHIN_S: u64 = 10;

/// A server that runs.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its services.
    pub app: App,
    /// The first administrator's one-time code, where this was the first start.
    pub first_code: Option<String>,
    handle: ServerHandle,
    server: JoinHandle<std::io::Result<()>>,
    beside: Vec<JoinHandle<()>>,
}

/// Starts a server.
///
/// # Errors
/// A folder, key, database, address or thread that can't be had.
pub async fn start(config: Config, clock: Clock) -> Result<Running> {
    let app = App::open(&config, &clock)?;
    let alone = app.logs.store.alone().context("waiting for other servers of this database to start")?;
    app.installation.check_signer(&app.logs.checkpoints.signer().verifier_key()).await?;
    app.logs.store.check_after_crash()?;
    if let Some(bucket) = app.photos.blobs().bucket().cloned() {
        let checked =
            tokio::task::spawn_blocking(move || bucket.check()).await.context("the bucket's check did not end")?;
        checked.context("writing to the bucket of photos")?;
    }
    if config.durability == Durability::Replica {
        replica::check(&app.logs.store).context("looking for a synchronous standby")?;
    }
    app.logs.checkpoints.recover(&app.logs.ledger).await.context("comparing the logs with what was signed")?;
    let verifier = app.logs.checkpoints.signer().verifier_key();
    let first_code = app.installation.first_start(&config.district, &verifier).await?;
    drop(alone);
    app.events.look().await?;
    let listener = TcpListener::bind(&config.listen).with_context(|| format!("listening on {}", config.listen))?;
    let address = listener.local_addr().context("reading the address listened on")?;
    let server = listen(listener, app.clone())?;
    let handle = server.handle();
    let mut beside = vec![
        tokio::spawn(app.events.clone().watch(app.logs.ledger.commits())),
        tokio::spawn(stay_alive(app.clone())),
        tokio::spawn(sweep(app.clone())),
        tokio::spawn(app.webhooks.clone().run(app.logs.ledger.commits())),
        tokio::spawn(sign(app.logs.checkpoints.clone(), config.checkpoint_interval_ms)),
    ];
    if config.durability == Durability::Replica {
        beside.push(tokio::spawn(follow(Follower::new(app.logs.store.clone(), clock))));
    }
    Ok(Running { address, app, first_code, handle, server: tokio::spawn(server), beside })
}

fn listen(listener: TcpListener, app: App) -> Result<Server> {
    let server = HttpServer::new(move || {
        Actix::new()
            .app_data(Data::new(app.clone()))
            .configure(routes::configure)
            .wrap(from_fn(routes::documents))
            .wrap(from_fn(routes::headers))
            .wrap(TracingLogger::<RouteSpan>::new())
    })
    .client_request_timeout(HEAD_WITHIN)
    .keep_alive(KEEP_ALIVE)
    .max_connections(CONNECTIONS)
    .shutdown_timeout(STOP_WITHIN_S)
    .listen(listener)
    .context("listening")?;
    Ok(server.run())
}

/// Notes every minute that a server is at work: whoever comes next sees for how long none was.
async fn stay_alive(app: App) {
    let mut tick = tokio::time::interval(SWEEP_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Err(error) = app.logs.ledger.note_alive(app.clock.now_ms()).await {
            tracing::warn!(error = %causes(&error.into()), "that this server is at work could not be noted");
        }
    }
}

/// Takes up what was interrupted, at the start and every minute.
async fn sweep(app: App) {
    let mut tick = tokio::time::interval(SWEEP_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for count in 0_u64.. {
        tick.tick().await;
        if count.is_multiple_of(SWEEPS_A_DAY)
            && let Err(error) = app.installation.forget_old_exits().await
        {
            tracing::warn!(error = %causes(&error), "old exits were not forgotten");
        }
        if let Err(error) = app.logs.ledger.tick(app.clock.now_ms()).await {
            tracing::warn!(error = %causes(&error.into()), "what is due was not done");
        }
        if let Err(error) = app.photos.sweep().await {
            tracing::warn!(error = %causes(&error), "the sweep did not end");
        }
        ticker::tick(&app.installation).await;
    }
}

/// Moves the durable marks to what the standby has. Without one they stay, and phones keep what they made.
async fn follow(mut follower: Follower) {
    let mut tick = tokio::time::interval(FOLLOW_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let followed = tokio::task::spawn_blocking(move || {
            let done = follower.follow();
            (follower, done)
        });
        let Ok((back, done)) = followed.await else { return };
        follower = back;
        if let Err(error) = done {
            tracing::error!(error = %format!("{:#}", anyhow::Error::new(error)), "nothing becomes durable");
        }
    }
}

/// Signs the heads that moved.
async fn sign(checkpoints: Checkpoints, interval_ms: u64) {
    let mut tick = tokio::time::interval(Duration::from_millis(interval_ms.max(100)));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let checkpoints = checkpoints.clone();
        match tokio::task::spawn_blocking(move || checkpoints.sign_due()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(error = %format!("{:#}", anyhow::Error::new(error)), "no checkpoint"),
            Err(error) => tracing::error!(%error, "the signer did not end"),
        }
    }
}

impl Running {
    /// Stops: requests under way are answered first.
    pub async fn stop(self) {
        for task in &self.beside {
            task.abort();
        }
        self.handle.stop(true).await;
        drop(self.server.await);
        if let Err(error) = self.app.logs.store.close() {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, "the database was not closed");
        }
    }

    /// Runs until a signal stops it.
    ///
    /// # Errors
    /// The server ended by itself.
    pub async fn wait(self) -> Result<()> {
        let ended = self.server.await.context("the server ended")?;
        for task in &self.beside {
            task.abort();
        }
        self.app.logs.store.close()?;
        Ok(ended.context("the server ended")?)
    }
}
