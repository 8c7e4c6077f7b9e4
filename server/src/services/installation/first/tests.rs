//! A start, or the adding of an account, that was killed in the middle goes on where it stopped.

use schema::catalogue::{CITY_CATALOGUE, Text};
use schema::ids::{AccountId, DeviceId, EpochId, LogId};
use schema::op::{CreateLog, Role};

use super::{District, Installation, NewAccount};
use crate::clock::Clock;
use crate::services::documents;
use crate::services::ledger::Ledger;
use crate::services::passwords::Passwords;
use crate::services::world::{START_MS, id};
use crate::store::{AccountSecret, Store, StoreError};

const SIGNER: &str = "rectify.test+00000000+AA==";

struct Place {
    _folder: tempfile::TempDir,
    store: Store,
    ledger: Ledger,
    installation: Installation,
}

fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&databases::address(folder.path())).unwrap();
    let clock = Clock::standing(START_MS);
    let ledger = Ledger::start(store.clone(), clock.clone()).unwrap();
    let installation = Installation::new(store.clone(), ledger.clone(), clock, Passwords::new());
    Place { _folder: folder, store, ledger, installation }
}

fn text() -> Text {
    Text { zh: "试验区".into(), en: "Test".into() }
}

fn secret(account: u128, login: &str) -> AccountSecret {
    let account = AccountId(id(2, account));
    AccountSecret { account, login: login.into(), password: None, disabled: false }
}

#[tokio::test]
async fn a_first_start_that_was_killed_goes_on() {
    let (log, epoch) = (LogId(id(0, 1)), EpochId(id(8, 1)));
    let district = District { name: text(), zone: "Asia/Shanghai".into() };
    for steps in 0..=4 {
        let place = place();
        if steps >= 1 {
            place.store.make_log(log, epoch).unwrap();
        }
        if steps >= 2 {
            let server_device = DeviceId(id(9, 9));
            let body = CreateLog { name: text(), zone: "Asia/Shanghai".into(), signer: SIGNER.into(), server_device };
            place.ledger.create_log(log, epoch, body).await.unwrap();
        }
        if steps >= 3 {
            documents::import_catalogue(&place.ledger, log, CITY_CATALOGUE.into()).await.unwrap();
        }
        if steps >= 4 {
            let done: Result<(), StoreError> = place.store.write(|db| db.insert_account(&secret(1, "admin"), START_MS));
            done.unwrap();
        }
        let code = place.installation.first_start(&district, SIGNER).await.unwrap();
        assert!(code.is_some(), "after {steps} steps");
        assert_eq!(place.installation.log_count().await.unwrap(), 1);
        let heads = place.installation.heads().await.unwrap();
        assert!(place.installation.has_catalogue(&heads[0]).await.unwrap(), "after {steps} steps");
        let accounts = place.installation.accounts().await.unwrap();
        assert_eq!((accounts.len(), accounts[0].login.as_str()), (1, "admin"));
        assert_eq!(accounts[0].grants.iter().map(|(role, _)| *role).collect::<Vec<_>>(), [Role::Admin]);
        let after = place.installation.heads().await.unwrap();
        assert_eq!(place.installation.first_start(&district, SIGNER).await.unwrap(), None, "after {steps} steps");
        let again = place.installation.heads().await.unwrap();
        assert_eq!((again.len(), again[0].root), (1, after[0].root), "a second start changes nothing");
    }
}

#[tokio::test]
async fn adding_an_account_goes_on_from_its_secret_and_takes_no_login_twice() {
    let place = place();
    let district = District { name: text(), zone: "Asia/Shanghai".into() };
    place.installation.first_start(&district, SIGNER).await.unwrap();
    let left = secret(7, "li");
    let done: Result<(), StoreError> = place.store.write(|db| db.insert_account(&left, START_MS));
    done.unwrap();
    let new = NewAccount {
        id: None,
        login: "li".into(),
        name: "li".into(),
        person: None,
        role: Some(Role::Inspector),
        area: None,
        units: Vec::new(),
        password: Some("correct horse battery staple".into()),
    };
    assert_eq!(place.installation.add_account(new.clone()).await.unwrap(), left.account);
    let kept: Result<_, StoreError> = place.store.read(|db| db.account_secret(left.account));
    assert!(kept.unwrap().unwrap().password.is_some());
    assert!(place.installation.add_account(new).await.is_err(), "the login name is taken");
}
