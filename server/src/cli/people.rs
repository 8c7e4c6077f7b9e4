//! Accounts and phones, as the operator sees to them.

use std::io::Read;

use anyhow::Context;
use jiff::civil::Date;
use schema::export::TakenIn;
use schema::op::Role;
use serde_json::json;
use server::error::Result;
use server::services::installation::{Installation, NewAccount};

use super::arguments::{Account, AddAccount, Device, Granting, Place, RoleName};
use super::commands::open;
use super::output::Output;

/// Accounts.
pub(crate) async fn account(command: Account, output: &Output) -> Result<()> {
    match command {
        Account::Add(add) => add_account(add, output).await,
        Account::List(place) => {
            let accounts = open(place)?.installation.accounts().await?;
            let lines: Vec<String> = accounts
                .iter()
                .map(|account| {
                    let roles: Vec<String> =
                        account.grants.iter().map(|(role, area)| format!("{role:?}@{area}").to_lowercase()).collect();
                    let disabled = if account.disabled { "  ✗" } else { "" };
                    format!("{}  {}  {}  {}{disabled}", account.login, account.name, account.account, roles.join(" "))
                })
                .collect();
            output.result(&accounts, &lines.join("\n"), &lines.join("\n"));
            Ok(())
        }
        Account::Disable { place, login, reason } => {
            let installation = open(place)?.installation;
            let account = installation.account(&login).await?;
            installation.disable(account, &reason).await?;
            output.result(&json!({ "disabled": account }), &format!("已停用 {login}"), &format!("{login} is disabled"));
            Ok(())
        }
        Account::Grant { granting: Granting { place, login, role, area }, until } => {
            let installation = open(place)?.installation;
            let account = installation.account(&login).await?;
            installation.grant(account, (of_name(role), area.as_deref()), until).await?;
            output.result(&json!({ "granted": login }), &format!("已授予 {login}"), &format!("granted to {login}"));
            Ok(())
        }
        Account::RevokeGrant(Granting { place, login, role, area }) => {
            let installation = open(place)?.installation;
            installation.revoke_grant(installation.account(&login).await?, of_name(role), area.as_deref()).await?;
            let (zh, en) = (format!("已收回 {login} 的角色"), format!("taken away from {login}"));
            output.result(&json!({ "revoked_grant": login }), &zh, &en);
            Ok(())
        }
        Account::Unit { place, login, unit, until, remove } => {
            let installation = open(place)?.installation;
            installation.set_member(installation.account(&login).await?, (unit, !remove), until).await?;
            let (zh, en) = match remove {
                true => (format!("{login} 已退出责任单位"), format!("{login} is out of the unit")),
                false => (format!("{login} 已加入责任单位"), format!("{login} belongs to the unit")),
            };
            output.result(&json!({ "unit": unit, "member": !remove }), &zh, &en);
            Ok(())
        }
        Account::Absent { place, login, deputy, until } => {
            absent(&open(place)?.installation, (&login, &deputy), until, output).await
        }
        Account::Back { place, login } => {
            let installation = open(place)?.installation;
            let account = installation.account(&login).await?;
            installation.end_absence(account).await?;
            output.result(&json!({ "back": account }), &format!("{login} 已返岗"), &format!("{login} is back"));
            Ok(())
        }
        Account::ResetPassword { place, login, none } => reset_password(place, &login, none, output).await,
    }
}

async fn absent(
    installation: &Installation,
    (login, deputy): (&str, &str),
    until: Date,
    output: &Output,
) -> Result<()> {
    let (account, by) = (installation.account(login).await?, installation.account(deputy).await?);
    installation.set_absent(account, by, until).await?;
    let zh = format!("{login} 离岗至 {until}，由 {deputy} 代理");
    let en = format!("{login} is away through {until}; {deputy} stands in");
    output.result(&json!({ "absent": account, "deputy": by, "until": until.to_string() }), &zh, &en);
    Ok(())
}

async fn reset_password(place: Place, login: &str, none: bool, output: &Output) -> Result<()> {
    let password = if none { None } else { Some(typed_password()?) };
    open(place)?.installation.reset_password(login, password).await?;
    let (zh, en) = match none {
        true => (format!("{login} 不再使用密码登录"), format!("{login} logs in by phone only")),
        false => (format!("已重设 {login} 的密码"), format!("{login} has another password")),
    };
    output.result(&json!({ "login": login, "password": !none }), &zh, &en);
    Ok(())
}

fn typed_password() -> Result<String> {
    let mut typed = String::new();
    std::io::stdin().read_to_string(&mut typed).context("reading a password")?;
    Ok(typed.trim_end_matches(['\r', '\n']).to_owned())
}

async fn add_account(add: AddAccount, output: &Output) -> Result<()> {
    let password = if add.password_stdin { Some(typed_password()?) } else { None };
    let installation = open(add.place)?.installation;
    let account = installation
        .add_account(NewAccount {
            id: add.id,
            login: add.login.clone(),
            name: add.name,
            person: add.person,
            role: Some(of_name(add.role)),
            area: add.area,
            units: add.unit,
            password,
        })
        .await?;
    let code = installation.code(account).await?;
    let zh = format!("已新增账号 {}({account})\n登记码(24 小时内有效,仅显示一次):{code}", add.login);
    let en = format!("account {} ({account}) added\none-time code (24 hours, shown once): {code}", add.login);
    output.result(&json!({ "account": account, "code": code }), &zh, &en);
    Ok(())
}

/// Phones.
pub(crate) async fn device(command: Device, output: &Output) -> Result<()> {
    match command {
        Device::Code { place, login } => {
            let installation = open(place)?.installation;
            let code = installation.code(installation.account(&login).await?).await?;
            let (zh, en) = (
                format!("登记码(24 小时内有效,仅显示一次):{code}"),
                format!("one-time code (24 hours, shown once): {code}"),
            );
            output.result(&json!({ "code": code }), &zh, &en);
        }
        Device::List(place) => {
            let devices = open(place)?.installation.devices().await?;
            let line = |device: &server::services::installation::ListedDevice| {
                let revoked = if device.revoked { "  ✗" } else { "" };
                format!("{}  {}  {}{revoked}", device.device, device.label, device.account)
            };
            let lines: Vec<String> = devices.iter().map(line).collect();
            output.result(&devices, &lines.join("\n"), &lines.join("\n"));
        }
        Device::Revoke { place, device, reason } => {
            open(place)?.installation.revoke(device, &reason).await?;
            output.result(&json!({ "revoked": device }), "设备已停用", "the phone is shut out");
        }
        Device::TakeIn { place, file } => {
            let opened = std::fs::File::open(&file).with_context(|| format!("opening {}", file.display()))?;
            let taken = open(place)?.take_in.take(opened, None).await?;
            let TakenIn { name, accepted, rejected, parked, refused, photos, .. } = &taken;
            let zh = format!(
                "已接收 {name} 的导出文件：接受 {accepted} 项,不予接受 {rejected} 项,待处理 {parked} 项,由手机自行重发 {refused} 项,照片 {photos} 张"
            );
            let en = format!(
                "taken in from {name}: {accepted} accepted, {rejected} rejected, {parked} parked, {refused} left to the phone, {photos} photos"
            );
            output.result(&taken, &zh, &en);
        }
    }
    Ok(())
}

fn of_name(name: RoleName) -> Role {
    match name {
        RoleName::Inspector => Role::Inspector,
        RoleName::Crew => Role::Crew,
        RoleName::Supervisor => Role::Supervisor,
        RoleName::Auditor => Role::Auditor,
        RoleName::Admin => Role::Admin,
    }
}
