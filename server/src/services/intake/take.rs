//! Taking in what was looked through: photos first, then the rows in signed batches, each batch whole or not at all.
//! Stopped at any point, it goes on when it is asked for again.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use schema::catalogue::Text;
use schema::entity::Entity;
use schema::hash::{Hash, Salt};
use schema::ids::{BootId, DeviceId, EntityId};
use schema::limits::{BATCH_OPS_MAX, LINE_VERSION, PROTOCOL};
use schema::op::{Body, Captured, EnrolDevice, Op, PhotoClaim};
use schema::record::Record;
use schema::sync::SyncHeader;
use serde::Serialize;
use sync_core::line::{self, sha256};
use sync_core::log::chain::{self, DeviceSecret};
use uuid::Uuid;

use super::rows::Draft;
use super::{Fault, IMPORT_DEVICE, Intake, Plan};
use crate::error::{Error, Result};
use crate::services::ledger::{Append, Push, PushLine, Pushed, ServerOp, read_entity};
use crate::services::tokens::random;
use crate::services::uploads::Stream;
use crate::store::Entry;

/// The device of an import has one incarnation: it never loses its memory, which is the log.
const INCARNATION: u64 = 1;
/// How much of a photo is in memory at a time.
const CHUNK_BYTES: usize = 256 * 1024;

/// What came of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Taken {
    /// Reports made.
    pub taken: usize,
    /// Of them, reports that wait for a supervisor.
    pub parked: usize,
    /// Rows that the log did not accept.
    pub refused: Vec<Fault>,
    /// The cases, by row.
    pub cases: BTreeMap<u64, String>,
}

/// The next batch of the import's device.
struct Standing {
    secret: DeviceSecret,
    next_seq: u64,
    chain: Hash,
}

impl Intake {
    /// Takes in the new rows of a list that has no errors. `progress` hears how many rows of how many are in.
    ///
    /// # Errors
    /// The list has errors; somebody else takes one in as the same account; or the server's own. What was taken in
    /// stays, and is known when the list is taken in again.
    pub async fn take(&self, plan: Plan, progress: impl Fn(usize, usize)) -> Result<Taken> {
        if !plan.preview.errors.is_empty() {
            let told = plan.preview.errors.iter().map(|fault| fault.what.clone()).collect::<Vec<Text>>();
            return Err(Error::Faults(told));
        }
        let mut taken = Taken::default();
        if plan.drafts.is_empty() {
            return Ok(taken);
        }
        let device = plan.device();
        self.enrol(&plan, device).await?;
        let mut standing = self.standing(&plan, device).await?;
        let all = plan.drafts.len();
        for some in plan.drafts.chunks(BATCH_OPS_MAX) {
            for photo in some.iter().flat_map(|draft| &draft.photos) {
                self.upload(device, &photo.path, &photo.claim).await?;
            }
            let entries = self.push(&plan, device, some, &mut standing).await?;
            taken.count(&plan, some, &entries)?;
            progress(taken.cases.len() + taken.refused.len(), all);
        }
        self.let_photos_settle().await?;
        Ok(taken)
    }

    async fn enrol(&self, plan: &Plan, device: DeviceId) -> Result<()> {
        let num = plan.head.num;
        let known = self.store.read_async(move |db| -> Result<_> { Ok(read_entity(db, num, device.into())?) }).await?;
        match known {
            Some(Entity::Device(known)) if known.revoked.is_some() => Err(Error::fault(
                format!("该账号的导入设备 {device} 已被停用，请用另一个账号导入"),
                format!("the import device {device} of this account was revoked: import as another account"),
            )),
            Some(_) => Ok(()),
            None => {
                let body = EnrolDevice {
                    account: plan.account.id,
                    algorithm: "ES256".to_owned(),
                    key: key(plan)?.key(),
                    label: IMPORT_DEVICE.to_owned(),
                };
                let ops = vec![ServerOp::fresh(device.into(), Body::EnrolDevice(body))?];
                let entries = self.ledger.append(plan.head.log, Append { ops, ..Append::default() }).await?;
                match entries.iter().find(|entry| entry.outcome != 1) {
                    Some(entry) => Err(anyhow!("the log refused the import's device: {}", entry.record).into()),
                    None => Ok(()),
                }
            }
        }
    }

    /// Where the device's numbers and chain stand: the log knows.
    async fn standing(&self, plan: &Plan, device: DeviceId) -> Result<Standing> {
        let num = plan.head.num;
        let found = self.store.read_async(move |db| -> Result<_> {
            let last = db.last_seq(num, device, INCARNATION)?;
            Ok((last, db.batch_end(num, device, INCARNATION, last)?))
        });
        let (last, end) = found.await?;
        let chain = match end {
            Some((ended, chain)) if ended == last => chain,
            None if last == 0 => Hash::ZERO,
            _ => return Err(anyhow!("the batches of the import's device do not end where its numbers do").into()),
        };
        Ok(Standing { secret: key(plan)?, next_seq: last + 1, chain })
    }

    async fn upload(&self, device: DeviceId, path: &PathBuf, claim: &PhotoClaim) -> Result<()> {
        let standing = self.photos.create(claim.sha256, device, claim.size).await?;
        if standing.expires_ms.is_none() {
            return Ok(());
        }
        let Stream::Open(mut stream) = self.photos.begin(claim.sha256, device, standing.offset, None).await? else {
            return Ok(());
        };
        let shown = path.display();
        let mut file = File::open(path).with_context(|| format!("reading {shown}"))?;
        file.seek(SeekFrom::Start(standing.offset)).with_context(|| format!("reading {shown}"))?;
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let count = file.read(&mut chunk).with_context(|| format!("reading {shown}"))?;
            let Some(part) = chunk.get(..count).filter(|part| !part.is_empty()) else { break };
            stream.write(part).await?;
        }
        stream.finish().await?;
        Ok(())
    }

    async fn push(&self, plan: &Plan, device: DeviceId, some: &[Draft], standing: &mut Standing) -> Result<Vec<Entry>> {
        let now_ms = self.clock.now_ms();
        let wall_ms = i64::try_from(now_ms).unwrap_or(i64::MAX);
        let first_seq = standing.next_seq;
        let mut lines = Vec::with_capacity(some.len());
        for draft in some {
            let text = line::write(&self.op(plan, device, draft, wall_ms)?).context("writing a row")?;
            standing.chain =
                chain::next(&standing.chain, plan.head.log, INCARNATION, standing.next_seq, &sha256(text.as_bytes()));
            standing.next_seq += 1;
            let op = line::read(text.as_bytes()).map_err(|code| anyhow!("row {}: {code:?}", draft.row))?;
            lines.push(PushLine { bytes: text.into_bytes(), op: Ok(Box::new(op)), values: draft.values.clone() });
        }
        let mut header = SyncHeader {
            protocol: (PROTOCOL, PROTOCOL),
            log: plan.head.log,
            device,
            epoch: Some(plan.head.epoch),
            app: concat!("rectify-import/", env!("CARGO_PKG_VERSION")).to_owned(),
            incarnation: INCARNATION,
            first_seq,
            count: u32::try_from(lines.len()).unwrap_or(u32::MAX),
            chain: standing.chain,
            signature: None,
            clock: Captured { wall_ms, elapsed_ms: 0, boot: BootId(Uuid::from_bytes(random()?)) },
            scopes: BTreeMap::new(),
            own: 0,
            checkpoint: None,
            durable_checkpoint: None,
            rows: None,
            receipts: Vec::new(),
        };
        header.signature = Some(standing.secret.sign(&chain::batch_message(&header)));
        let signed_by = Some(standing.secret.key());
        let (carried, earlier) = (false, HashMap::new());
        let push = Push { header, lines, arrived_ms: now_ms, carried, signed_by, earlier };
        match self.ledger.push(push).await? {
            Pushed::Taken(entries) => Ok(entries),
            Pushed::Refused(_) | Pushed::UnknownDevice => Err(Error::fault(
                "同一账号正有另一个导入在进行，请等它结束后重新运行；已导入的行不会重复",
                "another import is under way as the same account: run this again when it has ended; nothing is taken twice",
            )),
        }
    }

    fn op(&self, plan: &Plan, device: DeviceId, draft: &Draft, now_ms: i64) -> Result<Op> {
        let (kind, body) = line::kind_and_body(&Body::Report(draft.report.clone())).context("writing a row")?;
        Ok(Op {
            v: LINE_VERSION,
            log: plan.head.log,
            op: plan.derived.op(&draft.identity),
            device,
            actor: plan.account.id,
            entity: plan.derived.case(&draft.identity),
            kind,
            kind_version: line::KIND_VERSION,
            base: None,
            // No boot is named: what a list says of its date is tied to no clock of ours.
            captured: Captured { wall_ms: draft.captured_ms.unwrap_or(now_ms), elapsed_ms: 0, boot: BootId::NIL },
            salt: Salt(random()?),
            body,
        })
    }

    /// Has every photo looked at that is here and was not, also what an earlier run left. What can't be looked at now a
    /// server's sweep tries again.
    async fn let_photos_settle(&self) -> Result<()> {
        let mut before = Vec::new();
        loop {
            let left = self.store.read_async(|db| -> Result<_> { Ok(db.unsettled_photos(i64::MAX)?) }).await?;
            if left.is_empty() || left == before {
                return Ok(());
            }
            self.photos.sweep().await?;
            before = left;
        }
    }
}

fn key(plan: &Plan) -> Result<DeviceSecret> {
    Ok(plan.derived.key(plan.account.id).context("no key follows from the import secret")?)
}

impl Taken {
    fn count(&mut self, plan: &Plan, some: &[Draft], entries: &[Entry]) -> Result<()> {
        for (draft, entry) in some.iter().zip(entries) {
            let record: Record = serde_json::from_str(&entry.record).context("reading a record")?;
            match entry.outcome {
                1 | 2 => self.taken += 1,
                4 => {
                    self.taken += 1;
                    self.parked += 1;
                }
                _ => {
                    let code = record.code.map(|code| format!("{code:?}")).unwrap_or_default();
                    let (zh, en) = (format!("日志未接受（{code}）"), format!("the log did not accept it ({code})"));
                    self.refused.push(Fault::of_row(draft.row, &zh, &en));
                    continue;
                }
            }
            let case: EntityId = plan.derived.case(&draft.identity);
            self.cases.insert(draft.row, line::short_code(case));
        }
        Ok(())
    }
}
