//! `export`: all that only this phone has, in one file for a supervisor to take in.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::process::ExitCode;

use sync_core::device::clocks::Clocks;
use sync_core::device::error::PhoneError;
use sync_core::device::phone::Phone;

use super::args::Export;
use super::say::{Failure, Out};

/// Writes the file: under a temporary name first, so that a name means a whole file.
pub(crate) fn export(phone: &mut Phone, clocks: &Clocks, out: Out, asked: &Export) -> Result<ExitCode, Failure> {
    let file: &Path = &asked.file;
    let failed = |source: std::io::Error| Failure::Phone(PhoneError::File { path: file.to_path_buf(), source });
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = file.with_file_name(name);
    let mut writer = BufWriter::new(File::create(&part).map_err(failed)?);
    let exported = match asked.plain {
        true => phone.export(&mut writer, clocks.now()),
        false => phone.export_sealed(&mut writer, clocks.now()),
    };
    let exported = exported.inspect_err(|_| drop(std::fs::remove_file(&part)))?;
    let whole = writer.into_inner().map_err(|error| failed(error.into_error()))?;
    whole.sync_all().map_err(failed)?;
    std::fs::rename(&part, file).map_err(failed)?;
    out.json(&exported)?;
    let (ops, photos) = (exported.ops, exported.photos);
    out.line(
        format!("已导出 {ops} 项操作、{photos} 张照片。本机内容不变，之后仍会照常发送"),
        format!("exported {ops} steps and {photos} photos. They stay on this phone, and are sent as ever"),
    );
    if asked.plain {
        out.note(
            "注意：文件未加密，任何拿到的人都能读到其中的内容和照片",
            "mind: the file is not sealed; whoever finds it reads what is in it, and sees the photos",
        );
    }
    Ok(ExitCode::SUCCESS)
}
