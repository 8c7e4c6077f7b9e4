//! Compiles the device's rules for the page, into `server/web/generated`. Where the toolchain has the standard library
//! for browsers, with that; otherwise, on Debian, with the compiler and the source of its own packages, unpacked into a
//! folder of the user's and kept there. No toolchain is changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::parts::{cargo, finish, in_folder, program, this_cargo};

const TARGET: &str = "wasm32-unknown-unknown";
const COMPILED: &str = "target/wasm/wasm32-unknown-unknown/wasm/sync_browser.wasm";
const GENERATED: &str = "server/web/generated";
/// Debian's compiler for browsers, its libraries, and the source of the standard library that belongs to it.
const PACKAGES: [&str; 5] = ["rustc-web", "libstd-rust-web-1.96", "libstd-rust-web-dev", "libllvm22", "rust-web-src"];
const SOURCE: &str = "rust-web-src";
const BUILD: [&str; 6] = ["build", "--locked", "--package", "sync-browser", "--profile", "wasm"];
const PLACE: [&str; 4] = ["--target", TARGET, "--target-dir", "target/wasm"];

/// Compiles them, unless they are newer than all that they are made of; cargo knows the latter.
pub(crate) fn build() -> Result<()> {
    let sysroot = PathBuf::from(said(Command::new("rustc").args(["--print", "sysroot"]))?);
    if sysroot.join("lib/rustlib").join(TARGET).is_dir() {
        finish(this_cargo().args(BUILD).args(PLACE))?;
    } else {
        build_with_debian(&sysroot)?;
    }
    let made = Path::new(GENERATED).join("rules_bg.wasm");
    let time = |path: &Path| path.metadata().and_then(|it| it.modified()).ok();
    if time(&made).is_some_and(|made| Some(made) >= time(Path::new(COMPILED))) {
        return Ok(());
    }
    cargo(&["run", "--quiet", "--locked", "--package", "glue", "--", COMPILED, GENERATED])?;
    in_folder(
        "server/web",
        "npx",
        &["--no-install", "wasm-opt", "-Oz", "generated/rules_bg.wasm", "-o", "generated/small.wasm"],
    )?;
    fs::rename(Path::new(GENERATED).join("small.wasm"), made)?;
    Ok(())
}

fn build_with_debian(sysroot: &Path) -> Result<()> {
    let cache = cache()?;
    if !cache.join("whole").exists() {
        unpack(&cache).with_context(|| format!("run `rustup target add {TARGET}` and try again"))?;
    }
    let host = said(Command::new("rustc").args(["--print", "host-tuple"]))?;
    let linker = sysroot.join("lib/rustlib").join(host).join("bin/rust-lld");
    finish(
        this_cargo()
            .args(BUILD)
            .args(PLACE)
            .arg("-Zbuild-std=std,panic_abort")
            .env("RUSTC", cache.join("rustc"))
            .env("RUSTC_BOOTSTRAP", "1")
            .env_remove("RUSTUP_TOOLCHAIN")
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker),
    )
}

fn cache() -> Result<PathBuf> {
    let base = match (std::env::var_os("XDG_CACHE_HOME"), std::env::var_os("HOME")) {
        (Some(cache), _) => PathBuf::from(cache),
        (None, Some(home)) => PathBuf::from(home).join(".cache"),
        (None, None) => bail!("neither XDG_CACHE_HOME nor HOME says where a cache may lie"),
    };
    Ok(base.join("rectify").join("rust-web"))
}

/// Fetches the packages and unpacks what is needed of them. The word `whole` comes last: an interrupted one begins anew.
fn unpack(cache: &Path) -> Result<()> {
    let (packages, root) = (cache.join("packages"), cache.join("root"));
    let _ = fs::remove_dir_all(&packages);
    fs::create_dir_all(&packages)?;
    let folder = packages.display().to_string();
    // Fails without word where they are known already; the download says what is wrong.
    let _ = program("apt-get", &["update", "--quiet=2"]);
    in_folder(&folder, "apt-get", &[&["download", "--quiet=2"], &PACKAGES[..]].concat())?;
    for file in fs::read_dir(&packages)? {
        let file = file?.path();
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !name.starts_with(SOURCE) {
            program("dpkg", &["-x", &file.display().to_string(), &root.display().to_string()])?;
            continue;
        }
        let all = cache.join("source");
        program("dpkg", &["-x", &file.display().to_string(), &all.display().to_string()])?;
        link_library(&all, &root)?;
    }
    write_compiler(cache, &root)?;
    fs::remove_dir_all(&packages)?;
    Ok(fs::write(cache.join("whole"), "")?)
}

/// Cargo looks for the source of the standard library below the compiler's own folder.
fn link_library(source: &Path, root: &Path) -> Result<()> {
    let mut versions = fs::read_dir(source.join("usr/src"))?;
    let version = versions.next().context("no source in the package")??.path();
    let place = root.join("usr/lib/rustlib/src");
    fs::create_dir_all(&place)?;
    let link = place.join("rust");
    let _ = fs::remove_file(&link);
    program("ln", &["-s", &version.display().to_string(), &link.display().to_string()])
}

/// The compiler with its own libraries beside it.
fn write_compiler(cache: &Path, root: &Path) -> Result<()> {
    let library = said(Command::new("dpkg-architecture").arg("-qDEB_HOST_MULTIARCH"))
        .or_else(|_| said(Command::new("gcc").arg("-print-multiarch")))?;
    let (path, root) = (cache.join("rustc"), root.display());
    let script = format!("#!/bin/sh\nLD_LIBRARY_PATH={root}/usr/lib/{library} exec {root}/usr/bin/rustc \"$@\"\n");
    fs::write(&path, script)?;
    program("chmod", &["+x", &path.display().to_string()])
}

fn said(command: &mut Command) -> Result<String> {
    let name = command.get_program().display().to_string();
    let output = command.output().with_context(|| format!("can't start {name}"))?;
    if !output.status.success() {
        bail!("{name} failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
