//! Taking in a list: a ledger of a hotline, an inspection team's findings, a survey. Each row is an ordinary `report` of
//! a named account, made on the server by a device of that account's own and signed by it. A preview tells everything
//! that is wrong, row by row, and nothing is taken while anything is; taking it in again changes nothing.

mod columns;
mod decode;
mod derived;
mod files;
mod known;
mod rows;
mod take;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use schema::case::Channel;
use schema::catalogue::{Catalogue, Text};
use schema::entity::{Account, Entity};
use schema::hash::Hash;
use schema::ids::{DeviceId, EntityId, LogId};
use schema::op::Role;
use schema::problem::ProblemCode;
use serde::Serialize;
use sync_core::area::AreaIndex;
use sync_core::line::singleton_id;

use super::keys;
use super::ledger::{Ledger, read_entity, zone_of};
use super::photos::Photos;
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::store::{LogHead, Store};
use columns::{Column, Columns};
pub use decode::Encoding;
use derived::Derived;
use files::Files;
use rows::{Draft, Reader};
pub use take::Taken;

/// The largest list.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// The most rows in a list.
const ROWS_MAX: usize = 100_000;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The district's log.
    pub log: LogId,
    /// The list.
    pub file: PathBuf,
    /// The folder of its photos.
    pub photos: Option<PathBuf>,
    /// Login name of the account that reports.
    pub account: String,
    /// Where the rows come from, unless a column says so.
    pub source: Option<Channel>,
    /// Positions are GCJ-02.
    pub gcj02: bool,
}

/// Something about a list that a person should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The row, as a spreadsheet counts it: the header is 1. None where it is the whole file.
    pub row: Option<u64>,
    /// The column, as the file names it.
    pub column: Option<String>,
    /// What it is and what to do.
    #[serde(flatten)]
    pub what: Text,
}

impl Fault {
    fn of_file(zh: &str, en: &str) -> Self {
        Self { row: None, column: None, what: Text { zh: zh.to_owned(), en: en.to_owned() } }
    }

    fn of_row(row: u64, zh: &str, en: &str) -> Self {
        Self { row: Some(row), ..Self::of_file(zh, en) }
    }

    fn of_column(row: u64, column: &str, zh: &str, en: &str) -> Self {
        Self { row: Some(row), column: Some(column.to_owned()), ..Self::of_file(zh, en) }
    }
}

/// What would come of a list.
#[derive(Debug, Clone, Serialize)]
pub struct Preview {
    /// How the file is encoded.
    pub encoding: Option<Encoding>,
    /// Rows with anything in them.
    pub rows: usize,
    /// Rows that would become reports.
    pub new: usize,
    /// Rows that were taken in before, just as they are.
    pub known: usize,
    /// Photos of the new rows.
    pub photos: usize,
    /// Rows whose number was taken in before with another content: they are left as they are.
    pub different: Vec<Fault>,
    /// Rows whose number a case has already that somebody else reported: they are not taken in again.
    pub here: Vec<Fault>,
    /// What must be mended first.
    pub errors: Vec<Fault>,
    /// What is taken in all the same, and flagged.
    pub warnings: Vec<Fault>,
}

/// A list that was looked through.
pub struct Plan {
    /// What would come of it.
    pub preview: Preview,
    head: LogHead,
    account: Account,
    derived: Derived,
    drafts: Vec<Draft>,
}

/// Takes in lists.
#[derive(Clone)]
pub struct Intake {
    store: Store,
    ledger: Ledger,
    photos: Photos,
    clock: Clock,
    secret: [u8; 32],
}

/// What rows are checked against.
struct Ground {
    head: LogHead,
    account: Account,
    catalogue: (Hash, std::sync::Arc<Catalogue>),
    areas: Option<std::sync::Arc<AreaIndex>>,
    zone: jiff::tz::TimeZone,
}

impl Intake {
    /// Intake of an installation.
    ///
    /// # Errors
    /// Its secret can be neither read nor made.
    pub fn open(store: Store, ledger: Ledger, photos: Photos, clock: Clock, data: &Path) -> Result<Self> {
        let secret = keys::import_secret(data)?;
        Ok(Self { store, ledger, photos, clock, secret })
    }

    /// Looks through a list without taking anything in.
    ///
    /// # Errors
    /// The file can't be read, or nobody may report so. What is wrong with rows stands in the preview.
    pub async fn preview(&self, asked: &Asked) -> Result<Plan> {
        let ground = self.ground(asked.log, &asked.account).await?;
        let derived = Derived::new(self.secret, ground.head.log);
        let (asked, now_ms) = (asked.clone(), i64::try_from(self.clock.now_ms()).unwrap_or(i64::MAX));
        let reading = tokio::task::spawn_blocking(move || -> Result<_> {
            let (preview, drafts) = look_through(&asked, &ground, &derived, now_ms)?;
            Ok((preview, drafts, ground, derived))
        });
        let (preview, drafts, ground, derived) = reading.await.context("looking through a list")??;
        let mut plan = Plan { preview, head: ground.head, account: ground.account, derived, drafts };
        self.leave_out_known(&mut plan).await?;
        self.leave_out_reported(&mut plan).await?;
        plan.preview.new = plan.drafts.len();
        plan.preview.photos = plan.drafts.iter().map(|draft| draft.photos.len()).sum();
        Ok(plan)
    }

    async fn ground(&self, log: LogId, login: &str) -> Result<Ground> {
        let (login, parsed) = (login.to_owned(), self.ledger.parsed().clone());
        let found = self.store.read_async(move |db| -> Result<_> {
            let head = db.head(log)?.ok_or_else(|| Error::refused(ProblemCode::NotFound))?;
            let secret = db.account_by_login(&login)?;
            let account = match secret {
                Some(secret) => read_entity(db, head.num, EntityId::from(secret.account))?,
                None => None,
            };
            let catalogue = match read_entity(db, head.num, singleton_id(head.log, "catalogue"))? {
                Some(Entity::Catalogue(it)) => parsed.catalogue(db, head.num, it.sha256)?.map(|read| (it.sha256, read)),
                _ => None,
            };
            let areas = parsed.areas_in_force(db, head.num, head.log)?;
            let zone = zone_of(db, head.num, head.log)?;
            Ok((head, account, catalogue, areas, zone))
        });
        let (head, account, catalogue, areas, zone) = found.await?;
        let reports = [Role::Supervisor, Role::Inspector, Role::Crew];
        let account = match account {
            Some(Entity::Account(account))
                if account.disabled_rev.is_none() && account.grants.iter().any(|it| reports.contains(&it.role)) =>
            {
                account
            }
            _ => {
                return Err(Error::fault(
                    "--as 须是一个未停用、可以上报的账号（巡查员、主管或责任单位人员）的登录名",
                    "--as must be the login name of an account that may report: an inspector, supervisor or crew member, \
                     not disabled",
                ));
            }
        };
        let catalogue = catalogue
            .ok_or_else(|| Error::fault("还没有案件目录，请先导入", "there is no catalogue yet: import one first"))?;
        Ok(Ground { head, account, catalogue, areas, zone })
    }
}

fn look_through(asked: &Asked, ground: &Ground, derived: &Derived, now_ms: i64) -> Result<(Preview, Vec<Draft>)> {
    let shown = asked.file.display();
    let size = std::fs::metadata(&asked.file).with_context(|| format!("reading {shown}"))?.len();
    let mut preview = Preview {
        encoding: None,
        rows: 0,
        new: 0,
        known: 0,
        photos: 0,
        different: Vec::new(),
        here: Vec::new(),
        errors: Vec::new(),
        warnings: Vec::new(),
    };
    if size > FILE_BYTES_MAX {
        preview.errors.push(Fault::of_file("文件超过 64 MB，请拆分后导入", "the file is larger than 64 MB: split it"));
        return Ok((preview, Vec::new()));
    }
    let bytes = std::fs::read(&asked.file).with_context(|| format!("reading {shown}"))?;
    let (text, encoding) = match decode::decode(&bytes) {
        Ok(decoded) => decoded,
        Err(fault) => {
            preview.errors.push(fault);
            return Ok((preview, Vec::new()));
        }
    };
    preview.encoding = Some(encoding);
    preview.errors = decode::quotes(&text);
    if !preview.errors.is_empty() {
        return Ok((preview, Vec::new()));
    }
    let drafts = read_rows(asked, ground, derived, now_ms, &text, &mut preview);
    Ok((preview, drafts))
}

fn read_rows(
    asked: &Asked,
    ground: &Ground,
    derived: &Derived,
    now_ms: i64,
    text: &str,
    preview: &mut Preview,
) -> Vec<Draft> {
    let mut lines = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut records = lines.records().map_while(std::result::Result::ok);
    let Some(header) = records.next() else {
        preview.errors.push(Fault::of_file("文件是空的", "the file is empty"));
        return Vec::new();
    };
    let columns = match Columns::read(&header, &ground.catalogue.1, asked.source.is_some()) {
        Ok(columns) => columns,
        Err(faults) => {
            preview.errors.extend(faults);
            return Vec::new();
        }
    };
    let reader = Reader {
        columns: &columns,
        catalogue: &ground.catalogue.1,
        catalogue_hash: ground.catalogue.0,
        areas: ground.areas.as_deref(),
        derived,
        zone: &ground.zone,
        now_ms,
        source: asked.source,
        gcj02: asked.gcj02,
    };
    let mut files = Files::new(asked.photos.as_deref());
    let mut drafts: Vec<Draft> = Vec::new();
    let mut seen: HashMap<derived::Identity, u64> = HashMap::new();
    let breaks = |record: &csv::StringRecord| record.iter().map(|cell| cell.matches('\n').count()).sum::<usize>();
    let mut inside = breaks(&header);
    for record in records {
        // As a spreadsheet counts: a line break inside a cell begins no row.
        let line = record.position().map_or(0, csv::Position::line);
        let row = line.saturating_sub(u64::try_from(inside).unwrap_or(0));
        inside += breaks(&record);
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        preview.rows += 1;
        if preview.rows > ROWS_MAX {
            preview.errors.push(Fault::of_row(
                row,
                "超过 100000 行，请拆分后导入",
                "more than 100,000 rows: split the file",
            ));
            break;
        }
        let mut faults = Vec::new();
        let named = columns.cell(&record, &Column::Photos).unwrap_or_default();
        let photos = files.named(row, columns.name(&Column::Photos), named, &mut faults);
        match reader.read(row, &record, photos, &mut preview.warnings) {
            Ok(draft) if faults.is_empty() => match seen.insert(draft.identity, row) {
                None => drafts.push(draft),
                Some(first) => {
                    let zh = format!("与第 {first} 行是同一条（来源与编号相同，或内容完全相同），请删除一行");
                    let en = format!("it is the same as row {first} (source and number, or all of it): remove one");
                    preview.errors.push(Fault::of_row(row, &zh, &en));
                }
            },
            Ok(_) => preview.errors.extend(faults),
            Err(more) => preview.errors.extend(faults.into_iter().chain(more)),
        }
    }
    if preview.rows == 0 && preview.errors.is_empty() {
        preview.errors.push(Fault::of_file("表头之后没有任何行", "there are no rows behind the header"));
    }
    if let Some(count) = files.left_over().filter(|count| *count > 0) {
        let zh = format!("照片文件夹中有 {count} 个文件没有任何行提到");
        preview.warnings.push(Fault::of_file(&zh, &format!("no row names {count} of the files in the photo folder")));
    }
    drafts
}

/// The device that an account imports by, for a reader of the log.
pub const IMPORT_DEVICE: &str = "服务器批量导入 import at the server";

impl Plan {
    fn device(&self) -> DeviceId {
        self.derived.device(self.account.id)
    }
}
