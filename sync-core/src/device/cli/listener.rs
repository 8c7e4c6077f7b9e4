//! Hears from the server that a log has moved: by server-sent events, by long polls where those do not get through.
//! What it hears is a reason to sync, never data.

use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use schema::ids::LogId;
use schema::sync::HeadEvent;
use sync_core::device::transport::{CallError, Transport};

/// Between two tries.
const PAUSE: Duration = Duration::from_secs(10);

/// What was heard.
#[derive(Debug)]
pub(crate) enum Poke {
    /// A log is there now.
    Head(HeadEvent),
    /// The token has ended: a sync gets a new one.
    Unauthorized,
}

/// The listening thread. It ends with the program.
pub(crate) struct Listener {
    tokens: Sender<String>,
}

impl Listener {
    /// Starts it; it waits for its first token.
    pub(crate) fn start(transport: Transport, logs: BTreeSet<LogId>, pokes: Sender<Poke>) -> Self {
        let (tokens, given) = channel();
        thread::spawn(move || {
            let mut ears = Ears { transport, logs, pokes, given, heard: Vec::new() };
            while let Ok(token) = ears.given.recv() {
                ears.listen(&token);
            }
        });
        Self { tokens }
    }

    /// Hands it the newest token.
    pub(crate) fn use_token(&self, token: &str) {
        // A thread that has ended hears nothing; the minute's sync goes on without it.
        let _ = self.tokens.send(token.to_owned());
    }
}

struct Ears {
    transport: Transport,
    logs: BTreeSet<LogId>,
    pokes: Sender<Poke>,
    given: Receiver<String>,
    heard: Vec<HeadEvent>,
}

impl Ears {
    /// Listens with a token until it is not good any more.
    fn listen(&mut self, token: &str) {
        let mut token = token.to_owned();
        loop {
            let pokes = self.pokes.clone();
            let mut tell = |event: Option<HeadEvent>| event.is_none_or(|head| pokes.send(Poke::Head(head)).is_ok());
            let failed = match self.transport.events(&token, &mut tell) {
                // A stream ends when its token does.
                Ok(()) => None,
                Err(error @ CallError::Refused { status: 401, .. }) => Some(error),
                Err(_) => self.poll(&token).err(),
            };
            if matches!(failed, Some(CallError::Refused { status: 401, .. })) {
                let _ = self.pokes.send(Poke::Unauthorized);
                return;
            }
            // Waiting for a newer token is the pause.
            if let Ok(newer) = self.given.recv_timeout(PAUSE) {
                token = newer;
            }
            while let Ok(newer) = self.given.try_recv() {
                token = newer;
            }
        }
    }

    fn poll(&mut self, token: &str) -> Result<(), CallError> {
        for log in &self.logs {
            let known = self.heard.iter().find(|head| head.log == *log).map_or(0, |head| head.rev);
            let head = self.transport.wait_for_head(token, *log, known)?;
            self.heard.retain(|held| held.log != *log);
            self.heard.push(head.clone());
            let _ = self.pokes.send(Poke::Head(head));
        }
        Ok(())
    }
}
