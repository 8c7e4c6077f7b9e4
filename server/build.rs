//! Puts the built page where the program embeds it from. Where nobody built it yet, a page that says how stands there.

use std::path::Path;
use std::{env, fs, io};

const NOT_BUILT: &str = "<!doctype html><html lang=\"zh-CN\"><meta charset=\"utf-8\"><title>Rectify</title>\
    <p>网页尚未构建：请运行 <code>cargo xtask run</code>（或 <code>cargo xtask page</code>）后重新编译。</p>\
    <p lang=\"en\">The page is not built: run <code>cargo xtask run</code> (or <code>cargo xtask page</code>), then compile again.</p></html>";

fn main() -> io::Result<()> {
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    let embedded = Path::new(&out).join("page");
    if embedded.exists() {
        fs::remove_dir_all(&embedded)?;
    }
    fs::create_dir_all(&embedded)?;
    let built = Path::new("web/dist");
    if built.join("index.html").is_file() {
        println!("cargo:rerun-if-changed=web/dist");
        return copy(built, &embedded);
    }
    // A folder that is not there would make cargo run this each time.
    println!("cargo:rerun-if-changed=web");
    println!("cargo:warning=the page is not built: `cargo xtask page` builds it, the program says so until then");
    fs::write(embedded.join("index.html"), NOT_BUILT)
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy(&source, &target)?;
        } else {
            fs::copy(&source, &target)?;
        }
    }
    Ok(())
}
