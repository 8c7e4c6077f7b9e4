//! Several people on one phone: each has a store of their own below the phone's folder, with its own device, key, queue,
//! cursors and photos, and a PIN. Nothing is shared but the folder and the word of who is using the phone. The first
//! person, `main`, has the folder itself.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::entropy::{Entropy, SystemEntropy};
use super::error::PhoneError;
use super::open::sync_folder;
use super::phone::Phone;
use super::vault;

/// The first person of a phone.
pub const MAIN: &str = "main";
const NAME_CHARS_MAX: usize = 32;

/// A person on a phone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Person {
    /// What this person is called on this phone.
    pub name: String,
    /// The account, where the person is enrolled.
    pub account: Option<String>,
    /// A PIN is asked for.
    pub pin: bool,
    /// This person is using the phone.
    pub active: bool,
    /// The store wiped itself, for the device was revoked.
    pub wiped: bool,
    /// Ops that are on this phone only.
    pub unsent: u64,
}

fn below(home: &Path) -> PathBuf {
    home.join("people")
}

fn word(home: &Path) -> PathBuf {
    below(home).join("active")
}

/// The folder of a person, whether it is there or not.
///
/// # Errors
/// [`PhoneError::UnfitName`]: no name may lead out of the phone's folder.
pub fn folder(home: &Path, name: &str) -> Result<PathBuf, PhoneError> {
    if name == MAIN {
        return Ok(home.to_path_buf());
    }
    let fits = (1..=NAME_CHARS_MAX).contains(&name.chars().count())
        && name.chars().all(|character| character.is_alphanumeric() || matches!(character, '-' | '_'));
    if !fits || name == "active" {
        return Err(PhoneError::UnfitName);
    }
    Ok(below(home).join(name))
}

/// The folder of somebody who is on this phone.
///
/// # Errors
/// [`PhoneError::NoPerson`].
pub fn known(home: &Path, name: &str) -> Result<PathBuf, PhoneError> {
    let folder = folder(home, name)?;
    if name == MAIN || folder.is_dir() { Ok(folder) } else { Err(PhoneError::NoPerson(name.to_owned())) }
}

/// Who is using the phone.
///
/// # Errors
/// The word can't be read.
pub fn active(home: &Path) -> Result<String, PhoneError> {
    match fs::read_to_string(word(home)) {
        Ok(name) => Ok(name.trim().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(MAIN.to_owned()),
        Err(error) => Err(PhoneError::file(word(home))(error)),
    }
}

/// Somebody else uses the phone from now on. Their PIN is asked for at each use, not here.
///
/// # Errors
/// [`PhoneError::NoPerson`].
pub fn switch(home: &Path, name: &str) -> Result<(), PhoneError> {
    known(home, name)?;
    let (below, word, beside) = (below(home), word(home), below(home).join("active.new"));
    let failed = |error| PhoneError::file(&word)(error);
    fs::create_dir_all(&below).map_err(failed)?;
    let mut file = fs::File::create(&beside).map_err(failed)?;
    file.write_all(name.as_bytes()).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    fs::rename(&beside, &word).map_err(failed)?;
    sync_folder(&below)
}

/// A further person, with a PIN. Everybody else must have one by then.
///
/// # Errors
/// [`PhoneError::UnfitName`], [`PhoneError::UnfitPin`], [`PhoneError::PersonExists`], [`PhoneError::FirstWithoutPin`].
pub fn add(home: &Path, name: &str, pin: &str, entropy: &mut dyn Entropy) -> Result<(), PhoneError> {
    let folder = folder(home, name)?;
    if name == MAIN {
        return Err(PhoneError::UnfitName);
    }
    if folder.exists() && vault::has_pin(&folder) {
        return Err(PhoneError::PersonExists(name.to_owned()));
    }
    let first = list_one(home, MAIN, false)?;
    if first.account.is_some() && !first.pin {
        return Err(PhoneError::FirstWithoutPin);
    }
    let failed = |error| PhoneError::file(&folder)(error);
    fs::create_dir_all(&folder).map_err(failed)?;
    // The PIN is the last thing that makes a person: one that was interrupted may be added again.
    vault::set_pin(&folder, pin, None, entropy)?;
    sync_folder(&below(home))
}

/// Everybody on this phone.
///
/// # Errors
/// A store can't be opened.
pub fn list(home: &Path) -> Result<Vec<Person>, PhoneError> {
    let active = active(home)?;
    let mut names = vec![MAIN.to_owned()];
    if let Ok(entries) = fs::read_dir(below(home)) {
        let mut others: Vec<String> = entries
            .flatten()
            .filter(|entry| vault::has_pin(&entry.path()) || super::wipe::wiped(&entry.path()).is_some())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        others.sort();
        names.append(&mut others);
    }
    names.iter().map(|name| list_one(home, name, *name == active)).collect()
}

fn list_one(home: &Path, name: &str, active: bool) -> Result<Person, PhoneError> {
    let folder = folder(home, name)?;
    let mut person = Person {
        name: name.to_owned(),
        account: None,
        pin: vault::has_pin(&folder),
        active,
        wiped: super::wipe::wiped(&folder).is_some(),
        unsent: 0,
    };
    if folder.join("phone.db").exists() && !person.wiped {
        let status = Phone::open(&folder, Box::new(SystemEntropy))?.status()?;
        (person.account, person.unsent) = (status.account, status.on_this_phone);
    }
    Ok(person)
}
