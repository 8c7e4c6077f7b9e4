//! Accounts, phones and files of unsent work, by the programs as an operator and an inspector run them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tests::programs::Said;

use crate::city::{District, draw, settle};

const PASSWORD: &str = "correct horse battery staple";

#[test]
fn an_operator_sees_to_accounts_and_phones() {
    operate().unwrap();
}

fn operate() -> Result<()> {
    let district = District::new()?;
    let installation = &district.installation;
    let grids = district.grids();
    let unit = installation.must(&["unit", "add", "--zh", "城管中队", "--en", "Squad"])?["unit"].clone();
    let unit = unit.as_str().context("a unit")?;
    let phone = district.phone("li", "inspector", &["--area", &grids[0]])?;
    settle(&phone)?;
    let add = ["account", "add", "wang", "--name", "王", "--role", "supervisor", "--area", &grids[0]];
    installation.must(&add)?;
    installation.must(&["account", "grant", "wang", "--role", "inspector", "--area", &grids[1]])?;
    installation.must(&["account", "unit", "wang", "--unit", unit])?;
    let devices = installation.must(&["device", "list"])?;
    let device = devices[0]["device"].as_str().context("a device")?.to_owned();
    ensure!(installation.must(&["device", "code", "li"])?["code"].as_str().is_some_and(|code| code.len() == 14));
    let none = "00000000-0000-7000-8000-000000000000";
    let answers: [(&[&str], i32); 19] = [
        (&add, 1),
        (&["account", "add", "x", "--name", "x", "--role", "emperor"], 2),
        (&["account", "grant", "wang", "--role", "inspector", "--area", &grids[1]], 0),
        (&["account", "grant", "nobody", "--role", "inspector"], 1),
        (&["account", "grant", "wang", "--role", "inspector", "--area", "nowhere"], 1),
        (&["account", "revoke-grant", "wang", "--role", "inspector", "--area", &grids[1]], 0),
        (&["account", "revoke-grant", "wang", "--role", "inspector", "--area", &grids[1]], 1),
        (&["account", "unit", "wang", "--unit", none], 1),
        (&["account", "unit", "wang", "--unit", "a unit"], 2),
        (&["account", "unit", "wang", "--unit", unit, "--remove"], 0),
        (&["account", "reset-password", "wang"], 1),
        (&["account", "reset-password", "nobody", "--none"], 1),
        (&["device", "code", "nobody"], 1),
        (&["device", "revoke", none], 1),
        (&["device", "revoke", "a phone"], 2),
        (&["device", "take-in", "/nowhere/at/all"], 1),
        (&["device", "take-in", "/dev/null"], 1),
        (&["device", "revoke", &device, "--reason", "lost"], 0),
        (&["device"], 2),
    ];
    for (arguments, code) in answers {
        let said = installation.operate(arguments)?;
        ensure!(said.code == code, "{arguments:?}: {said:?}");
        ensure!((code == 0) == said.err.is_empty() && !said.err.contains("panicked"), "{arguments:?}: {said:?}");
        ensure!(code != 2 || (said.err.contains("用法不对") && said.err.contains("wrong usage")), "{said:?}");
        ensure!(code != 1 || serde_json::from_str::<Value>(&said.err)?["detail"].is_string(), "{said:?}");
    }
    let accounts = installation.must(&["account", "list"])?;
    let wang = accounts.as_array().and_then(|all| all.iter().find(|it| it["login"] == "wang")).context("wang")?;
    ensure!(wang["grants"].as_array().is_some_and(|grants| grants.len() == 1), "{wang}");
    ensure!(installation.must(&["device", "list"])?[0]["revoked"] == true);
    passwords(&district)?;
    in_both_languages(&district)
}

fn passwords(district: &District) -> Result<()> {
    let login = |password: &str| login(district, "wang", password);
    ensure!(login(PASSWORD)? == 401, "there is no password yet");
    // Each failure doubles the wait: on a slow machine the first may be over before the next guess.
    ensure!((0..8).any(|_| login(PASSWORD).is_ok_and(|status| status == 429)), "whoever guesses waits");
    for weak in ["short", "wang wang wang"] {
        ensure!(typing(district, &["account", "reset-password", "wang"], weak)?.code == 1, "{weak}");
    }
    let set = typing(district, &["account", "reset-password", "wang"], PASSWORD)?;
    ensure!(set.code == 0, "{set:?}");
    ensure!(login(PASSWORD)? == 200, "a reset forgets the guesses as well");
    district.installation.must(&["account", "reset-password", "wang", "--none"])?;
    ensure!(login(PASSWORD)? == 401);
    typing(district, &["account", "reset-password", "wang"], PASSWORD)?;
    district.installation.must(&["account", "disable", "wang", "--reason", "left"])?;
    ensure!(login(PASSWORD)? == 401, "a disabled account looks like a wrong password");
    let said = district.installation.operate(&["account", "grant", "wang", "--role", "inspector"])?;
    ensure!(said.code == 1, "{said:?}");
    Ok(())
}

fn in_both_languages(district: &District) -> Result<()> {
    let code = |lang: &str, login: &str| -> Result<Said> {
        let output = district.installation.command(&["--lang", lang, "device", "code", login])?.output()?;
        Ok(Said::of(&output))
    };
    let (zh, en) = (code("zh", "li")?, code("en", "li")?);
    ensure!(zh.out.contains("登记码") && en.out.contains("one-time code"), "{zh:?} {en:?}");
    let (zh, en) = (code("zh", "nobody")?, code("en", "nobody")?);
    ensure!(zh.err.starts_with("错误") && en.err.starts_with("error"), "{zh:?} {en:?}");
    Ok(())
}

/// Runs an operator's command with something typed.
fn typing(district: &District, arguments: &[&str], typed: &str) -> Result<Said> {
    let mut child = district
        .installation
        .command(&[&["--json", "--lang", "en"], arguments].concat())?
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    child.stdin.take().context("its input")?.write_all(format!("{typed}\n").as_bytes())?;
    let output = child.wait_with_output()?;
    Ok(Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// The status of a login over HTTP.
fn login(district: &District, login: &str, password: &str) -> Result<u16> {
    let body = json!({ "login": login, "password": password }).to_string();
    let mut stream = TcpStream::connect(&district.installation.address)?;
    let length = body.len();
    write!(
        stream,
        "POST /v1/login HTTP/1.1\r\nhost: city\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    answer.split(' ').nth(1).context("a status")?.parse().context("a status")
}

#[test]
fn unsent_work_is_carried_to_the_server_in_a_file_that_only_it_can_read() {
    carry().unwrap();
}

fn carry() -> Result<()> {
    let mut district = District::new()?;
    let inspector = district.phone("li", "inspector", &["--area", &district.grids()[0]])?;
    let supervisor = district.phone("sun", "supervisor", &[])?;
    settle(&inspector)?;
    settle(&supervisor)?;
    district.installation.kill()?;
    let place = district.place(&district.grids()[0])?;
    let photo = draw(district.folder.path(), 77)?;
    let note = "店主拒绝配合";
    let base = ["report", "--category", "stall", "--subtype", "road_occupation", "--at", &place, "--note", note];
    let more = ["--photo", &photo.display().to_string(), "--field", "goods=fruit_vegetables"];
    let made = inspector.must(&[base.as_slice(), &more].concat())?;
    let case = made["case"].as_str().context("a case")?.to_owned();
    inspector.must(&["do", &case, "comment", "--note", "第二次"])?;

    let path = |name: &str| district.folder.path().join(name).display().to_string();
    let (sealed, plain) = (path("unsent.rectify"), path("unsent.ndjson"));
    let said = inspector.must(&["export", &sealed])?;
    ensure!((&said["ops"], &said["photos"]) == (&json!(2), &json!(1)), "{said}");
    inspector.must(&["export", "--plain", &plain])?;
    let holds = |file: &str, text: &[u8]| -> Result<bool> {
        Ok(std::fs::read(file)?.windows(text.len()).any(|window| window == text))
    };
    ensure!(holds(&plain, note.as_bytes())? && !holds(&sealed, note.as_bytes())?);
    ensure!(!holds(&sealed, b"rectify_export\":")? && !holds(&sealed, b"road_occupation")?);

    district.installation.start()?;
    let cut = path("cut.rectify");
    let bytes = std::fs::read(&sealed)?;
    std::fs::write(&cut, &bytes[..bytes.len() / 2])?;
    let said = district.installation.operate(&["device", "take-in", &cut])?;
    ensure!(said.code == 1 && !said.err.contains("internal"), "{said:?}");
    let taken = district.installation.must(&["device", "take-in", &sealed])?;
    ensure!((&taken["accepted"], &taken["photos"]) == (&json!(2), &json!(1)), "{taken}");
    ensure!(district.installation.must(&["device", "take-in", &sealed])? == taken, "again, to the same end");
    settle(&supervisor)?;
    let shown = supervisor.must(&["show", &case])?;
    ensure!(shown["case"]["state"] == "reported" && shown["case"]["comment_count"] == 1, "{shown}");
    ensure!(shown.to_string().contains(note), "with its values: {shown}");

    // The phone comes back: nothing is twice.
    settle(&inspector)?;
    ensure!(inspector.must(&["needs-attention"])? == json!([]));
    let cases = supervisor.must(&["list"])?;
    ensure!(cases["cases"].as_array().is_some_and(|cases| cases.len() == 1), "{cases}");
    let photos = supervisor.must(&["show", &case])?;
    ensure!(photos["case"]["evidence"].as_array().is_some_and(|it| it.len() == 1), "{photos}");
    Ok(())
}

/// A phone is lost with unsent work on it, shut out, and found again: its steps go into custody, its photos to the server,
/// and only then nothing is left on it.
#[test]
fn a_phone_that_was_shut_out_hands_in_steps_and_photos_and_then_wipes_itself() {
    hand_in().unwrap();
}

fn hand_in() -> Result<()> {
    let mut district = District::new()?;
    let inspector = district.phone("li", "inspector", &["--area", &district.grids()[0]])?;
    let supervisor = district.phone("sun", "supervisor", &[])?;
    settle(&inspector)?;
    settle(&supervisor)?;
    district.installation.kill()?;
    let place = district.place(&district.grids()[0])?;
    let (mut cases, mut photos) = (Vec::new(), Vec::new());
    for number in [81, 82] {
        let photo = draw(district.folder.path(), number)?;
        photos.push(sync_core::line::sha256(&std::fs::read(&photo)?).to_string());
        let base = ["report", "--category", "stall", "--subtype", "road_occupation", "--at", &place];
        let more = ["--photo", &photo.display().to_string(), "--field", "goods=fruit_vegetables"];
        let made = inspector.must(&[base.as_slice(), &more].concat())?;
        cases.push(made["case"].as_str().context("a case")?.to_owned());
    }
    inspector.must(&["do", &cases[0], "comment", "--note", "又来了"])?;
    district.installation.start()?;
    let devices = district.installation.must(&["device", "list"])?;
    let account = district.installation.must(&["account", "list"])?;
    let row = |list: &Value, member: &str, value: &Value| -> Result<Value> {
        let found = list.as_array().and_then(|rows| rows.iter().find(|row| row[member] == *value));
        found.cloned().with_context(|| format!("{value} in {list}"))
    };
    let account = row(&account, "login", &json!("li"))?["account"].clone();
    let device = row(&devices, "account", &account)?["device"].as_str().context("a phone")?.to_owned();
    district.installation.must(&["device", "revoke", &device, "--reason", "lost"])?;

    let left = || -> Result<Vec<_>> {
        Ok(std::fs::read_dir(&inspector.home)?.flatten().map(|file| file.file_name()).collect())
    };
    let said = inspector.run(&["sync", "--photos", "later"])?;
    ensure!(said.code == 1 && !said.err.contains("wiped itself"), "it still holds photos: {said:?}");
    ensure!(inspector.must(&["status"])?["photos_to_send"] == 2 && left()?.len() > 1);
    for photo in &photos {
        ensure!(district.installation.photo(photo)?.is_none(), "not sent yet");
    }
    let said = inspector.run(&["sync"])?;
    ensure!(said.err.contains("has delivered all that it held, and has wiped itself"), "{said:?}");
    ensure!(left()? == ["wiped.json"], "{:?}", left()?);
    for photo in &photos {
        let kept = district.installation.photo(photo)?.context("in custody")?;
        ensure!(sync_core::line::sha256(&kept).to_string() == *photo);
    }

    supervisor.must(&["sync"])?;
    let parked = supervisor.must(&["parked"])?;
    ensure!(parked.as_array().map(Vec::len) == Some(3), "{parked}");
    let first = row(&parked, "case", &json!(cases[0]))?;
    let op = first["op"].as_str().context("an op")?;
    supervisor.must(&["do", &cases[0], "release", "--parked", op, "--reason", "手机已找回"])?;
    let begun = Instant::now();
    let shown = loop {
        settle(&supervisor)?;
        let shown = supervisor.must(&["show", &cases[0]])?;
        if shown["case"]["evidence"][0]["verified_rev"].is_u64() {
            break shown;
        }
        ensure!(
            begun.elapsed() < Duration::from_secs(60),
            "released, its photo is there once it was looked at: {shown}"
        );
    };
    ensure!(shown["case"]["comment_count"] == 1, "and what was behind it: {shown}");
    let parked = supervisor.must(&["parked"])?;
    ensure!(parked.as_array().map(Vec::len) == Some(1), "the other still waits: {parked}");
    ensure!(district.installation.must(&["rebuild"])?["different"] == 0);
    Ok(())
}
