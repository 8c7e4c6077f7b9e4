//! Two servers on one PostgreSQL take pushes at the same time: nothing is lost, nothing is there twice, and whichever
//! server somebody asks says the same.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context, Result};
use databases::Kind;
use server::store::{Store, StoreError};
use sync_core::log::tree::Frontier;
use tests::programs::{Installation, Phone};

use crate::city::{District, settle};

const PHONES: usize = 6;
const REPORTS_EACH: usize = 20;

#[test]
fn two_servers_on_one_database_lose_and_double_nothing() {
    two_servers().unwrap();
}

fn two_servers() -> Result<()> {
    let mut district = District::on(Kind::Postgres)?;
    let mut second = district.installation.beside(district.folder.path().join("second"))?;
    second.start()?;
    let grids = district.grids();
    let mut phones = Vec::new();
    for (index, grid) in grids.iter().take(PHONES).enumerate() {
        let url = if index % 2 == 0 { district.installation.url() } else { second.url() };
        let phone = district.phone_at(&url, &format!("inspector{index}"), "inspector", &["--area", grid])?;
        settle(&phone)?;
        let place = district.place(grid)?;
        for nth in 0..REPORTS_EACH {
            let subject = format!("stall {index}-{nth}");
            let kind = ["--category", "stall", "--subtype", "road_occupation", "--at", &place, "--subject", &subject];
            phone.must(&[&["report"], kind.as_slice()].concat())?;
        }
        phones.push(phone);
    }
    let mut syncing = phones.iter().map(|phone| phone.spawn(&["sync"])).collect::<Result<Vec<_>>>()?;
    // One of the two is killed while phones of both are sending, and comes back.
    syncing[0].wait()?;
    second.kill()?;
    for mut child in syncing {
        child.wait()?;
    }
    second.start()?;
    phones.iter().try_for_each(|phone| settle(phone).map(drop))?;

    // Each server shows a supervisor every report, whichever server took it.
    for (login, url) in [("first", district.installation.url()), ("second", second.url())] {
        let supervisor = district.phone_at(&url, login, "supervisor", &[])?;
        settle(&supervisor)?;
        let listed = supervisor.must(&["list", "--limit", "1000"])?;
        let cases = listed["cases"].as_array().context("a list")?;
        assert_eq!(cases.len(), PHONES * REPORTS_EACH, "at the {login} server");
    }
    log_is_whole(&district.installation)?;
    assert_eq!(second.must(&["rebuild"])?["different"], 0);

    // Both are killed and started at once: neither finds anything to mend.
    district.installation.kill()?;
    second.kill()?;
    std::thread::scope(|scope| -> Result<()> {
        let other = scope.spawn(|| second.start().map(drop));
        district.installation.start()?;
        other.join().ok().context("the second start")?
    })?;
    phones.iter().try_for_each(|phone: &Phone| settle(phone).map(drop))?;
    log_is_whole(&district.installation)
}

fn log_is_whole(installation: &Installation) -> Result<()> {
    let store = Store::open(&installation.database)?;
    let (head, entries) = store.read(|db| {
        let head = db.heads()?.pop().ok_or(StoreError::Damaged("no log"))?;
        let entries = db.entries_after(head.num, 0, 1_000_000)?;
        Ok::<_, StoreError>((head, entries))
    })?;
    let reports: BTreeSet<_> = entries.iter().filter(|it| it.kind == "report").map(|it| it.op).collect();
    assert_eq!(reports.len(), PHONES * REPORTS_EACH);
    assert!(entries.iter().zip(1..).all(|(entry, rev)| entry.rev == rev), "no gaps, nothing twice");
    assert!(entries.iter().all(|entry| entry.kind != "start_epoch"), "no server took the other's work for a restore");
    let tree: Frontier = entries.iter().map(|entry| entry.leaf).collect();
    assert_eq!((tree.root(), tree.size()), (head.root, head.rev));
    Ok(())
}

/// Two servers that begin an empty installation together begin one: one log, one first administrator.
#[test]
fn two_first_starts_at_once_make_one_installation() {
    first_starts().unwrap();
}

fn first_starts() -> Result<()> {
    let folder = tempfile::TempDir::new()?;
    let mut begun = Installation::on(Kind::Postgres, folder.path().join("keys-only"))?;
    // Keys are made on one machine and copied to the others before the first start.
    begun.start()?;
    begun.kill()?;
    let address = Kind::Postgres.address(&folder.path().join("empty"));
    let server = |name: &str| -> Result<Installation> {
        let data: PathBuf = folder.path().join(name);
        let mut server = begun.beside(data)?;
        server.database.clone_from(&address);
        Ok(server)
    };
    let (mut one, mut other) = (server("one")?, server("other")?);
    let said = std::thread::scope(|scope| -> Result<_> {
        let second = scope.spawn(|| other.start());
        let first = one.start()?;
        Ok([first, second.join().ok().context("the second start")??])
    })?;
    let codes = said.iter().filter(|said| said["admin_code"].is_string()).count();
    assert_eq!(codes, 1, "one of them made the first administrator: {said:?}");
    let heads = Store::open(&address)?.read(|db| db.heads())?;
    assert_eq!(heads.len(), 1, "one log");
    Ok(())
}
