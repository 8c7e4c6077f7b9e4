//! Finding the case that a person means, and the catalogue that it is read by.

use schema::case::Case;
use schema::catalogue::{CITY_CATALOGUE, Catalogue};
use schema::entity::Entity;
use schema::hash::Hash;
use schema::ids::{EntityId, LogId};
use sync_core::device::phone::Phone;

use super::say::{Failure, Out, print};

/// A case with its log.
pub(crate) struct Found {
    pub(crate) log: LogId,
    pub(crate) case: Box<Case>,
}

/// The one case that is meant; several are listed and refused.
pub(crate) fn find(phone: &Phone, out: Out, typed: &str) -> Result<Found, Failure> {
    let rows = phone.find(typed)?;
    match rows.as_slice() {
        [] => Err(Failure::refused(format!("本机没有案件“{typed}”"), format!("no case {typed} on this phone"))),
        [row] => match phone.view(row.log, row.case)?.map(|shown| shown.entity) {
            Some(Entity::Case(case)) => Ok(Found { log: row.log, case }),
            _ => Err(Failure::refused(
                "该案件由更新版本的程序生成，请升级",
                "this case was made by a newer program: update this one",
            )),
        },
        several => {
            for row in several {
                let number = row.number.as_deref().unwrap_or("-");
                print(&format!("{}  {}  {}  {}", row.case, row.short_code, number, out.state(row.state)));
            }
            Err(Failure::refused(
                format!("“{typed}”对应 {} 个案件，请使用 ID", several.len()),
                format!("{typed} may be {} cases: use the id", several.len()),
            ))
        }
    }
}

/// As [`find`], or the id as typed: a parked report is no case yet.
pub(crate) fn find_id(phone: &Phone, out: Out, typed: &str) -> Result<(LogId, EntityId), Failure> {
    if let (Ok(entity), true) = (typed.parse(), phone.find(typed)?.is_empty()) {
        let logs = phone.logs()?;
        return match logs.as_slice() {
            [only] => Ok((only.log, entity)),
            _ => Err(Failure::refused("本机没有该案件", "no such case on this phone")),
        };
    }
    find(phone, out, typed).map(|found| (found.log, found.case.id))
}

/// The catalogue to fill in by, and its hash to name. Before the first sync the one that the program comes with is
/// used, and none is named.
pub(crate) fn catalogue(phone: &Phone, log: LogId, out: Out) -> Result<(Option<Hash>, Option<Catalogue>), Failure> {
    if let Some((hash, catalogue)) = phone.catalogue(log)? {
        return Ok((Some(hash), Some(catalogue)));
    }
    out.note(
        "尚未取得案件目录，暂按程序自带目录填写；同步后自动更新",
        "the catalogue was not fetched yet: the one that the program comes with is used",
    );
    Ok((None, serde_json::from_str(CITY_CATALOGUE).ok()))
}

/// The catalogue that a case is read by: its own, else the one in force.
pub(crate) fn catalogue_of(phone: &Phone, found: &Found) -> Result<Option<Catalogue>, Failure> {
    if let Some(hash) = found.case.catalogue
        && let Some(catalogue) = phone.catalogue_of(hash)?
    {
        return Ok(Some(catalogue));
    }
    if let Some((_, catalogue)) = phone.catalogue(found.log)? {
        return Ok(Some(catalogue));
    }
    Ok(serde_json::from_str(CITY_CATALOGUE).ok())
}
