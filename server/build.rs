//! The program embeds the built page. Where nobody built it yet, a page that says how stands in its place.

use std::path::Path;
use std::{fs, io};

const NOT_BUILT: &str = "<!doctype html><html lang=\"zh-CN\"><meta charset=\"utf-8\"><title>Rectify</title>\
    <p>网页尚未构建：请运行 <code>cargo xtask run</code>（或 <code>cargo xtask page</code>）后重新编译。</p>\
    <p lang=\"en\">The page is not built: run <code>cargo xtask run</code> (or <code>cargo xtask page</code>), then compile again.</p></html>\n";

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=web/dist");
    let built = Path::new("web/dist");
    if !built.join("sw.js").is_file() {
        println!("cargo:warning=the page is not built: `cargo xtask page` builds it, the program says so until then");
        fs::create_dir_all(built)?;
        if !built.join("index.html").is_file() {
            fs::write(built.join("index.html"), NOT_BUILT)?;
        }
    }
    Ok(())
}
