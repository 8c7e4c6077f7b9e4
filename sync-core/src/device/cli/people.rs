//! `people`: who uses this phone, and the PIN that each of them types. No network is asked for any of it.

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

use sync_core::device::clocks::Clocks;
use sync_core::device::entropy::SystemEntropy;
use sync_core::device::error::PhoneError;
use sync_core::device::people::{self, Person};
use sync_core::device::phone::Phone;
use sync_core::device::vault::{self, Vault};

use super::args::People;
use super::say::{Failure, Out};

/// Opens the store of a person of this phone, with their PIN where there is one.
pub(crate) fn open(home: &Path, person: Option<&str>, clocks: &Clocks, out: Out) -> Result<Phone, Failure> {
    let (name, folder) = chosen(home, person)?;
    // What was wiped says so before anything is asked.
    let mut phone = Phone::open(&folder, Box::new(SystemEntropy))?;
    if vault::has_pin(&folder) {
        phone.unlock(unlock(&folder, &name, clocks, out)?);
    }
    Ok(phone)
}

fn chosen(home: &Path, person: Option<&str>) -> Result<(String, std::path::PathBuf), PhoneError> {
    let name = match person {
        Some(name) => name.to_owned(),
        None => people::active(home)?,
    };
    let folder = people::known(home, &name)?;
    Ok((name, folder))
}

fn unlock(folder: &Path, name: &str, clocks: &Clocks, out: Out) -> Result<Vault, Failure> {
    let pin = typed("RECTIFY_PHONE_PIN", out, &format!("{name} 的 PIN："), &format!("PIN of {name}: "))?;
    Ok(vault::unlock(folder, &pin, clocks.now().wall_ms)?)
}

/// A PIN from the environment, or typed unseen at a terminal.
#[expect(clippy::disallowed_methods, reason = "the program's edge: here settings become arguments")]
fn typed(setting: &str, out: Out, zh: &str, en: &str) -> Result<String, Failure> {
    match std::env::var(setting) {
        Ok(pin) => Ok(pin),
        Err(_) if std::io::stdin().is_terminal() => rpassword::prompt_password(out.pick(zh, en)).map_err(|error| {
            Failure::refused(format!("无法读取 PIN：{error}"), format!("the PIN can't be read: {error}"))
        }),
        Err(_) => Err(PhoneError::PinNeeded.into()),
    }
}

/// A new PIN: typed twice at a terminal.
fn new_pin(setting: &str, out: Out) -> Result<String, Failure> {
    let pin = typed(setting, out, "新 PIN（至少 6 个字符）：", "new PIN, at least 6 characters: ")?;
    let again = typed(setting, out, "再输入一次：", "the same again: ")?;
    if pin == again {
        return Ok(pin);
    }
    Err(Failure::refused("两次输入不一致", "these are two different PINs"))
}

/// Does what is asked about people.
pub(crate) fn people(
    home: &Path,
    person: Option<&str>,
    clocks: &Clocks,
    out: Out,
    asked: &People,
) -> Result<ExitCode, Failure> {
    match asked {
        People::List => list(&people::list(home)?, out)?,
        People::Switch { name } => {
            let folder = people::known(home, name)?;
            if vault::has_pin(&folder) {
                unlock(&folder, name, clocks, out)?;
            }
            people::switch(home, name)?;
            out.json(&serde_json::json!({ "active": name }))?;
            out.line(format!("现在由 {name} 使用本机"), format!("{name} uses this phone now"));
        }
        People::Add { name } => {
            let pin = new_pin("RECTIFY_PHONE_PIN", out)?;
            people::add(home, name, &pin, &mut SystemEntropy)?;
            out.json(&serde_json::json!({ "added": name }))?;
            out.line(
                format!("已添加 {name}；登记：rectify-phone --person {name} enrol …"),
                format!("{name} is added; to enrol them: rectify-phone --person {name} enrol …"),
            );
        }
        People::Pin => set_pin(home, person, clocks, out)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn set_pin(home: &Path, person: Option<&str>, clocks: &Clocks, out: Out) -> Result<(), Failure> {
    let (name, folder) = chosen(home, person)?;
    let mut phone = Phone::open(&folder, Box::new(SystemEntropy))?;
    let held = if vault::has_pin(&folder) { Some(unlock(&folder, &name, clocks, out)?) } else { None };
    let pin = new_pin("RECTIFY_PHONE_NEW_PIN", out)?;
    let vault = vault::set_pin(&folder, &pin, held, &mut SystemEntropy)?;
    phone.lock_in(vault)?;
    out.json(&serde_json::json!({ "pin": name }))?;
    out.line(format!("已设置 {name} 的 PIN"), format!("the PIN of {name} is set"));
    Ok(())
}

fn list(people: &[Person], out: Out) -> Result<(), Failure> {
    out.json(&people)?;
    for person in people {
        let sign = if person.active { "*" } else { " " };
        let account = person.account.as_deref().unwrap_or_else(|| out.pick("未登记", "not enrolled"));
        let pin = if person.pin { "PIN" } else { out.pick("无 PIN", "no PIN") };
        let end = match (person.wiped, person.unsent) {
            (true, _) => out.pick("  已清除", "  wiped").to_owned(),
            (false, 0) => String::new(),
            (false, unsent) => format!("  {} {unsent}", out.pick("未发送", "unsent")),
        };
        let line = format!("{sign} {}  {account}  {pin}{end}", person.name);
        out.line(&line, &line);
    }
    Ok(())
}
