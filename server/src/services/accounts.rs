//! Accounts: logging in, staying logged in, and who a request comes from. What an account may do
//! is read from the logs for each request; a token says only who.

use std::net::IpAddr;
use std::sync::Arc;

use schema::auth::{Login, Refresh, Tokens as TokenPair};
use schema::entity::{Account, Entity};
use schema::hash::ExportKey;
use schema::ids::{AccountId, DeviceId, EntityId, EpochId, LogId};
use schema::limits::{ACCESS_TOKEN_S, DAY_MS, REFRESH_TOKEN_DAYS};
use schema::problem::ProblemCode;
use uuid::Uuid;

use super::ledger::Ledger;
use super::passwords::{self, Passwords};
use super::throttle::{self, Guess};
use super::tokens::{Family, RefreshToken, Renewal, Tokens, renewal};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::store::{InLog, Session, Store};

/// Accounts. Cheap to clone.
#[derive(Clone)]
pub struct Accounts {
    pub(super) store: Store,
    pub(super) clock: Clock,
    tokens: Arc<Tokens>,
    export_key: ExportKey,
    passwords: Passwords,
    pub(super) ledger: Ledger,
}

/// Who a request comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The account.
    pub account: AccountId,
    /// The phone; none for a login by password.
    pub device: Option<DeviceId>,
    /// Every log that knows the phone has shut it out.
    pub revoked: bool,
    /// When the caller's token ends, in ms.
    pub until_ms: u64,
    /// The logs that know the account, and what it may do there.
    pub logs: Vec<Access>,
}

/// What an account may do in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The log.
    pub log: LogId,
    /// Its epoch.
    pub epoch: EpochId,
    /// Its rights there.
    pub account: Account,
}

impl Caller {
    /// What the caller may do in a log; `not_found` where it may do nothing.
    ///
    /// # Errors
    /// `not_found`.
    pub fn in_log(&self, log: LogId) -> Result<&Access> {
        self.logs.iter().find(|access| access.log == log).ok_or_else(|| Error::refused(ProblemCode::NotFound))
    }
}

/// What a login comes to, decided with its count written.
enum Attempt {
    Wait { seconds: u64 },
    Check { account: Option<AccountId>, stored: Option<String> },
}

impl Accounts {
    /// Accounts of an installation.
    pub fn new(
        store: Store,
        clock: Clock,
        (tokens, export_key): (Tokens, ExportKey),
        passwords: Passwords,
        ledger: Ledger,
    ) -> Self {
        Self { store, clock, tokens: Arc::new(tokens), export_key, passwords, ledger }
    }

    /// Where passwords are hashed.
    pub fn passwords(&self) -> &Passwords {
        &self.passwords
    }

    /// Logs a person in by password. `from` is the address that the request came from, where it is known.
    ///
    /// # Errors
    /// `wrong_password`, `too_many`, `unavailable`.
    pub async fn login(&self, Login { login, password }: Login, from: Option<IpAddr>) -> Result<TokenPair> {
        let now_ms = self.clock.now_ms();
        let guesses: Vec<Guess> = [Guess::name(&login)].into_iter().chain(from.map(Guess::address)).collect();
        let counted = guesses.clone();
        let attempt = self
            .store
            .write_async(move |db| -> Result<Attempt> {
                if let Some(seconds) = throttle::count(db, &counted, now_ms)? {
                    return Ok(Attempt::Wait { seconds });
                }
                let known = db.account_by_login(&login)?.filter(|known| !known.disabled);
                let account = known.as_ref().map(|known| known.account);
                Ok(Attempt::Check { account, stored: known.and_then(|known| known.password) })
            })
            .await?;
        let (account, stored) = match attempt {
            Attempt::Wait { seconds } => return Err(Error::later(ProblemCode::TooMany, seconds)),
            Attempt::Check { account, stored } => (account, stored),
        };
        let old = stored.as_deref().is_some_and(|stored| !passwords::is_current(stored));
        let right = self.passwords.verify(password.clone(), stored).await?;
        let Some(account) = account.filter(|_| right) else {
            self.store.write_async(move |db| -> Result<_> { Ok(throttle::forget(db, now_ms)?) }).await?;
            return Err(Error::refused(ProblemCode::WrongPassword));
        };
        let rehashed = if old { Some(self.passwords.hash(password).await?) } else { None };
        self.store
            .write_async(move |db| -> Result<()> {
                if rehashed.is_some() {
                    db.set_password(account, rehashed.as_deref())?;
                }
                Ok(throttle::was_right(db, &guesses)?)
            })
            .await?;
        self.start_session(account, None).await
    }

    /// Counts a one-time code from an address before it is looked at.
    pub(super) async fn count_code(&self, from: Option<IpAddr>) -> Result<Vec<Guess>> {
        let now_ms = self.clock.now_ms();
        let guesses: Vec<Guess> = from.map(Guess::address).into_iter().collect();
        let counted = guesses.clone();
        match self.store.write_async(move |db| -> Result<_> { Ok(throttle::count(db, &counted, now_ms)?) }).await? {
            Some(seconds) => Err(Error::later(ProblemCode::TooMany, seconds)),
            None => Ok(guesses),
        }
    }

    /// New tokens for a refresh token.
    ///
    /// # Errors
    /// `unauthenticated`, `refresh_reused`, `device_revoked`.
    pub async fn renew(&self, Refresh { refresh }: Refresh) -> Result<TokenPair> {
        let refused = || Error::refused(ProblemCode::Unauthenticated);
        let shown = RefreshToken::parse(&refresh).ok_or_else(refused)?;
        let next = self.tokens.next_refresh(&shown);
        let now_ms = self.clock.now_ms();
        let (family, stored, stored_next) = (shown.family, shown.stored(), next.stored());
        let tokens = self.tokens.clone();
        let (session, became) = self
            .store
            .write_async(move |db| -> Result<(Option<Session>, Renewal)> {
                let Some(session) = db.session(family)? else { return Ok((None, Renewal::Ended)) };
                let became = match renewal(&family_of(&session), &stored, now_ms) {
                    Renewal::Repeat if stored_next != session.current => Renewal::Reused,
                    decided => decided,
                };
                // After a restore of the server a phone may be ahead of it.
                let became = match became {
                    Renewal::Reused if tokens.is_later(&shown, &session.current) => Renewal::Rotate,
                    decided => decided,
                };
                match became {
                    Renewal::Rotate => {
                        db.rotate_session(family, &stored_next, &stored, now_ms, session_end(now_ms))?;
                    }
                    Renewal::Reused => db.end_session(family, now_ms)?,
                    Renewal::Repeat | Renewal::Ended => {}
                }
                Ok((Some(session), became))
            })
            .await?;
        let session = session.ok_or_else(refused)?;
        match became {
            Renewal::Reused => {
                tracing::warn!(account = %session.account, session = %family, "a refresh token was used twice");
                Err(Error::refused(ProblemCode::RefreshReused))
            }
            Renewal::Ended => Err(refused()),
            Renewal::Rotate | Renewal::Repeat => {
                let caller = self.caller(session.account, session.device, now_ms).await?;
                if caller.revoked {
                    return Err(Error::refused(ProblemCode::DeviceRevoked));
                }
                self.pair(session.account, session.device, &next)
            }
        }
    }

    /// Ends a login. What is no login has ended already.
    ///
    /// # Errors
    /// The server's own.
    pub async fn logout(&self, Refresh { refresh }: Refresh) -> Result<()> {
        let Some(shown) = RefreshToken::parse(&refresh) else { return Ok(()) };
        let now_ms = self.clock.now_ms();
        self.store
            .write_async(move |db| -> Result<()> {
                let session = db.session(shown.family)?;
                let stored = shown.stored();
                if session.is_some_and(|session| session.current == stored || session.previous == Some(stored)) {
                    db.end_session(shown.family, now_ms)?;
                }
                Ok(())
            })
            .await
    }

    /// Who a bearer token speaks of, with what they may do now. A revoked phone is told so by its caller's flag.
    ///
    /// # Errors
    /// `unauthenticated`.
    pub async fn authenticate(&self, token: &str) -> Result<Caller> {
        let claims = self.tokens.open(token, self.clock.now_ms())?;
        let until_ms = u64::try_from(claims.exp).unwrap_or(0).saturating_mul(1000);
        self.caller(claims.sub, claims.device, until_ms).await
    }

    /// A ticket with which a browser, which shows no token, opens one page for a caller within a minute.
    ///
    /// # Errors
    /// The server's own.
    pub fn ticket(&self, page: &str, caller: &Caller) -> Result<String> {
        self.tokens.ticket(page, caller.account, caller.device, self.clock.now_ms())
    }

    /// Who a ticket to a page speaks of.
    ///
    /// # Errors
    /// `unauthenticated`.
    pub async fn by_ticket(&self, page: &str, ticket: &str) -> Result<Caller> {
        let claims = self.tokens.open_ticket(page, ticket, self.clock.now_ms())?;
        let until_ms = u64::try_from(claims.exp).unwrap_or(0).saturating_mul(1000);
        self.caller(claims.sub, claims.device, until_ms).await
    }

    /// Whether a caller whose stream is open may still have it; reads its rights again.
    pub async fn still_welcome(&self, caller: &mut Caller) -> bool {
        match self.caller(caller.account, caller.device, caller.until_ms).await {
            Ok(now) if !now.revoked => {
                *caller = now;
                true
            }
            Ok(_) | Err(_) => false,
        }
    }

    async fn caller(&self, account: AccountId, device: Option<DeviceId>, until_ms: u64) -> Result<Caller> {
        let caller = self
            .store
            .read_async(move |db| -> Result<Option<Caller>> {
                if db.account_secret(account)?.is_none_or(|secret| secret.disabled) {
                    // The phone of a disabled account may still deliver, like a revoked one.
                    let delivers = Caller { account, device, revoked: true, until_ms, logs: Vec::new() };
                    return Ok(device.map(|_| delivers));
                }
                let logs = db
                    .in_all_logs(EntityId::from(account))?
                    .into_iter()
                    .filter_map(|InLog { log, epoch, entity }| match entity {
                        Entity::Account(account) if account.disabled_rev.is_none() => {
                            Some(Access { log, epoch, account })
                        }
                        _ => None,
                    })
                    .collect();
                let phones = device.map(|device| db.in_all_logs(EntityId::from(device))).transpose()?;
                let revoked = phones.is_some_and(|phones| {
                    !phones.is_empty() && phones.iter().all(|phone| is_shut_out(&phone.entity, account))
                });
                Ok(Some(Caller { account, device, revoked, until_ms, logs }))
            })
            .await?;
        caller.ok_or_else(|| Error::refused(ProblemCode::Unauthenticated))
    }

    pub(super) async fn start_session(&self, account: AccountId, device: Option<DeviceId>) -> Result<TokenPair> {
        let now_ms = self.clock.now_ms();
        let family = Uuid::from_bytes(super::tokens::random()?);
        let refresh = self.tokens.first_refresh(family);
        let session = Session {
            family,
            account,
            device,
            current: refresh.stored(),
            previous: None,
            expires_ms: session_end(now_ms),
            ended: false,
        };
        self.store
            .write_async(move |db| -> Result<()> {
                // A phone has one login: enrolling it again ends what an older token could still do.
                if device.is_some() {
                    db.end_sessions(account, device, now_ms)?;
                }
                Ok(db.insert_session(&session, now_ms)?)
            })
            .await?;
        self.pair(account, device, &refresh)
    }

    fn pair(&self, account: AccountId, device: Option<DeviceId>, refresh: &RefreshToken) -> Result<TokenPair> {
        Ok(TokenPair {
            access: self.tokens.access(account, device, self.clock.now_ms())?,
            access_expires_in_s: ACCESS_TOKEN_S,
            refresh: refresh.text(),
            export_key: Some(self.export_key),
        })
    }
}

fn family_of(session: &Session) -> Family {
    Family {
        current: session.current,
        previous: session.previous,
        expires_ms: session.expires_ms,
        ended: session.ended,
    }
}

fn is_shut_out(entity: &Entity, account: AccountId) -> bool {
    match entity {
        Entity::Device(device) => device.revoked.is_some() || device.account != account,
        _ => true,
    }
}

fn session_end(now_ms: u64) -> u64 {
    now_ms.saturating_add(REFRESH_TOKEN_DAYS.unsigned_abs().saturating_mul(DAY_MS))
}
